"""Section 5.2: two users with different costs, equation 25 and what the text reads off figure 7."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import inf
from typing import Any

import numpy as np

from aboveboard.formatting import encode_number
from aboveboard.valuation import DpMean, TwoUsers, shapley_among_users
from aboveboard.valuation.levels import NOTHING, Level
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example
from papers.valuation.games import TOLERANCE, example
from papers.valuation.instances import round_values

Costs = tuple[Fraction, Fraction]

LEVELS: tuple[Level, Level] = (NOTHING, inf)
QUARTER, THIRD, TWO_THIRDS = Fraction(1, 4), Fraction(1, 3), Fraction(2, 3)
PROFILES = tuple(product((0, 1), repeat=2))


@lru_cache(maxsize=1)
def tables() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return U by both users' levels, and their fair shares of it by user and levels, exactly."""
    worth = np.empty((2, 2), dtype=object)
    shares = np.empty((2, 2, 2), dtype=object)
    for a, b in PROFILES:
        chosen = (LEVELS[a], LEVELS[b])
        worth[a, b] = DpMean().worth(chosen)
        shares[:, a, b] = shapley_among_users(DpMean().table(chosen)).users
    return worth, shares


def game(costs: Costs) -> TwoUsers:
    """Return the product's game of Example 1's two users with levels 0 and infinity."""
    worth, shares = tables()
    first, second = shares[0, 1] - shares[0, 0], shares[1, :, 1] - shares[1, :, 0]
    rises = np.array([first, second]).astype(np.float64)
    return TwoUsers(rises, worth.astype(np.float64), (float(costs[0]), float(costs[1])))


def find_best(costs: Costs) -> tuple[float, tuple[float, float], float]:
    """Return the best alpha, the probabilities of sharing, and what the platform keeps."""
    best, answer = game(costs).best()
    return best.alpha, answer, best.value


# ------------------------------------------------------------------------------ equation 25


def _objective(cell: tuple[Fraction, Fraction, Fraction], *, printed: bool) -> Trial:
    """Compare the objective with U minus all payments, users sharing with x and y."""
    alpha, x, y = cell
    worth, shares = tables()
    first, second = np.array([1 - x, x]), np.array([1 - y, y])
    total = first @ worth @ second
    paid = alpha * sum(first @ each @ second for each in shares)
    objective = total - (1 - alpha) * total if printed else (1 - alpha) * total
    if objective == total - paid:
        return Trial(1)
    said = {"alpha": encode_number(alpha), "share with": [encode_number(x), encode_number(y)]}
    values = {
        "objective": encode_number(objective),
        "U minus payments": encode_number(total - paid),
    }
    return Trial(1, {**said, **values})


def _best_reply(rise: Fraction, cost: Fraction, q: Fraction) -> tuple[Fraction, Fraction]:
    """Return the alphas, at most 1, at which sharing with q is a best reply."""
    indifferent = cost / rise
    return (
        Fraction(0) if q == 0 else indifferent,
        Fraction(1) if q == 1 else min(indifferent, Fraction(1)),
    )


def grid_best(costs: Costs) -> float:
    """Return the most that the platform keeps in an equilibrium, from the definition, on a grid.

    Where a user is sure, the other's probability is in twentieths and alpha the least that holds
    the two together. Where both mix, the first one's is, and alpha and the other's make both
    indifferent.
    """
    worth, shares = tables()
    first, second = shares[0, 1] - shares[0, 0], shares[1, :, 1] - shares[1, :, 0]
    parts = [Fraction(k, 20) for k in range(21)]
    sure = (parts[0], parts[-1])
    answers = [(x, y) for x in parts for y in parts if x in sure or y in sure]
    for x in parts[1:-1]:
        alpha = costs[1] / ((1 - x) * second[0] + x * second[1])
        y = (first[0] - costs[0] / alpha) / (first[0] - first[1])
        if 0 < y < 1:
            answers.append((x, y))
    best = Fraction(0)
    for x, y in answers:
        one = _best_reply((1 - y) * first[0] + y * first[1], costs[0], x)
        other = _best_reply((1 - x) * second[0] + x * second[1], costs[1], y)
        alpha = max(one[0], other[0])
        if alpha <= min(one[1], other[1]):
            total = np.array([1 - x, x]) @ worth @ np.array([1 - y, y])
            best = max(best, (1 - alpha) * total)
    return float(best)


def _is_best(costs: Costs) -> Trial:
    """Check that the product's offer is an equilibrium and none on the grid keeps more."""
    alpha, (x, y), kept = find_best(costs)
    worth, shares = (t.astype(np.float64) for t in tables())
    first, second = np.array([1 - x, x]), np.array([1 - y, y])
    nets = (
        alpha * float((shares[0, 1] - shares[0, 0]) @ second) - float(costs[0]),
        alpha * float(first @ (shares[1, :, 1] - shares[1, :, 0])) - float(costs[1]),
    )
    answers = all(
        (q == 0 or net >= -TOLERANCE) and (q == 1 or net <= TOLERANCE)
        for q, net in zip((x, y), nets, strict=True)
    )
    right = abs((1 - alpha) * float(first @ worth @ second) - kept) <= TOLERANCE
    most = grid_best(costs)
    if answers and right and kept >= most - TOLERANCE:
        return Trial(1)
    said = {"alpha": alpha, "share with": [x, y], "platform keeps": kept, "on the grid": most}
    return Trial(1, round_values({"costs": [encode_number(c) for c in costs], **said}))


def _grid(parts: int, most: Fraction = Fraction(1)) -> list[Costs]:
    each = [most * k / parts for k in range(1, parts + 1)]
    return [(a, b) for a in each for b in each]


def _equation_25(_: np.random.Generator) -> tuple[Finding, ...]:
    quarters = [Fraction(k, 4) for k in range(5)]
    cells = Family("alphas and probabilities in quarters", list(product(quarters, repeat=3)))
    return (
        search_counterexample(lambda x: _objective(x, printed=True), cells, unit="objectives"),
        search_counterexample(
            lambda x: _objective(x, printed=False),
            cells,
            unit="objectives",
            correction="The platform keeps (1 - alpha) p1' U p2.",
        ),
        search_counterexample(
            _is_best,
            Family("pairs of costs in twelfths up to 1", _grid(12)),
            unit="offers",
            correction="So read, no equilibrium, pure or on a grid of mixed ones, keeps more than "
            "the product's offer.",
        ),
    )


def _above_equation_19(cost: Fraction) -> Trial:
    alike = example(inf).best(float(cost)).value
    alpha, answer, kept = find_best((cost, cost))
    if kept <= alike + TOLERANCE:
        return Trial(1)
    said = {"cost": encode_number(cost), "equation 19": alike, "equation 25": kept}
    return Trial(1, round_values({**said, "alpha": alpha, "share with": answer}))


def _asymmetric(_: np.random.Generator) -> tuple[Finding, ...]:
    costs = Family("costs in twelfths up to 1", [Fraction(k, 12) for k in range(1, 13)])
    return (search_example(_above_equation_19, costs, unit="offers"),)


# --------------------------------------------------------------------------------- figure 7


Wanted = Callable[[Fraction, Fraction], tuple[float, float] | None]
"""From the costs to who is to share; None where the text says nothing."""


def _sharing(wanted: Wanted) -> Callable[[Costs], Trial]:
    def test(costs: Costs) -> Trial:
        expected = wanted(*costs)
        if expected is None:
            return Trial(0)
        alpha, answer, kept = find_best(costs)
        if answer == expected:
            return Trial(1)
        said = {"alpha": alpha, "share with": list(answer), "platform keeps": kept}
        return Trial(1, round_values({"costs": [encode_number(c) for c in costs], **said}))

    return test


def _small_and_close(a: Fraction, b: Fraction) -> tuple[float, float] | None:
    return (1, 1) if max(a, b) < THIRD and 2 * max(a, b) - min(a, b) < THIRD else None


def _positive(costs: Costs) -> Trial:
    """Check that both share with some probability where 2 max - min is below 1/3."""
    if 2 * max(costs) - min(costs) >= THIRD:
        return Trial(0)
    _, answer, _ = find_best(costs)
    said = {"costs": [encode_number(c) for c in costs], "share with": list(answer)}
    return Trial(1, round_values(said) if min(answer) == 0 else None)


def _both_exactly(costs: Costs) -> Trial:
    """Check where both share surely; on the boundaries the platform is indifferent."""
    low, edge = min(costs), 2 * max(costs) - min(costs)
    if edge == THIRD or low == QUARTER:
        return Trial(0)
    _, answer, _ = find_best(costs)
    expected = edge < THIRD and (low < QUARTER or costs[0] == costs[1])
    if (answer == (1.0, 1.0)) == expected:
        return Trial(1)
    return Trial(
        1, round_values({"costs": [encode_number(c) for c in costs], "share with": answer})
    )


def _only_one(costs: Costs) -> Trial:
    """Look for costs below 1/3 at which just one user shares; the platform is not indifferent."""
    if max(costs) >= THIRD or 2 * max(costs) - min(costs) == THIRD:
        return Trial(0)
    alpha, answer, _ = find_best(costs)
    if sorted(answer) != [0.0, 1.0]:
        return Trial(1)
    said = {"costs": [encode_number(c) for c in costs], "alpha": alpha, "share with": answer}
    return Trial(1, round_values(said))


def _the_cheaper(a: Fraction, b: Fraction) -> tuple[float, float] | None:
    if a == b or not THIRD < min(a, b) < TWO_THIRDS:
        return None
    return (0, 1) if a > b else (1, 0)


def _nobody(a: Fraction, b: Fraction) -> tuple[float, float] | None:
    return (0, 0) if min(a, b) > TWO_THIRDS else None


def _near(parts: int) -> list[Costs]:
    """Return costs above 1/3 that differ by very little."""
    tiny = Fraction(1, 10_000)
    each = [THIRD + THIRD * k / parts for k in range(1, parts)]
    return [pair for c in each for pair in ((c, c + tiny), (c + tiny, c))]


def _close(_: np.random.Generator) -> tuple[Finding, ...]:
    low = Family("pairs of costs in 45ths up to 1/3", _grid(15, THIRD))
    return (
        search_counterexample(_sharing(_small_and_close), low, unit="offers"),
        search_counterexample(
            _positive,
            low,
            unit="offers",
            correction="Both share with some probability where twice the larger cost less the "
            "smaller is below 1/3.",
        ),
        search_counterexample(
            _both_exactly,
            Family("pairs of costs in twentieths up to 1", _grid(20)),
            low,
            unit="offers",
            correction="Both share surely exactly where, besides, the smaller cost is below 1/4 or "
            "the costs are equal. Above 1/4 the platform keeps more at alpha = 2 min, where the "
            "cheaper user shares with probability 4 - 3 max/min.",
        ),
    )


def _apart(_: np.random.Generator) -> tuple[Finding, ...]:
    low = Family("pairs of costs in 45ths up to 1/3", _grid(15, THIRD))
    return (search_example(_only_one, low, unit="offers"),)


def _cheaper(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (
        Family("pairs of costs in twentieths up to 1", _grid(20)),
        Family("pairs of costs above 1/3 that differ by 1/10,000", _near(12)),
    )
    return (search_counterexample(_sharing(_the_cheaper), *families, unit="offers"),)


def _too_dear(_: np.random.Generator) -> tuple[Finding, ...]:
    family = Family("pairs of costs in twentieths up to 1", _grid(20))
    return (search_counterexample(_sharing(_nobody), family, unit="offers"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/equation-25",
        PAPER,
        "Section 5.2, equation 25",
        "The platform's objective, p1' U p2 - (1 - alpha) p1' U p2, is U minus all payments.",
        _equation_25,
    ),
    Claim(
        "valuation/equation-25-equal-costs",
        PAPER,
        "Sections 5 and 5.2 (not in the paper)",
        "At equal costs the platform can keep more than equation 19 gives it, if the users may "
        "answer differently.",
        _asymmetric,
    ),
    Claim(
        "valuation/figure-7-close",
        PAPER,
        "Section 5.2, figure 7",
        "Where both costs are small and close together (2 max - min below 1/3) the platform "
        "collects data from both, surely.",
        _close,
    ),
    Claim(
        "valuation/figure-7-apart",
        PAPER,
        "Section 5.2, figure 7",
        "Even where both costs are below 1/3 it may be only one user who shares.",
        _apart,
    ),
    Claim(
        "valuation/figure-7-cheaper",
        PAPER,
        "Section 5.2, figure 7",
        "Where both costs exceed 1/3, and not both 2/3, only the user with the lower one shares, "
        "however small the difference.",
        _cheaper,
    ),
    Claim(
        "valuation/figure-7-nobody",
        PAPER,
        "Section 5.2, figure 7",
        "Where both costs exceed 2/3 nobody shares.",
        _too_dear,
    ),
)
