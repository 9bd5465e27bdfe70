"""The platform's best alpha for two users with different costs (equation 25, corrected).

What: a 2x2 game for each alpha: user i rises by alpha D_i(other) - c_i when it takes the less
private level. All Nash equilibria are found: the pure ones, the mixed one, and the ends of every
segment where a user is indifferent. The platform maximises (1 - alpha) p1' U p2 (as printed,
U - (1 - alpha) U, it would keep what it gives). Between the breakpoints alpha = c_i/D_i the set of
equilibria keeps its shape: a pure one is best at the left end, a mixed one where the derivative of
a quadratic in 1/alpha is 0, and the worst of several can be best where two values cross. Cost:
about forty games of four cells. Source: "The Fair Value of Data Under Heterogeneous Privacy
Constraints", section 5.2, corrected as `docs/theory.md` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.valuation.offers.alike_users import Candidate
from aboveboard.valuation.offers.offer import Selection

TIE = 1e-12
"""Values that differ by no more are equal but for rounding."""
ABOVE = 1e-9
"""How far from a breakpoint, relatively, the equilibria just beside it are taken."""

MixedProfile = tuple[float, float]
"""Probabilities with which the two users take the less private level."""


@dataclass(frozen=True)
class TwoUsers:
    """Two users and two levels.

    Parameters
    ----------
    rises
        Shape (2, 2): by how much user i's share of the whole utility rises when it takes the less
        private level, while the other has not (0) or has (1).
    worth
        Shape (2, 2): utility above that of no data, by the levels of user 1 and user 2.
    costs
        What the less private level costs each.
    kept
        Shape (2, 2): what the platform keeps, where the platform is a member and alpha is no
        choice (it is 1); None where the users share alpha of the utility.

    Examples
    --------
    >>> rises = np.array([[2 / 3, 1 / 2], [2 / 3, 1 / 2]])
    >>> game = TwoUsers(rises, np.array([[0, 2 / 3], [2 / 3, 1]]), (0.45, 0.4))
    >>> best, answer = game.best()
    >>> round(best.alpha, 9), answer
    (0.6, (0.0, 1.0))
    """

    rises: FloatArray
    worth: FloatArray
    costs: tuple[float, float]
    kept: FloatArray | None = None

    def equilibria(self, alpha: float) -> list[MixedProfile]:
        """Return all Nash equilibria; of a segment of them, its ends."""
        net = alpha * self.rises - np.array(self.costs)[:, None]
        # Where one user is indifferent lies in the hands of the other.
        firsts = [0.0, 1.0, *_find_indifference(net[1])]
        seconds = [0.0, 1.0, *_find_indifference(net[0])]
        return [
            (x, y)
            for x in firsts
            for y in seconds
            if _is_best_reply(net[0], y, x) and _is_best_reply(net[1], x, y)
        ]

    def compute_expected_utility(self, answer: MixedProfile) -> float:
        """Return the expected utility."""
        return _expect(self.worth, answer)

    def best(self, selection: Selection = "optimistic") -> tuple[Candidate, MixedProfile]:
        """Return the best offer; `Candidate.q` is the mean of the two probabilities.

        Of offers that leave the platform as much, one that it attains comes first, then one that
        both users answer alike without a coin, then the smallest alpha.
        """
        pick = max if selection == "optimistic" else min
        if self.kept is not None:
            kept = self.kept
            value, answer = pick((_expect(kept, a), a) for a in self.equilibria(1.0))
            return Candidate(value, 1.0, sum(answer) / 2), answer
        found = []
        for alpha in self._alphas():
            above = alpha * (1 + ABOVE) or ABOVE * TIE
            for at, attained in ((alpha, True), (above, False), (alpha * (1 - ABOVE), False)):
                values = [
                    ((1 - alpha) * self.compute_expected_utility(a), a) for a in self.equilibria(at)
                ]
                if not values:
                    continue
                value, answer = _pick_first(values, pick)
                candidate = Candidate(value, alpha, (answer[0] + answer[1]) / 2, attained)
                found.append((candidate, answer))
        return max(
            found,
            key=lambda one: (
                round(one[0].value, 11),
                one[0].attained,
                one[1] in ((0.0, 0.0), (1.0, 1.0)),
                -one[0].alpha,
            ),
        )

    def _alphas(self) -> Sequence[float]:
        """Return every alpha at which the best can lie, ascending."""
        found = {0.0}
        for i in range(2):
            found.update(self.costs[i] / d for d in self.rises[i].tolist() if d > 0)
        found.update(self._list_mixed_alphas())
        return sorted(a for a in found if 0 <= a <= 1)

    def _list_mixed_alphas(self) -> list[float]:
        """Return where the mixed equilibrium's value is stationary or meets a pure one's.

        With b = 1/alpha both probabilities are linear in b, so the utility is a + e b + d b^2.
        """
        x = _fit_line(self.rises[1], self.costs[1])
        y = _fit_line(self.rises[0], self.costs[0])
        if x is None or y is None:
            return []
        (x0, x1), (y0, y1) = x, y
        w = self.worth
        cross = w[0, 0] - w[0, 1] - w[1, 0] + w[1, 1]
        a = w[0, 0] + (w[1, 0] - w[0, 0]) * x0 + (w[0, 1] - w[0, 0]) * y0 + cross * x0 * y0
        e = (w[1, 0] - w[0, 0]) * x1 + (w[0, 1] - w[0, 0]) * y1 + cross * (x0 * y1 + x1 * y0)
        d = cross * x1 * y1
        inverses = [*np.roots([2 * d, e - d, 0.0, a])]
        for value in w.ravel():
            inverses.extend(np.roots([d, e, a - value]))
        return [1 / float(b.real) for b in inverses if abs(b.imag) < TIE and b.real >= 1]


def _expect(table: FloatArray, answer: MixedProfile) -> float:
    x, y = answer
    return float(np.array([1 - x, x]) @ table @ np.array([1 - y, y]))


def _pick_first(
    values: Sequence[tuple[float, MixedProfile]], pick: Callable[[Iterable[float]], float]
) -> tuple[float, MixedProfile]:
    """Return the best or worst value, and the answer without coins if one has it."""
    best = pick(value for value, _ in values)
    alike = [one for one in values if abs(one[0] - best) <= TIE]
    return max(alike, key=lambda one: (set(one[1]) <= {0.0, 1.0}, one[1]))


def _find_indifference(net: FloatArray) -> list[float]:
    """Return the probability of the other at which this user is indifferent, if it is in (0, 1)."""
    if abs(net[1] - net[0]) <= TIE:
        return []
    at = float(-net[0] / (net[1] - net[0]))
    return [at] if TIE < at < 1 - TIE else []


def _is_best_reply(net: FloatArray, other: float, own: float) -> bool:
    """Return whether `own` is a best reply to `other`."""
    rise = float((1 - other) * net[0] + other * net[1])
    if abs(rise) <= TIE:
        return True
    return own == (1.0 if rise > 0 else 0.0)


def _fit_line(rises: FloatArray, cost: float) -> tuple[float, float] | None:
    """Return where a user is indifferent as p + r/alpha, the other's probability."""
    step = float(rises[1] - rises[0])
    if abs(step) <= TIE:
        return None
    return -float(rises[0]) / step, cost / step
