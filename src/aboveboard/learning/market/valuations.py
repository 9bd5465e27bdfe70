"""v_i(q): what the qualities of the models that all parties use are worth to party i; the market.

Cost: n^2 products for a profile in a linear market, one call a party where functions are given.
Source: "Mechanism Design for Multi-Party Machine Learning", Example 1 (linear), Definition 8
(quasi-monotone), section 6.2 (growth), section 2.2 (any function of the qualities).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded
from aboveboard.games.numbers import Array, as_objects, make_exact_if_possible
from aboveboard.learning.market.cached_function import CachedFunction, apply_to_rows

GRID_POINTS = 257
"""Qualities at which an increasing function is tried; between two of them it is not looked at."""

LARGEST_BITS = 1023
"""A number of more bits before the point is none of float64's."""

Served = NDArray[np.bool_]


class Valuation(Protocol):
    """What the qualities in use are worth to each party.

    Examples
    --------
    >>> from aboveboard.learning import Linear
    >>> Linear(((1, -1), (0, 2))).KIND
    'linear'
    """

    KIND: ClassVar[str]
    quasi_monotone: ClassVar[bool]
    """Whether v_i(q) = F_i(q_i) + theta_i(q_-i) with F_i increasing: then payments are truthful."""

    def evaluate(self, q: ArrayLike) -> Array:
        """Return v_i for profiles of qualities: shape (.., n) to shape (.., n)."""
        ...

    def compute_addends(self, q: ArrayLike, i: int) -> Array:
        """Return v_i as addends, as finely as they fall apart: shape (.., n) to (.., k).

        What a lie leaves as it is then cancels to the last bit.
        """
        ...

    def find_served(self, counted: Served) -> Served | None:
        """Return whom to serve with the best model so that the counted values sum highest.

        Only those who are counted, or all who are not absent, can be served. Shape (.., n) to
        (.., n), for any sizes; None where that depends on the sizes.
        """
        ...

    def find_punishing(self, absent: Served) -> Served | None:
        """Return whom to serve with the best model so that the absent parties' values sum lowest.

        Shape (n,) to (n,), for any sizes; None where that depends on the sizes.
        """
        ...


@dataclass(frozen=True)
class Linear:
    """v_i(q) = sum_j alpha_ij q_j (Example 1).

    Exact on whole numbers and fractions where the matrix is; floats give float64.

    Parameters
    ----------
    matrix
        Row i: what a unit of each party's quality is worth to party i. alpha_ii is 0 or more.
    exact, floats
        The same as arrays of fractions and of float64, shape (n, n).
    whole
        The same over a common denominator: the same signs in whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from aboveboard.learning import Linear
    >>> Linear(((1, -1), (0, 2))).evaluate(np.array([[1.0, 2.0]])).tolist()
    [[-1.0, 4.0]]
    """

    matrix: tuple[tuple[Fraction, ...], ...]
    exact: Array = field(init=False, repr=False, compare=False)
    floats: Array = field(init=False, repr=False, compare=False)
    whole: Array = field(init=False, repr=False, compare=False)

    KIND: ClassVar[str] = "linear"
    quasi_monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        n = len(self.matrix)
        flat = [x for row in self.matrix for x in row]
        object.__setattr__(self, "exact", as_objects(flat).reshape(n, n))
        object.__setattr__(self, "whole", make_exact_if_possible(self.exact)[0])
        object.__setattr__(self, "floats", np.array([float(x) for x in flat]).reshape(n, n))

    def evaluate(self, q: ArrayLike) -> Array:
        """Return the matrix times each profile; an equal profile gives equal bits in any batch."""
        q = np.asarray(q)
        by = self.floats if q.dtype == np.float64 else self.exact
        with np.errstate(over="ignore", invalid="ignore"):
            values: Array = q[..., :1] * by[:, 0]
            for j in range(1, len(self.matrix)):
                values = values + q[..., j : j + 1] * by[:, j]
        return _check_range(values)

    def compute_addends(self, q: ArrayLike, i: int) -> Array:
        """Return alpha_ij q_j for each j."""
        q = np.asarray(q)
        with np.errstate(over="ignore"):
            products: Array = q * (self.floats if q.dtype == np.float64 else self.exact)[i]
        return _check_range(products)

    def find_served(self, counted: Served) -> Served:
        """Serve who is worth 0 or more to the counted: the sums of the columns, exactly."""
        sums = counted.astype(self.whole.dtype) @ self.whole
        return np.asarray(sums >= 0, dtype=np.bool_)

    def find_punishing(self, absent: Served) -> Served:
        """Serve who is worth 0 or less to the absent: the sums of their columns, exactly."""
        sums = absent.astype(self.whole.dtype) @ self.whole
        return np.asarray(sums <= 0, dtype=np.bool_)


@dataclass(frozen=True)
class Growth:
    """v_i(q) = (sum_j q_j)^alpha q_i, and 0 where all qualities are 0 (section 6.2).

    The whole market is (sum q)^(1 + alpha): it grows with quality iff alpha > -1. Float64, but
    exact on whole numbers and fractions where alpha is whole.

    Parameters
    ----------
    alpha
        The market growth rate.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> from aboveboard.learning import Growth
    >>> Growth(Fraction(-1, 2)).evaluate(np.array([[1.0, 3.0]])).tolist()
    [[0.5, 1.5]]
    """

    alpha: Fraction

    KIND: ClassVar[str] = "growth"
    quasi_monotone: ClassVar[bool] = False

    def evaluate(self, q: ArrayLike) -> Array:
        """Return each party's part of the market."""
        q = np.asarray(q)
        if q.dtype != np.float64 and self.alpha.denominator == 1:
            q = q.astype(object)
            total = q.sum(axis=-1, keepdims=True)
            rate = np.frompyfunc(self._rate, 1, 1)(total)
        else:
            q = q.astype(np.float64)
            total = q.sum(axis=-1, keepdims=True)
            with np.errstate(over="ignore"):
                rate = np.where(total > 0, total, 1.0) ** float(self.alpha)
            rate = np.where(total > 0, rate, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            values: Array = rate * q
        return _check_range(values)

    def compute_addends(self, q: ArrayLike, i: int) -> Array:
        """Return v_i, which does not fall apart."""
        return self.evaluate(q)[..., i : i + 1]

    def _rate(self, total: Any) -> Fraction:
        return Fraction(total) ** self.alpha.numerator if total > 0 else Fraction(0)

    def find_served(self, counted: Served) -> Served | None:
        """Serve all in a market that does not shrink; share nothing in one that does.

        The values of those counted sum to (sum q)^alpha A, with A the sum of their qualities. For
        alpha >= -1 that rises with each of their qualities, whatever the others have. For
        alpha < -1 and all counted it falls with each; with only some counted it depends.
        """
        if self.alpha >= -1:
            return np.ones_like(counted)
        return np.zeros_like(counted) if counted.all() else None

    def find_punishing(self, absent: Served) -> Served:
        """Serve all in a competitive market, nobody in another: v_i = (sum q)^alpha q_i."""
        return np.ones_like(absent) if self.alpha <= 0 else np.zeros_like(absent)


@dataclass(frozen=True)
class QuasiMonotone:
    """v_i(q) = F_i(q_i) + theta_i(q_-i): F_i increasing, theta_i any function (Definition 8).

    Parameters
    ----------
    own
        F_i for each party: takes its quality, a float, and gives a number.
    others
        theta_i for each party: takes the tuple of the other parties' qualities, in order.
    parts
        F_i and theta_i of each party, their answers checked and remembered.

    Examples
    --------
    >>> import numpy as np
    >>> from aboveboard.learning import QuasiMonotone
    >>> values = QuasiMonotone((abs, abs), (sum, lambda rest: -sum(rest)))
    >>> values.evaluate(np.array([[1.0, 3.0]])).tolist()
    [[4.0, 2.0]]
    """

    own: tuple[Callable[[float], object], ...]
    others: tuple[Callable[[tuple[float, ...]], object], ...]
    parts: tuple[tuple[CachedFunction, CachedFunction], ...] = field(
        init=False, repr=False, compare=False
    )

    KIND: ClassVar[str] = "quasi-monotone"
    quasi_monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        parts = tuple(
            (
                CachedFunction(f"valuation.own of party {i + 1}", mine, spread=True),
                CachedFunction(f"valuation.others of party {i + 1}", theirs),
            )
            for i, (mine, theirs) in enumerate(zip(self.own, self.others, strict=True))
        )
        object.__setattr__(self, "parts", parts)

    def evaluate(self, q: ArrayLike) -> Array:
        """Return F_i(q_i) + theta_i(q_-i)."""
        each = [self.compute_addends(q, i).sum(axis=-1) for i in range(len(self.own))]
        return np.stack(each, axis=-1)

    def compute_addends(self, q: ArrayLike, i: int) -> Array:
        """Return F_i(q_i) and theta_i(q_-i)."""
        q = np.asarray(q).astype(np.float64)
        mine, theirs = self.parts[i]
        rest = q[..., [j for j in range(len(self.parts)) if j != i]]
        return np.concatenate(
            [apply_to_rows(mine, q[..., i : i + 1]), apply_to_rows(theirs, rest)], axis=-1
        )

    def find_served(self, counted: Served) -> None:
        """Return None: whom to serve depends on the sizes."""
        return

    def find_punishing(self, absent: Served) -> None:
        """Return None: whom to serve depends on the sizes."""
        return

    def check(self, top: float) -> None:
        """Try whether every F_i increases, at `GRID_POINTS` qualities from 0 to `top`.

        Raises
        ------
        InputError
            If one falls from one of them to the next, or never rises. What happens between them is
            not looked at.
        """
        q = np.linspace(0.0, top, GRID_POINTS)
        for mine, _ in self.parts:
            values = apply_to_rows(mine, q[:, None])[:, 0] + 0.0  # no -0 in messages
            falls = np.flatnonzero(np.diff(values) < 0)
            if len(falls):
                k = int(falls[0])
                problem = (
                    f"F falls from {format_rounded(values[k])} at quality "
                    f"{format_rounded(q[k])} to {format_rounded(values[k + 1])} at "
                    f"{format_rounded(q[k + 1])} (tried at {GRID_POINTS} qualities)"
                )
            elif values[-1] <= values[0]:
                problem = (
                    f"F does not increase: it is {format_rounded(values[0])} at every quality tried"
                )
            else:
                continue
            raise InputError(
                mine.place,
                problem,
                "give one that increases: a better model of its own is not worth less to a party",
            )


@dataclass(frozen=True)
class FunctionValuation:
    """Any function of the n qualities that gives the n values.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes a tuple of n floats and gives n numbers. Called once for each different profile.
    n
        Parties.
    cached
        The function, its answers checked and remembered.

    Examples
    --------
    >>> import numpy as np
    >>> from aboveboard.learning import FunctionValuation
    >>> values = FunctionValuation("mine:values", lambda q: [q[0], q[0] * q[1]], 2)
    >>> values.evaluate(np.array([[2.0, 3.0]])).tolist()
    [[2.0, 6.0]]
    """

    name: str
    function: Callable[[tuple[float, ...]], Sequence[object]]
    n: int
    cached: CachedFunction = field(init=False, repr=False, compare=False)

    KIND: ClassVar[str] = "callable"
    quasi_monotone: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "cached", CachedFunction(f"function {self.name!r}", self.function, self.n)
        )

    def evaluate(self, q: ArrayLike) -> Array:
        """Call the function for each different profile."""
        return apply_to_rows(self.cached, np.asarray(q).astype(np.float64))

    def compute_addends(self, q: ArrayLike, i: int) -> Array:
        """Return v_i, of which nothing more is known."""
        return self.evaluate(q)[..., i : i + 1]

    def find_served(self, counted: Served) -> None:
        """Return None: whom to serve depends on the sizes."""
        return

    def find_punishing(self, absent: Served) -> None:
        """Return None: whom to serve depends on the sizes."""
        return


def _check_range(values: Array) -> Array:
    """Return the values, all of them such that float64 can hold them.

    Raises
    ------
    InputError
        If one is too large.
    """
    if values.dtype == np.float64:
        fits = bool(np.isfinite(values).all())
    else:
        fits = all(_count_bits(x) <= LARGEST_BITS for x in values.flat)
    if not fits:
        raise InputError(
            "valuation", "values are too large for float64", "take another unit of size or of value"
        )
    return values


def _count_bits(x: Any) -> int:
    """Return an upper bound of the bits of a whole number or fraction before its point."""
    return int(x.numerator).bit_length() - int(x.denominator).bit_length() + 1
