"""Valuation: three levels, coins of several users, a budget and a floor, a bound on any offer."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import inf
from typing import Any

import numpy as np

from aboveboard.valuation import DpMean, FederatedMean, FunctionUtility, Population, propose_offer
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.offers.few_coins import FewCoins
from aboveboard.valuation.offers.pure_profiles import potential
from papers.claims import Claim, Family, Finding, Trial, search_counterexample, search_example

PAPER = "beyond"
LEVELS = (Fraction(0), Fraction(1), Fraction(2))


def _draw_three_levels(rng: np.random.Generator, count: int) -> Family:
    """Draw users of section 4: their samples, what levels 1 and 2 cost them, and limits."""
    drawn = []
    for _ in range(count):
        n = int(rng.integers(1, 4))
        samples = tuple(Fraction(int(x)) for x in rng.integers(1, 40, n))
        costs = [tuple(Fraction(int(x), 20) for x in rng.integers(0, 10, 2)) for _ in range(n)]
        limits = tuple(
            None if rng.random() < 0.5 else Fraction(int(rng.integers(0, 12)), 10) for _ in range(2)
        )
        drawn.append((samples, costs, limits))
    return Family("designs of three levels for up to three users", drawn, sampled=True)


def _compute_shares(utility: Any, profile: tuple[Fraction, ...]) -> list[float]:
    """Return Shapley values from the printed sum over subsets."""
    n, found = len(profile), []
    value = [
        float(utility.worth(tuple(x if m >> i & 1 else Fraction(0) for i, x in enumerate(profile))))
        for m in range(1 << n)
    ]
    weight = dict.fromkeys(range(n), 1.0)
    for s in range(n):
        ways = 1
        for k in range(s):
            ways = ways * (n - 1 - k) // (k + 1)
        weight[s] = 1 / (n * ways)
    for i in range(n):
        rest = [m for m in range(1 << n) if not m >> i & 1]
        found.append(sum(weight[m.bit_count()] * (value[m | 1 << i] - value[m]) for m in rest))
    return found


def _find_best(utility: Any, costs: Any, limits: Any) -> float:
    """Return the best pure offer by trying each profile at the least alpha that it accepts."""
    n = len(costs)
    budget = inf if limits[0] is None else float(limits[0])
    floor = float(limits[1] or 0)
    cost = [dict(zip(LEVELS, (0.0, *map(float, each)), strict=True)) for each in costs]
    best = 0.0
    for profile in product(LEVELS, repeat=n):
        shares = _compute_shares(utility, profile)
        low, high = 0.0, 1.0
        for i, level in enumerate(profile):
            if level and floor:
                low = max(low, floor / shares[i]) if shares[i] > 0 else inf
            for other in LEVELS:
                changed = (*profile[:i], other, *profile[i + 1 :])
                rise = shares[i] - _compute_shares(utility, changed)[i]
                need = cost[i][level] - cost[i][other]
                if rise > 1e-12:
                    low = max(low, need / rise)
                elif rise < -1e-12:
                    high = min(high, need / rise)
                elif need > 0:
                    low = inf
        worth = float(utility.worth(profile))
        if low <= high + 1e-12 and low * worth <= budget + 1e-12:
            best = max(best, (1 - low) * worth)
    return best


def _try_three_levels(instance: Any) -> Trial:
    samples, costs, limits = instance
    n = len(samples)
    utility = FederatedMean(Population(Fraction(1), Fraction(10)), samples, (Fraction(1),) * n)
    each: Any = tuple(dict(zip(LEVELS, (Fraction(0), *own), strict=True)) for own in costs)
    offer = propose_offer(
        utility, [f"u{i}" for i in range(n)], Design(LEVELS, each, "optimistic", *limits)
    )
    gap = abs(offer.platform - _find_best(utility, costs, limits))
    if gap > 1e-6:
        return Trial(3**n, {"samples": [str(x) for x in samples], "gap": gap})
    return Trial(3**n)


def _three_levels(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_try_three_levels, _draw_three_levels(rng, 60), unit="profiles"),)


def _draw_games(rng: np.random.Generator, count: int, *, alike: bool = False) -> Family:
    """Draw utilities of three or four users that grow ever less, and costs."""
    drawn = []
    for _ in range(count):
        n = int(rng.integers(3, 5))
        weights = np.ones(n) if alike else rng.random(n)
        worth = np.array(
            [sum(w for i, w in enumerate(weights) if m >> i & 1) for m in range(1 << n)]
        )
        worth = worth ** float(rng.uniform(0.2, 0.9))
        costs = np.full(n, rng.random() * 0.5) if alike else rng.random(n) * 0.5
        drawn.append((worth, costs))
    kind = "games of three or four users" + (" who are alike" if alike else "")
    return Family(kind, drawn, sampled=True)


def _make_game(worth: Any, costs: Any) -> FewCoins:
    n = len(costs)
    values = potential(worth)
    bits, masks = 1 << np.arange(n)[:, None], np.arange(1 << n)[None, :]
    return FewCoins(values[masks | bits] - values[masks & ~bits], worth, costs)


def _bound(worth: Any, costs: Any) -> float:
    return max(
        float(worth[m]) - sum(float(c) for i, c in enumerate(costs) if m >> i & 1)
        for m in range(len(worth))
    )


def _try_bound(instance: Any) -> Trial:
    worth, costs = instance
    game, bound, checks = _make_game(worth, costs), _bound(worth, costs), 0
    for alpha in (0.2, 0.4, 0.6, 0.8):
        for answer in game.find_equilibria(alpha):
            chances = np.ones(1)
            for p in answer:
                chances = np.concatenate([chances * (1 - p), chances * p])
            checks += 1
            if (1 - alpha) * float(worth @ chances) > bound + 1e-9:
                return Trial(checks, {"costs": costs.tolist(), "alpha": alpha})
    return Trial(checks)


def _check_bound(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_try_bound, _draw_games(rng, 150), unit="equilibria"),)


def _propose(worth: Any, costs: Any) -> Any:
    n = len(costs)
    utility = FunctionUtility(
        "table", lambda levels: worth[sum(1 << i for i, x in enumerate(levels) if x)]
    )
    exact = [Fraction(float(c)) for c in costs]
    return propose_offer(
        utility,
        [f"u{i}" for i in range(n)],
        Design.from_numbers(Fraction(0), Fraction(1), exact),
    )


def _try_alike(instance: Any) -> Trial:
    worth, costs = instance
    kept = _propose(worth, costs).platform
    bound = _bound(worth, costs)
    return Trial(1) if abs(kept - bound) <= 1e-9 else Trial(1, {"kept": kept, "bound": bound})


def _alike(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_try_alike, _draw_games(rng, 25, alike=True), unit="offers"),)


def _try_coins(margin: float) -> Callable[[Any], Trial]:
    def test(instance: Any) -> Trial:
        worth, costs = instance
        offer = _propose(worth, costs)
        if offer.levels is not None:
            return Trial(1)
        pure = 0.0
        n, values = len(costs), potential(worth)
        for m in range(1 << n):
            low, high = 0.0, 1.0
            for i in range(n):
                rise = float(values[m | 1 << i] - values[m & ~(1 << i)])
                if m >> i & 1:
                    low = max(low, float(costs[i]) / rise)
                else:
                    high = min(high, float(costs[i]) / rise)
            if low <= high:
                pure = max(pure, (1 - low) * float(worth[m]))
        if offer.platform > pure + margin:
            said = {"costs": [round(float(c), 4) for c in costs], "with coins": offer.platform}
            return Trial(1, {**said, "without": pure})
        return Trial(1)

    return test


def _coins(rng: np.random.Generator) -> tuple[Finding, ...]:
    return (search_example(_try_coins(1e-4), _draw_games(rng, 80), unit="offers"),)


def _try_floor(instance: Any) -> Trial:
    n, cost, floor, budget = instance
    worth = [float(DpMean().worth((inf,) * k + (Fraction(0),) * (n - k))) for k in range(n + 1)]
    pay = float(max(cost, floor))
    best = 0.0
    for k in range(1, n + 1):
        stays = k == n or pay * (worth[k + 1] / (k + 1)) / (worth[k] / k) <= cost + 1e-12
        if k * pay <= budget + 1e-12 and pay <= worth[k] / k + 1e-12 and stays:
            best = max(best, worth[k] - k * pay)
    each = ({Fraction(0): Fraction(0), inf: cost},) * n
    design = Design((Fraction(0), inf), each, "optimistic", budget, floor)
    kept = propose_offer(DpMean(), [f"u{i}" for i in range(n)], design).platform
    if abs(kept - best) > 1e-9:
        return Trial(1, {"users": n, "cost": str(cost), "floor": str(floor), "kept": kept})
    return Trial(1)


def _floor(rng: np.random.Generator) -> tuple[Finding, ...]:
    grid = [
        (n, Fraction(c, 20), Fraction(f, 20), Fraction(b, 4))
        for n in (2, 3, 5)
        for c in (1, 2, 4)
        for f in (0, 1, 3, 6)
        for b in (0, 1, 2, 4)
    ]
    return (
        search_counterexample(_try_floor, Family("designs of users alike", grid), unit="offers"),
    )


CLAIMS = (
    Claim(
        "beyond/valuation-three-levels",
        PAPER,
        "Section 4's levels in section 5's design",
        "With levels 0, 1 and 2, a cost for each, a budget and a floor, the best pure offer is the "
        "one at the least alpha that a profile accepts.",
        _three_levels,
    ),
    Claim(
        "beyond/valuation-bound",
        PAPER,
        "Section 5.2 for more than two users",
        "No equilibrium leaves the platform more than the largest U less what privacy costs.",
        _check_bound,
    ),
    Claim(
        "beyond/valuation-bound-attained",
        PAPER,
        "Section 5 for asymmetric equilibria",
        "Where users are alike and returns diminish, an offer that some share and some do not "
        "attains the bound, so it is the best of all equilibria.",
        _alike,
    ),
    Claim(
        "beyond/valuation-coins",
        PAPER,
        "Section 5.2 for more than two users",
        "Where costs differ, coins can leave the platform more than any answer without coins.",
        _coins,
    ),
    Claim(
        "beyond/valuation-floor",
        PAPER,
        "Section 5 with a budget and a floor",
        "For users who are alike a floor acts like a cost: k sharers are paid the larger of both "
        "each, as far as the budget goes and as nobody else then joins.",
        _floor,
    ),
)
