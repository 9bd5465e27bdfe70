"""The platform's best alpha where all users are alike (equation 19, Theorem 3).

What: N users choose between two levels; the less private one costs each c. Let q be the probability
with which each takes it, gamma(q) the expected rise of a user's share by taking it, and U(q) the
expected utility. q in (0, 1) is a symmetric equilibrium iff alpha gamma(q) = c, 1 iff
alpha gamma(1) >= c, 0 iff alpha gamma(0) <= c. The platform maximises (1 - alpha) U(q) over alpha
and its equilibria: along the curve alpha = c/gamma(q),

    value(q) = (1 - c/gamma(q)) U(q).

With level 0 as the private one and U concave in the number of sharers, U(q) = N q gamma(q), and the
best q solves E[U(m+1) - U(m)] = c, m of the N-1 others sharing (regime 2; as printed, "the smallest
alpha" gives the platform nothing). Without concavity several q can share an alpha: `optimistic`
takes the platform's best, `pessimistic` its worst, which is the smallest q where U is monotone;
there the best value may only be approached from above. gamma and U are Bernstein polynomials: roots
of derivatives are found by bisection between the points of a fine grid. Cost: O(2000 N). Source:
"The Fair Value of Data Under Heterogeneous Privacy Constraints", section 5, corrected as
`docs/theory.md` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf, lgamma

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.offers.curve import Curve
from aboveboard.valuation.offers.offer import Selection, snap_probability

POINTS = 2001
"""Probabilities at which a curve is looked at before its peaks are refined."""
BISECTIONS = 60
"""Halvings of [0, 1] after which float64 tells no difference."""

ROUNDING = 1e-12
"""Falls of gamma by less than this part are not told from rounding."""


@lru_cache(maxsize=16)
def _find_log_binomials(n: int) -> FloatArray:
    return np.array([lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1) for j in range(n + 1)])


def binomial_probabilities(q: FloatArray, n: int) -> FloatArray:
    """Return the probabilities of 0..n successes in n trials; shape (len(q), n + 1)."""
    k = np.arange(n + 1)
    logs = _find_log_binomials(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = logs + k * np.log(q)[:, None] + (n - k) * np.log1p(-q)[:, None]
    rows[q == 0] = np.where(k == 0, 0.0, -inf)
    rows[q == 1] = np.where(k == n, 0.0, -inf)
    raw = np.exp(rows)
    probabilities: FloatArray = raw / raw.sum(axis=1, keepdims=True)
    return probabilities


@dataclass(frozen=True)
class Candidate:
    """An alpha, the equilibrium that answers it, and what the platform keeps.

    Parameters
    ----------
    value
        What the platform keeps.
    alpha
        The part of the utility that users share.
    q
        Probability that a user shares; of pure answers, the part of the users who do.
    attained
        False where the best is only approached, by alphas right next to `alpha`.
    """

    value: float
    alpha: float
    q: float
    attained: bool = True


@dataclass(frozen=True)
class AlikeUsers:
    """N users whom only their level tells apart.

    Parameters
    ----------
    gain
        Shape (N,): by how much a user's share of the whole utility rises when it takes the less
        private level and m others have.
    worth
        Shape (N + 1,): utility where m users have, above that of no data.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from math import inf
    >>> from aboveboard.valuation import DpMean, make_alike_users
    >>> users = make_alike_users(DpMean(), 2, Fraction(0), inf)
    >>> users.n, users.worth.round(6).tolist()
    (2, [0.0, 0.666667, 1.0])
    """

    gain: FloatArray
    worth: FloatArray

    @property
    def n(self) -> int:
        """How many users."""
        return len(self.gain)

    @cached_property
    def grid(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return q, gamma(q), U(q) on a grid that is finer at both ends."""
        q = np.sin(np.pi / 2 * np.arange(POINTS) / (POINTS - 1)) ** 2
        q[-1] = 1.0
        return q, self.gamma(q), self.compute_expected_utility(q)

    def gamma(self, q: FloatArray) -> FloatArray:
        """Return the expected rise of a user's share."""
        return binomial_probabilities(q, self.n - 1) @ self.gain

    def compute_expected_utility(self, q: FloatArray) -> FloatArray:
        """Return the expected utility."""
        return binomial_probabilities(q, self.n) @ self.worth

    def slope(self, q: float, cost: float) -> float:
        """Return the derivative of value(q)."""
        at = np.array([q])
        gamma, worth = float(self.gamma(at)[0]), float(self.compute_expected_utility(at)[0])
        d_worth = self.n * float((binomial_probabilities(at, self.n - 1) @ np.diff(self.worth))[0])
        return d_worth * (1 - cost / gamma) + cost * worth * self._gamma_slope(q) / gamma**2

    def _gamma_slope(self, q: float) -> float:
        if self.n == 1:
            return 0.0
        rise = binomial_probabilities(np.array([q]), self.n - 2) @ np.diff(self.gain)
        return (self.n - 1) * float(rise[0])

    @property
    def gamma_max(self) -> float:
        """From this cost on no offer makes anybody share."""
        return float(self.grid[1].max())

    @property
    def c_th(self) -> float:
        """Up to this cost the best offer makes everybody share (optimistic selection)."""
        _, gamma, worth = self.grid
        if gamma[-1] <= 0 or worth[-1] <= 0:
            return 0.0
        bound = float(gamma[-1] * (1 - worth[0] / worth[-1]))
        ok = gamma[:-1] > 0
        ratio_1 = worth[-1] / gamma[-1]
        rise = ratio_1 - worth[:-1][ok] / gamma[:-1][ok]
        with np.errstate(divide="ignore", invalid="ignore"):
            indifferent = np.where(rise > 0, (worth[-1] - worth[:-1][ok]) / rise, inf)
        binding = indifferent < gamma[:-1][ok]
        if binding.any():
            bound = min(bound, float(indifferent[binding].min()))
        d_worth = self.n * float(self.worth[-1] - self.worth[-2])
        d_ratio = (d_worth - ratio_1 * self._gamma_slope(1.0)) / gamma[-1]
        if d_ratio > 0:
            bound = min(bound, float(d_worth / d_ratio))
        return max(bound, 0.0)

    def equilibria(self, alpha: float, cost: float) -> list[float]:
        """Return all symmetric equilibria q, ascending, as fine as the grid tells them apart."""
        q, gamma, _ = self.grid
        edge = alpha * gamma - cost
        tie = 1e-12 * max(1.0, float(np.abs(gamma).max()))
        for end in (0, -1):
            if (
                abs(edge[end]) <= tie
            ):  # an end that is an equilibrium is not one more root beside it
                edge[end] = 0.0
        found = [0.0] if edge[0] <= tie else []

        def net(x: float) -> float:
            return alpha * float(self.gamma(np.array([x]))[0]) - cost

        changes = np.flatnonzero(edge[:-1] * edge[1:] < 0)
        found.extend(bisect(net, float(q[k]), float(q[k + 1])) for k in changes)
        found.extend(float(x) for x in q[1:-1][np.abs(edge[1:-1]) == 0])
        if edge[-1] >= -tie:
            found.append(1.0)
        return sorted(set(found))

    def best(self, cost: float, selection: Selection = "optimistic") -> Candidate:
        """Find the best offer at one cost.

        Raises
        ------
        ValueError
            If the cost is negative, or the worst equilibrium counts where more sharing can
            be worth less: the smallest q need not be the worst then.
        """
        if cost < 0:
            raise ValueError(f"the privacy cost is {cost}; it is 0 or more")
        pessimistic = selection == "pessimistic"
        if pessimistic and (np.diff(self.worth) < 0).any():
            raise ValueError(
                "the utility falls where more users share, so which equilibrium is worst is not "
                'known; take selection = "optimistic"'
            )
        found = [Candidate(float(self.worth[0]), 0.0, 0.0)]
        if cost == 0:
            free = self.gain.min() > 0 or not pessimistic
            if free:
                found.append(Candidate(float(self.worth[-1]), 0.0, 1.0, not pessimistic))
        elif pessimistic:
            found.extend(self._worst_first(cost))
        else:
            found.extend(self._along(cost, self.grid[1] >= cost))
        return max(found, key=lambda one: (one.value, -one.alpha))

    def _values(self, cost: float, there: NDArray[np.bool_]) -> FloatArray:
        _, gamma, worth = self.grid
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(there & (gamma >= cost), (1 - cost / gamma) * worth, -inf)

    def _along(self, cost: float, there: NDArray[np.bool_]) -> list[Candidate]:
        """Return the local maxima of value(q) among grid points that are `there`, made precise."""
        q, gamma, _ = self.grid
        value = self._values(cost, there)
        padded = np.concatenate([[-inf], value, [-inf]])
        peaks = np.flatnonzero(
            (value > -inf) & (value >= padded[:-2]) & (value >= padded[2:]) & (gamma > 0)
        )
        found = []
        for k in peaks[np.argsort(-value[peaks], kind="stable")][:5]:
            x = float(q[k])
            if 0 < k < POINTS - 1 and value[k - 1] > -inf and value[k + 1] > -inf:
                x = bisect(lambda at: self.slope(at, cost), float(q[k - 1]), float(q[k + 1]), x)
            elif k == POINTS - 1 and value[k - 1] > -inf and self.slope(1.0, cost) < 0:
                x = bisect(lambda at: self.slope(at, cost), float(q[k - 1]), 1.0, x)
            found.append(self._candidate(x, cost))
        return found

    def _candidate(self, q: float, cost: float) -> Candidate:
        at = np.array([q])
        alpha = cost / float(self.gamma(at)[0])
        return Candidate((1 - alpha) * float(self.compute_expected_utility(at)[0]), alpha, q)

    def _worst_first(self, cost: float) -> list[Candidate]:
        """Return candidates where the smallest equilibrium answers.

        q is the smallest equilibrium at c/gamma(q) iff gamma is larger everywhere before. Where
        gamma turns up again, the answer jumps to the next q with so small a gamma, or to 1, for
        every alpha above; that value is approached.
        """
        q, gamma, _ = self.grid
        lowest = np.minimum.accumulate(gamma)
        record = np.concatenate([[True], gamma[1:] < lowest[:-1]])
        found = self._along(cost, record)
        turns = np.flatnonzero(record[:-1] & ~record[1:] & (gamma[:-1] > cost))
        for k in turns:
            before = float(q[k - 1]) if k else 0.0
            turn = bisect(self._gamma_slope, before, float(q[k + 1]), float(q[k]))
            least = self._gamma_at(turn)
            if least <= cost:
                continue
            later = np.flatnonzero(gamma[k + 1 :] < least * (1 - ROUNDING))
            at = 1.0 if not len(later) else self._cross(least, int(k + 1 + later[0]))
            alpha = cost / least
            value = (1 - alpha) * float(self.compute_expected_utility(np.array([at]))[0])
            found.append(Candidate(value, alpha, at, False))
        return found

    def _cross(self, level: float, k: int) -> float:
        """Return where gamma falls to a level, just before the grid's point k."""
        low, high = (float(x) for x in self.grid[0][k - 1 : k + 1])
        return bisect(lambda q: self._gamma_at(q) - level, low, high, high)

    def _gamma_at(self, q: float) -> float:
        return float(self.gamma(np.array([q]))[0])

    def curve(self, costs: Sequence[float], selection: Selection = "optimistic") -> Curve:
        """Return the best offer for many costs."""
        best = [self.best(float(c), selection) for c in costs]
        q = np.array([snap_probability(one.q) for one in best])
        alpha = np.array([one.alpha for one in best])
        worth = self.compute_expected_utility(q)
        users = alpha * worth
        return Curve(np.array(costs, dtype=np.float64), alpha, 1 - q, worth, worth - users, users)


def bisect(f: Callable[[float], float], low: float, high: float, otherwise: float = 0.0) -> float:
    """Find where f changes its sign between two points; `otherwise` if it does not."""
    at_low, at_high = f(low), f(high)
    if at_low == 0:
        return low
    if at_low * at_high > 0:
        return otherwise
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        value = f(middle)
        if (value > 0) == (at_low > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2
