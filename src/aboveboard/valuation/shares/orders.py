"""Fair shares of many users who all differ, from random orders of arrival, with standard errors.

What: a user's share is what it adds to those before it, averaged over all orders. Drawn are blocks:
a random order and its rotations, in which every user comes early and late equally often, so that
what is left to chance is only who comes before it. Of many users all rotations are walked through
their first steps, where users add most and differ most, and some of them to the end. What users add
along an order sums to U, and shares are shifted alike to sum to it where rotations end early.
Blocks are independent: the standard error is that of their mean. With the platform
as a member (Theorem 1) a user who comes k-th of N users finds the platform there in k of N + 1
cases. Cost: O(orders N^2) of closed form, compiled. Source: Castro, Gomez, Tejada (2009) for
orders; Mitchell, Cooper, Frank, Holmes (2022) for drawing them other than independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import fsum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.games.numbers import FloatArray, Number
from aboveboard.valuation.levels import NOTHING, Level
from aboveboard.valuation.shares.adjustment import adjust_to_sum
from aboveboard.valuation.shares.division import Fairness, Shares

MOST_ROTATIONS = 100
"""Walked to the end in a block: all rotations of so many users, as many evenly spaced of more."""
FIRST_STEPS = 40
"""Walked in all rotations: what a user adds falls with the square of how many came before."""
FEWEST_BLOCKS = 20
"""Their spread says how wrong the mean may be."""
MOST_BLOCKS = 5000
"""More say little more: the error falls with the square root of their number."""
STEPS = 1 << 28
"""Users looked at in all: about a second."""
MOST_USERS = 2000
"""With more, a block's rotations take hundreds of megabytes, and the fewest blocks minutes."""


@runtime_checkable
class OrderWalker(Protocol):
    """A utility that can walk along orders of arrival fast."""

    def walk_orders(
        self, levels: Sequence[Level], orders: NDArray[np.int64], credit: FloatArray
    ) -> FloatArray:
        """Add up what each user adds along orders, times its credit there; shape (N,).

        `orders` are permutations of the K users above level 0, `credit` by position; both (m, K).
        """
        ...

    def worth(self, levels: Sequence[Level]) -> Number:
        """Return U of these levels."""
        ...


def divide_along_orders(
    utility: OrderWalker,
    levels: Sequence[Level],
    fairness: Fairness = "users",
    alpha: Number = Fraction(1),
    *,
    seed: int = 0,
    blocks: int | None = None,
) -> Shares:
    """Divide what the data are worth at these levels, approximately.

    Parameters
    ----------
    utility
        What the platform gains.
    levels
        Privacy level of each user.
    fairness, alpha
        As in `divide`.
    seed
        Of the orders.
    blocks
        How many; None: what takes about a second, and `FEWEST_BLOCKS` at least.

    Raises
    ------
    InputError
        If there are more than `MOST_USERS` users.
    """
    n = len(levels)
    if n > MOST_USERS:
        raise InputError(
            "parties",
            f"{n} users who differ are too many even to sample; {MOST_USERS} are not",
            "round levels, samples and weights until there are few types",
        )
    total = float(utility.worth(levels))
    nothing = float(utility.worth([NOTHING] * n))
    # Who is at level 0 adds nothing to anybody: its share is 0 and it stands in no order.
    there = np.array([i for i, x in enumerate(levels) if x], dtype=np.int64)
    k, platform = len(there), fairness == "platform"
    base = np.arange(1, k + 1) / (k + 1) if platform else np.full(k, float(alpha))
    positions = (np.arange(k)[:, None] + np.arange(k)) % k
    credit = _make_credit(base, k)
    if blocks is None:
        walked = int((np.count_nonzero(credit, axis=1) ** 2).sum())
        blocks = min(max(FEWEST_BLOCKS, STEPS // max(walked, 1)), MOST_BLOCKS)
    rng = np.random.default_rng(seed)
    found = np.array(
        [
            utility.walk_orders(levels, rng.permutation(there)[positions], credit)
            for _ in range(blocks)
        ]
    )
    if not platform:
        missing = float(alpha) * (total - nothing) - found.sum(axis=1)
        found[:, there] += missing[:, None] / k
    shares = found.mean(axis=0).tolist()
    errors = found.std(axis=0, ddof=1) / blocks**0.5
    if platform:
        kept = float(Fraction(total) - sum(map(Fraction, shares)))
    else:
        paid = Fraction(alpha) * (Fraction(total) - Fraction(nothing))
        kept = float(Fraction(total) - paid)
        adjusted = adjust_to_sum([shares[i] for i in there], errors[there].tolist(), paid)
        for i, share in zip(there.tolist(), adjusted, strict=True):
            shares[i] = share
    return Shares(
        tuple(shares),
        kept,
        total,
        nothing,
        f"{format_count(blocks)} random orders of arrival and their rotations, with standard "
        "errors",
        abs(fsum([*shares, kept, -total])),
        tuple(errors.tolist()),
    )


def _make_credit(base: FloatArray, k: int) -> FloatArray:
    """Return what each position counts in each rotation: (k, k) that sums to `base` by position."""
    ends = min(k, MOST_ROTATIONS)
    to_the_end = np.arange(ends) * k // ends
    credit = np.zeros((k, k))
    credit[:, :FIRST_STEPS] = base[:FIRST_STEPS] / k
    credit[to_the_end, FIRST_STEPS:] = base[FIRST_STEPS:] / ends
    return credit
