"""The platform's best alpha for N users with different costs: beyond the paper, and a heuristic.

What: under fair shares the users play an exact potential game: user i's share changes by its own
choice exactly as Hart and Mas-Colell's potential P of the profile does, so alpha P - sum of costs
rises with every better reply. Hence pure equilibria exist for every alpha, best-response dynamics
end in one, and a profile S of sharers is an equilibrium exactly for

    max over i in S of c_i / (P(S) - P(S - i)) <= alpha <= min over i not in S of
    c_i / (P(S + i) - P(S)).

For up to `MOST_TABLED` users all 2^N profiles are looked at: the best pure equilibrium is found.
Mixed equilibria are not searched (for two users `two_users` does): that makes it a heuristic.
Beyond, best-response dynamics from everybody or nobody sharing are run for a row of alphas, and a
better pure equilibrium may be missed. Cost: O(N 2^N), or a few divisions for each step. Source:
Hart and Mas-Colell (1989) for the potential; its use here is ours.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from aboveboard.valuation.offers.alike_users import Candidate
from aboveboard.valuation.offers.offer import FloatArray, Selection
from aboveboard.valuation.shares.shapley import count_members

MOST_TABLED = 20
"""Users up to whom every profile is looked at."""
ALPHAS = 33
PASSES = 1000
SLACK = 1e-12

Gain = Callable[[int, int], float]
"""(sharers as a mask, user): by how much the user's share rises if it shares besides the others."""


def potential(worth: FloatArray) -> FloatArray:
    """Give Hart and Mas-Colell's potential of every coalition, from U by mask; O(N 2^N).

    P(S) = (U(S) - U(0) + sum over i in S of P(S - i)) / |S|, and i's fair share in the game among S
    is P(S) - P(S - i).
    """
    n = len(worth).bit_length() - 1
    sizes = count_members(n)
    found = np.zeros(len(worth))
    for s in range(1, n + 1):
        masks = np.flatnonzero(sizes == s)
        total = worth[masks] - worth[0]
        for i in range(n):
            inside = (masks >> i & 1).astype(np.bool_)
            total[inside] += found[masks[inside] ^ (1 << i)]
        found[masks] = total / s
    return found


@dataclass(frozen=True)
class PureProfiles:
    """All profiles of N users and two levels.

    Parameters
    ----------
    potential
        Shape (2^N,): a potential of the users' shares of the whole utility, by mask of sharers.
    worth
        Shape (2^N,): utility above that of no data.
    costs
        Shape (N,): what sharing costs each.
    """

    potential: FloatArray
    worth: FloatArray
    costs: FloatArray

    def intervals(self) -> tuple[FloatArray, FloatArray]:
        """Give for each profile the least and the largest alpha at which it is an equilibrium."""
        low, high = np.zeros(len(self.worth)), np.full(len(self.worth), inf)
        masks = np.arange(len(self.worth))
        for i, cost in enumerate(self.costs):
            out = masks[masks >> i & 1 == 0]
            rise = self.potential[out | 1 << i] - self.potential[out]
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.where(rise > 0, cost / rise, inf)
            # Who loses nothing and gains nothing may share, and may not.
            sharing = np.where((rise == 0) & (cost == 0), 0.0, ratio)
            low[out | 1 << i] = np.maximum(low[out | 1 << i], sharing)
            high[out] = np.minimum(high[out], ratio)
        return low, high

    def best(self, selection: Selection = "optimistic") -> tuple[Candidate, int]:
        """Find the best offer over all pure equilibria; the profile as a mask."""
        low, high = self.intervals()
        # A bound that both sides share may differ in the last place.
        there = np.flatnonzero((low <= high * (1 + SLACK)) & (low <= 1))
        if selection == "optimistic":
            value = (1 - low[there]) * self.worth[there]
            mask = int(there[int(np.argmax(value))])
            return self._candidate(float(low[mask]), mask, attained=True), mask
        return self._worst_first(low, high, there)

    def _candidate(self, alpha: float, mask: int, *, attained: bool) -> Candidate:
        q = mask.bit_count() / len(self.costs)
        return Candidate((1 - alpha) * float(self.worth[mask]), alpha, q, attained)

    def _worst_first(
        self, low: FloatArray, high: FloatArray, there: NDArray[np.int64]
    ) -> tuple[Candidate, int]:
        """Sweep alpha upwards; keep the worst equilibrium in a heap."""
        order = there[np.argsort(low[there], kind="stable")]
        ends = high[there][(high[there] <= 1)]
        points = np.unique(np.concatenate([low[there], ends, [0.0]]))
        heap: list[tuple[float, int]] = []
        best: tuple[Candidate, int] | None = None
        at = 0
        for alpha in points.tolist():
            while at < len(order) and low[order[at]] <= alpha:
                heapq.heappush(heap, (float(self.worth[order[at]]), int(order[at])))
                at += 1
            for attained in (True, False):
                # At a bound itself the profile that ends there still counts; just above no more.
                while heap and not _lasts(high[heap[0][1]], alpha, attained=attained):
                    heapq.heappop(heap)
                if not heap:
                    continue
                one = self._candidate(alpha, heap[0][1], attained=attained)
                if best is None or one.value > best[0].value + SLACK:
                    best = one, heap[0][1]
        if best is None:
            raise ValueError("no pure equilibrium was found, though one exists at every alpha")
        return best


def _lasts(high: float, alpha: float, *, attained: bool) -> bool:
    edge = alpha * (1 + SLACK) if not attained else alpha * (1 - SLACK)
    return bool(high >= edge) if attained else bool(high > edge)


def reply_in_turn(gain: Gain, costs: Sequence[float], alpha: float, start: int) -> int:
    """Let users reply in turn until nobody gains by a change.

    Parameters
    ----------
    gain
        By how much a user's share of the whole utility rises if it shares besides these.
    costs
        By user: what sharing costs it.
    alpha
        The part of the utility that users share.
    start
        Who shares at first, as a mask.

    Returns
    -------
    int
        Who shares then, as a mask.

    Raises
    ------
    ValueError
        If `PASSES` rounds do not suffice; with fair shares every reply raises a potential, so
        they end.
    """
    mask = start
    for _ in range(PASSES):
        before = mask
        for i, cost in enumerate(costs):
            others = mask & ~(1 << i)
            net = alpha * gain(others, i) - cost
            if abs(net) > SLACK:
                mask = others | 1 << i if net > 0 else others
        if mask == before:
            return mask
    raise ValueError(f"users still change their levels after {PASSES} rounds of best replies")


def follow_best_replies(
    gain: Gain, worth: Callable[[int], float], costs: Sequence[float], selection: Selection
) -> tuple[Candidate, int]:
    """Propose an offer by best-response dynamics over a row of alphas.

    Optimistic selection starts from everybody sharing, pessimistic from nobody. In the optimistic
    case alpha is then lowered as far as the profile stays an equilibrium.
    """
    n = len(costs)
    everybody = (1 << n) - 1
    best = Candidate(worth(0), 0.0, 0.0), 0
    mask = everybody if selection == "optimistic" else 0
    steps = np.linspace(1.0, 0.0, ALPHAS) if mask else np.linspace(0.0, 1.0, ALPHAS)
    for alpha in steps.tolist():
        # The last answer is a good start: sharers fall with alpha, and rise with it.
        mask = reply_in_turn(gain, costs, alpha, mask)
        if selection == "optimistic":
            alpha = find_least_alpha(gain, costs, mask)
        value = (1 - alpha) * worth(mask)
        if value > best[0].value + SLACK:
            best = Candidate(value, alpha, mask.bit_count() / n), mask
    return best


def find_least_alpha(gain: Gain, costs: Sequence[float], mask: int) -> float:
    """Give the least alpha at which every sharer wants to share."""
    found = 0.0
    for i, cost in enumerate(costs):
        if mask >> i & 1:
            rise = gain(mask & ~(1 << i), i)
            if rise > 0:
                found = max(found, cost / rise)
            elif cost > 0:
                return inf
    return found
