"""Equilibria in which two or three of several users toss coins, and the best offer over them.

What: two levels; the others share or do not, for certain. Where two toss coins, each is indifferent
at the other's probability, which is linear in 1/alpha; where three do, two of the probabilities are
quotients of linear functions of the third, which solves a quadratic equation. All of these are
listed for many alphas at once, those who do not toss coins are held to what they do, and the best
alpha is refined by ever finer grids. An equilibrium that there is only for alphas between two
points of the first grid is missed. Four and more who toss coins are not searched: the bound of
`limits` says how much that could bring. Cost: N^3 2^N cells of 500 alphas; up to `MOST_USERS`.
Source: ours, after section 5.2 (two users) of "The Fair Value of Data Under Heterogeneous Privacy
Constraints".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.offers.alike_users import Candidate

MOST_USERS = 7
"""More users have too many sets of tossers for the grid: seconds each."""
POINTS = 500
"""Values of alpha on the first grid."""
REFINEMENTS = 6
"""Finer grids around the best point; each divides the step."""
TIE = 1e-10
"""Probabilities and gains up to this size are rounding."""

Probabilities = tuple[float, ...]
"""By user: with which probability it shares."""


@dataclass(frozen=True, eq=False)
class FewCoins:
    """Users who share or do not.

    Parameters
    ----------
    rises
        Shape (users, 2^users): by how much a user's share of the whole utility rises if it shares
        besides the others in the mask (its own bit is not looked at).
    worth
        Shape (2^users,): utility above that of no data.
    costs
        Shape (users,): what sharing costs each.
    budget, floor
        Payments keep to these however the coins fall; None: none. The floor needs `shares`.
    shares
        Shape (users, 2^users): each user's share of the whole utility.
    """

    rises: FloatArray
    worth: FloatArray
    costs: FloatArray
    budget: float | None = None
    floor: float | None = None
    shares: FloatArray | None = None

    @property
    def n(self) -> int:
        """How many users."""
        return len(self.costs)

    def find_equilibria(self, alpha: float) -> list[Probabilities]:
        """Return all equilibria in which two or three users toss coins."""
        found = []
        for coins, others in self._list_supports():
            for rows, values in self._solve(coins, others, np.array([alpha])):
                if np.isfinite(values[0]):
                    found.append(self._fill(coins, others, rows[:, 0]))
        return found

    def find_regret(self, alpha: float, answer: Probabilities) -> float:
        """Return the most that a user gains by answering otherwise, alone."""
        worst = 0.0
        for i, p in enumerate(answer):
            rest = [(1.0, 0)]
            for j, other in enumerate(answer):
                if j != i:
                    rest = [
                        (chance * x, mask | bit << j)
                        for chance, mask in rest
                        for bit, x in ((0, 1 - other), (1, other))
                        if x
                    ]
            net = alpha * sum(c * float(self.rises[i, m]) for c, m in rest) - float(self.costs[i])
            worst = max(worst, net * (1 - p), -net * p)
        return worst

    def best(self) -> tuple[Candidate, Probabilities] | None:
        """Return the best offer found that two or three users answer by tossing coins, or None."""
        best: tuple[float, float, tuple[int, ...], int, int] | None = None
        grid = np.linspace(0.0, 1.0, POINTS + 1)[1:]
        for coins, others in self._list_supports():
            for root, (_, values) in enumerate(self._solve(coins, others, grid)):
                k = int(np.argmax(values))
                if np.isfinite(values[k]) and (best is None or values[k] > best[0]):
                    best = float(values[k]), float(grid[k]), coins, others, root
        if best is None:
            return None
        value, alpha, coins, others, root = best
        step = 1 / POINTS
        for _ in range(REFINEMENTS):
            finer = np.unique(np.clip(np.linspace(alpha - step, alpha + step, 41), 1e-12, 1.0))
            _, values = list(self._solve(coins, others, finer))[root]
            k = int(np.argmax(values))
            if values[k] >= value:
                value, alpha = float(values[k]), float(finer[k])
            step /= 20
        rows, _ = list(self._solve(coins, others, np.array([alpha])))[root]
        answer = self._fill(coins, others, rows[:, 0])
        return Candidate(value, alpha, sum(answer) / self.n), answer

    def _list_supports(self) -> Iterator[tuple[tuple[int, ...], int]]:
        """Yield who tosses coins, and which of the others share, as a mask."""
        for many in (2, 3):
            for coins in combinations(range(self.n), many):
                rest = [i for i in range(self.n) if i not in coins]
                for bits in product((0, 1), repeat=len(rest)):
                    yield coins, sum(b << i for b, i in zip(bits, rest, strict=True))

    def _fill(self, coins: tuple[int, ...], others: int, rows: FloatArray) -> Probabilities:
        found = [float(others >> i & 1) for i in range(self.n)]
        for i, p in zip(coins, rows.tolist(), strict=True):
            found[i] = p
        return tuple(found)

    def _solve(
        self, coins: tuple[int, ...], others: int, alphas: FloatArray
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield the coins' probabilities, and what the platform keeps; -inf where it is none."""
        needs = self.costs[list(coins)][:, None] / alphas
        rises = [self.rises[i, self._masks(coins, others)] for i in coins]
        roots = (
            _solve_pair(rises[0], rises[1], needs)
            if len(coins) == 2
            else _solve_triple(rises[0], rises[1], rises[2], needs)
        )
        for rows in roots:
            inside = (rows > TIE).all(axis=0) & (rows < 1 - TIE).all(axis=0)
            inside &= self._keeps_limits(coins, others, alphas)
            chances = _expand(np.where(inside, rows, 0.5))
            masks = self._masks(coins, others)
            for k in range(self.n):
                if k not in coins:
                    net = alphas * (self.rises[k, masks] @ chances) - self.costs[k]
                    inside &= net >= -TIE if others >> k & 1 else net <= TIE
            kept = (1 - alphas) * (self.worth[masks] @ chances)
            yield rows, np.where(inside, kept, -np.inf)

    def _masks(self, coins: tuple[int, ...], others: int) -> list[int]:
        """Return the outcomes of the coins as masks, the first coin's bit the fastest."""
        return [
            others | sum((x >> k & 1) << i for k, i in enumerate(coins))
            for x in range(1 << len(coins))
        ]

    def _keeps_limits(
        self, coins: tuple[int, ...], others: int, alphas: FloatArray
    ) -> NDArray[np.bool_]:
        masks = self._masks(coins, others)
        kept = np.ones(len(alphas), dtype=np.bool_)
        if self.budget is not None:
            kept &= alphas * float(self.worth[masks].max()) <= self.budget * (1 + TIE)
        if self.floor and self.shares is not None:
            least = min(
                (float(self.shares[i, m]) for m in masks for i in range(self.n) if m >> i & 1),
                default=0.0,
            )
            kept &= alphas * least >= self.floor * (1 - TIE)
        return kept


def _expand(rows: FloatArray) -> FloatArray:
    """Return the chances of all outcomes, the first coin the fastest; shape (2^coins, alphas)."""
    chances = np.ones((1, rows.shape[1]))
    for p in rows:
        chances = np.concatenate([chances * (1 - p), chances * p])
    return chances


def _solve_pair(first: FloatArray, second: FloatArray, needs: FloatArray) -> list[FloatArray]:
    """Return the probabilities at which both are indifferent.

    `first[m]` is the first user's rise at the outcome m of the coins; its own bit plays no part.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        y = (needs[0] - first[0]) / (first[2] - first[0])
        x = (needs[1] - second[0]) / (second[1] - second[0])
    return [np.stack([x, y])]


def _solve_triple(
    first: FloatArray, second: FloatArray, third: FloatArray, needs: FloatArray
) -> list[FloatArray]:
    """Return both solutions of the three indifferences (x, y, z), NaN where they are none.

    The first user's is a + b y + c z + d y z = need, so y = (A0 + A1 z) / (B0 + B1 z); x likewise
    from the second's; the third's then is a quadratic equation in z.
    """
    y_top, y_low = _as_quotient(first[0], first[2], first[4], first[6], needs[0])
    x_top, x_low = _as_quotient(second[0], second[1], second[4], second[5], needs[1])
    a, b, c = third[0] - needs[2], third[1] - third[0], third[2] - third[0]
    d = third[3] - third[1] - third[2] + third[0]
    terms = [0.0, 0.0, 0.0]
    for factor, one, other in (
        (a, x_low, y_low),
        (b, x_top, y_low),
        (c, x_low, y_top),
        (d, x_top, y_top),
    ):
        terms[0] = terms[0] + factor * one[0] * other[0]
        terms[1] = terms[1] + factor * (one[0] * other[1] + one[1] * other[0])
        terms[2] = terms[2] + factor * one[1] * other[1]
    t0, t1, t2 = (np.broadcast_to(np.asarray(t, dtype=np.float64), needs[0].shape) for t in terms)
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(t1 * t1 - 4 * t2 * t0)
        # The root that does not cancel, and the other by the product of both.
        far = -(t1 + np.where(t1 >= 0, root, -root)) / 2
        for z in (far / t2, t0 / far):
            x = (x_top[0] + x_top[1] * z) / (x_low[0] + x_low[1] * z)
            y = (y_top[0] + y_top[1] * z) / (y_low[0] + y_low[1] * z)
            found.append(np.stack([x, y, z]))
    return found


def _as_quotient(
    none: float, one: float, other: float, both: float, need: FloatArray
) -> tuple[tuple[FloatArray, float], tuple[float, float]]:
    """Return p as (top) / (low), linear in z, where a user with these rises is indifferent."""
    # none + (one - none) p + (other - none) z + (both - one - other + none) p z = need
    return (need - none, -(other - none)), (one - none, both - one - other + none)
