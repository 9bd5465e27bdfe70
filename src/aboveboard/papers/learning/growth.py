"""Sections 5 and 6.2: growing markets, and where a desirable mechanism exists in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import inf
from typing import Any

import numpy as np

from aboveboard.auditing.verdict import plain
from aboveboard.learning import Growth, Identity, Market
from aboveboard.learning.desirable_search import search
from aboveboard.learning.growth_boundary import FIGURE_3, growth_boundary
from aboveboard.learning.growth_rate import alpha_star
from aboveboard.numbers import objects
from aboveboard.papers.claims import Claim, Family, Finding, Trial, survey
from aboveboard.papers.learning.algorithm import Searched, growing, profiles
from aboveboard.papers.learning.definitions import (
    Rule,
    by_search,
    put,
    shared_by_all,
    shared_by_none,
    worth,
)
from aboveboard.papers.learning.instances import linear, matrices

TOLERANCE = 1e-11
"""Of sums of float64 values of size 1."""

# ---------------------------------------------------------------------------- the market

RATES = tuple(Fraction(k, 2) for k in range(-6, 5))


def _is_growing(alpha: Fraction) -> Trial:
    """Compare whole markets of two parties at all pairs of ordered qualities up to 3."""
    qualities = list(product(range(4), repeat=2))
    values = Growth(alpha).of(objects([Fraction(x) for q in qualities for x in q]).reshape(-1, 2))
    whole = dict(zip(qualities, values.sum(axis=-1).tolist(), strict=True))
    checks, falls, share_falls = 0, None, None
    by_own = dict(zip(qualities, values[:, 0].tolist(), strict=True))
    for less, more in product(qualities, repeat=2):
        if less == more or any(a > b for a, b in zip(less, more, strict=True)):
            continue
        checks += 1
        if whole[more] < whole[less] - TOLERANCE:
            falls = (less, more)
        if less[1] == more[1] and by_own[more] < by_own[less] - TOLERANCE:
            share_falls = (less, more)
    slow = {q: _power(sum(q), alpha) * sum(q) if sum(q) else 0 for q in qualities}
    same = all(abs(float(slow[q]) - float(whole[q])) <= TOLERANCE for q in qualities)
    if same and (falls is None) == (share_falls is None) == (alpha >= -1):
        return Trial(checks)
    return Trial(checks, {"alpha": plain(alpha), "market falls": falls, "share falls": share_falls})


def _power(base: int, alpha: Fraction) -> float:
    found: float = float(base) ** float(alpha)
    return found


def _growing_market(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (survey(_is_growing, Family("growth rates from -3 to 2", RATES), unit="comparisons"),)


# -------------------------------------------------------------------------- theorem 4


def free(rule: Rule, true: Sequence[Any]) -> tuple[str, int] | None:
    """Say what is wrong with an allocation for nothing at a profile, and for whom."""
    n = rule.n
    for i in range(n):
        honest = worth(rule, i, true, true)
        for lie in [None, *range(int(true[i]))]:
            if worth(rule, i, true, put(true, i, lie)) > honest:
                return ("absence" if lie is None else f"report {lie}"), i + 1
    best = by_search(n, rule.value, "all")
    if sum(worth(best, i, true, true) for i in range(n)) > sum(
        worth(rule, i, true, true) for i in range(n)
    ):
        return "welfare", 0
    return None


def _is_desirable(rule: Callable[[Searched], Rule]) -> Callable[[Searched], Trial]:
    """Give the test that such an allocation for nothing is desirable, and that one is found."""

    def test(instance: Searched) -> Trial:
        found, given, checks = instance.found(), rule(instance), 0
        for positions, true in profiles(instance):
            checks += 1
            wrong = free(given, true)
            paid = found.payments_at(positions)
            if wrong is not None or not found.exists or min(paid) < 0:
                shown = {"sizes": list(true), "largest payments": list(map(plain, paid))}
                return Trial(checks, {**instance.as_dict(), **shown, "wrong": wrong})
        return Trial(checks)

    return test


def _everything(instance: Searched) -> Rule:
    return shared_by_all(instance.rule.n, instance.rule.value)


def _nothing(instance: Searched) -> Rule:
    return shared_by_none(instance.rule.n, instance.rule.value)


def _no_rivals() -> Family:
    found = []
    for matrix in matrices(2, (0, 1, 2), (0, 1, 2)):
        market, rule = linear(matrix, "all")
        shown = {"matrix": [list(row) for row in matrix]}
        found.append(Searched(market, rule, (0, 1, 2), shown))
    return Family("linear markets of 2 parties without negative coefficients", found)


def _theorem_4(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (_no_rivals(), growing((3, 4), 0), growing((3, 4), 1), growing((3,), 2))
    return (survey(_is_desirable(_everything), *families, unit="profiles"),)


# ------------------------------------------------------------------------------ not growing


def _none_exists(instance: Searched) -> Trial:
    found = instance.found()
    if not found.exists:
        return Trial(1)
    wrong = [free(_nothing(instance), true) for _, true in profiles(instance)]
    if any(w is not None for w in wrong):
        return Trial(1)
    return Trial(1, {**instance.as_dict(), "desirable": "share nothing, charge nothing"})


def _not_growing(rng: np.random.Generator) -> tuple[Finding, ...]:
    shrinking = (growing((2, 3, 4), -2), growing((2, 3, 4), -3))
    return (
        survey(_none_exists, *shrinking, unit="markets"),
        survey(
            _is_desirable(_nothing),
            *shrinking,
            unit="profiles",
            correction="Below alpha = -1 there always is one: models take value away, so that "
            "sharing nothing is efficient, and free.",
        ),
    )


# ---------------------------------------------------------------------------------- boundary


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
        """Give what a quality is worth against a rival's."""
        return float(own) * float(own + rival) ** self.alpha if own else 0.0

    def payments(self, other: int) -> list[float]:
        """Give one party's largest payment for every size, the other's size fixed."""
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
        """Give all profiles at which payments sum to a loss."""
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
    found = growth_boundary(alpha, zero=zero)
    if found.boundary is None or found.loss is None:
        return Trial(1, {"alpha": plain(alpha), "boundary": None})
    smallest = 0 if zero else 1
    whole = range(smallest, found.boundary + 2)
    losses = Plain(float(alpha), whole).losses()
    expected = [(smallest, found.boundary + 1), (found.boundary + 1, smallest)]
    first = [p for p in losses if p in expected]
    within = [p for p in losses if max(p) <= found.boundary]
    searched = search(Market(Identity(), Growth(alpha), 2), tuple(whole))
    told = searched.violated
    same = told is not None and tuple(whole[k] for k in told) == found.loss.profile == expected[0]
    if first == expected and not within and same and min(losses) == expected[0]:
        return Trial(len(whole) ** 2)
    shown = {"alpha": plain(alpha), "zero": zero, "boundary": found.boundary}
    return Trial(len(whole) ** 2, {**shown, "losses": sorted(losses)[:3]})


def grids(alphas: Sequence[str | Fraction], zeros: Sequence[bool] = (True, False)) -> list[Any]:
    """Give growth rates with both grids."""
    return [(Fraction(alpha), zero) for alpha in alphas for zero in zeros]


def _first_loss(rng: np.random.Generator) -> tuple[Finding, ...]:
    found = [
        *grids(("-1", "-0.95", "-0.9", "-0.85", "-0.8")),
        *grids(("-0.75", "-0.72", "-0.7"), (True,)),
    ]
    return (survey(_one_column, Family("growth rates and grids", found), unit="profiles"),)


def _limit(alpha: Fraction, *, zero: bool) -> float:
    found = growth_boundary(alpha, zero=zero).boundary
    return inf if found is None else found


def _rises(instance: tuple[tuple[Fraction, ...], bool]) -> Trial:
    alphas, zero = instance
    limits = [(alpha, _limit(alpha, zero=zero)) for alpha in alphas]
    for (a, low), (b, high) in pairwise(limits):
        if high < low:
            return Trial(
                len(limits), {"alpha": [plain(a), plain(b)], "boundary": _spoken(low, high)}
            )
    return Trial(len(limits))


def _spoken(*limits: float) -> list[Any]:
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
        survey(_rises, of((*NEAR_MINUS_ONE, *shown, *FAST), f"{below} and {told}"), unit="rates"),
        survey(
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
    return Trial(1, {"alpha": plain(alpha), "with 0": zero, "boundary": limit})


def _over_10000(rng: np.random.Generator) -> tuple[Finding, ...]:
    near = grids(("-0.665", "-0.664", "-0.663", "-0.66"), (True,))
    return (survey(_beyond_ten_thousand, Family("growth rates near -0.66", near), unit="rates"),)


# ------------------------------------------------------------------------------------ alpha*

SCANNED = np.arange(0.05, 0.95, 1e-3)
"""Where the maximum over r is first looked for; at 1 the quotient is 0/0."""


def _worst(alpha: float) -> float:
    """Give the largest over r of READING.md's quotient, by scanning and golden section."""

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
    """Give alpha* by bisection on the sign of the largest quotient minus 2^(alpha + 1)."""
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
    found = growth_boundary(alpha, zero=zero)
    at = root()
    if abs(at - float(alpha_star())) > 1e-12:
        return Trial(1, {"alpha*": str(alpha_star()), "by bisection": at})
    if (found.boundary is None) == (float(alpha) >= at) and (
        found.boundary is not None
        or not Plain(float(alpha), range(0 if zero else 1, MOST_STEPS)).losses()
    ):
        return Trial(1)
    return Trial(1, {"alpha": plain(alpha), "with 0": zero, "boundary": found.boundary})


def _alpha_star(rng: np.random.Generator) -> tuple[Finding, ...]:
    rates = ("-0.9", "-0.8", "-0.7", "-0.67", "-0.665", "-0.66", "-0.65", "-0.5", "-0.1")
    return (survey(_threshold, Family("growth rates and grids", grids(rates)), unit="rates"),)


CLAIMS = (
    Claim(
        "learning/growing-market",
        "learning",
        "Section 6.2 and Assumptions 3 and 4",
        "Section 6.2's market grows with every quality iff alpha >= -1, and then no party loses by "
        "a better model of its own.",
        _growing_market,
    ),
    Claim(
        "learning/theorem-4",
        "learning",
        "Theorem 4, section 5",
        "In a non-competitive market it is desirable to give everybody the best model for nothing.",
        _theorem_4,
    ),
    Claim(
        "learning/not-growing",
        "learning",
        "Section 6.2, the last paragraph",
        "When the market is not growing, there is no desirable mechanism at all.",
        _not_growing,
    ),
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
        "Not in the paper: READING.md",
        "There is a boundary below alpha* = -0.66091103.. and none from there on.",
        _alpha_star,
    ),
)
