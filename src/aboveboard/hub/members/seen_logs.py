"""What a hub shows now, beside what the member has seen: logs only grow, and no round goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.folders import CHECKPOINT_FILE, read_checkpoint_file, read_log
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.evidence.notes import read_checkpoint
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.formatting import format_count, format_quantity
from aboveboard.hub.members.known_hubs import KnownHub, locate_hub
from aboveboard.hub.members.mirror import find_mirror, look_at_log
from aboveboard.hub.members.places import Mirror

GONE = "the hub shows this round to you no more: it may be an old backup"
"""What is said of a round of which the hub knows nothing, or says so."""

LEFT_OUT = (
    "the hub shows this round to you no more: another change of the terms may have left you out, "
    "or it is an old backup"
)
"""What is said of such a round to whom a change would have let in, and who had not signed it."""


@dataclass(frozen=True)
class SeenLog:
    """A log that the member has seen.

    Parameters
    ----------
    mirror
        Where it lies.
    size
        How many statements it had.
    """

    mirror: Mirror
    size: int


def list_seen(hub: KnownHub, home: Path) -> dict[str, SeenLog]:
    """Return the logs of a hub that the member has, by round; damaged ones are passed over.

    To be asked before the hub: a log only grows meanwhile.
    """
    found = {}
    for path in sorted(locate_hub(home, hub.address).glob(f"*/{CHECKPOINT_FILE}")):
        with suppress(InputError):  # each step in the round says so
            mirror = find_mirror(path.parent)
            size = read_checkpoint(read_checkpoint_file(path.parent), "").size
            if mirror is not None:
                found[mirror.id] = SeenLog(mirror, size)
    return found


def compare_with_seen(
    seen: dict[str, SeenLog], hub: KnownHub, keys: PrivateKeys, views: Iterable[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield what a hub shows of each round, with a fault where it is not what the member has seen.

    Rounds that the member has seen and the hub shows no more come last, as the member has them.

    Parameters
    ----------
    seen
        What `list_seen` has returned before the hub was asked.
    hub
        Which one.
    keys
        The member's.
    views
        What the hub shows.
    """
    gone = dict(seen)
    for view in views:
        before = gone.pop(view["id"], None)
        fault = None if before is None else _find_fault(before, view["size"], keys)
        yield view if fault is None else view | {"fault": fault}
    for each in gone.values():
        yield from _describe_gone(each.mirror, hub.name)


def _find_fault(seen: SeenLog, size: int, keys: PrivateKeys) -> str | None:
    """Return what is wrong with the log that a hub shows, as far as the member has seen it."""
    if size < seen.size:
        return (
            f"the hub shows {format_quantity(size, 'statement')} of this round, and you have "
            f"seen {format_count(seen.size)}: it may be an old backup; keep your files, and ask "
            "the operator"
        )
    try:
        look_at_log(seen.mirror, keys)
    except InputError as error:
        return str(error)
    return None


def _describe_gone(mirror: Mirror, name: str) -> Iterator[dict[str, Any]]:
    """Yield the view of a round of which a hub says nothing more, by what the member has."""
    try:
        round_: Round = replay_log(read_log(mirror.folder, "").entries, mirror.address)
    except InputError:
        return
    is_guest = name in round_.list_unsigned() and name not in round_.terms.members
    why = LEFT_OUT if is_guest else GONE
    yield {
        "id": mirror.id,
        "name": round_.terms.name,
        "terms": round_.terms_digest,
        "state": str(round_.state),
        "size": len(round_.leaves),
        "member": name,
        "next": None,
        "awaited": [],
        "deadline": None,
        "fault": f"{why}; keep {mirror.folder}, and ask the operator",
        "serial": round_.terms.serial,
        "series": "",
        "previous": None,
        "reply": None,
    }
