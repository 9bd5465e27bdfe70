"""The platform's best alpha over all profiles in which nobody tosses a coin.

What: under fair shares the users play an exact potential game: a user's share changes by its own
choice of a level exactly as Hart and Mas-Colell's potential P of the profile does, so alpha P minus
the costs rises with every better reply. Hence pure equilibria exist for every alpha, and a profile
is an equilibrium exactly for the alphas with

    alpha (P(profile) - P(profile with i's level changed)) >= what the change saves user i,

an interval. All profiles are looked at, users of one type counted together: the best pure
equilibrium is found, for optimistic and for pessimistic selection. Mixed equilibria are not
searched. With fairness of the platform (Theorem 1) nothing is left to choose but the equilibrium;
the potential then is what the platform keeps. Cost: O(profiles * users), compiled; two levels and
26 users who all differ take a minute. Source: Hart and Mas-Colell (1989) for the potential; its use
here is ours.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from aboveboard.games.numbers import FloatArray, IntArray
from aboveboard.valuation.offers.alike_users import Candidate
from aboveboard.valuation.offers.kernels import fill_potential, find_equilibria
from aboveboard.valuation.offers.limits import find_least_shares, limit_alphas
from aboveboard.valuation.offers.offer import Selection
from aboveboard.valuation.offers.profile_space import ProfileSpace

SLACK = 1e-12
"""Rounding of a bound on alpha, relatively."""
TIE = 1e-13
"""Rounding of a difference of potentials, of the largest utility."""
BESIDE = 1e-9
"""How far above a bound, relatively, the alphas just above it are taken."""
ROOM = 1 << 16
"""Equilibria that are noted in the first sweep; where there are more, a second one follows."""


def potential(worth: FloatArray) -> FloatArray:
    """Return Hart and Mas-Colell's potential of every coalition, from U by mask; O(N 2^N).

    P(S) = (U(S) - U(0) + sum over i in S of P(S - i)) / |S|, and i's fair share in the game among S
    is P(S) - P(S - i).

    Examples
    --------
    >>> potential(np.array([0.0, 2.0, 4.0, 8.0])).tolist()
    [0.0, 2.0, 4.0, 7.0]
    """
    n = len(worth).bit_length() - 1
    return find_potential(_make_mask_space(np.zeros(n)), worth - worth[0])


def find_potential(space: ProfileSpace, worth: FloatArray, *, platform: bool = False) -> FloatArray:
    """Return the potential of every state of a space.

    Parameters
    ----------
    space
        The states.
    worth
        Shape (states,): utility above that of no data.
    platform
        Whether the platform is a member (Theorem 1).
    """
    out = np.empty(len(worth))
    fill_potential(
        np.ascontiguousarray(worth, dtype=np.float64),
        space.radix,
        space.count_table,
        space.step_table,
        int(platform),
        out,
    )
    return out


def _make_mask_space(costs: FloatArray) -> ProfileSpace:
    """Return the space of users who all differ and share or do not: a state for each mask."""
    members = tuple((i,) for i in range(len(costs)))
    return ProfileSpace(members, (0, 1), np.stack([np.zeros(len(costs)), costs], axis=1))


@dataclass(frozen=True, eq=False)
class PureProfiles:
    """All profiles in which nobody tosses a coin.

    Parameters
    ----------
    potential
        Shape (states,): a potential of the users' shares of the whole utility.
    worth
        Shape (states,): utility above that of no data.
    costs
        Shape (users,): what sharing costs each; for two levels. Not used where there is a space.
    space
        What the states are; None: masks of the users who share, all of whom may differ.
    platform
        Whether the platform is a member: alpha then is 1, and it keeps the potential.
    budget, floor
        As in `Design`: where the worst equilibrium counts, all at the same alpha keep to them.

    Examples
    --------
    >>> worth = np.array([0, 2 / 3, 2 / 3, 1])  # two users of the paper's Example 1
    >>> best, mask = PureProfiles(potential(worth), worth, np.array([0.5, 0.5])).best()
    >>> round(best.alpha, 9), round(best.value, 9), mask
    (0.75, 0.166666667, 1)
    """

    potential: FloatArray
    worth: FloatArray
    costs: FloatArray
    space: ProfileSpace | None = None
    platform: bool = False
    budget: float | None = None
    floor: float | None = None

    @cached_property
    def profile_space(self) -> ProfileSpace:
        """What the states are."""
        return _make_mask_space(self.costs) if self.space is None else self.space

    @cached_property
    def equilibria(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return the equilibria at some alpha up to 1, and the least and largest alpha of each."""
        space = self.profile_space
        moves, needs = space.change_tables
        tie = TIE * max(1.0, float(np.abs(self.worth).max()))
        room = ROOM
        while True:
            states, lows, highs = np.empty(room, np.int64), np.empty(room), np.empty(room)
            found = find_equilibria(
                self.potential,
                space.radix,
                space.is_profile,
                moves,
                needs,
                1.0,
                SLACK,
                tie,
                states,
                lows,
                highs,
            )
            if found <= room:
                return states[:found], lows[:found], highs[:found]
            room = found

    def intervals(self) -> tuple[FloatArray, FloatArray]:
        """Return for each state the least and the largest alpha at which it is an equilibrium.

        States that are none at any alpha up to 1 have an empty interval, from 2 to 1.
        """
        low, high = np.full(len(self.worth), 2.0), np.full(len(self.worth), 1.0)
        states, lows, highs = self.equilibria
        low[states], high[states] = lows, highs
        return low, high

    def find_regret(self, state: int, alpha: float) -> float:
        """Return the most that a user gains by changing its level alone."""
        space = self.profile_space
        moves, needs = space.change_tables
        found = 0.0
        for t, stride in enumerate(space.strides.tolist()):
            s = state // stride % int(space.radix[t])
            for move, need in zip(moves[t, s].tolist(), needs[t, s].tolist(), strict=True):
                if need > -inf:
                    rise = self.potential[state] - self.potential[state + move]
                    found = max(found, need - alpha * float(rise))
        return found

    def best(self, selection: Selection = "optimistic") -> tuple[Candidate, int]:
        """Return the best offer over all pure equilibria, and the state that answers it."""
        states, low, high = self.equilibria
        least, largest = low, high
        if self.budget is not None or self.floor:
            shares = find_least_shares(self.profile_space, self.potential, states)
            limits = self.budget, self.floor
            least, largest = limit_alphas(low, high, self.worth[states], shares, *limits)
        if self.platform:
            return self._choose_equilibrium(states, low, high, selection)
        if selection == "pessimistic":
            return self._find_worst_first(states, (low, high), (least, largest))
        keeps = (least <= largest * (1 + SLACK)) & (least <= 1)
        states, low, high = states[keeps], least[keeps], largest[keeps]
        # What is worth less than no data is best paid for with the largest alpha.
        worth = self.worth[states]
        alpha = np.where(worth >= 0, low, np.minimum(high, 1.0))
        best = int(np.argmax((1 - alpha) * worth))
        return self._make_candidate(float(alpha[best]), int(states[best])), int(states[best])

    def _choose_equilibrium(
        self, states: IntArray, low: FloatArray, high: FloatArray, selection: Selection
    ) -> tuple[Candidate, int]:
        """Return the equilibrium that leaves the platform most, or least, at fixed shares."""
        there = states[(low <= 1 + SLACK) & (high >= 1 - SLACK)]
        kept = self.potential[there]
        state = int(there[int(np.argmax(kept) if selection == "optimistic" else np.argmin(kept))])
        return Candidate(float(self.potential[state]), 1.0, self._find_part(state)), state

    def _find_part(self, state: int) -> float:
        """Return the part of the users who are above the lowest level."""
        levels = self.profile_space.find_levels(state)
        return sum(x > self.profile_space.levels[0] for x in levels) / len(levels)

    def _make_candidate(self, alpha: float, state: int, *, attained: bool = True) -> Candidate:
        value = (1 - alpha) * float(self.worth[state])
        return Candidate(value, alpha, self._find_part(state), attained)

    def _find_worst_first(
        self,
        states: IntArray,
        bounds: tuple[FloatArray, FloatArray],
        limits: tuple[FloatArray, FloatArray],
    ) -> tuple[Candidate, int]:
        """Return the best offer where the worst equilibrium answers: alpha is swept upwards.

        An alpha counts where every equilibrium at it lies within its limits.
        """
        best: tuple[float, float, int, bool] | None = None
        (low, high), (least, largest) = bounds, limits
        limited = self.budget is not None or bool(self.floor)
        more = np.concatenate([least, largest]) if limited else np.empty(0)
        for alpha, attained, state in sweep_worst(states, low, high, self.worth, more):
            if limited:
                at = alpha if attained else alpha * (1 + BESIDE)
                there = (low <= at * (1 + SLACK)) & (high >= at * (1 - SLACK))
                kept = (least <= at * (1 + SLACK)) & (largest >= at * (1 - SLACK))
                if (there & ~kept).any():
                    continue
            value = (1 - alpha) * float(self.worth[state])
            if best is None or value > best[0] + SLACK:
                best = value, alpha, state, attained
        if best is None:
            raise ValueError("no pure equilibrium was found, though one exists at every alpha")
        _, alpha, state, attained = best
        return self._make_candidate(alpha, state, attained=attained), state


def sweep_worst(
    states: IntArray,
    low: FloatArray,
    high: FloatArray,
    worth: FloatArray,
    more: FloatArray | Sequence[float] = (),
) -> Iterator[tuple[float, bool, int]]:
    """Yield each alpha at which the worst equilibrium may change, and that equilibrium.

    `more` alphas are looked at too. Yields alpha, whether it is alpha itself (else the alphas just
    above it), and the state.
    """
    order = np.argsort(low, kind="stable")
    beside = np.asarray(more, dtype=np.float64)
    points = np.unique(np.concatenate([low, high[high <= 1], [0.0], beside[beside <= 1]]))
    heap: list[tuple[float, int]] = []
    at = 0
    for alpha in points.tolist():
        while at < len(order) and low[order[at]] <= alpha:
            k = int(order[at])
            heapq.heappush(heap, (float(worth[states[k]]), k))
            at += 1
        for attained in (True, False):
            # At a bound itself the profile that ends there still counts; just above no more.
            while heap and not _lasts(float(high[heap[0][1]]), alpha, attained=attained):
                heapq.heappop(heap)
            if heap:
                yield alpha, attained, int(states[heap[0][1]])


def _lasts(high: float, alpha: float, *, attained: bool) -> bool:
    if attained:
        return high >= alpha * (1 - SLACK)
    return high > alpha * (1 + SLACK)
