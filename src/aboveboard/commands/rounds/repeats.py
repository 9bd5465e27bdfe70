"""How much a member's list may change from round to round, checked on its own machine.

The center checks it, too, once all have submitted; by then a commitment stands. So a member looks
at its own last list before it commits: that of the last round that had a result. Once the center
has deleted what it had of that round, it compares with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.evidence.members import (
    PAYLOAD_FILE,
    locate_private,
    read_membership,
    read_payload,
    read_round,
)
from aboveboard.evidence.own_part import list_elements
from aboveboard.evidence.round_states import ENDED, State
from aboveboard.evidence.rounds import Round
from aboveboard.formatting import format_quantity

_OVER = (*ENDED, State.ARCHIVED)


def refuse_large_change(
    home: Path, round_: Round, name: str, elements: Sequence[bytes], place: str
) -> None:
    """Raise `InputError` if a list has changed by more than the terms allow since the last round.

    Parameters
    ----------
    home
        The member's folder, where its last part lies; without one nothing is compared.
    round_
        The round.
    name
        The member.
    elements
        Of its list.
    place
        Where they come from, for errors.
    """
    repeats = round_.terms.repeats
    private = _find_last(home, round_, name) if repeats.limits_lists else None
    if private is None:
        return
    last = set(list_elements(round_.terms, name, read_payload(private)))
    now = set(elements)
    for changed, most, what in (
        (now - last, repeats.added, "that your last list had not"),
        (last - now, repeats.dropped, "fewer of your last list"),
    ):
        if most is not None and len(changed) > most:
            raise InputError(
                place,
                f"it has {format_quantity(len(changed), 'element')} {what}",
                f"the terms allow {most} from one round to the next",
            )


def _find_last(home: Path, round_: Round, name: str) -> Path | None:
    """Return the member's private folder of the last round with whose list the center compares.

    None: there is none here, or the center has deleted what it had of it. A round of which nothing
    is known but the list counts as one that had a result.
    """
    previous, passed = round_.terms.previous, set[str]()
    while previous is not None and previous not in passed:
        passed.add(previous)
        private = locate_private(home, previous, name)
        is_here, before = (private / PAYLOAD_FILE).exists(), _read_last(private)
        if before is None:
            return private if is_here else None
        has_result = before.find("result") is not None
        if has_result and before.state is State.ARCHIVED:
            return None
        if is_here and (has_result or before.state not in _OVER):
            return private
        previous = before.terms.previous
    return None


def _read_last(private: Path) -> Round | None:
    """Return a round as its folder tells it; None where that is gone."""
    try:
        return read_round(Path(read_membership(private)["folder"])).round
    except InputError:
        return None
