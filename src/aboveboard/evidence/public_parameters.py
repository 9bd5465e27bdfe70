"""Which keys of a collaboration file a run publishes to the parties: what verification needs.

What may be published is listed by mechanism; any other key stays with the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aboveboard.collaborations.collaboration import Collaboration

_READING = ("key", "delimiter", "encoding", "decimal", "sheet", "kind", "columns", "path", "csv",
            "normalize")  # fmt: skip  # read as a table
"""How a party's own list is read."""

_LEARNING = ("counterfactual", "quality", "valuation", "grid")

_INSPECTION = ("rate", "deposit", "miss", "coalitions")
"""How elements are inspected; who inspects them stays with the operator."""

_VOTING = ("bits", "proposer", "votes", "epsilon")

_MARKETS = (
    "market.vcg",
    "market.propose_and_agree",
    *(f"market.naive_{k}" for k in (1, 2, 3, 4)),
)

PUBLIC: Mapping[str, tuple[str, ...]] = {
    "exchange.union": (*_READING, "rule"),
    "exchange.average": ("power", "metric"),
    "exchange.interval": ("power", "function"),
    "exchange.contribution": ("pareto", "values", "function", "replies"),
    "valuation.payments": ("fairness", "alpha", "utility", "sampling"),
    "learning.payments": _LEARNING,
    "learning.desirable": _LEARNING,
    "market.propose_and_agree": (*_VOTING, "delta"),
    "market.naive_1": ("bits", "proposer", "votes"),
    **{f"market.naive_{k}": _VOTING for k in (2, 3, 4)},
    "curation.fair": ("function", "replies", "score", "lot", "margin"),
    **{
        f"curation.{kind}": ("function", "replies")
        for kind in ("always_all", "always_noise", "competitive", "indicator", "straightforward")
    },
}
"""By mechanism; no other mechanism publishes any key."""

PRESENT: Mapping[str, tuple[str, ...]] = {
    "valuation.payments": ("data",),
    "learning.payments": ("training",),
    "learning.desirable": ("training",),
    **dict.fromkeys(_MARKETS, ("bids", "endowments", "seller")),
}
"""Keys of which only their presence is published."""


def list_public_parameters(
    collaboration: Collaboration, table: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters that a run publishes to the parties.

    Parameters
    ----------
    collaboration
        What was run.
    table
        Its file as plain data; empty where there is no file.
    """
    if ":" in collaboration.file.mechanism:  # a rule beside the file: what it hides is not known
        return {}
    name = collaboration.mechanism.NAME
    public = {key: table[key] for key in PUBLIC.get(name, ()) if key in table}
    if isinstance(public.get("votes"), str):  # the name of a folder
        del public["votes"]
    public |= {key: True for key in PRESENT.get(name, ()) if key in table}
    if name == "exchange.union":
        rule: Any = collaboration.mechanism
        public["rule"] = rule.rule.name
        if isinstance(table.get("inspection"), Mapping):
            public["inspection"] = {
                key: x for key, x in table["inspection"].items() if key in _INSPECTION
            }
    return public
