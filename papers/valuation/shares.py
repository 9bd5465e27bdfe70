"""Section 3: the shares of Theorems 1 and 2 satisfy their axioms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import permutations
from math import comb, factorial
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Array, Number, as_objects
from aboveboard.valuation import shapley_among_users, shapley_by_type_exactly, shapley_with_platform
from aboveboard.valuation.shares import axioms
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.instances import Values, list_users, names, random_tables, tables

ALPHAS = (Fraction(0), Fraction(1, 3), Fraction(1))
FREE = (0, 1, 2)
"""Values of U(0) where the text does not say that it is 0."""


def describe(shares: Iterable[Number]) -> list[Any]:
    """Return shares as plain data."""
    return [encode_number(x) for x in shares]


def subsets(n: int, without: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield the masks and sizes of all coalitions, or of those without one user."""
    for mask in range(1 << n):
        if without is None or not mask >> without & 1:
            yield mask, mask.bit_count()


def equations_5_6(values: Values) -> tuple[Fraction, list[Fraction]]:
    """Return the platform's share and the users', to the letter."""
    n = list_users(values)
    platform = sum((Fraction(values[m], comb(n, s)) for m, s in subsets(n)), Fraction(0))
    users = [
        sum(Fraction(values[m | 1 << i] - values[m], comb(n, s + 1)) for m, s in subsets(n, i))
        for i in range(n)
    ]
    return platform / (n + 1), [Fraction(x) / (n + 1) for x in users]


def equation_12(values: Values) -> list[Fraction]:
    """Return the users' shares for alpha = 1, to the letter."""
    n = list_users(values)
    return [
        Fraction(sum(Fraction(values[m | 1 << i] - values[m], comb(n - 1, s)) for m, s in rest)) / n
        for i in range(n)
        for rest in [list(subsets(n, i))]
    ]


def mean_contributions(values: Values) -> list[Fraction]:
    """Return what each user adds, in the mean over all orders of arrival."""
    n = list_users(values)
    totals = [0] * n
    for order in permutations(range(n)):
        mask = 0
        for i in order:
            totals[i] += values[mask | 1 << i] - values[mask]
            mask |= 1 << i
    return [Fraction(x, factorial(n)) for x in totals]


Divide = Callable[[Array], Array]


def broken(values: Values, divide: Divide, shared: Number, *, but: str = "") -> axioms.Check | None:
    """Return the first axiom that a division of this utility breaks.

    Parameters
    ----------
    values
        The utility.
    divide
        From a table to the users' shares.
    shared
        What the users' shares must sum to.
    but
        The name of an axiom that is not looked at.
    """
    table, who = as_objects(list(values)), names(list_users(values))
    given = divide(table).tolist()
    checks = (
        axioms.check_fairness(table, given, who),
        axioms.check_null_player(table, given, who),
        axioms.check_efficiency(given, shared),
        axioms.check_additivity(table, divide, trials=1),
    )
    return next((check for check in checks if not check.holds and check.name != but), None)


def with_alpha(alpha: Fraction) -> Divide:
    """Return Theorem 2's division of a table."""
    return lambda table: shapley_among_users(table, alpha).users


def _theorem_2_holds(values: Values) -> Trial:
    expected = equation_12(values)
    if expected != mean_contributions(values):
        raise RuntimeError("equation 12 is not the mean over all orders of arrival")
    for alpha in ALPHAS:
        check = broken(values, with_alpha(alpha), alpha * values[-1])
        found = shapley_among_users(values, alpha).users.tolist()
        said = {"U": list(values), "alpha": encode_number(alpha), "shares": describe(found)}
        if check is not None:
            return Trial(4, {**said, "axiom": check.name, "text": check.text})
        if found != [alpha * x for x in expected]:
            return Trial(5, {**said, "equation 12": describe(expected)})
    return Trial(5 * len(ALPHAS))


def _theorem_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = (tables(1, 2), tables(2, 3), tables(3, 1))
    return (
        search_counterexample(
            _theorem_2_holds,
            tables(1, 2, at_nothing=FREE),
            tables(2, 2, at_nothing=FREE),
            unit="axioms and formulas",
        ),
        search_counterexample(
            _theorem_2_holds,
            *small,
            random_tables(rng, 4, 10),
            unit="axioms and formulas",
            correction="With U(0) = 0 the shares of equation 12 satisfy axioms B.i to B.iii; they "
            "are what a user adds in the mean over all orders of arrival. (Otherwise they sum to "
            "alpha (U - U(0)).)",
        ),
    )


def _theorem_1_holds(values: Values) -> Trial:
    found = shapley_with_platform(values)
    said = {
        "U": list(values),
        "platform": encode_number(found.platform),
        "users": describe(found.users),
    }
    check = broken(
        values, lambda table: shapley_with_platform(table).users, values[-1] - found.platform
    )
    if check is not None:
        return Trial(4, {**said, "axiom": check.name, "text": check.text})
    platform, users = equations_5_6(values)
    extended = mean_contributions((*[0] * len(values), *values))
    if [platform, users] != [found.platform, found.users.tolist()] or extended != [
        *users,
        platform,
    ]:
        return Trial(6, {**said, "equations 5 and 6": describe([*users, platform])})
    return Trial(6)


def _theorem_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (tables(1, 2, at_nothing=FREE), tables(2, 2, at_nothing=FREE), tables(3, 1))
    return (
        search_counterexample(
            _theorem_1_holds, *families, random_tables(rng, 4, 10), unit="axioms and formulas"
        ),
    )


def _by_types(instance: tuple[tuple[int, ...], Values]) -> Trial:
    """Compare the polynomial formula with the table for users of two types."""
    sizes, worth = instance
    n = sum(sizes)
    kinds = [t for t, size in enumerate(sizes) for _ in range(size)]

    def of(counts: tuple[int, ...]) -> Fraction:
        return Fraction(worth[counts[0] * (sizes[1] + 1) + counts[1]])

    values = [
        of(tuple(sum(mask >> i & (kinds[i] == t) for i in range(n)) for t in (0, 1)))
        for mask in range(1 << n)
    ]
    for platform, divide in ((False, shapley_among_users), (True, shapley_with_platform)):
        each, kept = shapley_by_type_exactly(sizes, of, platform=platform)
        found = divide(values)
        if [each[t] for t in kinds] != found.users.tolist() or kept != found.platform:
            said = {"sizes": list(sizes), "U by numbers": list(worth)}
            return Trial(1, {**said, "by types": describe(each), "by table": describe(found.users)})
    return Trial(2)


def _few_types(rng: np.random.Generator) -> tuple[Finding, ...]:
    drawn = [
        (sizes, tuple(rng.integers(-20, 21, (sizes[0] + 1) * (sizes[1] + 1)).tolist()))
        for sizes in ((1, 1), (2, 1), (1, 3), (2, 3), (3, 3), (4, 2))
        for _ in range(5)
    ]
    family = Family("utilities of up to 6 users of 2 types", drawn, sampled=True)
    return (search_counterexample(_by_types, family, unit="divisions"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/theorem-1",
        PAPER,
        "Theorem 1, existence",
        "The shares of equations 5 and 6 satisfy axioms A.i to A.iii; they are what each member, "
        "platform included, adds in the mean over all orders of arrival.",
        _theorem_1,
    ),
    Claim(
        "valuation/theorem-2",
        PAPER,
        "Theorem 2, existence",
        "For every utility the shares of equation 12 satisfy axioms B.i to B.iii (U(0) is not said "
        "to be 0).",
        _theorem_2,
    ),
    Claim(
        "valuation/few-types",
        PAPER,
        "Theorems 1 and 2 for users of few types (not in the paper)",
        "The polynomial formula gives the shares of the table of all coalitions.",
        _few_types,
    ),
)
