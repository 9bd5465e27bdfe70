"""A finite distribution with exact weights: what a mechanism that tosses coins hands back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import Generic, TypeVar

from aboveboard.games.keyed_stream import Draws

T = TypeVar("T", bound=Hashable)
S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, init=False)
class Lottery(Generic[T]):
    """Outcomes with probabilities that are fractions and sum to one.

    Parameters
    ----------
    weights
        Outcome to probability: integers or fractions, none negative, sum one. Outcomes of
        probability zero are dropped; floats are refused because they would not be exact.

    Raises
    ------
    ValueError
        If a weight is negative or the weights do not sum to one.
    TypeError
        If a weight is a float.

    Examples
    --------
    >>> coin = Lottery.uniform(["heads", "tails"])
    >>> coin.probability(lambda side: side == "heads")
    Fraction(1, 2)
    """

    weights: Mapping[T, Fraction]

    def __init__(self, weights: Mapping[T, Fraction | int]) -> None:
        exact: dict[T, Fraction] = {}
        for outcome, weight in weights.items():
            if not isinstance(weight, int | Fraction):
                raise TypeError(
                    f"the weight of {outcome!r} is {weight!r}; give an integer or a Fraction"
                )
            if weight < 0:
                raise ValueError(f"the weight of {outcome!r} is {weight}; none may be negative")
            if weight:
                exact[outcome] = Fraction(weight)
        if sum(exact.values()) != 1:
            raise ValueError(f"the weights sum to {sum(exact.values())}; they must sum to 1")
        object.__setattr__(self, "weights", exact)

    @classmethod
    def sure(cls, outcome: T) -> Lottery[T]:
        """Return the lottery that has one outcome only."""
        return cls({outcome: 1})

    @classmethod
    def uniform(cls, outcomes: Mapping[T, object] | list[T] | tuple[T, ...]) -> Lottery[T]:
        """Return the lottery in which each listed outcome counts alike; repeats add up."""
        listed = list(outcomes)
        weights: dict[T, Fraction | int] = {}
        for outcome in listed:
            weights[outcome] = weights.get(outcome, Fraction(0)) + Fraction(1, len(listed))
        return cls(weights)

    def __iter__(self) -> Iterator[tuple[T, Fraction]]:
        return iter(self.weights.items())

    def __len__(self) -> int:
        return len(self.weights)

    def __hash__(self) -> int:
        return hash(frozenset(self.weights.items()))

    def probability(self, event: Callable[[T], bool]) -> Fraction:
        """Return the probability that `event` is true of the outcome."""
        return sum((w for outcome, w in self if event(outcome)), Fraction(0))

    def expectation(self, value: Callable[[T], int | Fraction]) -> Fraction:
        """Return the expected value, exact."""
        return sum((w * value(outcome) for outcome, w in self), Fraction(0))

    def map(self, f: Callable[[T], S]) -> Lottery[S]:
        """Return the lottery over f(outcome)."""
        weights: dict[S, Fraction | int] = {}
        for outcome, w in self:
            image = f(outcome)
            weights[image] = weights.get(image, Fraction(0)) + w
        return Lottery(weights)

    def then(self, f: Callable[[T], Lottery[S]]) -> Lottery[S]:
        """Return the lottery of playing f(outcome) once this one is drawn."""
        weights: dict[S, Fraction | int] = {}
        for outcome, w in self:
            for image, v in f(outcome):
                weights[image] = weights.get(image, Fraction(0)) + w * v
        return Lottery(weights)

    def draw(self, generator: Draws) -> T:
        """Draw one outcome with exactly its probability (no float is involved)."""
        denominator = lcm(*(w.denominator for w in self.weights.values()))
        bounds = list(accumulate(int(w * denominator) for w in self.weights.values()))
        ticket = _draw_below(denominator, generator)
        return next(x for x, bound in zip(self.weights, bounds, strict=True) if ticket < bound)


def _draw_below(limit: int, generator: Draws) -> int:
    """Draw a whole number in [0, limit) uniformly, of any size, by rejection."""
    bits = limit.bit_length()
    while True:
        ticket = int.from_bytes(generator.bytes((bits + 7) // 8), "big") >> (-bits % 8)
        if ticket < limit:
            return ticket
