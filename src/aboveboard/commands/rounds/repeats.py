"""How much a member's list may change from round to round, checked on its own machine.

The center checks it, too, once all have submitted; by then a commitment stands. So a member looks
at its own last list before it commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.evidence.members import PAYLOAD_FILE, locate_private, read_payload
from aboveboard.evidence.own_part import list_elements
from aboveboard.evidence.rounds import Round
from aboveboard.formatting import format_quantity


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
    repeats, previous = round_.terms.repeats, round_.terms.previous
    if previous is None or not repeats.limits_lists:
        return
    private = locate_private(home, previous, name)
    if not (private / PAYLOAD_FILE).exists():
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
