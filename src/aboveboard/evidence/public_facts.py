"""Which facts a result may state: those that its mechanism's verifier reads, and no others.

A fact that nobody compares would look as if it had been verified.
"""

from __future__ import annotations

from collections.abc import Mapping

from aboveboard.evidence.terms import Terms

_MARKET = frozenset({"players", "goods", "endowment", "bits", "step", "announced", "ending"})
_LEARNING = frozenset({"order", "trained", "sizes"})

_FACTS: Mapping[str, frozenset[str]] = {
    "exchange.union": frozenset(
        {"rule", "names", "regions", "order", "union", "first", "leading", "inspection"}
    ),
    "valuation.payments": frozenset({"users", "utility", "estimated", "total"}),
    "learning.payments": _LEARNING | {"qualities", "without", "rows"},
    "learning.desirable": _LEARNING,
    "market.propose_and_agree": _MARKET | {"epsilon", "delta", "votes"},
    "market.naive_1": _MARKET | {"announcements"},
    **{f"market.naive_{k}": _MARKET | {"epsilon", "votes"} for k in (2, 3, 4)},
}
"""By mechanism; all of curation have the same, and other mechanisms have none."""

_CURATION = frozenset({"center", "agents", "answered", "rounds"})


def list_known_facts(terms: Terms) -> frozenset[str]:
    """Return the keys of facts that a result under these terms may have."""
    curates = terms.mechanism.startswith("curation.")
    known = _CURATION if curates else _FACTS.get(terms.mechanism, frozenset())
    further = {
        "commitments": terms.protocol == "run",
        "files": terms.opened != "nothing",
        "parts": terms.opened == "all",
        "answers": bool(terms.asks),
        "sum": terms.sums == "committed",
    }
    return known | {key for key, stated in further.items() if stated}
