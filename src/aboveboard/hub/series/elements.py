"""The last lists of members, as keyed hashes in the hub's folder; see `lists`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from aboveboard.evidence.keys import PRIVATE_FOLDER, write_private
from aboveboard.evidence.rounds import Round
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import collaboration
from aboveboard.hub.home import SERIES, Hub
from aboveboard.hub.jobs.isolation import require_own_file
from aboveboard.hub.series.lists import KEY_FILE, LAST, NOW


def copy_last_elements(hub: Hub, identifier: str, round_: Round, folder: Path) -> None:
    """Let a child compare lists with those of the last round that each member took part in."""
    if not round_.terms.repeats.limits_lists:
        return
    series = _find_series(hub, identifier)
    write_private(folder / KEY_FILE, hub.derive_secret("elements", series))
    (folder / LAST).mkdir(mode=PRIVATE_FOLDER)
    for name in round_.present:
        found = [
            (int(path.stem), path)
            for path in (hub.folder / SERIES / series / name).glob("*.bin")
            if int(path.stem) < round_.terms.serial
        ]
        if found:
            write_private(folder / LAST / f"{name}.bin", max(found)[1].read_bytes())


def keep_elements(hub: Hub, identifier: str, round_: Round, folder: Path) -> None:
    """Keep what a child hashed, for the next round; the same each time that it is done."""
    if not round_.terms.repeats.limits_lists:
        return
    series = _find_series(hub, identifier)
    for name in round_.present:
        path = require_own_file(folder, f"{NOW}/{name}.bin")
        place = hub.folder / SERIES / series / name
        place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        target = place / f"{round_.terms.serial}.bin"
        fresh = place / f".{round_.terms.serial}.new"
        fresh.unlink(missing_ok=True)
        write_private(fresh, path.read_bytes())
        fresh.replace(target)


def _find_series(hub: Hub, identifier: str) -> str:
    with read(hub.engine) as connection:
        found: str = connection.execute(
            select(collaboration.c.series).where(collaboration.c.id == identifier)
        ).scalar_one()
    return found
