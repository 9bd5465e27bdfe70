"""Section 5, Theorem 3: the platform's best alpha where all users have one cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import comb
from typing import Any

import numpy as np

from aboveboard.valuation import AlikeUsers
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.valuation.games import TOLERANCE, best_offer, find_offer, rises
from papers.valuation.instances import Values, concave, round_values

POINTS = np.linspace(0.0, 1.0, 401)
"""Probabilities of sharing among which the claims look for a better offer."""

Instance = tuple[Values, float]
"""U of 0, 1, .., N sharers, and the cost."""


def _on_grid(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return E values[k], k of len - 1 users sharing with the probabilities of the grid."""
    n = len(values) - 1
    chances = [comb(n, k) * POINTS**k * (1 - POINTS) ** (n - k) for k in range(n + 1)]
    expected: np.ndarray[Any, Any] = np.array(chances).T @ values
    return expected


def best_on_grid(worth: Values, cost: float) -> float:
    """Return the most that the platform keeps in a symmetric equilibrium whose q is on the grid."""
    gamma = _on_grid(np.array([float(x) for x in rises(worth)]))
    total = _on_grid(np.array(worth, dtype=np.float64))
    there = gamma >= cost
    kept = (1 - cost / gamma[there]) * total[there]
    return float(max(kept.max(initial=0.0), worth[0]))


def offer_is(game: AlikeUsers, cost: float, alpha: float, q: float, kept: float) -> bool:
    """Return whether q is an equilibrium at alpha, in which the platform keeps `kept`."""
    if not 0 <= alpha <= 1:
        return False
    net = alpha * float(game.gamma(np.array([q]))[0]) - cost
    total = float(game.compute_expected_utility(np.array([q]))[0])
    answers = (q == 0 or net >= -TOLERANCE) and (q == 1 or net <= TOLERANCE)
    return answers and abs((1 - alpha) * total - kept) <= TOLERANCE * max(1.0, total)


def _fails(instance: Instance, **said: Any) -> dict[str, Any]:
    worth, cost = instance
    found: dict[str, Any] = round_values({"U by sharers": list(worth), "cost": cost, **said})
    return found


def _costs(worth: Values, regime: int) -> Iterator[float]:
    """Yield costs inside a regime of the theorem: above gamma_max, between, below c_th."""
    game = find_offer(worth)
    low, high = game.c_th, game.gamma_max
    ends = {1: (high, 1.5 * high), 2: (low, high), 3: (0.0, low)}[regime]
    yield from (ends[0] + (ends[1] - ends[0]) * k / 8 for k in (1, 4, 7))


def _family(n: int, most: int, regime: int) -> Family:
    utilities = concave(n, most)
    some = [(worth, cost) for worth in utilities.instances for cost in _costs(worth, regime)]
    where = {1: "above gamma_max", 2: "between c_th and gamma_max", 3: "below c_th"}[regime]
    return Family(f"{utilities.kind}, with a cost {where}", some)


def _families(regime: int) -> tuple[Family, ...]:
    return (_family(2, 6, regime), _family(3, 5, regime), _family(4, 6, regime))


def _optimal(instance: Instance, alpha: float, q: float) -> Trial:
    """Check that an offer is an equilibrium and no worse than the product's and the grid's best."""
    worth, cost = instance
    game = find_offer(worth)
    kept = (1 - alpha) * float(game.compute_expected_utility(np.array([q]))[0])
    found = best_offer(worth, cost)
    if not offer_is(game, cost, found.alpha, found.q, found.value):
        return Trial(1, _fails(instance, alpha=found.alpha, keeps=found.value, note="no offer"))
    best = max(found.value, best_on_grid(worth, cost))
    if offer_is(game, cost, alpha, q, kept) and kept >= best - TOLERANCE * max(1.0, best):
        return Trial(len(POINTS))
    said = {"alpha": alpha, "share with": q, "platform keeps": kept, "could keep": best}
    return Trial(len(POINTS), _fails(instance, **said))


def _regime_1(instance: Instance) -> Trial:
    return _optimal(instance, 0.0, 0.0)


def _regime_2_printed(instance: Instance) -> Trial:
    """Try c/gamma_max, the smallest alpha with an equilibrium on the curve gamma(p) = c/alpha."""
    worth, cost = instance
    gain = rises(worth)
    return _optimal(instance, cost / float(max(gain)), 0.0)


def _regime_2(instance: Instance) -> Trial:
    worth, cost = instance
    found = best_offer(worth, cost)
    curve = cost / float(find_offer(worth).gamma(np.array([found.q]))[0])
    if not 0 < found.q < 1 or abs(found.alpha - curve) > TOLERANCE:
        return Trial(1, _fails(instance, alpha=found.alpha, note=f"share with {found.q}"))
    return _optimal(instance, found.alpha, found.q)


def _regime_3(instance: Instance) -> Trial:
    worth, cost = instance
    return _optimal(instance, cost / float(min(rises(worth))), 1.0)


def _regime(number: int, test: Callable[[Instance], Trial]) -> tuple[Finding, ...]:
    return (search_counterexample(test, *_families(number), unit="offers compared"),)


def _theorem_3_2(_: np.random.Generator) -> tuple[Finding, ...]:
    return (
        *_regime(2, _regime_2_printed),
        search_counterexample(
            _regime_2,
            *_families(2),
            unit="offers compared",
            correction="alpha* = c/gamma(p*) with p* maximising (1 - c/gamma(p)) U(p), strictly "
            "between 0 and 1.",
        ),
    )


# ----------------------------------------------------------------------------- thresholds


def condition_22(worth: Values, cost: float) -> bool:
    """Return whether equation 22's condition holds at every alpha whose answer is on the grid.

    Below c/gamma_min the answers are those of gamma(p) = c/alpha, and p = 1 where gamma_max is
    too small; there U is 0.
    """
    gamma = _on_grid(np.array([float(x) for x in rises(worth)]))
    total = _on_grid(np.array(worth, dtype=np.float64))
    alpha = cost / gamma
    there = (alpha < 1) & (alpha < cost / gamma[-1])
    kept = (1 - cost / gamma[-1]) * total[-1]
    return bool((kept >= (1 - alpha[there]) * total[there] - 1e-12).all() and kept >= 0)


def _thresholds(worth: Values) -> Trial:
    game = find_offer(worth)
    low, high = game.c_th, game.gamma_max
    answers = {
        "gamma_max": abs(high - worth[1]) <= TOLERANCE,
        "c_th": abs(low - (worth[-1] - worth[-2])) <= TOLERANCE,
        "c_th < gamma_max": low < high,
        "equation 22 up to c_th": condition_22(worth, 0.999999 * low),
        "and not beyond": not condition_22(worth, 1.02 * low),
    }
    wrong = [name for name, right in answers.items() if not right]
    said = {"U by sharers": list(worth), "c_th": low, "gamma_max": high, "wrong": wrong}
    return Trial(len(answers), round_values(said) if wrong else None)


def _equation_22(_: np.random.Generator) -> tuple[Finding, ...]:
    families = (concave(2, 6), concave(3, 6), concave(4, 6))
    return (search_counterexample(_thresholds, *families, unit="conditions"),)


def _closed_form(instance: Instance) -> Trial:
    """Check E[U(m+1) - U(m)] = c and alpha* = N q c/E U, m of the N-1 others sharing."""
    worth, cost = instance
    found, n = best_offer(worth, cost), len(worth) - 1
    q = found.q
    rise = sum(
        comb(n - 1, m) * q**m * (1 - q) ** (n - 1 - m) * (b - a)
        for m, (a, b) in enumerate(pairwise(worth))
    )
    total = sum(comb(n, m) * q**m * (1 - q) ** (n - m) * x for m, x in enumerate(worth))
    alpha = n * q * cost / total
    if abs(rise - cost) <= 1e-7 and abs(alpha - found.alpha) <= TOLERANCE:
        return Trial(2)
    return Trial(2, _fails(instance, q=q, rise=rise, alpha=[found.alpha, alpha]))


def _between(_: np.random.Generator) -> tuple[Finding, ...]:
    return (search_counterexample(_closed_form, *_families(2), unit="equations"),)


PAPER = "valuation"

CLAIMS = (
    Claim(
        "valuation/theorem-3.1",
        PAPER,
        "Theorem 3, regime 1",
        "Where the cost exceeds gamma_max, alpha = 0 is best.",
        lambda _: _regime(1, _regime_1),
    ),
    Claim(
        "valuation/theorem-3.2",
        PAPER,
        "Theorem 3, regime 2",
        "Between c_th and gamma_max the best alpha is the smallest with p*(alpha) in "
        "gamma^-1(c/alpha).",
        _theorem_3_2,
    ),
    Claim(
        "valuation/theorem-3.3",
        PAPER,
        "Theorem 3, regime 3",
        "Below c_th the best alpha is the smallest at which everybody shares.",
        lambda _: _regime(3, _regime_3),
    ),
    Claim(
        "valuation/equation-22",
        PAPER,
        "Theorem 3, equation 22",
        "c_th is below gamma_max; in closed form c_th = U(N) - U(N-1) and gamma_max = U(1), where "
        "the private level is 0.",
        _equation_22,
    ),
    Claim(
        "valuation/theorem-3-closed-form",
        PAPER,
        "Theorem 3, regime 2, in closed form (not in the paper)",
        "Users share with the q at which one more sharer adds the cost in expectation, and alpha* "
        "= N q c/E U.",
        _between,
    ),
)
