"""What a settlement of `valuation.payments` says of a division, for all to read."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

from aboveboard.formatting import (
    encode_number,
    format_count,
    format_number,
    format_quantity,
    join_names,
)
from aboveboard.formatting.plain_json import LARGEST_JSON
from aboveboard.valuation.levels import Level, encode_level
from aboveboard.valuation.shares.division import Shares, find_negative
from aboveboard.valuation.shares.sampling import SampledShares

if TYPE_CHECKING:
    from aboveboard.valuation.payments import Payments

NAMED = 10
"""Negative shares that a note lists before it ends."""


def describe_division(rule: Payments, found: Shares, levels: Sequence[Level]) -> dict[str, Any]:
    """Return plain data of a division: what was shared, how, and what a reader must know."""
    return {
        "fairness": rule.fairness,
        **({"alpha": encode_number(rule.alpha)} if rule.fairness == "users" else {}),
        "utility": encode_number(found.total),
        "platform": encode_number(found.platform),
        "levels": {name: encode_level(x) for name, x in zip(rule.users, levels, strict=True)},
        "method": found.method,
        **({} if found.evaluations is None else {"evaluations": found.evaluations}),
        **_describe_sampling(rule, found),
        "efficiency error": encode_number(found.error),
        "signs": "share is what a party is awarded; payment is what it pays to the platform",
        "notes": _list_notes(rule, found),
    }


def _describe_sampling(rule: Payments, found: Shares) -> dict[str, Any]:
    """Return how shares were sampled, where [sampling] was in force."""
    sampled = found.sampled
    if sampled is None or rule.sampling is None:
        return {}
    platform, seed = sampled.platform_error, rule.sampling.seed
    return {
        "sampling": {
            "method": sampled.method,
            **({"chosen because": sampled.why} if sampled.why else {}),
            "budget": rule.sampling.budget,
            "evaluations": sampled.evaluations,
            "drawn": sampled.drawn,
            "seed": seed if seed < LARGEST_JSON else str(seed),
            "sum of shares": fsum(map(float, found.users)),
            "missing before adjustment": sampled.missing,
            **({} if platform is None else {"platform_standard_error": platform}),
        }
    }


def _list_notes(rule: Payments, found: Shares) -> list[str]:
    notes = []
    if found.sampled is not None:
        notes.append(_describe_sample(found.sampled))
    below = [f"{name} {format_number(x)}" for name, x in find_negative(rule.users, found).items()]
    if below:
        notes.append(
            f"{format_quantity(len(below), 'negative share')}: {join_names(below, NAMED)}; the "
            "platform is worse off with these data, and by the axioms their owners would pay"
        )
    if found.at_nothing != 0:
        whose = (
            "the shares sum to alpha (U - U(0)) and the platform keeps the rest"
            if rule.fairness == "users"
            else "the platform keeps it"
        )
        notes.append(f"U(no data) = {format_number(found.at_nothing)}, not 0: {whose}")
    return notes


def _describe_sample(sampled: SampledShares) -> str:
    return (
        f"shares are estimates from {format_count(sampled.evaluations)} coalitions, each with "
        "a standard "
        "error; they sum to what is paid out"
        + ("" if sampled.sums else ", to which the method's own estimates were adjusted")
    )
