"""What else the center could have handed out: candidates for Pareto dominance and efficiency.

Feasible outcomes give each present party any number of elements up to what it lacks. Only outcomes
of Lemma 2's form need a look: raising everybody but one party to the second-highest benefit hurts
nobody. So a party i is on top with w elements, all others get min(V, what they lack), and for each
i and V two values of w are extreme. Cost: O(n^2 * largest lack), whole arrays.

Lemma 2 says that such outcomes are Pareto optimal. That is wrong where a party cannot use V:
with {0, 1}, {0}, {1} and exclusivity 1 the benefits (0, 1, 1) have utilities (-1, 0, 0), and
handing out nothing has (0, 0, 0). Hence `giving_no_less`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals, find_unit


def list_candidates(
    benefits: NDArray[np.int64],
    lacks: NDArray[np.int64],
    exclusivity: Sequence[Fraction],
    *,
    giving_no_less: bool,
) -> NDArray[np.int64]:
    """Give payoffs, shape (m, n), in units, of outcomes that would dominate or total the most.

    Parameters
    ----------
    benefits
        What the rule hands out, shape (n,).
    lacks
        The most that each party could be handed, shape (n,); 0 for one that is absent.
    exclusivity
        Each party's weight of its best rival.
    giving_no_less
        Only outcomes that hand out at least as much in total as `benefits`.
    """
    n = len(benefits)
    scale = find_unit(exclusivity).denominator
    weights = np.array([int(w * scale) for w in exclusivity], dtype=np.int64)
    here = _payoffs(benefits[None, :], exclusivity)[0]
    found = [benefits[None, :]]
    best_total: tuple[int, NDArray[np.int64]] | None = None
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        levels = np.arange(int(lacks[rest].max(initial=0)) + 1, dtype=np.int64)
        given = np.zeros((len(levels), n), dtype=np.int64)
        given[:, rest] = np.minimum(levels[:, None], lacks[rest])
        rival = given[:, rest].max(axis=1, initial=0)
        least = np.maximum(rival, -(-(here[i] + weights[i] * rival) // scale))
        most = np.full(len(levels), lacks[i])
        for k in rest.tolist():
            if weights[k] > 0:
                room = (given[:, k] * scale - here[k]) // weights[k]
                most = np.minimum(most, room)
            else:
                most = np.where(given[:, k] * scale >= here[k], most, -1)
        for top in (least, most):
            feasible = (least <= most) & (rival <= top)
            rows = given[feasible]
            rows[:, i] = top[feasible]
            if giving_no_less:
                rows = rows[rows.sum(axis=1) >= benefits.sum()]
            found.append(_some_dominating(rows, here, exclusivity))
        for top in (rival, np.full(len(levels), lacks[i])):
            feasible = (rival <= top) & (top <= lacks[i])
            rows = given[feasible]
            rows[:, i] = top[feasible]
            if giving_no_less:
                rows = rows[rows.sum(axis=1) >= benefits.sum()]
            if len(rows):
                totals = _payoffs(rows, exclusivity).sum(axis=1)
                k = int(np.argmax(totals))
                if best_total is None or totals[k] > best_total[0]:
                    best_total = (int(totals[k]), rows[k : k + 1])
    if best_total is not None:
        found.append(best_total[1])
    return _payoffs(np.concatenate(found), exclusivity)


def _payoffs(benefits: NDArray[np.int64], exclusivity: Sequence[Fraction]) -> NDArray[np.int64]:
    payoffs: NDArray[np.int64] = compute_payoff_rows(
        benefits, find_best_rivals(benefits), exclusivity
    )
    return payoffs


def _some_dominating(
    rows: NDArray[np.int64], here: NDArray[np.int64], exclusivity: Sequence[Fraction]
) -> NDArray[np.int64]:
    """Keep the first row that dominates, if there is one."""
    if not len(rows):
        return rows
    payoffs = _payoffs(rows, exclusivity)
    dominates = (payoffs >= here).all(axis=1) & (payoffs > here).any(axis=1)
    return rows[dominates][:1]
