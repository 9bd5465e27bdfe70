"""The platform's best alpha where all users are alike, users who act differently among the answers.

What: beside the symmetric equilibria of `alike_users` there are pure ones in which k of N users
share, for the alphas with c / gain(k - 1) <= alpha <= c / gain(k). With diminishing returns the
best of these is never worse than the best symmetric one, and better wherever the latter tosses
coins: of k users U(k) - k c is left, and tossing coins averages over k. Equilibria that are neither
are not searched (two users: `two_users` has them all). Cost: that of `alike_users`. Source: "The
Fair Value of Data Under Heterogeneous Privacy Constraints", section 5, for the symmetric ones; the
others are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.offers.alike_users import AlikeUsers, Candidate
from aboveboard.valuation.offers.curve import Curve
from aboveboard.valuation.offers.offer import Selection

SLACK = 1e-12
"""Relative rounding of float64 bounds that are compared."""
NEAR = 1e-9
"""Part of the largest utility: offers whose values differ by no more are equally good."""
BESIDE = 1e-9
"""How far above a bound, relatively, the answers just above it are taken."""
GOLDEN = (5**0.5 - 1) / 2
"""Part of an interval that each step of a golden section keeps."""
HALVINGS = 60
"""Steps of a golden section: an offer is refined far below 1e-6."""


@dataclass(frozen=True)
class AlikeOffer:
    """An offer to users who are alike.

    Parameters
    ----------
    candidate
        The offer; `q` is the probability of sharing, or the part of the users who share.
    sharers
        How many users share where they act differently; None where all act alike.
    """

    candidate: Candidate
    sharers: int | None = None


def find_pure_intervals(game: AlikeUsers, cost: float) -> tuple[FloatArray, FloatArray]:
    """Return the least and the largest alpha at which exactly k users share; shape (N + 1,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(game.gain > 0, cost / game.gain, inf)
    joining = np.where((game.gain == 0) & (cost == 0), 0.0, ratio)
    return np.concatenate([[0.0], joining]), np.concatenate([ratio, [inf]])


def find_pure_offer(game: AlikeUsers, cost: float) -> AlikeOffer | None:
    """Return the best offer that exactly k users answer by sharing; None where there is none."""
    low, high = find_pure_intervals(game, cost)
    there = np.flatnonzero((low <= high * (1 + SLACK)) & (low <= 1))
    if not len(there):
        return None
    value = (1 - low[there]) * game.worth[there]
    k = int(there[int(np.argmax(value))])
    return AlikeOffer(_make_candidate(game, float(low[k]), k), k)


def _make_candidate(game: AlikeUsers, alpha: float, k: int, *, attained: bool = True) -> Candidate:
    return Candidate((1 - alpha) * float(game.worth[k]), alpha, k / game.n, attained)


def find_best_offer(
    game: AlikeUsers, cost: float, selection: Selection = "optimistic"
) -> AlikeOffer:
    """Return the best offer over symmetric equilibria and those in which some users share.

    Raises
    ------
    ValueError
        As `AlikeUsers.best` does.

    Examples
    --------
    >>> two = AlikeUsers(np.array([2 / 3, 1 / 2]), np.array([0, 2 / 3, 1]))
    >>> offer = find_best_offer(two, 0.5)
    >>> offer.sharers, round(offer.candidate.value, 9)
    (1, 0.166666667)
    """
    symmetric = game.best(cost, selection)
    if selection == "pessimistic":
        return _find_worst_first(game, cost, symmetric)
    return _choose(game, find_pure_offer(game, cost), symmetric)


def _name_symmetric(game: AlikeUsers, offer: AlikeOffer) -> AlikeOffer:
    """Return the offer as a symmetric one where nobody or everybody shares."""
    return AlikeOffer(offer.candidate) if offer.sharers in (0, game.n) else offer


def find_equilibrium(
    game: AlikeUsers, kept: FloatArray, cost: float, selection: Selection = "optimistic"
) -> AlikeOffer:
    """Return the equilibrium that leaves the platform most, or least, where shares are fixed.

    Parameters
    ----------
    game
        The users, their gains those of fixed shares (alpha = 1).
    kept
        Shape (N + 1,): what the platform keeps where k users share.
    cost
        What sharing costs each.
    selection
        Whether the platform's best or its worst equilibrium counts.
    """
    keeps = AlikeUsers(game.gain, kept)
    found = [
        AlikeOffer(Candidate(float(keeps.compute_expected_utility(np.array([q]))[0]), 1.0, q))
        for q in game.equilibria(1.0, cost)
    ]
    low, high = find_pure_intervals(game, cost)
    for k in np.flatnonzero((low <= 1 + SLACK) & (high >= 1 - SLACK)).tolist():
        one = AlikeOffer(Candidate(float(kept[k]), 1.0, k / game.n), k)
        found.append(_name_symmetric(game, one))
    pick = max if selection == "optimistic" else min
    return pick(found, key=lambda one: one.candidate.value)


def _find_worst_first(game: AlikeUsers, cost: float, symmetric: Candidate) -> AlikeOffer:
    """Return the best offer where the worst of the equilibria answers.

    Between two bounds of the pure equilibria the worst of them stays the same, and the smallest
    symmetric one grows with alpha: the value is looked at on the grid of `alike_users` and at every
    bound, just above it too, and refined by golden section next to the best point of the grid.
    """
    low, high = find_pure_intervals(game, cost)
    there = np.flatnonzero((low <= high * (1 + SLACK)) & (low <= 1))
    low, high, worth = low[there], high[there], game.worth[there]

    def find_worst(alpha: float) -> tuple[float, float | int]:
        """Return the utility of the worst equilibrium and q, or how many share."""
        q = game.equilibria(alpha, cost)[0]
        expected = float(game.compute_expected_utility(np.array([q]))[0])
        at = (low <= alpha * (1 + SLACK)) & (high >= alpha * (1 - SLACK))
        least = int(np.argmin(np.where(at, worth, inf))) if at.any() else -1
        if least >= 0 and worth[least] < expected - SLACK:
            return float(worth[least]), int(there[least])
        return expected, q

    def answer(alpha: float, *, attained: bool) -> AlikeOffer:
        beside = alpha if attained else min(max(alpha * (1 + BESIDE), SLACK), 1.0)
        value, who = find_worst(beside)
        if isinstance(who, int):
            return _name_symmetric(
                game, AlikeOffer(_make_candidate(game, alpha, who, attained=attained), who)
            )
        return AlikeOffer(Candidate((1 - alpha) * value, alpha, who, attained))

    events = {0.0, *low.tolist(), *high[high <= 1].tolist()}
    if symmetric.alpha <= 1:
        events.add(symmetric.alpha)
    found = [answer(alpha, attained=a) for alpha in sorted(events) for a in (True, False)]
    refined = _refine(game, cost, low, high, worth)
    if refined is not None:
        found.append(answer(refined, attained=True))
    return max(found, key=lambda one: (one.candidate.value, -one.candidate.alpha))


def _refine(
    game: AlikeUsers, cost: float, low: FloatArray, high: FloatArray, worth: FloatArray
) -> float | None:
    """Return the alpha of the best point of the grid, refined between its neighbours."""
    q, gamma, expected = game.grid
    lowest = np.minimum.accumulate(gamma)
    record = np.concatenate([[True], gamma[1:] < lowest[:-1]]) & (gamma >= cost) & (gamma > 0)
    if cost <= 0 or not record.any():
        return None

    def find_value(alpha: FloatArray, symmetric: FloatArray) -> FloatArray:
        least = np.full(len(alpha), inf)
        for a, b, w in zip(low, high, worth, strict=True):
            least = np.where((a <= alpha) & (alpha <= b), np.minimum(least, w), least)
        return np.asarray((1 - alpha) * np.minimum(symmetric, least))

    places = np.flatnonzero(record)
    values = find_value(cost / gamma[places], expected[places])
    k = int(places[int(np.argmax(values))])

    def value(x: float) -> float:
        at = np.array([x])
        return float(find_value(cost / game.gamma(at), game.compute_expected_utility(at))[0])

    left, right = float(q[max(k - 1, 0)]), float(q[min(k + 1, len(q) - 1)])
    best = _search_golden(value, left, right)
    alpha = cost / float(game.gamma(np.array([best]))[0])
    return alpha if alpha <= 1 else None


def _search_golden(f: Callable[[float], float], left: float, right: float) -> float:
    """Return where a function of one peak is largest."""
    for _ in range(HALVINGS):
        a, b = right - GOLDEN * (right - left), left + GOLDEN * (right - left)
        if f(a) >= f(b):
            right = b
        else:
            left = a
    return (left + right) / 2


def draw_curve(game: AlikeUsers, costs: FloatArray, selection: Selection) -> Curve:
    """Return the best offer for many costs."""
    curve = game.curve(costs.tolist(), selection)
    if selection == "pessimistic":
        best = [find_best_offer(game, float(c), selection) for c in costs]
    else:
        symmetric = (curve.alpha, curve.private, curve.platform)
        best = [
            _choose(
                game, find_pure_offer(game, float(c)), Candidate(float(v), float(a), float(1 - p))
            )
            for c, a, p, v in zip(costs, *symmetric, strict=True)
        ]
    alpha = np.array([one.candidate.alpha for one in best])
    q = np.array([one.candidate.q for one in best])
    expected = game.compute_expected_utility(q)
    worth = np.array(
        [
            expected[k] if one.sharers is None else game.worth[one.sharers]
            for k, one in enumerate(best)
        ]
    )
    users = alpha * worth
    return Curve(costs, alpha, 1 - q, worth, worth - users, users)


def _choose(game: AlikeUsers, pure: AlikeOffer | None, symmetric: Candidate) -> AlikeOffer:
    """Return the better of a pure offer and a symmetric one; of equal ones no coins, then alike."""
    if pure is None:
        return AlikeOffer(symmetric)
    ahead = pure.candidate.value - symmetric.value
    slack = NEAR * max(1.0, float(np.abs(game.worth).max()))
    if ahead > slack or (ahead >= -slack and 0 < symmetric.q < 1):
        return _name_symmetric(game, pure)
    return AlikeOffer(symmetric)
