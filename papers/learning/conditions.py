"""Theorems 2 and 3 as checkers: which payments can be, and which are, truthful and rational.

For one party i, with w(r, t, t_-i) = v_i(x(r, t_-i), t, t_-i) for the report r and the true size t:

- (1)  p_i(0, t_-i) <= w(0, 0, t_-i) - v_i(x(absent, t_-i), 0, t_-i);
- (2)  p_i(t) - p_i(r) <= integral over s from r to t of dw/dr(s, s), for all t >= r;
- (5)  dw/dr(r, t) >= dw/dr(r, r) for all t >= r: the derivative is smallest at the truth;
- (6)  as (2), the right side less v_i(x(absent, .), t) - v_i(x(absent, .), r).

Theorem 2: IR and IC for every valuation that satisfies Assumption 3 need (1) and (2); the two do
not suffice. Theorem 3: (1), (5) and (6) suffice. Read its argmin over t_i >= t'_i (as printed,
t_i > t'_i, the minimum would be taken where it is not), and (1) where the proof's last step cites
(2). (5) fails in the paper's own model where t_i exceeds t'_i plus what the others have: then the
party uses its own model, and reporting a little more changes nothing for it.

Derivatives are central differences, integrals Gauss-Legendre sums between neighbouring grid
points; where w has a kink between two of them both are less exact. Cost: K^2 M evaluations of w for
K sizes and M profiles of the others. Source: "Mechanism Design for Multi-Party Machine Learning",
section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError

FloatArray = NDArray[np.float64]
OfSizes = Callable[[FloatArray], FloatArray]

TOLERANCE = 1e-6
"""Of the largest value: what differences and sums may be off by on smooth functions."""

STEP = 1e-5
"""Of the largest size: near the cube root of float64's precision, best for central differences."""

NODES = 12
"""Of the quadrature between two grid points: exact for polynomials of degree 23."""


@dataclass(frozen=True)
class DifferentiablePayment:
    """One party's part of a mechanism, as functions of whole arrays of floats.

    Parameters
    ----------
    i
        The party.
    n
        All parties.
    value
        v_i(x, t): from qualities handed out and true sizes, both (.., n), to (..).
    models
        x(t'): from reports (.., n) to qualities handed out (.., n).
    without
        x(absent, t_-i): from sizes (.., n), of which it must not use the i-th, to (.., n).
    payment
        p_i(t'): from reports (.., n) to (..).
    """

    i: int
    n: int
    value: Callable[[FloatArray, FloatArray], FloatArray]
    models: OfSizes
    without: OfSizes
    payment: OfSizes

    def at(self, own: Any, others: FloatArray) -> FloatArray:
        """Return profiles with this size of party i and those of the others, shape (.., n)."""
        own = np.asarray(own, dtype=np.float64)
        shape = np.broadcast_shapes(own.shape, others.shape[:-1])
        profiles = np.empty((*shape, self.n))
        profiles[..., self.i] = own
        profiles[..., [j for j in range(self.n) if j != self.i]] = others
        return profiles

    def worth(self, report: Any, true: Any, others: FloatArray) -> FloatArray:
        """Return w(r, t, t_-i)."""
        values = self.value(self.models(self.at(report, others)), self.at(true, others))
        return np.asarray(values, dtype=np.float64)

    def outside(self, true: Any, others: FloatArray) -> FloatArray:
        """Return v_i(x(absent, t_-i), t)."""
        profiles = self.at(true, others)
        return np.asarray(self.value(self.without(profiles), profiles), dtype=np.float64)

    def pay(self, report: Any, others: FloatArray) -> FloatArray:
        """Return p_i(r, t_-i)."""
        return np.asarray(self.payment(self.at(report, others)), dtype=np.float64)


@dataclass(frozen=True)
class Condition:
    """What was found of one inequality.

    Parameters
    ----------
    name
        Its number in the paper.
    holds
        Whether the left side exceeds the right nowhere on the grid by more than `tolerance`.
    checks
        How many pairs of sides were compared.
    excess
        The largest left side minus right side.
    tolerance
        What differences and sums may be off by.
    at
        Where that is: report, true size, the others' sizes, both sides.
    """

    name: str
    holds: bool
    checks: int
    excess: float
    tolerance: float
    at: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "holds": self.holds,
            "checks": self.checks,
            "excess": self.excess,
            "tolerance": self.tolerance,
            "at": dict(self.at),
        }


def theorem_2(
    rule: DifferentiablePayment, sizes: Sequence[float], others: Any, tolerance: float = TOLERANCE
) -> tuple[Condition, Condition]:
    """Check (1) and (2), which a truthful and rational mechanism cannot break.

    Parameters
    ----------
    rule
        The party's part of the mechanism.
    sizes
        Its true sizes and reports: K of them from 0, ascending.
    others
        The others' sizes, shape (M, n - 1).
    tolerance
        Of the largest value.

    Raises
    ------
    InputError
        If sizes do not start at 0 or do not ascend, or a shape does not fit.
    """
    grid, rest = _read_grids(rule, sizes, others)
    return _first(rule, grid, rest, tolerance), _second(rule, grid, rest, tolerance, less=None)


def theorem_3(
    rule: DifferentiablePayment, sizes: Sequence[float], others: Any, tolerance: float = TOLERANCE
) -> tuple[Condition, Condition, Condition]:
    """Check (1), (5) and (6), with which a mechanism is truthful and rational.

    Parameters
    ----------
    rule, sizes, others, tolerance
        As in `theorem_2`.

    Raises
    ------
    InputError
        As `theorem_2` does.
    """
    grid, rest = _read_grids(rule, sizes, others)
    outside = rule.outside(grid, rest[:, None, :])
    return (
        _first(rule, grid, rest, tolerance),
        _fifth(rule, grid, rest, tolerance),
        _second(rule, grid, rest, tolerance, less=outside),
    )


def _read_grids(
    rule: DifferentiablePayment, sizes: Sequence[float], others: Any
) -> tuple[FloatArray, FloatArray]:
    grid = np.asarray(sizes, dtype=np.float64)
    rest = np.asarray(others, dtype=np.float64)
    if grid.ndim != 1 or len(grid) < 2 or grid[0] != 0 or (np.diff(grid) <= 0).any():
        raise InputError("sizes", "they are not a grid", "give two or more sizes from 0, ascending")
    if rest.ndim != 2 or rest.shape[1] != rule.n - 1 or not len(rest) or (rest < 0).any():
        raise InputError(
            "others",
            f"they have the shape {rest.shape}",
            f"give profiles of {rule.n - 1} sizes of 0 or more",
        )
    return grid, rest


def _first(
    rule: DifferentiablePayment, grid: FloatArray, rest: FloatArray, tolerance: float
) -> Condition:
    left = rule.pay(0.0, rest)
    right = rule.worth(0.0, 0.0, rest) - rule.outside(0.0, rest)
    excess = (left - right)[:, None, None]
    return _judge("(1)", excess, _scale(left, right, rule, grid, rest) * tolerance, grid, rest)


def _second(
    rule: DifferentiablePayment,
    grid: FloatArray,
    rest: FloatArray,
    tolerance: float,
    *,
    less: FloatArray | None,
) -> Condition:
    paid = rule.pay(grid, rest[:, None, :])
    gained = _integral(rule, grid, rest)
    potential = paid - gained if less is None else paid - gained + less
    # Entry [m, r, t]: the left side minus the right, for the report r and the truth t.
    excess = potential[:, None, :] - potential[:, :, None]
    name = "(2)" if less is None else "(6)"
    return _judge(name, excess, _scale(paid, gained, rule, grid, rest) * tolerance, grid, rest)


def _fifth(
    rule: DifferentiablePayment, grid: FloatArray, rest: FloatArray, tolerance: float
) -> Condition:
    slope = _slope(rule, grid[:, None], grid[None, :], rest[:, None, None, :], grid[-1])
    excess = np.diagonal(slope, axis1=1, axis2=2)[:, :, None] - slope
    return _judge("(5)", excess, max(1.0, float(np.abs(slope).max())) * tolerance, grid, rest)


def _integral(rule: DifferentiablePayment, grid: FloatArray, rest: FloatArray) -> FloatArray:
    """Return the integral of dw/dr(s, s) from 0 to every grid point, shape (M, K)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    width = np.diff(grid)
    points = grid[:-1, None] + width[:, None] * (nodes + 1) / 2
    slope = _slope(rule, points, points, rest[:, None, None, :], grid[-1])
    pieces = (slope * weights).sum(axis=-1) * width / 2
    start = np.zeros((len(rest), 1))
    return np.concatenate([start, np.cumsum(pieces, axis=1)], axis=1)


def _slope(
    rule: DifferentiablePayment,
    report: FloatArray,
    true: FloatArray,
    rest: FloatArray,
    largest: float,
) -> FloatArray:
    """Return dw/dr by central differences; at a report of 0 by a forward one."""
    step = STEP * largest
    low, high = np.maximum(report - step, 0.0), report + step
    rise = rule.worth(high, true, rest) - rule.worth(low, true, rest)
    slope: FloatArray = rise / (high - low)
    return slope


def _scale(
    left: FloatArray,
    right: FloatArray,
    rule: DifferentiablePayment,
    grid: FloatArray,
    rest: FloatArray,
) -> float:
    values = rule.worth(grid, grid, rest[:, None, :])
    return max(1.0, *(float(np.abs(a).max()) for a in (left, right, values)))


def _judge(
    name: str, excess: FloatArray, tolerance: float, grid: FloatArray, rest: FloatArray
) -> Condition:
    """Judge entries [m, r, t] with t >= r."""
    k = excess.shape[1]
    allowed = np.triu(np.ones((k, k), dtype=np.bool_))
    masked = np.where(allowed, excess, -np.inf)
    m, r, t = (int(x) for x in np.unravel_index(int(np.argmax(masked)), masked.shape))
    worst = float(masked[m, r, t])
    at = {"report": float(grid[r]), "true": float(grid[t]), "others": rest[m].tolist()}
    checks = len(rest) * int(allowed.sum())
    return Condition(name, worst <= tolerance, checks, worst, tolerance, at)
