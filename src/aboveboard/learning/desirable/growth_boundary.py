"""Figure 3: how unequal two parties of a growth market may be for a desirable mechanism to exist.

The boundary is the largest N = max/step such that a desirable mechanism exists on the grid step,
2 step, .. N step (and 0). A larger grid only adds constraints on larger reports: payments up to N
are the same on every grid beyond. So one pass finds the first loss, and the boundary is the size
before it. On every grid that was gone through whole (all columns, up to 1600 sizes; the tests
repeat it up to 1240) the first profile with a loss is (smallest size, N + 1), so that one column
decides; that it always is, is not proved. The loss itself is proved: a chain of
constraints summed in 50 digits. Cost: one column, O(N log^2 N). Source: "Mechanism Design for
Multi-Party Machine Learning", section 6.2 and figure 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_rounded
from aboveboard.learning.desirable.growth_market import MarketColumn
from aboveboard.learning.desirable.growth_rate import alpha_star

TOLERANCE = 1e-13
"""Of the joint value: a smaller loss is rounding. Chains have some tens of links, each exact to
1e-16; the losses that end a boundary are larger than 1e-11 down to alpha = -0.662."""

MOST_SIZES = 2**25
"""Sizes gone through before giving up: 1.2 GiB, and a minute or two on one core."""

FIRST_SIZES = 2**10
"""Sizes gone through first; doubled until the boundary ends."""

CHECK_DIGITS = 50
"""Decimal digits that check what float64 found: three times as many."""

FIGURE_3 = tuple(Fraction(k, 1000) for k in range(-1000, -667, 2))
"""The growth rates of figure 3: -1 to -0.668 in steps of 0.002."""


@dataclass(frozen=True)
class ProvenLoss:
    """Why there is no desirable mechanism beyond the boundary; sizes in steps.

    Parameters
    ----------
    profile
        The two parties' sizes, the smallest on the grid first.
    chain
        Reports of the second party, ascending: staying away bounds its payment at the first, each
        lie the next. The first party has no lie, and is bound by staying away alone.
    total
        What the payments can sum to at most, below 0, as a part of the joint value.
    """

    profile: tuple[int, int]
    chain: tuple[int, ...]
    total: Decimal


@dataclass(frozen=True)
class Boundary:
    """The boundary at one growth rate.

    Parameters
    ----------
    alpha
        Market growth rate.
    zero
        Whether size 0 is on the grid.
    boundary
        The largest max/step with a desirable mechanism; None where there is no limit.
    loss
        What goes wrong one step further; None where there is no limit.
    reason
        Why there is no limit; empty where there is one.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import find_boundary
    >>> find_boundary(Fraction(-7, 10), zero=False).loss.profile
    (1, 1224)
    """

    alpha: Fraction
    zero: bool
    boundary: int | None
    loss: ProvenLoss | None
    reason: str = ""


def find_boundary(alpha: Fraction, *, zero: bool) -> Boundary:
    """Return the largest max/step for which two parties have a desirable mechanism.

    Parameters
    ----------
    alpha
        Market growth rate. At -1 the market neither grows nor shrinks and all is shared.
    zero
        Whether a party may have nothing.

    Raises
    ------
    InputError
        If the boundary is finite but beyond `MOST_SIZES`.
    ArithmeticError
        If the chain that is found proves no loss: the tolerance would be too small.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import find_boundary
    >>> find_boundary(Fraction(-7, 10), zero=False).boundary
    1223
    """
    reason = _explain_no_limit(alpha)
    if reason:
        return Boundary(alpha, zero, None, None, reason)
    smallest = 0 if zero else 1
    column = MarketColumn(float(alpha), smallest, smallest)
    count = FIRST_SIZES
    while (position := column.extend(count, tolerance=TOLERANCE)) is None:
        count *= 2
        if count > MOST_SIZES:
            raise InputError(
                "valuation.alpha",
                f"{format_rounded(float(alpha))} is so near to alpha* = "
                f"{format_rounded(float(alpha_star()))} that the "
                f"boundary is beyond {format_count(MOST_SIZES)} steps, which is as far as it "
                "is looked for",
                "take a smaller alpha; from alpha* on there is no boundary",
            )
    chain = tuple(column.chain(position))
    profile = (smallest, position + smallest)
    total = sum_chain(alpha, smallest, chain)
    if total >= 0:
        raise ArithmeticError(f"the chain {chain} at alpha {alpha} proves no loss: {total}")
    return Boundary(alpha, zero, profile[1] - 1, ProvenLoss(profile, chain, total))


def explain_no_loss(alpha: Fraction) -> str:
    """Return why payments never sum to a loss, whoever has which size; "" where no proof is known.

    Both hold for any number of parties and any counterfactual: values rise, or totals fall, with
    every quality. What is desirable for nothing is a lower bound of the largest payments.

    Examples
    --------
    >>> explain_no_loss(Fraction(-1, 2))
    ''
    """
    if alpha < -1:
        return "the market shrinks with quality: sharing nothing is efficient, and free"
    if alpha >= 0:
        return "the market is not competitive: sharing all for nothing is desirable (Theorem 4)"
    return ""


def _explain_no_limit(alpha: Fraction) -> str:
    if proof := explain_no_loss(alpha):
        return proof
    if Decimal(alpha.numerator) / alpha.denominator >= alpha_star():
        return "the market grows so fast that what the larger party brings always pays for its loss"
    return ""


def sum_chain(alpha: Fraction, other: int, chain: Sequence[int]) -> Decimal:
    """Sum the constraints that bind two parties' payments, in 50 digits, from their definition.

    Parameters
    ----------
    alpha
        Market growth rate.
    other
        The second party's size: the smallest, so that only staying away binds it.
    chain
        The first party's reports, ascending; it has the last.

    Returns
    -------
    Decimal
        The most that both can pay together, as a part of what the joint model is worth to one.
    """
    with localcontext() as context:
        context.prec = CHECK_DIGITS
        rate = Decimal(alpha.numerator) / alpha.denominator

        def value(own: int, rival: int) -> Decimal:
            return own * Decimal(own + rival) ** rate if own else Decimal(0)

        def joint(size: int, report: int) -> Decimal:
            model = report + other
            return value(max(model, size), model)

        first, last = chain[0], chain[-1]
        total = joint(first, first) - value(first, other)
        for report, size in pairwise(chain):
            total += joint(size, size) - joint(size, report)
        total += joint(last, last) - value(other, last)
        return total / joint(last, last)


def trace_figure_3(alphas: Sequence[Fraction] = FIGURE_3) -> Iterator[Boundary]:
    """Return the boundary at each growth rate, on the grid with 0 and on that from one step.

    Half a second for all of figure 3 on one core, once compiled.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import trace_figure_3
    >>> [found.boundary for found in trace_figure_3([Fraction(-7, 10)])]
    [38, 1223]
    """
    for alpha in alphas:
        for zero in (True, False):
            yield find_boundary(alpha, zero=zero)
