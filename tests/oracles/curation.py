"""Curation from the definitions: every bit and every message, in fractions, in plain loops.

Written from the paper's section 2 and Definitions 1 and 5, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

Pair = tuple[Fraction, Fraction]
Function = Callable[[tuple[int, ...]], int]


def profit(
    g: Function, i: int, profile: Sequence[Pair], prior: Fraction, hears: Callable[[int], bool]
) -> Fraction:
    """Return the chance that agent i (from 1) guesses right; it hears the messages of some bits."""
    n = len(profile) + 1
    seen: dict[tuple[int | None, ...], list[Fraction]] = {}
    for bits in product((0, 1), repeat=n):
        for messages in product((0, 1), repeat=n):
            weight = Fraction(1)
            for j in range(n):
                weight *= prior if bits[j] else 1 - prior
                p, q = (Fraction(1), Fraction(0)) if j == 0 else profile[j - 1]
                zero = q if bits[j] else p
                weight *= 1 - zero if messages[j] else zero
            if weight:
                known = tuple(
                    bits[j] if j == i else (messages[j] if hears(j) else None) for j in range(n)
                )
                seen.setdefault(known, [Fraction(0), Fraction(0)])[g(bits)] += weight
    return sum((max(both) for both in seen.values()), Fraction(0))


def competitive(profile: Sequence[Pair], score: Callable[[Pair], Fraction]) -> list[bool]:
    """Definition 1, for two agents or more."""
    if all(x == (1, 0) for x in profile):
        return [True] * len(profile)
    return [
        score(x) > max(score(y) for j, y in enumerate(profile) if j != i)
        for i, x in enumerate(profile)
    ]


def fair(profile: Sequence[Pair], score: Callable[[Pair], Fraction]) -> list[bool]:
    """Definition 5."""
    found = []
    for i, x in enumerate(profile):
        rivals = [y for j, y in enumerate(profile) if j != i]
        others = [score(y) for y in rivals if y != (1, 0)]
        found.append(x == (1, 0) or (bool(others) and score(x) > max(others)))
    return found


def utilities(
    g: Function,
    profile: Sequence[Pair],
    prior: Fraction,
    prices: Sequence[Fraction],
    answered: Sequence[bool],
) -> list[Fraction]:
    """Return U_i with values 1 and prices K |p - q|."""
    found = []
    for i, (p, q) in enumerate(profile):
        heard = profit(g, i + 1, profile, prior, lambda j, there=answered[i]: there)
        found.append(heard - prices[i] * abs(p - q))
    return found
