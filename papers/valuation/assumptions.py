"""Section 5, Assumptions 1 and 2: as printed, and on the paper's own example."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import inf

import numpy as np

from aboveboard.valuation import DpMean
from aboveboard.valuation.levels import NOTHING, Level, encode_level
from aboveboard.valuation.shares import axioms
from aboveboard.valuation.utilities.utilities import tabulate_two_levels
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.instances import Values, concave, members, names, of_number


def _assumption_1_literally(worth: Values) -> Trial:
    """Check U(more) > U(less) for every two profiles with more >= less, as printed."""
    table, n = of_number(worth), len(worth) - 1
    for checks, (less, more) in enumerate(product(range(1 << n), repeat=2), 1):
        if less & ~more == 0 and not table[more] > table[less]:
            shares = {"less": members(less, n), "more": members(more, n)}
            return Trial(checks, {"U by sharers": list(worth), **shares})
    return Trial(1 << 2 * n)


def _assumption_1(worth: Values) -> Trial:
    table, n = of_number(worth), len(worth) - 1
    cube = np.array(table, dtype=object).reshape((2,) * n)
    check = axioms.check_monotone(cube, names(n), [[0, 1]] * n)
    strictly = all(a < b for a, b in pairwise(worth))
    return Trial(check.checks, None if check.holds and strictly else {"U by sharers": list(worth)})


def _first(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (concave(2, 4), concave(3, 4))
    return (
        search_counterexample(_assumption_1_literally, *families, unit="pairs of profiles"),
        search_counterexample(
            _assumption_1,
            *families,
            unit="steps of one user",
            correction="Read for two different profiles, it is what utilities that rise with every "
            "sharer have.",
        ),
    )


def _assumption_2_literally(worth: Values) -> Trial:
    """Check inequality 20 for every two profiles and user, as printed."""
    table, n = of_number(worth), len(worth) - 1
    checks = 0
    for one, other in product(range(1 << n), repeat=2):
        if one.bit_count() > other.bit_count():
            continue  # fewer private users in the first
        for i in range(n):
            checks += 1
            first, second = (table[m | 1 << i] - table[m] for m in (one, other))
            if not first > second:
                profiles = {"first": members(one, n), "second": members(other, n), "user": i + 1}
                return Trial(checks, {"U by sharers": list(worth), **profiles})
    return Trial(checks)


def _assumption_2(worth: Values) -> Trial:
    n = len(worth) - 1
    check = axioms.check_diminishing_returns(np.array(of_number(worth), dtype=object), names(n))
    return Trial(
        check.checks, None if check.holds else {"U by sharers": list(worth), "text": check.text}
    )


def _second(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (concave(2, 4), concave(3, 4))
    return (
        search_counterexample(_assumption_2_literally, *families, unit="inequalities"),
        search_counterexample(
            _assumption_2,
            *(concave(n, 4, strictly=False) for n in (2, 3, 4)),
            unit="comparisons",
            correction="Read with no less instead of more, and for users who have not switched, it "
            "is concavity in the number of sharers.",
        ),
    )


def _diminishing(instance: tuple[int, Level], *, expected: bool | None = None) -> Trial:
    """Check Assumption 2 for Example 1, or that it holds exactly from epsilon'^2 = 12 on."""
    n, epsilon = instance
    check = axioms.check_diminishing_returns(
        tabulate_two_levels(DpMean(), n, NOTHING, epsilon), names(n)
    )
    wanted = True if expected is None else (epsilon == inf or Fraction(epsilon) ** 2 >= 12)
    if check.holds == wanted:
        return Trial(check.checks)
    return Trial(check.checks, {"users": n, "epsilon": encode_level(epsilon), "text": check.text})


def _example_2(_: np.random.Generator) -> tuple[Finding, ...]:
    some = [
        *(Fraction(k, 4) for k in range(1, 41)),
        Fraction(3464, 1000),
        Fraction(3465, 1000),
        inf,
    ]
    two = Family(
        "levels of 2 users, in quarters up to 10, near 2 sqrt 3, and infinity",
        [(2, e) for e in some],
    )
    more = Family("the same levels of 3 to 6 users", [(n, e) for n in range(3, 7) for e in some])
    return (
        search_counterexample(_diminishing, two, unit="comparisons"),
        search_counterexample(
            lambda x: _diminishing(x, expected=True),
            two,
            more,
            unit="comparisons",
            correction="It has diminishing returns exactly if epsilon' is at least 2 sqrt 3, "
            "whatever the number of users.",
        ),
    )


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/assumption-1",
        PAPER,
        "Assumption 1",
        "Utilities that rise with every sharer satisfy it as printed: U is larger at eps(2) than "
        "at eps(1) if eps(2) >= eps(1).",
        _first,
    ),
    Claim(
        "valuation/assumption-2",
        PAPER,
        "Assumption 2, inequality 20",
        "Utilities strictly concave in the number of sharers satisfy it as printed: a switch adds "
        "more at eps(1) than at eps(2) if eps(1) has as many private users or more.",
        _second,
    ),
    Claim(
        "valuation/assumption-2-example",
        PAPER,
        "Assumption 2 and Example 1",
        "The utility of Example 1 has diminishing returns at every epsilon'.",
        _example_2,
    ),
)
