"""What the files of a party tell it of the others, in words, for the manifest.

A test of inversion holds this list against the files: worlds in which a party has the same input,
reply and share, and all that is listed here is the same, leave it the same files.
"""

from __future__ import annotations

from collections.abc import Mapping

from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.evidence.hidden_shares import list_shown_numbers

_FACTS: Mapping[str, tuple[str, ...]] = {
    "exchange.union": ("how many elements each list has", "from whose list each element comes"),
    "valuation.payments": (
        "each user's level, number of samples and weight",
        "the utility that is divided",
    ),
    "learning.payments": ("each party's size, or the quality that was measured",),
    "learning.desirable": ("each party's size",),
    **{
        f"market.{name}": (
            "who brings which goods",
            "the announcement, all votes, and how the play ended",
        )
        for name in ("propose_and_agree", "naive_2", "naive_3", "naive_4")
    },
    "market.naive_1": (
        "who brings which goods",
        "what each party announces, and how the play ended",
    ),
    **{
        f"curation.{kind}": (
            "each agent's value, price, shape, commitment and prior",
            "who was answered",
        )
        for kind in (
            "always_all",
            "always_noise",
            "competitive",
            "fair",
            "indicator",
            "straightforward",
        )
    },
}
"""By mechanism: what every bundle tells besides shares."""

OVERLAPS = "how many elements each overlap of lists has"
RECEIVED = "how many of the party's own elements each of the others received"
ON_THE_PAGE = (
    "how many rivals gained more than the party",
    "whether a lie, or staying away, would have paid it, and if so roughly how much",
)


def list_facts(mechanism: str) -> tuple[str, ...]:
    """Return what all parties are told with a mechanism, besides shares and overlaps of lists.

    Examples
    --------
    >>> list_facts("exchange.union")
    ('how many elements each list has', 'from whose list each element comes')
    """
    return _FACTS.get(mechanism, ())


def list_disclosures(collaboration: Collaboration) -> dict[str, list[str]]:
    """Return by file of a party what it tells of the others.

    Parameters
    ----------
    collaboration
        What was run.
    """
    name, sees = collaboration.mechanism.NAME, collaboration.file.sees
    if ":" in collaboration.file.mechanism:
        name = ""
    union = name == "exchange.union"
    told = list(list_facts(name))
    numbers = sorted(list_shown_numbers(name, sees.shares))
    told += [f"each party's {number}" for number in numbers]
    overlaps = [OVERLAPS] if union and not sees.hides_overlaps else []
    received = [RECEIVED] if union and not sees.hides_overlaps else []
    return {
        "reply": ["what the rule hands to the party"],
        "bundle.json": [*told, *overlaps],
        "statement.html": [*ON_THE_PAGE, *received],
    }
