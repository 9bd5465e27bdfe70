"""Section 3: which axioms determine the fair shares, and which leave them open."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from aboveboard.games.numbers import Array, Number, as_objects
from aboveboard.valuation import shapley_among_users, shapley_with_platform
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.valuation.instances import Values, list_users, members, random_tables, tables
from papers.valuation.shares import FREE, Divide, broken, describe, subsets, with_alpha
from papers.valuation.systems import Row, solve


def dividends(values: Values) -> list[int]:
    """Return b_T with U = sum over T of b_T U_T, U_T being 1 where T takes part."""
    found = list(values)
    for i in range(list_users(values)):
        for mask in range(len(found)):
            if mask >> i & 1:
                found[mask] -= found[mask ^ 1 << i]
    return found


def axiom_rows(values: Values, alike: int, shared: Number) -> tuple[list[Row], list[Number]]:
    """Return the equations that fairness, null player and efficiency put on one game's shares.

    Parameters
    ----------
    values
        The game; its members are the unknowns.
    alike
        Fairness and null player are asked of the first `alike` members, efficiency of all.
    shared
        What all shares sum to.
    """
    n = list_users(values)
    rows: list[Row] = [[1] * n]
    right: list[Number] = [shared]
    for i in range(alike):
        if all(values[m | 1 << i] == values[m] for m, _ in subsets(n, i)):
            rows.append([int(k == i) for k in range(n)])
            right.append(0)
        for j in range(i):
            rest = [m for m, _ in subsets(n, i) if not m >> j & 1]
            if all(values[m | 1 << i] == values[m | 1 << j] for m in rest):
                rows.append([int(k == i) - int(k == j) for k in range(n)])
                right.append(0)
    return rows, right


def by_axioms(values: Values, alike: int) -> tuple[list[Fraction], int]:
    """Add up what the axioms determine on each unanimity game; the free dimensions, summed."""
    n = list_users(values)
    total, free = [Fraction(0)] * n, 0
    for t, b in enumerate(dividends(values)):
        if b:
            unanimity = tuple(b * int(mask & t == t) for mask in range(len(values)))
            found, dimension = solve(*axiom_rows(unanimity, alike, unanimity[-1]))
            total, free = [x + y for x, y in zip(total, found, strict=True)], free + dimension
    return total, free


def _unique_2(values: Values) -> Trial:
    found, free = by_axioms(values, list_users(values))
    given = shapley_among_users(values).users.tolist()
    if free or found != given:
        said = {"Theorem 2": describe(given), "by the axioms": describe(found), "free": free}
        return Trial(1, {"U": list(values), **said})
    return Trial(1)


def _theorem_2_unique(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (tables(1, 2), tables(2, 3), tables(3, 1), random_tables(rng, 4, 10))
    return (search_counterexample(_unique_2, *families, unit="utilities"),)


def _another_value(values: Values) -> Trial:
    """Check that giving all to the users satisfies A.i to A.iii, and whether it is Theorem 1's."""
    other, one = shapley_among_users(values), shapley_with_platform(values)
    check = broken(values, with_alpha(Fraction(1)), values[-1] - values[0])
    if check is not None or other.platform != values[0]:
        raise RuntimeError(f"all to the users breaks an axiom on {values}")
    first, second = ([*x.users.tolist(), x.platform] for x in (one, other))
    if first == second:
        return Trial(1)
    said = {"users and platform by Theorem 1": describe(first), "another value": describe(second)}
    return Trial(1, {"U": list(values), **said, "satisfies": "A.i, A.ii, A.iii"})


def _unique_1(values: Values) -> Trial:
    n = list_users(values)
    found, free = by_axioms((*[0] * len(values), *values), n + 1)
    one = shapley_with_platform(values)
    given = [*one.users.tolist(), one.platform]
    if free or found != given:
        said = {"Theorem 1": describe(given), "by the axioms": describe(found), "free": free}
        return Trial(1, {"U": list(values), **said})
    return Trial(1)


def _theorem_1_unique(rng: np.random.Generator) -> tuple[Finding, ...]:
    small = (tables(1, 2, at_nothing=FREE), tables(2, 2, at_nothing=FREE), tables(3, 1))
    return (
        search_counterexample(_another_value, *small, unit="utilities"),
        search_counterexample(
            _unique_1,
            *small,
            random_tables(rng, 4, 10),
            unit="utilities",
            correction="Theorem 1's shares are the only ones if fairness (equal shares for who "
            "adds the same) and null player hold for the platform too, as one more member.",
        ),
    )


# -------------------------------------------------------------------- without one axiom


def _in_order(table: Array) -> Array:
    n = list_users(tuple(table))
    return as_objects([table[(2 << i) - 1] - table[(1 << i) - 1] for i in range(n)])


def _equally(table: Array) -> Array:
    n = list_users(tuple(table))
    return as_objects([Fraction(table[-1] - table[0], n)] * n)


def _banzhaf(table: Array) -> Array:
    n = list_users(tuple(table))
    gains = [sum(table[m | 1 << i] - table[m] for m, _ in subsets(n, i)) for i in range(n)]
    return as_objects([Fraction(x, 1 << (n - 1)) for x in gains])


def _among_useful(table: Array) -> Array:
    n = list_users(tuple(table))
    useful = [any(table[m | 1 << i] != table[m] for m, _ in subsets(n, i)) for i in range(n)]
    part = Fraction(table[-1] - table[0], max(1, sum(useful)))
    return as_objects([part if x else Fraction(0) for x in useful])


INSTEAD: dict[str, tuple[str, Divide]] = {
    "fairness": ("what each adds in the order 1, 2, ..", _in_order),
    "null player": ("the same for everybody", _equally),
    "efficiency": ("what each adds in the mean over all coalitions (Banzhaf)", _banzhaf),
    "additivity": ("the same for everybody who adds anything", _among_useful),
}


def _without(axiom: str) -> Callable[[Values], Trial]:
    said, divide = INSTEAD[axiom]

    def test(values: Values) -> Trial:
        check = broken(values, divide, values[-1] - values[0], but=axiom)
        if check is not None:
            raise RuntimeError(f"{said} breaks {check.name}: {check.text}")
        found, given = (
            divide(as_objects(list(values))).tolist(),
            shapley_among_users(values).users.tolist(),
        )
        if found == given:
            return Trial(1)
        shares = {"Theorem 2": describe(given), said: describe(found)}
        return Trial(1, {"U": list(values), "without": axiom, **shares})

    return test


def _each_axiom(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (tables(2, 2), tables(3, 1))
    return tuple(search_example(_without(axiom), *families, unit="utilities") for axiom in INSTEAD)


# ------------------------------------------------------------------- alpha may not vary


Alpha = Callable[[Values, int], Fraction]
"""From a utility and a profile to alpha."""

BY_UTILITY = "1/(1 + U)"
VARYING: dict[str, Alpha] = {
    BY_UTILITY: lambda values, mask: Fraction(1, 1 + values[mask]),
    "1/(1 + users who share)": lambda _, mask: Fraction(1, 1 + mask.bit_count()),
    "1/3": lambda _values, _mask: Fraction(1, 3),
}


def _restrict(values: Values, mask: int) -> Values:
    return tuple(values[m & mask] for m in range(len(values)))


def _alpha_may_be(rule: str) -> Callable[[tuple[Values, Values]], Trial]:
    """Return the test: with this alpha, B.ii holds for U and for V, and B.iii for U + V."""
    alpha = VARYING[rule]

    def shares(values: Values, mask: int) -> list[Number]:
        found = shapley_among_users(_restrict(values, mask), alpha(values, mask))
        given: list[Number] = found.users.tolist()
        return given

    def test(pair: tuple[Values, Values]) -> Trial:
        u, v = pair
        n = list_users(u)
        for values in pair:
            for m in range(1 << n):
                for k in (k for k in range(m) if values[k] == values[m] != 0):
                    if alpha(values, m) != alpha(values, k):
                        said = {"U": list(values), "equal at": [members(k, n), members(m, n)]}
                        parts = describe([alpha(values, k), alpha(values, m)])
                        return Trial(1, {"alpha": rule, **said, "alphas": parts, "breaks": "B.ii"})
        both = tuple(a + b for a, b in zip(u, v, strict=True))
        for mask in range(1 << n):
            apart = [a + b for a, b in zip(shares(u, mask), shares(v, mask), strict=True)]
            together = shares(both, mask)
            if apart != together:
                said = {"U": list(u), "V": list(v), "share": members(mask, n)}
                sums = {"shares of U + V": describe(together), "sum of shares": describe(apart)}
                return Trial(2, {"alpha": rule, **said, **sums, "breaks": "B.iii"})
        return Trial(1 << n)

    return test


def _alpha(_: np.random.Generator) -> tuple[Finding, ...]:
    some = list(tables(2, 1).instances)
    pairs = Family(
        "pairs of utilities of 2 users, values 0 or 1", [(u, v) for u in some for v in some]
    )
    by_utility, by_levels, constant = (_alpha_may_be(rule) for rule in VARYING)
    return (
        search_counterexample(by_utility, pairs, unit="equations"),
        search_counterexample(
            by_levels,
            pairs,
            unit="equations",
            correction="alpha may be any function of the levels, the same for every utility.",
        ),
        search_counterexample(
            constant,
            pairs,
            unit="equations",
            correction="A constant alpha satisfies B.ii and B.iii for every utility. No other "
            "does: by B.iii alpha U is additive in U, so alpha does not depend on U, and by B.ii "
            "with a utility that is the same at two profiles it is the same there.",
        ),
    )


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/theorem-1-unique",
        PAPER,
        "Theorem 1, uniqueness",
        "Axioms A.i to A.iii, which ask fairness and null player of the users only, determine the "
        "shares.",
        _theorem_1_unique,
    ),
    Claim(
        "valuation/theorem-2-unique",
        PAPER,
        "Theorem 2, uniqueness, and appendix A.2",
        "Axioms B.i to B.iii with alpha = 1 and U(0) = 0 determine the shares: on each unanimity "
        "game by linear equations, on the others by additivity.",
        _theorem_2_unique,
    ),
    Claim(
        "valuation/theorem-2-axioms",
        PAPER,
        "Theorem 2 (not in the paper)",
        "Each of fairness, null player, efficiency and additivity is needed: without it there is "
        "another value.",
        _each_axiom,
    ),
    Claim(
        "valuation/axiom-b-alpha",
        PAPER,
        "Axiom B.ii and Example 2",
        "alpha may vary, as long as it is from 0 to 1 and the same where the utility is the same.",
        _alpha,
    ),
)
