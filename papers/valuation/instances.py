"""Utilities, privacy levels and federations on which the claims are tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import inf
from typing import Any

import numpy as np

from aboveboard.valuation.levels import NOTHING, Level, encode_level
from papers.claims import Family

Values = tuple[int, ...]
"""U of each coalition, by bit mask."""


def names(n: int) -> tuple[str, ...]:
    """Name users as the paper does: "1", "2", .."""
    return tuple(str(i + 1) for i in range(n))


def members(mask: int, n: int) -> list[int]:
    """Return the users in a bit mask, counted from 1."""
    return [i + 1 for i in range(n) if mask >> i & 1]


def round_values(value: Any) -> Any:
    """Return plain data with floats to nine digits: what is shown is the same on every machine."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, list | tuple):
        return [round_values(x) for x in value]
    if isinstance(value, dict):
        return {key: round_values(x) for key, x in value.items()}
    return value


def list_users(values: Values) -> int:
    """Return N from the 2^N values."""
    return len(values).bit_length() - 1


def tables(n: int, most: int, *, at_nothing: tuple[int, ...] = (0,)) -> Family:
    """Return every utility of n users with values up to `most`; U(0) is one of `at_nothing`."""
    found = list(product(at_nothing, *[range(most + 1)] * ((1 << n) - 1)))
    nothing = "0" if at_nothing == (0,) else f"from {at_nothing[0]} to {at_nothing[-1]}"
    kind = f"utilities of {_users(n)}, whole values up to {most}, U(0) {nothing}"
    return Family(kind, sorted(found, key=sum))


def random_tables(rng: np.random.Generator, n: int, count: int) -> Family:
    """Draw utilities with whole values from -20 to 20 and U(0) = 0."""
    drawn = [(0, *rng.integers(-20, 21, (1 << n) - 1).tolist()) for _ in range(count)]
    return Family(f"utilities of {_users(n)}, whole values from -20 to 20", drawn, sampled=True)


def concave(n: int, most: int, *, strictly: bool = True) -> Family:
    """Return utilities of how many of n users share, each adding less than the one before.

    Every user adds a whole number from 1 to `most`; `strictly` leaves out those who add as much.
    """
    choose: Any = combinations if strictly else combinations_with_replacement
    falling = [tuple(reversed(x)) for x in choose(range(1, most + 1), n)]
    found = [(0, *np.cumsum(steps).tolist()) for steps in falling]
    less = "less" if strictly else "no more"
    kind = f"utilities of {n} alike users, each adding {less} than the one before, at most {most}"
    return Family(kind, sorted(found, key=sum))


def of_number(worth: Values) -> Values:
    """Return the table of the 2^N coalitions from the utility of 0, 1, .., N of them."""
    return tuple(worth[mask.bit_count()] for mask in range(1 << (len(worth) - 1)))


EPSILONS: tuple[Level, ...] = (
    NOTHING, Fraction(1, 2), Fraction(2), Fraction(3), Fraction(4), Fraction(13), inf,
)  # fmt: skip


def levels(n: int) -> Family:
    """Return every choice of n privacy levels from `EPSILONS`, up to order."""
    shown = ", ".join(str(encode_level(x)) for x in EPSILONS)
    found = list(combinations_with_replacement(EPSILONS, n))
    return Family(f"privacy levels of {_users(n)} from {shown}", found)


def random_levels(rng: np.random.Generator, n: int, count: int) -> Family:
    """Draw n privacy levels in eighths up to 20; a fifth of them 0, a fifth infinite."""

    def one(kind: int, eighths: int) -> Level:
        return NOTHING if kind == 0 else (inf if kind == 1 else Fraction(eighths, 8))

    drawn = [
        tuple(one(k, e) for k, e in rng.integers([0, 1], [5, 161], (n, 2)).tolist())
        for _ in range(count)
    ]
    return Family(f"privacy levels of {_users(n)} in eighths up to 20", drawn, sampled=True)


@dataclass(frozen=True)
class Federation:
    """Users of section 4, ordered by falling level as the paper has them.

    Parameters
    ----------
    s2, t2
        Variance between the users' means, and within a user.
    levels, samples
        By user: 0, 1 or 2, and how many samples.
    """

    s2: Fraction
    t2: Fraction
    levels: tuple[int, ...]
    samples: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        variances = {"s2": str(self.s2), "t2": str(self.t2)}
        return {**variances, "levels": list(self.levels), "samples": list(self.samples)}

    def within(self, i: int) -> Fraction:
        """Return the variance of user i's sample mean around its own mean, t2/n."""
        return self.t2 / self.samples[i]

    def spread(self, i: int) -> Fraction:
        """Return V: the variance of user i's sample mean."""
        return self.s2 + self.within(i)

    def at(self, level: int) -> list[int]:
        """Return the users at a level."""
        return [i for i, x in enumerate(self.levels) if x == level]


VARIANCES = ((1, 1), (1, 10), (100, 1), (Fraction(1, 10), 100))
SAMPLES = (1, 2, 10)


def federations(n: int) -> Family:
    """Return every federation of n users with few kinds of samples and variances, up to order."""

    def generate() -> Iterator[Federation]:
        kinds = [(level, m) for level in (2, 1, 0) for m in SAMPLES]
        for users in combinations_with_replacement(kinds, n):
            for s2, t2 in VARIANCES:
                chosen, samples = zip(*users, strict=True)
                yield Federation(Fraction(s2), Fraction(t2), chosen, samples)

    shown = ", ".join(map(str, SAMPLES))
    return Family(f"federations of {_users(n)} with {shown} samples", list(generate()))


def random_federations(rng: np.random.Generator, n: int, count: int) -> Family:
    """Draw federations: levels uniform, up to 100 samples, s2 and t2 from 1/10 to 10."""
    drawn = [
        Federation(
            Fraction(int(rng.integers(1, 101)), 10),
            Fraction(int(rng.integers(1, 101)), 10),
            tuple(sorted(rng.integers(0, 3, n).tolist(), reverse=True)),
            tuple(rng.integers(1, 101, n).tolist()),
        )
        for _ in range(count)
    ]
    return Family(f"federations of {_users(n)} with up to 100 samples", drawn, sampled=True)


def _users(n: int) -> str:
    return "1 user" if n == 1 else f"{n} users"
