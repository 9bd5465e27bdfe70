"""Section 6.2 and figure 3: how unequal two parties may be, and alpha*, where that has no limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import inf
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.learning import Growth, Identity, Market
from aboveboard.learning.desirable.growth_boundary import FIGURE_3, find_boundary
from aboveboard.learning.desirable.growth_rate import alpha_star
from aboveboard.learning.desirable.search import search_desirable
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.learning.growth import TOLERANCE


@dataclass(frozen=True)
class Plain:
    """Algorithm 1 for two parties of section 6.2's market, in loops over float64 numbers.

    Parameters
    ----------
    alpha
        The growth rate, -1 or more: all is shared.
    sizes
        The grid, in steps.
    """

    alpha: float
    sizes: range

    def value(self, own: int, rival: int) -> float:
        """Return what a quality is worth against a rival's."""
        return float(own) * float(own + rival) ** self.alpha if own else 0.0

    def payments(self, other: int) -> list[float]:
        """Return one party's largest payment for every size, the other's size fixed."""
        paid: list[float] = []
        for t in self.sizes:
            joint = self.value(t + other, t + other)
            bounds = [joint - self.value(t, other)]
            for r, before in zip(self.sizes, paid, strict=False):
                lie = self.value(max(r + other, t), r + other)
                bounds.append(before + joint - lie)
            paid.append(min(bounds))
        return paid

    def losses(self) -> list[tuple[int, int]]:
        """Return all profiles at which payments sum to a loss."""
        columns = {other: self.payments(other) for other in self.sizes}
        first = self.sizes[0]
        return [
            (a, b)
            for a, b in product(self.sizes, repeat=2)
            if columns[b][a - first] + columns[a][b - first]
            < -TOLERANCE * max(1.0, self.value(a + b, a + b))
        ]


def _one_column(instance: tuple[Fraction, bool]) -> Trial:
    """Check that the boundary is where the first loss is, at the smallest size of the other."""
    alpha, zero = instance
    found = find_boundary(alpha, zero=zero)
    if found.boundary is None or found.loss is None:
        return Trial(1, {"alpha": encode_number(alpha), "boundary": None})
    smallest = 0 if zero else 1
    whole = range(smallest, found.boundary + 2)
    losses = Plain(float(alpha), whole).losses()
    expected = [(smallest, found.boundary + 1), (found.boundary + 1, smallest)]
    first = [p for p in losses if p in expected]
    within = [p for p in losses if max(p) <= found.boundary]
    searched = search_desirable(Market(Identity(), Growth(alpha), 2), tuple(whole))
    told = searched.violated
    same = told is not None and tuple(whole[k] for k in told) == found.loss.profile == expected[0]
    if first == expected and not within and same and min(losses) == expected[0]:
        return Trial(len(whole) ** 2)
    shown = {"alpha": encode_number(alpha), "zero": zero, "boundary": found.boundary}
    return Trial(len(whole) ** 2, {**shown, "losses": sorted(losses)[:3]})


def grids(alphas: Sequence[str | Fraction], zeros: Sequence[bool] = (True, False)) -> list[Any]:
    """Return growth rates with both grids."""
    return [(Fraction(alpha), zero) for alpha in alphas for zero in zeros]


def _first_loss(rng: np.random.Generator) -> tuple[Finding, ...]:
    found = [
        *grids(("-1", "-0.95", "-0.9", "-0.85", "-0.8")),
        *grids(("-0.75", "-0.72", "-0.7"), (True,)),
    ]
    return (
        search_counterexample(
            _one_column, Family("growth rates and grids", found), unit="profiles"
        ),
    )


def _limit(alpha: Fraction, *, zero: bool) -> float:
    found = find_boundary(alpha, zero=zero).boundary
    return inf if found is None else found


def _rises(instance: tuple[tuple[Fraction, ...], bool]) -> Trial:
    alphas, zero = instance
    limits = [(alpha, _limit(alpha, zero=zero)) for alpha in alphas]
    for (a, low), (b, high) in pairwise(limits):
        if high < low:
            return Trial(
                len(limits),
                {
                    "alpha": [encode_number(a), encode_number(b)],
                    "boundary": _describe_limits(low, high),
                },
            )
    return Trial(len(limits))


def _describe_limits(*limits: float) -> list[Any]:
    return ["no limit" if x == inf else int(x) for x in limits]


NEAR_MINUS_ONE = (Fraction(-2), Fraction(-3, 2), Fraction(-101, 100), Fraction(-1))
FAST = (Fraction(-66, 100), Fraction(-1, 2), Fraction(-1, 10))


def _larger_alpha(rng: np.random.Generator) -> tuple[Finding, ...]:
    shown = tuple(alpha for alpha in FIGURE_3 if alpha <= Fraction(-674, 1000))
    told = "growth rates from -1 to -0.674 by 0.002, and -0.66, -0.5, -0.1"
    below = "growth rates from -2 to -1"

    def of(alphas: tuple[Fraction, ...], kind: str) -> Family:
        return Family(f"series of {kind}", [(alphas, True), (alphas, False)])

    return (
        search_counterexample(
            _rises, of((*NEAR_MINUS_ONE, *shown, *FAST), f"{below} and {told}"), unit="rates"
        ),
        search_counterexample(
            _rises,
            of((*shown, *FAST), told),
            unit="rates",
            correction="From alpha = -1 on; below, where nothing is shared, there is no limit.",
        ),
    )


def _beyond_ten_thousand(instance: tuple[Fraction, bool]) -> Trial:
    alpha, zero = instance
    limit = _limit(alpha, zero=zero)
    if limit > 10_000:
        return Trial(1)
    return Trial(1, {"alpha": encode_number(alpha), "with 0": zero, "boundary": limit})


def _over_10000(rng: np.random.Generator) -> tuple[Finding, ...]:
    near = grids(("-0.665", "-0.664", "-0.663", "-0.66"), (True,))
    return (
        search_counterexample(
            _beyond_ten_thousand, Family("growth rates near -0.66", near), unit="rates"
        ),
    )


# ------------------------------------------------------------------------------------ alpha*

SCANNED = np.arange(0.05, 0.95, 1e-3)
"""Where the maximum over r is first looked for; at 1 the quotient is 0/0."""


def _worst(alpha: float) -> float:
    """Return the largest quotient of docs/theory.md over r, by scanning and golden section."""

    def quotient(r: Any) -> Any:
        return ((1 + r) ** alpha - 2**alpha * r ** (alpha + 1)) / (1 - r ** (alpha + 1))

    at = float(SCANNED[int(np.argmax(quotient(SCANNED)))])
    low, high = at - 2e-3, at + 2e-3
    ratio = (5**0.5 - 1) / 2
    for _ in range(60):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if quotient(a) > quotient(b) else (a, high)
    return float(quotient((low + high) / 2))


def root() -> float:
    """Return alpha* by bisection on the sign of the largest quotient minus 2^(alpha + 1)."""
    low, high = -0.7, -0.6
    for _ in range(60):
        middle = (low + high) / 2
        if _worst(middle) > 2 ** (middle + 1):
            low = middle
        else:
            high = middle
    return (low + high) / 2


MOST_STEPS = 60


def _threshold(instance: tuple[Fraction, bool]) -> Trial:
    """Check on which side of alpha* there is a boundary; above, that small grids have no loss."""
    alpha, zero = instance
    found = find_boundary(alpha, zero=zero)
    at = root()
    if abs(at - float(alpha_star())) > 1e-12:
        return Trial(1, {"alpha*": str(alpha_star()), "by bisection": at})
    if (found.boundary is None) == (float(alpha) >= at) and (
        found.boundary is not None
        or not Plain(float(alpha), range(0 if zero else 1, MOST_STEPS)).losses()
    ):
        return Trial(1)
    return Trial(1, {"alpha": encode_number(alpha), "with 0": zero, "boundary": found.boundary})


def _alpha_star(rng: np.random.Generator) -> tuple[Finding, ...]:
    rates = ("-0.9", "-0.8", "-0.7", "-0.67", "-0.665", "-0.66", "-0.65", "-0.5", "-0.1")
    return (
        search_counterexample(
            _threshold, Family("growth rates and grids", grids(rates)), unit="rates"
        ),
    )


CLAIMS = (
    Claim(
        "learning/figure-3-larger-alpha",
        "learning",
        "Sections 5 and 6.2, figure 3",
        "A market with a larger alpha tolerates a larger data disparity.",
        _larger_alpha,
    ),
    Claim(
        "learning/figure-3-over-10000",
        "learning",
        "Section 6.2",
        "When alpha is close to -0.66, the boundary is over 10000.",
        _over_10000,
    ),
    Claim(
        "learning/figure-3-first-loss",
        "learning",
        "Not in the paper: what the product's boundary relies on",
        "The first profile at which payments sum to a loss has the smallest size and the boundary "
        "plus one step.",
        _first_loss,
    ),
    Claim(
        "learning/alpha-star",
        "learning",
        "Not in the paper: docs/theory.md",
        "There is a boundary below alpha* = -0.66091103.. and none from there on.",
        _alpha_star,
    ),
)
