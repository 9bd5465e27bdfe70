"""The last lists of members, as keyed hashes in the hub's folder; see `lists`.

They lie in a folder of the round that they come from, and are deleted with what members have sent
in it.
"""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

from sqlalchemy import Connection, select

from aboveboard.evidence.keys import PRIVATE_FOLDER, make_private_folder, write_private
from aboveboard.evidence.rounds import Round
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import collaboration, reply
from aboveboard.hub.home import SERIES, Hub
from aboveboard.hub.jobs.isolation import require_own_file
from aboveboard.hub.series.lists import KEY_FILE, LAST, NOW


def copy_last_elements(hub: Hub, identifier: str, round_: Round, folder: Path) -> None:
    """Let a child compare lists with those of the last round that gave each member a result.

    Where these are deleted, nothing is compared: a member then may bring what it likes.
    """
    if not round_.terms.repeats.limits_lists:
        return
    with read(hub.engine) as connection:
        series = _find_series(connection, identifier)
        last = _find_last(connection, series, round_.terms.serial)
    write_private(folder / KEY_FILE, hub.derive_secret("elements", series))
    (folder / LAST).mkdir(mode=PRIVATE_FOLDER)
    for name in round_.present:
        kept = _locate(hub, series, last.get(name, identifier)) / f"{name}.bin"
        if name in last and kept.is_file():
            write_private(folder / LAST / f"{name}.bin", kept.read_bytes())


def keep_elements(hub: Hub, identifier: str, round_: Round, folder: Path) -> None:
    """Keep what a child hashed, for the next round; the same each time that it is done."""
    if not round_.terms.repeats.limits_lists:
        return
    with read(hub.engine) as connection:
        place = _locate(hub, _find_series(connection, identifier), identifier)
    for name in round_.present:
        path = require_own_file(folder, f"{NOW}/{name}.bin")
        make_private_folder(place)
        fresh = place / f".{name}.new"
        fresh.unlink(missing_ok=True)
        write_private(fresh, path.read_bytes())
        fresh.replace(place / f"{name}.bin")


def remove_elements(hub: Hub, series: str, identifier: str) -> None:
    """Remove what was kept of a round's lists."""
    rmtree(_locate(hub, series, identifier), ignore_errors=True)


def list_kept_elements(hub: Hub, series: str, identifier: str) -> list[str]:
    """Return the members of whose lists in a round hashes are kept."""
    return sorted(path.stem for path in _locate(hub, series, identifier).glob("*.bin"))


def _locate(hub: Hub, series: str, identifier: str) -> Path:
    return hub.folder / SERIES / series / identifier


def _find_series(connection: Connection, identifier: str) -> str:
    found: str = connection.execute(
        select(collaboration.c.series).where(collaboration.c.id == identifier)
    ).scalar_one()
    return found


def _find_last(connection: Connection, series: str, serial: int) -> dict[str, str]:
    """Return the last round before this one that gave each member a result; others tell nothing."""
    rows = connection.execute(
        select(reply.c.name, collaboration.c.id)
        .join(collaboration, collaboration.c.id == reply.c.collaboration)
        .where(collaboration.c.series == series, collaboration.c.serial < serial)
        .order_by(collaboration.c.serial)
    )
    return {row.name: row.id for row in rows}
