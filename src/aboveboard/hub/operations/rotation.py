"""`hub rotate`: new keys of the center and of its log, stated with the old ones in every round.

The new keys are written first, then stated, and then take the place of the old ones, which are
kept. Whoever is interrupted begins again: what was stated is finished, by `rotate` or by the next
command that opens the hub. A round goes on with the keys that are in force there. Members follow a
chain of statements from the keys that the hub had when they joined.
"""

from __future__ import annotations

import json
from pathlib import Path
from shutil import rmtree
from typing import Any

from sqlalchemy import select

from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.key_checks import encode_rotation
from aboveboard.evidence.keys import (
    PRIVATE_FOLDER,
    PublicKeys,
    generate_keys,
    read_keys,
    write_keys,
)
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.collaborations.logs import lock, read_round
from aboveboard.hub.collaborations.steps import make_own, take_own
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import collaboration
from aboveboard.hub.home import (
    FRESH_KEYS,
    KEYS,
    LOG_KEYS,
    OLD_KEYS,
    ROTATIONS_FILE,
    Hub,
    exchange_keys,
    open_hub,
)
from aboveboard.storage.atomic import atomic_file

NO_TERMS = "0" * 64
"""What a statement names that is of the hub, and of no round."""

OVER = ("cancelled", "archived")
"""Rounds in which nothing is said any more."""


def rotate_keys(folder: Path, *, center: bool = True, log: bool = True) -> Hub:
    """Exchange a hub's keys; return the hub with the new ones.

    Stop `hub serve` and `hub worker` before, and start them again afterwards.

    Parameters
    ----------
    folder
        The hub's.
    center, log
        Which keys.

    Raises
    ------
    InputError
        If it is no hub, or its keys cannot be written.
    """
    hub = open_hub(folder)
    place = hub.folder / OLD_KEYS
    place.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    fresh = _find_fresh(hub, center=center, log=log)
    if not _is_stated(hub, fresh):
        _append_statement(hub, fresh)
    kept = place / f"{len(hub.retired) + 1:06d}"
    kept.mkdir(mode=PRIVATE_FOLDER)
    exchange_keys(hub.folder, kept)
    hub.close()
    hub = open_hub(folder)
    state_rotations(hub)
    return hub


def _find_fresh(hub: Hub, *, center: bool, log: bool) -> CenterKeys:
    """Return the new keys: those of an exchange that was interrupted, or others, written first."""
    beside = hub.folder / OLD_KEYS / FRESH_KEYS
    if hub.rotations and (beside / LOG_KEYS).is_dir():
        begun = CenterKeys(read_keys(beside / KEYS), read_keys(beside / LOG_KEYS))
        if _is_stated(hub, begun):
            return begun
    rmtree(beside, ignore_errors=True)  # nobody has heard of these
    old = hub.keys
    fresh = CenterKeys(
        generate_keys() if center else old.center, generate_keys() if log else old.log
    )
    write_keys(fresh.center, beside / KEYS)
    write_keys(fresh.log, beside / LOG_KEYS)
    return fresh


def _is_stated(hub: Hub, fresh: CenterKeys) -> bool:
    """Return whether the last statement names these keys."""
    if not hub.rotations:
        return False
    body = json.loads(hub.rotations[-1])["body"]
    return all(body.get(key) == value for key, value in _prove(NO_TERMS, fresh).items())


def _append_statement(hub: Hub, fresh: CenterKeys) -> None:
    """Let the old key name the new ones, for all who know the old one."""
    body = {
        "kind": "rotate",
        "terms": NO_TERMS,
        "old": hub.keys.center.public.signing,
        **_prove(NO_TERMS, fresh),
    }
    statement = sign_statement(body, CENTER, hub.keys.center)
    lines = [*hub.rotations, statement.content.decode("utf-8")]
    with atomic_file(hub.folder / ROTATIONS_FILE) as file:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def state_rotations(hub: Hub) -> int:
    """State the hub's keys in every round that has others in force; return in how many."""
    with read(hub.engine) as connection:
        rows = connection.execute(
            select(collaboration.c.id).where(collaboration.c.state.not_in(OVER))
        ).scalars()
        waiting = list(rows)
    return sum(_state_rotation(hub, identifier) for identifier in waiting)


def _state_rotation(hub: Hub, identifier: str) -> bool:
    with write(hub.engine) as connection:
        row = lock(connection, identifier)
        before = read_round(connection, row)
        if before.find_keys(CENTER) == hub.keys.center.public and (
            before.list_log_keys()[-1] == hub.keys.log.public.signing
        ):
            return False
        body = _prove(before.terms_digest, hub.keys)
        take_own(connection, hub, row, before, make_own(hub, before, "rotate", body))
    return True


def _prove(terms: str, fresh: CenterKeys) -> dict[str, Any]:
    """Return the new keys, each with its own signature that it takes the place of the old one."""
    public = fresh.center.public
    named = PublicKeys(fresh.log.public.signing, public.sealing)
    return {
        **public.as_dict(),
        "proof": fresh.center.sign(encode_rotation(terms, CENTER, public)).hex(),
        "log": fresh.log.public.signing,
        "log_proof": fresh.log.sign(encode_rotation(terms, "log", named)).hex(),
    }
