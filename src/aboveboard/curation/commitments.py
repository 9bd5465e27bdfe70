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
from typing import Any, ClassVar, NamedTuple, Protocol

from aboveboard.errors import InputError
from aboveboard.numbers import Number, number


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
    continuous: ClassVar[bool]

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


@dataclass(frozen=True)
class CalledShape:
    """Any continuous function of (p, q) that is 0 iff p = q, highest and positive at (1, 0).

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
    continuous: ClassVar[bool] = True

    def relative(self, commitment: Commitment) -> Number:
        """Give the price over the truthful one."""
        price, top = self._price(commitment), self._price(TRUTH)
        place = f"shape {self.name!r}"
        told = f"(p, q) = ({float(commitment.p):g}, {float(commitment.q):g})"
        if top <= 0:
            raise InputError(place, "truth costs nothing", "truth has the highest price")
        if not 0 <= price <= top:
            raise InputError(
                place,
                f"the price at {told} is {price:g}, and {top:g} for the truth",
                "prices are 0 or more, and truth has the highest",
            )
        if (price == 0) != commitment.silent:
            raise InputError(
                place, f"the price at {told} is {price:g}", "it is 0 where p = q, and only there"
            )
        return price / top

    def _price(self, commitment: Commitment) -> float:
        place = f"shape {self.name!r}"
        try:
            return float(number(self.function(float(commitment.p), float(commitment.q))))
        except Exception as error:
            raise InputError(
                place,
                f"it failed with {type(error).__name__}: {error}",
                "it takes p and q and gives a finite number",
            ) from error

    def above(self, score: Number) -> Infimum | None:
        """Outbid by a hair: it is taken to be continuous."""
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
