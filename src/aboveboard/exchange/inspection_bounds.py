"""How often to inspect so that inventing does not pay: closed forms for lists of any length.

Equal-gain, V what everybody gains, exclusivity e from 0 to 1 (docs/theory.md, inspection). Let a
liar invent k elements and hide some of its own, so that the others exchange W among themselves and
with its true part. If nothing is found it has at most (1 - e)W + k, and if something is found at
most -eW less the deposit d. Where W is at most V, no lie pays if

    (1 - q)^k (W + k + d) <= (1 - e)V + eW + d      for each k >= 1 and each W from 0 to V,

and where W is larger these inequalities suffice too. They are linear in W, so W = 0 and W = V do.
With d = 0 the second is q >= 1/(V + 1), the first q >= 1 - ((1 - e)V/k)^(1/k) for each k; up to
e = 1/2 it follows from the second. At e = 1 the deposit (1 - q)/q is enough for each q.

Inspectors that miss an invented element with probability u: q counts as q(1 - u), and who is caught
may have left some of its invented elements in the exchange, c = e k u (1 - (1 - q(1 - u))^(k - 1))
in expectation, which keeps real ones from its rivals.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, e, floor, log

import numpy as np

SLACK = Fraction(1, 10**9)
"""Part of itself by which a number that no fraction equals is rounded up."""

MOST_INVENTED = 1 << 20
"""Invented elements up to which the inequalities are evaluated."""


@dataclass(frozen=True)
class PowerOfRatio:
    """The number 1 - ratio^(1/degree).

    Examples
    --------
    >>> root = PowerOfRatio(Fraction(3, 4), 2)
    >>> str(root), round(root.value, 5)
    ('1-(3/4)^(1/2)', 0.13397)
    >>> str(PowerOfRatio(Fraction(9, 16), 2))
    '1/4'
    """

    ratio: Fraction
    degree: int

    @property
    def value(self) -> float:
        """The number, rounded."""
        if not self.ratio:
            return 1.0
        return -float(np.expm1(_log(self.ratio) / self.degree))

    @property
    def exact(self) -> Fraction | None:
        """The number as a fraction; None where it is not one."""
        top = _find_root(self.ratio.numerator, self.degree)
        bottom = _find_root(self.ratio.denominator, self.degree)
        return None if top is None or bottom is None else 1 - Fraction(top, bottom)

    def round_up(self) -> Fraction:
        """Return the number or, where it is not a fraction, the simplest one just above it."""
        exact = self.exact
        return exact if exact is not None else round_up(self.value)

    def __str__(self) -> str:
        return str(self.exact) if self.exact is not None else f"1-({self.ratio})^(1/{self.degree})"


def _log(x: Fraction) -> float:
    if Fraction(1, 2) < x < 2:
        return float(np.log1p(float(x - 1)))
    return log(x.numerator) - log(x.denominator)


def _find_root(x: int, degree: int) -> int | None:
    """Return the whole number whose power is x; None if there is none."""
    if x in (0, 1) or degree == 1:
        return x
    if x.bit_length() < degree:
        return None
    guess = round(2 ** (log(x) / log(2) / degree)) if x.bit_length() < 900 else 0
    return next((g for g in (guess - 1, guess, guess + 1) if g > 0 and g**degree == x), None)


def round_up(x: float) -> Fraction:
    """Return the simplest fraction between x and x (1 + 1e-9), both rounded inwards.

    Examples
    --------
    >>> 0 < round_up(0.13397) - Fraction(0.13397) < 1e-9
    True
    """
    low = Fraction(x) * (1 + SLACK / 10)
    return find_simplest(low, Fraction(x) * (1 + SLACK))


def find_simplest(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction with the smallest denominator from low to high, both positive.

    Examples
    --------
    >>> find_simplest(Fraction(3, 10), Fraction(4, 10))
    Fraction(1, 3)
    """
    whole = ceil(low)
    if whole <= high:
        return Fraction(whole)
    below = whole - 1
    return below + 1 / find_simplest(1 / (high - below), 1 / (low - below))


def compute_stated_bound(gain: int, exclusivity: Fraction) -> Fraction:
    """Return (1 + e)/(V + 1 + e): `design` proposes no larger rate, but a deposit beside it.

    Alone it suffices up to e = 1/2, and not for every V beyond 0.618 (docs/theory.md).

    Examples
    --------
    >>> compute_stated_bound(4, Fraction(1, 2))
    Fraction(3, 11)
    """
    return (1 + exclusivity) / (gain + 1 + exclusivity)


def compute_proved_rate(gain: int, exclusivity: Fraction) -> PowerOfRatio:
    """Return a rate that suffices for equal-gain without a deposit, whatever the lists.

    Parameters
    ----------
    gain
        V, what everybody gains.
    exclusivity
        e, from 0 to 1.

    Examples
    --------
    >>> str(compute_proved_rate(4, Fraction(1, 2)))
    '1/5'
    >>> str(compute_proved_rate(4, Fraction(9, 10)))
    '3/5'
    """
    return max(list_conditions(gain, exclusivity), key=lambda root: root.value)


def list_conditions(gain: int, exclusivity: Fraction) -> list[PowerOfRatio]:
    """Return the rates among which the largest suffices; see the module's text.

    The largest of 1 - (T/k)^(1/k), T = (1 - e)V, is next to k = 2.718 T.
    """
    earned = (1 - exclusivity) * gain
    if not earned:
        return [PowerOfRatio(Fraction(0), 1)]
    near = floor(e * float(earned))
    counts = {1, *(k for k in (near - 1, near, near + 1, near + 2) if k >= 1)}
    whole = PowerOfRatio(Fraction(gain, gain + 1), 1)
    return [whole, *(PowerOfRatio(earned / k, k) for k in sorted(counts) if k > earned)]


def find_needed_deposit(
    gain: int, exclusivity: Fraction, rate: Fraction, miss: Fraction = Fraction(0)
) -> float:
    """Return the least deposit for which the inequalities hold, rounded; 0 if none is needed.

    Parameters
    ----------
    gain
        V, what everybody gains by equal-gain.
    exclusivity
        e, from 0 to 1.
    rate
        How likely an element is inspected.
    miss
        How likely an inspector takes an invented element for real.

    Examples
    --------
    >>> round(find_needed_deposit(4, Fraction(1), Fraction(1, 5)), 9)
    4.0
    """
    hit = float(rate * (1 - miss))
    weight, misses = float(exclusivity), float(miss)
    if hit >= 1:
        return 0.0
    if hit <= 0:
        return float("inf")
    most = min(MOST_INVENTED, 16 + ceil((50 + log(gain + 1)) / -np.log1p(-hit)))
    k = np.arange(1, most + 1, dtype=np.float64)
    unseen = np.exp(k * np.log1p(-hit))
    left = weight * k * misses * -np.expm1((k - 1) * np.log1p(-hit))
    seen = -np.expm1(k * np.log1p(-hit))
    needed = 0.0
    kink = left / (weight * seen) if weight else 0 * k
    for others in (0 * k, np.minimum(kink, gain), 0 * k + gain):
        caught = np.minimum(0, left - weight * others * seen)
        value = unseen * ((1 - weight) * others + k) + caught - (1 - weight) * gain
        needed = max(needed, float((value / seen).max()))
    return needed
