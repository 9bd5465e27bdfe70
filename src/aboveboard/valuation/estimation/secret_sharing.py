"""A secret in pieces: any `threshold` of them give it back, fewer say nothing about it.

What: the secret is the value at 0 of a random polynomial of degree threshold - 1 over a prime
field, the pieces its values at other points. Cost: O(points * threshold) to cut, O(threshold^2) to
join (once for each set of points). Source: Shamir, "How to share a secret" (1979).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache

PRIME = 2**521 - 1
"""A Mersenne prime beyond any secret of 32 bytes; joining reduces by it fast."""


def split(secret: int, points: Sequence[int], threshold: int) -> dict[int, int]:
    """Cut a secret into one piece for each point.

    Parameters
    ----------
    secret
        From 0 to `PRIME` - 1.
    points
        Distinct, from 1 to `PRIME` - 1; the holders of the pieces.
    threshold
        How many pieces give the secret back, at least 1 and at most as many as there are.

    Raises
    ------
    ValueError
        If one of these is out of its range.
    """
    if not 0 <= secret < PRIME:
        raise ValueError("the secret is not in the field")
    if len(set(points)) != len(points) or not all(0 < x < PRIME for x in points):
        raise ValueError("points are distinct numbers from 1 up")
    if not 1 <= threshold <= len(points):
        raise ValueError(f"{len(points)} pieces cannot have threshold {threshold}")
    # Highest power first, as Horner's rule wants them; the secret is the constant.
    coefficients = [secrets.randbelow(PRIME) for _ in range(threshold - 1)] + [secret]
    return {x: _evaluate(coefficients, x) for x in points}


def join(pieces: Mapping[int, int]) -> int:
    """Return the secret back from as many pieces as its threshold says; from fewer: noise."""
    points = tuple(sorted(pieces))
    return (
        sum(c * pieces[x] for c, x in zip(_find_coefficients(points), points, strict=True)) % PRIME
    )


def _evaluate(coefficients: Sequence[int], x: int) -> int:
    value = 0
    for coefficient in coefficients:
        value = (value * x + coefficient) % PRIME
    return value


@lru_cache(maxsize=64)
def _find_coefficients(points: tuple[int, ...]) -> tuple[int, ...]:
    """Return Lagrange's coefficients for the value at 0."""
    found = []
    for x in points:
        above, below = 1, 1
        for other in points:
            if other != x:
                above = above * other % PRIME
                below = below * (other - x) % PRIME
        found.append(above * pow(below, -1, PRIME) % PRIME)
    return tuple(found)
