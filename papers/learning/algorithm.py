"""Theorem 5: Algorithm 1 decides whether a desirable mechanism exists, and finds its payments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from math import inf
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.games.numbers import as_objects
from aboveboard.learning import Growth, Identity, Market
from aboveboard.learning.desirable.constraints import compute_constraints
from aboveboard.learning.market.valuations import FunctionValuation
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.learning.columns import (
    Payments,
    SearchedMarket,
    all_payments,
    by_trying,
    largest,
    profiles,
)
from papers.learning.definitions import (
    by_search,
    share_of_market,
    share_with_all,
    share_with_none,
    worth,
)

# -------------------------------------------------------------------------------- instances


def tables(rng: np.random.Generator, count: int, sizes: tuple[int, ...]) -> Family:
    """Draw valuations of two parties: any whole numbers from -2 to 4 for each pair of qualities."""
    found = []
    for _ in range(count):
        worths = rng.integers(-2, 5, (2 * sizes[-1] + 1, 2 * sizes[-1] + 1, 2)).tolist()

        def value(i: int, q: Sequence[Any], worths: Any = worths) -> int:
            return int(worths[int(q[0])][int(q[1])][i])

        def called(q: tuple[float, ...], value: Any = value) -> list[int]:
            return [value(0, q), value(1, q)]

        market = Market(Identity(), FunctionValuation("table", called, 2), 2)
        found.append(SearchedMarket(market, by_search(2, value, "all"), sizes, {"values": worths}))
    shown = ", ".join(map(str, sizes))
    return Family(f"valuations of 2 parties by tables, sizes {shown}", found, sampled=True)


def growing(tops: Sequence[int], alpha: int = -1) -> Family:
    """Return section 6.2's market of two parties on grids with 0 and without."""
    rule = share_with_all(2, share_of_market(alpha))
    market = Market(Identity(), Growth(Fraction(alpha)), 2)
    found = [
        SearchedMarket(market, rule, tuple(range(smallest, top + 1)), {"alpha": alpha})
        for top in tops
        for smallest in (0, 1)
    ]
    kind = f"growth markets of 2 parties, alpha = {alpha}, up to {max(tops)} steps"
    return Family(kind, found)


# ---------------------------------------------------------------------------------- theorem 5


def _agrees(pay: Payments, *, fallback: bool = True) -> Callable[[SearchedMarket], Trial]:
    """Return the test that the product's payments and answer are those found this way."""

    def test(instance: SearchedMarket) -> Trial:
        found = instance.find_mechanism()
        slow = all_payments(instance, pay, fallback=fallback)
        checks = 0
        smallest: Any = inf
        for positions, sizes in profiles(instance):
            checks += instance.rule.n
            paid = list(found.payments_at(positions))
            other = None if slow is None else [table[sizes] for table in slow]
            if paid != other:
                shown = {"profile": list(sizes), "payments": list(map(encode_number, paid))}
                more = None if other is None else list(map(encode_number, other))
                return Trial(checks, {**instance.as_dict(), **shown, "found this way": more})
            smallest = min(smallest, sum(paid))
        if found.exists != (smallest >= 0):
            return Trial(checks, {**instance.as_dict(), "smallest sum": encode_number(smallest)})
        return Trial(checks)

    return test


RANGE = (-24, 12)
"""Payments that are tried: values are from -2 to 4, chains have up to three links of at most 6."""


def _theorem_5(rng: np.random.Generator) -> tuple[Finding, ...]:
    few = tables(rng, 25, (1, 2))
    grids = growing((2, 3, 6, 7))
    return (
        search_counterexample(_decides, growing((3, 7)), unit="decisions"),
        search_counterexample(
            _agrees(lambda c: by_trying(c, *RANGE)),
            few,
            unit="payments",
            correction="For a given efficient allocation it does: the payments are the largest of "
            "all whole payments that leave truth and participation the best.",
        ),
        search_counterexample(
            _agrees(largest),
            few,
            tables(rng, 15, (0, 1, 2, 3)),
            grids,
            unit="payments",
            correction="They are the shortest paths, by relaxing every edge of the graph until "
            "none gives way.",
        ),
    )


def _decides(instance: SearchedMarket) -> Trial:
    """Look for a desirable mechanism where the search finds none: sharing nothing, for nothing.

    Where nothing changes hands and nothing is paid, it is truthful, rational and balanced. It is
    left to check that it is efficient, against the welfare of every set that could be served.
    """
    if instance.find_mechanism().exists:
        return Trial(1)
    every = by_search(2, instance.rule.value, "all")
    nothing = share_with_none(2, instance.rule.value)
    for _, true in profiles(instance):
        most, without = (sum(worth(r, i, true, true) for i in range(2)) for r in (every, nothing))
        if without < most:
            return Trial(1)
    said = {"Algorithm 1 finds": "none", "desirable": "share nothing, charge nothing"}
    return Trial(1, {**instance.as_dict(), **said})


# ---------------------------------------------------------------- what must not be left out


def _neighbours(rng: np.random.Generator) -> tuple[Finding, ...]:
    def test(instance: SearchedMarket) -> Trial:
        return _agrees(lambda c: largest(c, neighbours=True))(instance)

    return (
        search_counterexample(test, tables(rng, 40, (0, 1, 2)), unit="payments"),
        search_counterexample(
            _agrees(largest),
            growing((2, 3, 4)),
            tables(rng, 20, (0, 1, 2, 3)),
            unit="payments",
            correction="Every lower report binds.",
        ),
    )


def _fallback(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (growing((2, 3, 4)), tables(rng, 20, (0, 1, 2, 3)))
    return (
        search_counterexample(_agrees(largest, fallback=False), *families, unit="payments"),
        search_counterexample(
            _agrees(largest),
            *families,
            unit="payments",
            correction="They need max(x_i, Q(t_i)): a liar may use its own model.",
        ),
    )


def _negative_weight(instance: SearchedMarket) -> Trial:
    checks = 0
    m = len(instance.sizes)
    for j in range(m):
        given = compute_constraints(instance.market, _sizes(instance), 0, np.array([[j]]))
        for t in range(m):
            for r in range(t):
                checks += 1
                weight = given.values[0, t, t] - given.values[0, r, t]
                if weight < 0:
                    lie = {"has": instance.sizes[t], "reports": instance.sizes[r]}
                    other = {
                        "the other has": instance.sizes[j],
                        "weight": encode_number(Fraction(weight)),
                    }
                    return Trial(checks, {**instance.as_dict(), **lie, **other})
    return Trial(checks)


def _sizes(instance: SearchedMarket) -> Any:
    return as_objects([Fraction(x) for x in instance.sizes])


def _weights(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_negative_weight, growing((2, 3, 4)), unit="edges"),)


def _test_early(instance: SearchedMarket) -> Trial:
    """Run the budget test inside the loops, as printed, with bounds that are not yet final."""
    n, sizes = instance.rule.n, instance.sizes
    bounds: list[dict[tuple[int, ...], Any]] = []
    finals = all_payments(instance, largest)
    for i in range(n):
        each = all_payments(
            instance, lambda c: [c.values[t][t] - c.alone[t] for t in range(len(c.alone))]
        )
        bounds.append({} if each is None else each[i])
    if finals is None:
        raise ArithmeticError("shortest paths are always found")
    answer = True
    for i in range(n):
        for rest in product(sizes, repeat=n - 1):
            for t in sizes:
                profile = (*rest[:i], t, *rest[i:])
                bounds[i][profile] = finals[i][profile]
            for t in sizes:
                profile = (*rest[:i], t, *rest[i:])
                answer &= sum(table[profile] for table in bounds) >= 0
    if answer != instance.find_mechanism().exists:
        return Trial(1, {**instance.as_dict(), "printed": answer, "search": not answer})
    return Trial(1)


def _early(rng: np.random.Generator) -> tuple[Finding, ...]:
    families = (growing((2, 3, 6, 7)), tables(rng, 20, (1, 2)), tables(rng, 10, (0, 1, 2)))
    return (search_counterexample(_test_early, *families, unit="decisions"),)


CLAIMS = (
    Claim(
        "learning/theorem-5",
        "learning",
        "Theorem 5, appendix A.1",
        "Algorithm 1 decides whether a desirable mechanism exists (the efficient allocation being "
        "determined by the valuations), and its payments are the largest.",
        _theorem_5,
    ),
    Claim(
        "learning/algorithm-1-neighbours",
        "learning",
        "Algorithm 1 with fewer edges; docs/theory.md",
        "It is enough to constrain the payments of neighbouring sizes.",
        _neighbours,
    ),
    Claim(
        "learning/algorithm-1-own-model",
        "learning",
        "Appendix A.1, Gap; docs/theory.md",
        "In Gap a liar's value can be taken at the models that are handed out for its report.",
        _fallback,
    ),
    Claim(
        "learning/algorithm-1-weights",
        "learning",
        "Algorithm 1, single-source shortest paths; docs/theory.md",
        "Edges can have negative weights, so that Dijkstra's algorithm is not among those that "
        "will do.",
        _weights,
    ),
    Claim(
        "learning/algorithm-1-early-test",
        "learning",
        "Algorithm 1, the last if",
        "Testing the budget inside the loops, with the other parties' payments not yet final, "
        "gives the right answer: payments only fall, and the last party's loop sees final ones.",
        _early,
    ),
)
