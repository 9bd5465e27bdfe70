"""Section 4.1, the numerical study behind figure 5, and what the text reads off it.

Ten users: four direct, five federated, one silent. The text does not say the smaller sample size,
nor how many users of each level have it: 10 against 100 fits what it says, and the claims
are tried with two or three large users among the federated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.valuation import FederatedMean, Population, divide
from papers.claims import Claim, Family, Finding, Trial, search_counterexample

LARGE, SMALL = 100, 10
KINDS = ((2, LARGE), (2, SMALL), (1, LARGE), (1, SMALL))
"""Level and samples of the four types of users that the figure shows."""
DIRECT_LARGE, DIRECT_SMALL, FEDERATED_LARGE, FEDERATED_SMALL = range(4)
REGIMES = {
    "heterogeneous": (Fraction(100), Fraction(1)),
    "between": (Fraction(1), Fraction(10)),
    "alike": (Fraction(1, 10), Fraction(100)),
}
"""s2 and t2."""
STAR = 100
"""The weight a of the one important user in figure 5b."""
SPLITS = (2, 3)
USERS = 10


@dataclass(frozen=True)
class Payout:
    """What one user of each of the four types is paid, for alpha = 1.

    Parameters
    ----------
    total
        The utility, U.
    each
        By type: the payment of a user with a = 1.
    star
        The payment of the important user; None where there is none.
    """

    total: float
    each: tuple[float, ...]
    star: float | None = None

    def above(self, payment: float) -> float:
        """Return by how much a payment exceeds U/N."""
        return payment - self.total / USERS


def pay_users(regime: str, star: int | None = None, split: int = 2) -> Payout:
    """Divide the utility fairly among the ten users; exact weights, float64 payments.

    Parameters
    ----------
    regime
        One of `REGIMES`.
    star
        The type of the user with a = 100; None for a = 1 throughout.
    split
        How many of the five federated users have 100 samples.
    """
    sizes = (2, 2, split, 5 - split)
    kinds = [k for k, size in enumerate(sizes) for _ in range(size)]
    important = kinds.index(star) if star is not None else -1
    levels = [*(Fraction(KINDS[k][0]) for k in kinds), Fraction(0)]
    samples = (*(Fraction(KINDS[k][1]) for k in kinds), Fraction(SMALL))
    weights = tuple(Fraction(STAR if i == important else 1) for i in range(USERS))
    found = divide(FederatedMean(Population(*REGIMES[regime]), samples, weights), levels)
    usual = [max(i for i, one in enumerate(kinds) if one == k) for k in range(4)]
    starred = None if star is None else float(found.users[important])
    return Payout(float(found.total), tuple(float(found.users[i]) for i in usual), starred)


def _unless(holds: bool, **said: Any) -> Trial:
    rounded = {
        key: [round(x, 3) for x in value] if isinstance(value, tuple) else value
        for key, value in said.items()
    }
    return Trial(1, None if holds else rounded)


def _above(one: Payout) -> tuple[float, ...]:
    return tuple(one.above(x) for x in one.each)


def _by_level(split: int) -> Trial:
    shown = _above(pay_users("heterogeneous", split=split))
    direct, federated = shown[:2], shown[2:]
    return _unless(min(direct) > 0 > max(federated), large_federated=split, above=shown)


def _by_samples(split: int) -> Trial:
    shown = _above(pay_users("alike", split=split))
    large, small = shown[::2], shown[1::2]
    return _unless(min(large) > 0 > max(small), large_federated=split, above=shown)


def _level_gaps(one: Payout) -> tuple[float, float]:
    """Return what level 2 is paid above level 1, with 100 and with 10 samples."""
    a, b, c, d = one.each
    return a - c, b - d


def _level_still_counts(split: int) -> Trial:
    gaps = _level_gaps(pay_users("alike", split=split))
    return _unless(gaps[0] > gaps[1] > 0, large_federated=split, gaps=gaps)


def _level_counts_less(split: int) -> Trial:
    left, right = (
        _level_gaps(pay_users(regime, split=split)) for regime in ("heterogeneous", "alike")
    )
    holds = all(a > b for a, b in zip(left, right, strict=True))
    return _unless(holds, large_federated=split, left=left, right=right)


def _less_pronounced(split: int) -> Trial:
    spreads = tuple(
        max(one.each) - min(one.each)
        for one in (pay_users(regime, split=split) for regime in REGIMES)
    )
    return _unless(spreads[1] < min(spreads[0], spreads[2]), large_federated=split, spreads=spreads)


def _more_data_slightly(split: int) -> Trial:
    a, b, c, d = pay_users("between", split=split).each
    return _unless(
        a > b and c > d and min(a, c) > max(b, d), large_federated=split, paid=(a, b, c, d)
    )


def _interpolates(split: int) -> Trial:
    rows = [_above(pay_users(regime, split=split)) for regime in REGIMES]
    for k, (left, middle, right) in enumerate(zip(*rows, strict=True)):
        if not min(left, right) <= middle <= max(left, right):
            level, samples = KINDS[k]
            shown = (left, middle, right)
            return _unless(False, large_federated=split, level=level, samples=samples, above=shown)
    return Trial(4)


def _most(split: int) -> Trial:
    """Check that the starred direct user is paid most of U, and everybody else below average."""
    one = pay_users("heterogeneous", DIRECT_LARGE, split)
    star = one.star or 0.0
    holds = star > one.total / 2 and max(_above(one)) < 0
    return _unless(holds, large_federated=split, star=(star,), total=(one.total,))


def _less_dramatic(split: int) -> Trial:
    parts = tuple(
        (one.star or 0.0) / one.total
        for one in (pay_users(regime, DIRECT_LARGE, split) for regime in REGIMES)
    )
    return _unless(parts[0] > parts[1] > parts[2], large_federated=split, parts=parts)


def _gains(regime: str, star: int, split: int) -> tuple[tuple[float, ...], float, float]:
    """Return by how much a star raises each type's payment, the star's, and U."""
    before, after = pay_users(regime, split=split), pay_users(regime, star, split)
    others = tuple(b - a for a, b in zip(before.each, after.each, strict=True))
    return others, (after.star or 0.0) - before.each[star], after.total - before.total


def _others_gain_nothing(split: int) -> Trial:
    others, own, _ = _gains("heterogeneous", DIRECT_LARGE, split)
    return _unless(max(others) <= 0, large_federated=split, others=others, star=(own,))


def _star_gains_most(split: int) -> Trial:
    _, own, total = _gains("heterogeneous", DIRECT_LARGE, split)
    return _unless(own > 0.95 * total, large_federated=split, star=(own,), total=(total,))


Case = tuple[int, int]
"""How many of the federated are large, and the type of the star."""


def _large_benefit(case: Case) -> Trial:
    split, star = case
    shown = _above(pay_users("alike", star, split))
    holds = min(shown[::2]) > 0 > max(shown[1::2])
    return _unless(holds, large_federated=split, star=KINDS[star], above=shown)


def _any_benefits(case: Case) -> Trial:
    split, star = case
    others, own, _ = _gains("alike", star, split)
    return _unless(min(others) > 0 < own, large_federated=split, star=KINDS[star], gains=others)


def _parts(regime: str, star: int, split: int) -> tuple[float, ...]:
    one = pay_users(regime, star, split)
    each = [one.star if k == star and one.star else x for k, x in enumerate(one.each)]
    return tuple(x / one.total for x in each)


def _similar(case: Case) -> Trial:
    """Compare what part of U each type or its star gets: the star direct and large, or another."""
    split, star = case
    off = tuple(
        max(
            abs(a - b)
            for a, b in zip(
                _parts(regime, DIRECT_LARGE, split), _parts(regime, star, split), strict=True
            )
        )
        for regime in ("alike", "heterogeneous")
    )
    return _unless(off[0] < 0.05 < off[1], large_federated=split, star=KINDS[star], off=off)


def _splits(test: Callable[[int], Trial], unit: str) -> Callable[..., tuple[Finding, ...]]:
    family = Family("numbers of federated users with 100 samples, 2 and 3", SPLITS)
    return lambda _: (search_counterexample(test, family, unit=unit),)


def _cases(stars: Iterable[int]) -> Family:
    some = list(product(SPLITS, stars))
    return Family("choices of that number and of the important user's type", some)


def _others(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("numbers of federated users with 100 samples, 2 and 3", SPLITS)
    return (
        search_counterexample(_others_gain_nothing, family, unit="comparisons"),
        search_counterexample(
            _star_gains_most,
            family,
            unit="comparisons",
            correction="More than 95 percent of what the star adds to U goes to it; the others "
            "gain a little, as some data are better than none.",
        ),
    )


def _middle(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("numbers of federated users with 100 samples, 2 and 3", SPLITS)
    return (
        search_counterexample(_interpolates, family, unit="types of users"),
        search_counterexample(
            _less_pronounced,
            family,
            unit="comparisons",
            correction="Payments are closer together than in either extreme, but a type's payment "
            "need not lie between its two.",
        ),
    )


PAPER = "valuation"
PLACE = "Section 4.1.1, figure 5a"
PLACE_B = "Section 4.1.2, figure 5b"

CLAIMS = (
    Claim(
        "valuation/figure-5a-heterogeneous",
        PAPER,
        PLACE,
        "With s2 = 100, t2 = 1 users at level 2 are paid above U/N, those at level 1 below.",
        _splits(_by_level, "settings"),
    ),
    Claim(
        "valuation/figure-5a-alike",
        PAPER,
        PLACE,
        "With s2 = 0.1, t2 = 100 users with more data are paid above U/N, those with less below.",
        _splits(_by_samples, "settings"),
    ),
    Claim(
        "valuation/figure-5a-level-counts",
        PAPER,
        PLACE,
        "With s2 = 0.1, t2 = 100 and equal samples level 2 is paid more than level 1, and the "
        "difference is larger with 100 samples.",
        _splits(_level_still_counts, "settings"),
    ),
    Claim(
        "valuation/figure-5a-level-counts-less",
        PAPER,
        "Figure 5, caption",
        "With equal samples the difference between levels is smaller among users who are alike.",
        _splits(_level_counts_less, "settings"),
    ),
    Claim(
        "valuation/figure-5a-between",
        PAPER,
        PLACE,
        "With s2 = 1, t2 = 10 payments interpolate between the two extremes (read: for each type "
        "of user).",
        _middle,
    ),
    Claim(
        "valuation/figure-5a-between-data",
        PAPER,
        "Figure 5, caption",
        "With s2 = 1, t2 = 10 users with more data are favoured, at either level.",
        _splits(_more_data_slightly, "settings"),
    ),
    Claim(
        "valuation/figure-5b-heterogeneous",
        PAPER,
        PLACE_B,
        "With s2 = 100, t2 = 1 an important user with level 2 and 100 samples is paid more than "
        "half of U, everybody else below U/N.",
        _splits(_most, "settings"),
    ),
    Claim(
        "valuation/figure-5b-less-dramatic",
        PAPER,
        "Figure 5, caption",
        "That user's part of U falls as heterogeneity does.",
        _splits(_less_dramatic, "settings"),
    ),
    Claim(
        "valuation/figure-5b-others",
        PAPER,
        PLACE_B,
        "With s2 = 100, t2 = 1 the others do not benefit from its importance.",
        _others,
    ),
    Claim(
        "valuation/figure-5b-alike",
        PAPER,
        PLACE_B,
        "With s2 = 0.1, t2 = 100, whoever is important, users with 100 samples are paid above U/N "
        "and those with 10 below.",
        lambda _: (search_counterexample(_large_benefit, _cases(range(4)), unit="settings"),),
    ),
    Claim(
        "valuation/figure-5b-any",
        PAPER,
        "Figure 5, caption",
        "With s2 = 0.1, t2 = 100 every user who shares is paid more if another one is important.",
        lambda _: (search_counterexample(_any_benefits, _cases(range(4)), unit="settings"),),
    ),
    Claim(
        "valuation/figure-5b-similar",
        PAPER,
        PLACE_B,
        "With s2 = 0.1, t2 = 100 it makes little difference who is important: each type's part of "
        "U, the important user's own included, is the same up to 0.05; with s2 = 100, t2 = 1 it is "
        "not.",
        lambda _: (search_counterexample(_similar, _cases((1, 2, 3)), unit="settings"),),
    ),
)
