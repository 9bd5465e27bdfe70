"""Interval intersection and the average point: section 3, appendices A and B."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from aboveboard.auditing import DSIC, ExPostIC, Property, Symmetric, Witness
from aboveboard.exchange import AveragePoint, OneDimensionalSearch
from aboveboard.exchange.average import compute_benefits as average_benefits
from aboveboard.exchange.interval import narrow
from aboveboard.exchange.interval_values import Interval
from aboveboard.formatting import encode_number
from aboveboard.games.game import Game
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.exchange.audits import ENDS, ONE, examine
from papers.exchange.instances import name_parties

Intervals = Sequence[Interval]
Points = Sequence[tuple[Fraction, ...]]


def describe_leaver(witness: Witness, parties: Sequence[str]) -> dict[str, Any]:
    """Describe a witness among all-or-nothing parties: who took part, and who leaves."""
    here = [
        int(party)
        for party in parties
        if party in witness.parties or witness.others.get(party) not in (None, "stays away")
    ]
    return {
        "take part": here,
        "party": int(witness.parties[0]),
        "gain": encode_number(witness.gain),
    }


def make_test(
    make: Callable[[Any, Fraction], Game],
    prop: Property,
    exclusivities: Sequence[Fraction],
    describe: Callable[[Any], dict[str, Any]],
) -> Callable[[Any], Trial]:
    """Return the test: the game of an instance has the property at every exclusivity listed."""

    def test(instance: Any) -> Trial:
        checks = 0
        for e in exclusivities:
            game = make(instance, e)
            verdict = examine(game, prop)
            checks += verdict.checked
            if verdict.witness is not None:
                said = describe(instance)
                if verdict.witness.lie:
                    said |= describe_leaver(verdict.witness, game.players)
                return Trial(checks, {**said, "exclusivity": encode_number(e)})
        return Trial(checks)

    return test


# ------------------------------------------------------------------------------ intervals


def list_intervals(n: int, most: int) -> Family:
    """Return n intervals with whole ends from 0 to `most` and a point in common, up to order."""
    whole = [Fraction(x) for x in range(most + 1)]
    single = [(a, b) for a in whole for b in whole if a <= b]
    some = [x for x in combinations_with_replacement(single, n) if _meet(x)]
    return Family(f"lists of {n} overlapping intervals with whole ends from 0 to {most}", some)


def draw_intervals(rng: np.random.Generator, n: int, count: int) -> Family:
    """Draw n intervals around a common point, ends in eighths."""
    drawn = [
        tuple((Fraction(-int(a), 8), Fraction(int(b), 8)) for a, b in rng.integers(0, 40, (n, 2)))
        for _ in range(count)
    ]
    return Family(f"lists of {n} overlapping intervals with ends in eighths", drawn, sampled=True)


def _meet(some: Intervals) -> bool:
    return max(x[0] for x in some) <= min(x[1] for x in some)


def make_search_game(some: Intervals, e: Fraction) -> Game:
    """Return the product's game of one-dimensional search."""
    parties = name_parties(len(some))
    return OneDimensionalSearch(dict.fromkeys(parties, e)).game(
        dict(zip(parties, some, strict=True))
    )


def _describe_intervals(some: Intervals) -> dict[str, Any]:
    return {"intervals": [[encode_number(a), encode_number(b)] for a, b in some]}


def _fair(some: Intervals) -> Trial:
    """Check what Mechanism 3 hands out against what its text says."""
    low, high = max(x[0] for x in some), min(x[1] for x in some)
    new = [x for x in narrow(some) if x is not None]
    left = low, min(x[1] for x in some if x[0] == low)
    right = max(x[0] for x in some if x[1] == high), high
    length = high - low
    gain = min(left[1] - left[0], right[1] - right[0]) - length if left != right else 0
    for old, x in zip(some, new, strict=True):
        got = (old[1] - old[0]) - (x[1] - x[0])
        wanted = gain if old in (left, right) else 0
        inside = old[0] <= x[0] <= low and high <= x[1] <= old[1]
        if got != wanted or not inside:
            return Trial(
                len(new),
                {**_describe_intervals(some), "new": _describe_intervals(new)["intervals"]},
            )
    return Trial(len(new))


def _is_nested(some: Intervals) -> Trial:
    """Check that nothing is exchanged where one interval lies in all others."""
    low, high = max(x[0] for x in some), min(x[1] for x in some)
    if (low, high) not in some:
        return Trial(0)
    new = [x for x in narrow(some) if x is not None]
    return Trial(
        1,
        None
        if new == list(some)
        else {**_describe_intervals(some), "new": _describe_intervals(new)["intervals"]},
    )


def _interval_families(rng: np.random.Generator) -> tuple[Family, ...]:
    return (list_intervals(2, 4), list_intervals(3, 3), draw_intervals(rng, 6, 20))


def _theorem_3_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    test = make_test(make_search_game, DSIC(), ENDS, _describe_intervals)
    return (search_counterexample(test, *_interval_families(rng), unit="deviations"),)


def _mechanism_3(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_fair, *_interval_families(rng), unit="intervals"),)


def _mechanism_3_nested(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_is_nested, *_interval_families(rng), unit="nested lists"),)


def _mechanism_3_identical(rng: np.random.Generator) -> tuple[Finding, ...]:
    test = make_test(make_search_game, Symmetric(), ONE, _describe_intervals)
    return (search_counterexample(test, *_interval_families(rng), unit="profiles"),)


# -------------------------------------------------------------------------- average point


def list_points(n: int, most: int = 1) -> Family:
    """Return n points on a line with whole coordinates from -most to most, up to order."""
    whole = [(Fraction(x),) for x in range(-most, most + 1)]
    some = sorted(combinations_with_replacement(whole, n), key=lambda p: sum(abs(x[0]) for x in p))
    return Family(f"lists of {n} whole points from -{most} to {most}", some)


def draw_points(rng: np.random.Generator, n: int, d: int, count: int) -> Family:
    """Draw n points in d dimensions, coordinates in thirds."""
    drawn = [
        tuple(tuple(Fraction(int(x), 3) for x in row) for row in rng.integers(-9, 10, (n, d)))
        for _ in range(count)
    ]
    return Family(f"lists of {n} points in R^{d} with coordinates in thirds", drawn, sampled=True)


def make_average_game(some: Points, e: Fraction) -> Game:
    """Return the product's game of the average point."""
    parties = name_parties(len(some))
    return AveragePoint(dict.fromkeys(parties, e)).game(dict(zip(parties, some, strict=True)))


def describe_points(some: Points) -> dict[str, Any]:
    """Describe points; on a line as numbers."""
    return {
        "points": [
            encode_number(p[0]) if len(p) == 1 else [encode_number(x) for x in p] for p in some
        ]
    }


def _theorem_3_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(
            make_test(make_average_game, DSIC(), ONE, describe_points),
            list_points(2),
            list_points(3),
            unit="deviations",
        ),
        search_counterexample(
            make_test(make_average_game, ExPostIC(), ENDS, describe_points),
            list_points(2),
            list_points(3),
            list_points(4),
            draw_points(rng, 5, 2, 10),
            unit="deviations",
            correction="Joining is a best reply where all others join (a Nash equilibrium), for "
            "every exclusivity from 0 to 1.",
        ),
    )


def _pays_at_every_exclusivity(some: Points) -> Trial:
    """Look for one who gains by leaving at exclusivity 0, and no less the larger it is."""
    n, checks = len(some), 0
    for mask in range(1 << n):
        here = [bool(mask >> i & 1) for i in range(n)]
        before = average_benefits(some, here)
        for i in np.flatnonzero(here).tolist():
            checks += 1
            after = average_benefits(some, [h and j != i for j, h in enumerate(here)])
            gain = after[i] - before[i]
            slope = _best_rival(before, i) - _best_rival(after, i)
            if gain > 0 and slope >= 0:
                said = {"take part": [j + 1 for j, h in enumerate(here) if h], "party": i + 1}
                gains = {
                    "gain at exclusivity 0": encode_number(gain),
                    "at 1": encode_number(gain + slope),
                }
                return Trial(checks, {**describe_points(some), **said, **gains})
    return Trial(checks)


def _best_rival(benefits: Sequence[Fraction], i: int) -> Fraction:
    return max(b for j, b in enumerate(benefits) if j != i)


def _dominance_fails(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_pays_at_every_exclusivity, list_points(3), unit="deviations"),)


def _nothing_is_better(some: Points) -> Trial:
    benefits = average_benefits(some, [True] * len(some))
    utilities = [b - _best_rival(benefits, i) for i, b in enumerate(benefits)]
    if max(utilities) <= 0 and min(utilities) < 0:
        said = {"benefits": [encode_number(b) for b in benefits], "dominated by": [0] * len(some)}
        return Trial(1, {**describe_points(some), **said, "exclusivity": 1})
    return Trial(1)


def _largest_total(some: Points) -> Trial:
    """Compare with telling everybody any point of a grid: each is worth at most the average."""
    benefits = average_benefits(some, [True] * len(some))
    center = sum((p[0] for p in some), Fraction(0)) / len(some)
    told = [Fraction(x, 4) for x in range(-8, 9)]
    for benefit, (own,) in zip(benefits, some, strict=True):
        if max((own - center) ** 2 - (y - center) ** 2 for y in told) > benefit:
            return Trial(
                len(told),
                {**describe_points(some), "benefits": [encode_number(b) for b in benefits]},
            )
    return Trial(len(told) * len(some))


def _average_efficient(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        search_counterexample(_nothing_is_better, list_points(2), list_points(3), unit="outcomes"),
        search_counterexample(
            _largest_total,
            list_points(3),
            list_points(4),
            unit="replies",
            correction="No reply is worth more to anybody than the average, so the total benefit "
            "is the largest (replies were tried in quarters from -2 to 2).",
        ),
    )


def _average_symmetric(rng: np.random.Generator) -> tuple[Finding, ...]:
    test = make_test(make_average_game, Symmetric(), ONE, describe_points)
    return (
        search_counterexample(
            test, list_points(3), list_points(4), draw_points(rng, 5, 2, 10), unit="profiles"
        ),
    )


PAPER = "exchange"

CLAIMS = (
    Claim(
        "exchange/theorem-3.1",
        PAPER,
        "Theorems 1.3, 3.1 and A.1",
        "Mechanism 3 makes joining dominant for all-or-nothing parties (checked with shorter "
        "intervals worth more by their length, for every exclusivity from 0 to 1).",
        _theorem_3_1,
    ),
    Claim(
        "exchange/mechanism-3",
        PAPER,
        "Mechanism 3, appendix A",
        "The parties that bound the intersection gain equally, as much as the one with less to "
        "gain can; nobody else gains; every new interval holds the intersection.",
        _mechanism_3,
    ),
    Claim(
        "exchange/mechanism-3-nested",
        PAPER,
        "Appendix A, gold mine example",
        "Where one interval lies in all others nothing is exchanged.",
        _mechanism_3_nested,
    ),
    Claim(
        "exchange/mechanism-3-identical",
        PAPER,
        "Appendix A, proof of Theorem A.1",
        "Mechanism 3 treats identical intervals alike.",
        _mechanism_3_identical,
    ),
    Claim(
        "exchange/theorem-3.2",
        PAPER,
        "Theorems 1.4, 3.2 and B.1",
        "Telling the average to all who join makes joining dominant.",
        _theorem_3_2,
    ),
    Claim(
        "exchange/theorem-3.2-dominance",
        PAPER,
        "Appendix B (not in the paper)",
        "There are points at which leaving pays at every exclusivity, so that no taste makes "
        "joining dominant.",
        _dominance_fails,
    ),
    Claim(
        "exchange/theorem-3.2-efficient",
        PAPER,
        "Appendix B, proof of Theorem B.1",
        "Telling everybody the average is Pareto efficient.",
        _average_efficient,
    ),
    Claim(
        "exchange/theorem-3.2-symmetric",
        PAPER,
        "Appendix B, proof of Theorem B.1",
        "Identical points gain the same.",
        _average_symmetric,
    ),
)
