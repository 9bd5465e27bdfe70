"""Evidence of an inspection: whose list was inspected whole, and that the seed drew the sample.

Which elements are real no proof shows: whoever inspects says so. A member can verify that the rate
and the deposit are those of the terms, that who was caught is handed nothing and pays the deposit,
and, if it was caught itself, that the seed drew one of the elements that it is said to have
invented (or that another member who was caught has it too).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import polars as pl

from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number, parse_number
from aboveboard.evidence.verifiers.union_claim import UnionClaim
from aboveboard.exchange.inspection import draw_sample
from aboveboard.formatting import format_count, format_quantity

WHICH_ARE_REAL = "which elements are real: whoever inspects says so"

CHAIN = "that another member who was caught has an element that you are said to have invented"


def verify_inspection(claim: UnionClaim, findings: Findings) -> None:
    """Verify what a member can of an inspection; everything found goes into `findings`."""
    stated = claim.facts.get("inspection")
    if claim.inspection is None or not isinstance(stated, dict):
        findings.contradict(
            "elements were inspected, which the terms do not say"
            if claim.inspection is None
            else "the terms say that elements are inspected, and nothing is published of it"
        )
        return
    caught = _read_caught(stated.get("caught"), claim.commitments)
    if caught is None:
        findings.contradict("it is not published who was caught inventing, and what is left")
        return
    for key in ("rate", "deposit"):
        due = claim.inspection.get(key, 0 if key == "deposit" else None)
        findings.check(
            is_same_number(due, stated.get(key)),
            f"the {key} of the inspection is {due}, as the terms say",
            f"the {key} of the inspection is {stated.get(key)}, and {due} in the terms",
        )
    deposit = stated.get("deposit")
    wrong = [
        name
        for name, paid in claim.payments.items()
        if not is_same_number(deposit if name in caught else 0, paid)
    ]
    findings.check(
        not wrong,
        "whoever was caught inventing forfeits the deposit, and nobody else pays",
        f"who was caught pays the deposit and nobody else does, which is not so for "
        f"{', '.join(wrong)}",
    )
    if claim.name in caught:
        _verify_own(claim, caught[claim.name], findings)
    findings.trust(WHICH_ARE_REAL)


def _read_caught(
    caught: Any, commitments: Mapping[str, tuple[bytes, int]]
) -> dict[str, int] | None:
    """Return how many elements are left of the list of each who was caught; None if it is not."""
    sound = isinstance(caught, dict) and all(
        name in commitments and type(left) is int and 0 <= left < commitments[name][1]
        for name, left in caught.items()
    )
    return dict(caught) if sound else None


def _verify_own(claim: UnionClaim, left: int, findings: Findings) -> None:
    """Verify what a member that was caught is told of its own list."""
    given = claim.private.get("invented")
    named = given if isinstance(given, list) and all(isinstance(x, str) for x in given) else []
    invented = {text.encode("utf-8", "surrogatepass") for text in named}
    findings.check(
        bool(invented) and invented <= claim.mine and len(claim.mine) - len(invented) == left,
        f"what you are said to have invented is yours: {format_quantity(len(invented), 'element')}",
        "the elements that you are said to have invented are not yours, or not as many as stated",
    )
    rate = parse_number(claim.inspection.get("rate")) if claim.inspection else None
    if rate is None or not 0 <= rate <= 1 or not named:
        return
    drawn = sum(draw_sample(pl.Series(sorted(set(named))), Fraction(rate), claim.seed))
    if drawn:
        findings.verify(f"the seed drew {format_count(drawn)} of them to be inspected")
    else:
        findings.trust(CHAIN)
