"""Why a rule refuses what members have sent, told to each as far as its own part alone tells it.

A refusal of the whole may quote any part. So each part is checked once more by itself, with the
terms and nothing else: what that finds is known to its member anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aboveboard.errors import AboveboardError, InputError
from aboveboard.faults import list_faults
from aboveboard.hub.collaborations.faults import OF_RULE

if TYPE_CHECKING:
    from aboveboard.evidence.payloads import Payload
    from aboveboard.evidence.terms import Terms

MOST_REASON = 300
"""Characters of a reason."""

BESIDE_OTHERS = "the settlement failed at your part, beside those of others; the operator sees why"
"""What a member reads whose part is named by a reason that is not its own alone."""

_PLACE = re.compile(r"(?:[^:\s]+: )?(?:line \d+: )?(?:key ')?parties\.")


def explain_refusal(
    terms: Terms, parts: Mapping[str, Payload], error: AboveboardError
) -> dict[str, str]:
    """Return what each member may read of a refusal, by `OF_RULE` and name; of others nothing.

    Parameters
    ----------
    terms
        What was agreed.
    parts
        By member's name.
    error
        What the rule says of all of them.
    """
    from aboveboard.commands.rounds.own_check import list_own_faults

    places = [each.place for each in list_faults(error)] if isinstance(error, InputError) else []
    named = {find_owner(place, parts) for place in places}
    found = {}
    for name, part in parts.items():
        reasons = [str(each) for each in list_own_faults(terms, name, part)]
        if reasons:
            found[f"{OF_RULE}{name}"] = (
                f"the rule refuses your part: {'; '.join(reasons)[:MOST_REASON]}; you have "
                "committed to it, so ask the operator to cancel this round and begin another"
            )
        elif name in named:
            found[f"{OF_RULE}{name}"] = BESIDE_OTHERS
    return found


def find_owner(place: str, names: Iterable[str]) -> str | None:
    """Return whose part a place of a collaboration file is in; None: nobody's.

    Of names that begin alike the longest counts. What follows a place may quote what any member
    wrote, such as another one's name.

    Examples
    --------
    >>> find_owner("line 3: key 'parties.acme.x.level'", ["acme", "acme.x"])
    'acme.x'
    """
    start = _PLACE.match(place)
    if start is None:
        return None
    rest = place[start.end() :]
    fitting = [
        name
        for name in names
        if rest.startswith(f'"{name}"')
        or (rest.startswith(name) and rest[len(name) : len(name) + 1] in ("", ".", "[", "'", ":"))
    ]
    return max(fitting, key=len, default=None)
