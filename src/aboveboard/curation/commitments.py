"""What an agent commits to, and what its privacy costs it.

A commitment is (p, q): the chance to send 0 if the agent's bit is 0, and if it is 1. (1, 0) is
truthful; p = q says nothing. A price is a shape times the truthful price K; its relative price r is
0 iff the commitment says nothing and at most 1. Source: "Data Curation from Privacy-Aware Agents",
section 2, "relative price" in section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol

from aboveboard.errors import InputError
from aboveboard.games.numbers import Number, to_number


class Commitment(NamedTuple):
    """(p, q): chances of the message 0 given the bit 0, and given the bit 1."""

    p: Number
    q: Number

    @property
    def truthful(self) -> bool:
        """Whether it reveals the bit in the agreed way; (0, 1) reveals it but is not truthful."""
        return bool(self.p == 1 and self.q == 0)

    @property
    def silent(self) -> bool:
        """Whether it says nothing."""
        return bool(self.p == self.q)


TRUTH = Commitment(Fraction(1), Fraction(0))
SILENCE = Commitment(Fraction(1, 2), Fraction(1, 2))


class Infimum(NamedTuple):
    """A greatest lower bound, and whether some commitment reaches it."""

    value: Number
    attained: bool


class Shape(Protocol):
    """How the price grows from silence to truth, relative to the truthful price."""

    KIND: ClassVar[str]

    @property
    def continuous(self) -> bool:
        """Whether saying next to nothing costs next to nothing."""
        ...

    def relative(self, commitment: Commitment) -> Number:
        """Give the relative price, from 0 to 1."""
        ...

    def above(self, score: Number) -> Infimum | None:
        """Give the infimum of relative prices above a score; None if there are none."""
        ...


@dataclass(frozen=True)
class Linear:
    """|p - q|."""

    KIND: ClassVar[str] = "linear"
    continuous: ClassVar[bool] = True

    def relative(self, commitment: Commitment) -> Number:
        """Give |p - q|."""
        said: Any = abs(commitment.p - commitment.q)
        relative: Number = said
        return relative

    def above(self, score: Number) -> Infimum | None:
        """Outbid by a hair."""
        return by_a_hair(score)


@dataclass(frozen=True)
class Quadratic:
    """(p - q)^2."""

    KIND: ClassVar[str] = "quadratic"
    continuous: ClassVar[bool] = True

    def relative(self, commitment: Commitment) -> Number:
        """Give (p - q)^2."""
        said: Any = commitment.p - commitment.q
        squared: Number = said * said
        return squared

    def above(self, score: Number) -> Infimum | None:
        """Outbid by a hair."""
        return by_a_hair(score)


@dataclass(frozen=True)
class Plateau:
    """|p - q| / width, and 1 from the width on: revealing most is as bad as revealing all.

    Parameters
    ----------
    width
        |p - q| from which the price is the truthful one, more than 0 and at most 1.
    """

    width: Fraction = Fraction(1, 2)

    KIND: ClassVar[str] = "plateau"
    continuous: ClassVar[bool] = True

    def relative(self, commitment: Commitment) -> Number:
        """Give |p - q| / width, at most 1."""
        said: Any = abs(commitment.p - commitment.q)
        return Fraction(1) if said >= self.width else said / self.width

    def above(self, score: Number) -> Infimum | None:
        """Outbid by a hair."""
        return by_a_hair(score)


@dataclass(frozen=True)
class Indicator:
    """1 for whatever says something: a fixed cost of joining. It jumps, as the paper's do not."""

    KIND: ClassVar[str] = "indicator"
    continuous: ClassVar[bool] = False

    def relative(self, commitment: Commitment) -> Number:
        """Give 0 for silence, else 1."""
        return Fraction(0 if commitment.silent else 1)

    def above(self, score: Number) -> Infimum | None:
        """Give the whole price, or nothing."""
        return Infimum(Fraction(1), attained=True) if score < 1 else None


NEAR_SILENCE = (1e-6, 1e-12)
"""Distances from silence at which a function is asked whether its price vanishes."""

HARDLY_LESS = 0.9
"""A price that keeps so much of itself between the two distances is taken to jump."""

NEXT_TO_SILENCE: tuple[Callable[[float], Commitment], ...] = (
    lambda d: Commitment(0.5 + d / 2, 0.5 - d / 2),
    lambda d: Commitment(0.5 - d / 2, 0.5 + d / 2),
    lambda d: Commitment(d, 0.0),
    lambda d: Commitment(1.0, 1.0 - d),
)
"""Commitments at a distance |p - q| from saying nothing."""


@dataclass(frozen=True)
class CalledShape:
    """Any function of (p, q) that is 0 iff p = q, highest and positive at (1, 0).

    It may jump at silence, which is looked for (`jump`); elsewhere it is taken to be continuous.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes p and q as floats and gives a number, 0 or more.
    """

    name: str
    function: Callable[[float, float], Any]

    KIND: ClassVar[str] = "callable"

    @property
    def continuous(self) -> bool:
        """Whether no jump was found."""
        return self.jump == 0

    @cached_property
    def jump(self) -> float:
        """The least relative price of saying next to nothing; 0 where it vanishes.

        A price that vanishes, however slowly, is much less at 10^-12 from silence than at 10^-6;
        one that hardly changes in between jumps. Looked at from four sides, the cheapest counts.

        Raises
        ------
        InputError
            If the function fails, or the truth costs nothing.
        """
        top = self._top
        sides = [
            [self._price(way(distance)) / top for distance in NEAR_SILENCE]
            for way in NEXT_TO_SILENCE
        ]
        return min(near if near > max(0.0, HARDLY_LESS * far) else 0.0 for far, near in sides)

    def relative(self, commitment: Commitment) -> Number:
        """Give the price over the truthful one.

        Raises
        ------
        InputError
            If the function fails, or gives what is no price.
        """
        price, top = self._price(commitment), self._top
        place = f"shape {self.name!r}"
        told = f"(p, q) = ({float(commitment.p):g}, {float(commitment.q):g})"
        if not 0 <= price <= top:
            raise InputError(
                place,
                f"the price at {told} is {price:g}, and {top:g} for the truth",
                "give 0 or more, and the truth the most",
            )
        if (price == 0) != commitment.silent:
            raise InputError(
                place, f"the price at {told} is {price:g}", "give 0 where p = q, and only there"
            )
        return price / top

    @property
    def _top(self) -> float:
        top = self._price(TRUTH)
        if top <= 0:
            raise InputError(
                f"shape {self.name!r}",
                "the truth costs nothing",
                "give the truth the highest price",
            )
        return top

    def _price(self, commitment: Commitment) -> float:
        place = f"shape {self.name!r}"
        try:
            return float(to_number(self.function(float(commitment.p), float(commitment.q))))
        except Exception as error:
            raise InputError(
                place,
                f"it failed with {type(error).__name__}: {error}",
                "take p and q, and give a finite number",
            ) from error

    def above(self, score: Number) -> Infimum | None:
        """Outbid by a hair, or by the jump where that is more."""
        if score < self.jump:
            return Infimum(self.jump, attained=self.jump >= 1)
        return by_a_hair(score)


def by_a_hair(score: Number) -> Infimum | None:
    """Give the infimum above a score of a price that takes every value between 0 and 1."""
    return Infimum(score, attained=False) if score < 1 else None


@dataclass(frozen=True)
class Agent:
    """What an agent wants.

    Parameters
    ----------
    value
        c: what a right guess is worth, more than 0.
    price
        K: what the truthful commitment costs it, more than 0.
    shape
        How the price grows from silence to truth.
    """

    value: Number
    price: Number
    shape: Shape = Linear()

    def cost(self, commitment: Commitment) -> Number:
        """Give the price of a commitment."""
        return self.price * self.shape.relative(commitment)
