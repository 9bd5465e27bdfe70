"""From the outcome of maximal exploitation payments to a settlement: shares, details, warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aboveboard.formatting import encode_number, format_rounded, round_digits
from aboveboard.games.numbers import Number, to_number
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.quality import LearningCurve, Quality
from aboveboard.learning.payments.budget import describe_balance
from aboveboard.learning.payments.exploitation_payment import (
    PaymentOutcome,
    as_row,
    compute_outcome,
)
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share

SIGN_CONVENTION = (
    "payment is what a party pays to the center; benefit is what it gains by taking part, before "
    "it pays; utility is its valuation minus its payment"
)
"""What the numbers of a settlement mean."""


def apply_rule(
    parties: Sequence[str], market: Market, sizes: Mapping[str, Number]
) -> PaymentOutcome:
    """Return what the rule makes of sizes by party; who has none is absent."""
    return compute_outcome(market, [sizes.get(name) for name in parties])


def make_settlement(
    mechanism: str, parties: Sequence[str], market: Market, sizes: Mapping[str, Number]
) -> Settlement:
    """Return the settlement of those who report a size.

    Parameters
    ----------
    mechanism
        The rule's name.
    parties
        All parties, in order.
    market
        What decides allocations and payments.
    sizes
        What each reports; who is missing is absent.
    """
    found = apply_rule(parties, market, sizes)
    shares = {
        name: _make_share(found, i, sizes[name]) for i, name in enumerate(parties) if name in sizes
    }
    return Settlement(
        mechanism,
        shares,
        _make_details(parties, market, found, sizes),
        headline=make_headline(found),
        exhibits=_make_exhibits(market.quality),
    )


def value_models(
    market: Market,
    parties: Sequence[str],
    party: str,
    sizes: Mapping[str, Number],
    settlement: Settlement,
) -> Number:
    """Return what a settlement is worth to a party: its valuation minus its payment.

    Parameters
    ----------
    market
        What qualities are worth.
    parties
        All parties, in order.
    party
        Whose utility.
    sizes
        What each truly has; who is missing has nothing.
    settlement
        What came out; a party may be absent from it.
    """
    own = market.quality.evaluate(as_row([sizes.get(name, 0) for name in parties]))[0]
    served = [
        settlement.parties[name].more["quality"] if name in settlement.parties else 0
        for name in parties
    ]
    q = as_row([max(to_number(x), y) for x, y in zip(own, served, strict=True)])
    value = to_number(market.valuation.evaluate(q)[0, parties.index(party)])
    share = settlement.parties.get(party)
    return value if share is None else value - share.payment


def _make_share(found: PaymentOutcome, i: int, size: Number) -> Share:
    payment = found.payments[i]
    data = {
        "served": found.served[i],
        "quality": encode_number(found.qualities[i]),
        "payment": encode_number(payment),
    }
    return Share(
        benefit=payment,  # all that it gains
        utility=found.utilities[i],
        payment=payment,
        reply=Reply("json", data=data),
        more={
            "size": size,
            "alone": found.alone[i],
            "quality": found.qualities[i],
            "valuation": found.valuations[i],
        },
    )


def _make_details(
    parties: Sequence[str], market: Market, found: PaymentOutcome, sizes: Mapping[str, Number]
) -> dict[str, Any]:
    absent = [name for name in parties if name not in sizes]
    served = [name for name, yes in zip(parties, found.served, strict=True) if yes]
    return {
        "counterfactual": market.counterfactual,
        "quality": describe_quality(market.quality),
        "valuation": market.valuation.KIND,
        "best quality": encode_number(found.best),
        "served": served,
        "revenue": encode_number(found.revenue),
        "welfare": encode_number(found.welfare),
        **({"absent": absent} if absent else {}),
        "signs": SIGN_CONVENTION,
        "warnings": _list_warnings(parties, market, found, sizes),
    }


def _list_warnings(
    parties: Sequence[str], market: Market, found: PaymentOutcome, sizes: Mapping[str, Number]
) -> list[str]:
    reported = [sizes.get(name, 0) for name in parties]
    warnings = describe_balance(market, reported, parties, found.revenue)
    if not market.valuation.quasi_monotone:
        warnings.append(
            "these values are not quasi-monotone (own quality plus what others do to one), so "
            "payments need not be truthful; 'aboveboard audit' checks these parties"
        )
    return warnings


def make_headline(found: PaymentOutcome) -> str:
    """Return who is served and what the center takes in, in a sentence."""
    served, there = sum(found.served), sum(found.present)
    amount = f"{format_rounded(abs(float(found.revenue)))}"
    taken = f"the center pays out {amount}" if found.revenue < 0 else f"payments sum to {amount}"
    return (
        f"{served} of {there} parties are served the joint model, of quality "
        f"{format_rounded(found.best, 4)}; {taken}."
    )


def describe_quality(quality: Quality) -> Any:
    """Return Q as plain data."""
    if not isinstance(quality, LearningCurve):
        return quality.KIND
    return {
        "kind": quality.KIND,
        "formula": "ceiling (1 - (1 + s / scale)^-power)",
        "ceiling": quality.ceiling,
        "scale": quality.scale,
        "power": quality.power,
        "root mean squared residual": float(f"{format_rounded(quality.error)}"),
        "residuals": [float(f"{format_rounded(x)}") for x in quality.residuals],
    }


def _make_exhibits(quality: Quality) -> tuple[Exhibit, ...]:
    if not isinstance(quality, LearningCurve):
        return ()
    rows = tuple(
        (size, score, round_digits(score - residual), round_digits(residual, 3))
        for (size, score), residual in zip(quality.points, quality.residuals, strict=True)
    )
    return (
        Exhibit(
            "Learning curve",
            ("valid size", "measured score", "fitted", "residual"),
            rows,
            f"Q(s) = {format_rounded(quality.ceiling, 4)} (1 - (1 + s / "
            f"{format_rounded(quality.scale, 4)})^-"
            f"{format_rounded(quality.power, 4)}), fitted by least squares; residual = "
            "measured - fitted",
        ),
    )
