"""Commitments of agents, and what their privacy costs.

A commitment is (p, q): the chance to send 0 if the agent's bit is 0, and if it is 1. (1, 0) is
truthful; p = q reveals nothing. A price is a shape times the truthful price K; its relative price
is 0 if and only if the commitment reveals nothing, and at most 1. Source: "Data Curation from
Privacy-Aware Agents", section 2, "relative price" in section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isfinite
from typing import Any, ClassVar, NamedTuple, Protocol

from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded
from aboveboard.games.numbers import Number, to_number


class Commitment(NamedTuple):
    """(p, q): chances of the message 0 given the bit 0, and given the bit 1.

    Examples
    --------
    >>> Commitment(1, 0).truthful, Commitment(0.5, 0.5).silent
    (True, True)
    """

    p: Number
    q: Number

    @property
    def truthful(self) -> bool:
        """Whether it reveals the bit in the agreed way; (0, 1) reveals it but is not truthful."""
        return bool(self.p == 1 and self.q == 0)

    @property
    def silent(self) -> bool:
        """Whether it reveals nothing."""
        return bool(self.p == self.q)


TRUTH = Commitment(Fraction(1), Fraction(0))
SILENCE = Commitment(Fraction(1, 2), Fraction(1, 2))


def refuse_invalid_commitment(commitment: Commitment, place: str) -> None:
    """Raise `InputError` unless p and q are probabilities."""
    for name, x in (("p", commitment.p), ("q", commitment.q)):
        if not (isinstance(x, int | float | Fraction) and 0 <= x <= 1):
            raise InputError(
                place, f"{name} is {x}", "p and q are probabilities: use numbers from 0 to 1"
            )


class Infimum(NamedTuple):
    """A greatest lower bound, and whether some commitment attains it."""

    value: Number
    attained: bool


class PriceShape(Protocol):
    """How the price grows from silence to truth, relative to the truthful price."""

    KIND: ClassVar[str]

    @property
    def continuous(self) -> bool:
        """Whether revealing next to nothing costs next to nothing."""
        ...

    def relative_price(self, commitment: Commitment) -> Number:
        """Return the relative price, from 0 to 1."""
        ...

    def outbid(self, score: Number) -> Infimum | None:
        """Return the infimum of relative prices above a score; None if there are none."""
        ...


@dataclass(frozen=True)
class LinearPrice:
    """|p - q|."""

    KIND: ClassVar[str] = "linear"
    continuous: ClassVar[bool] = True

    def relative_price(self, commitment: Commitment) -> Number:
        """Return |p - q|."""
        distance: Any = abs(commitment.p - commitment.q)
        relative: Number = distance
        return relative

    def outbid(self, score: Number) -> Infimum | None:
        """Return the score itself: any price just above it is possible."""
        return outbid_by_a_hair(score)


@dataclass(frozen=True)
class QuadraticPrice:
    """(p - q)^2."""

    KIND: ClassVar[str] = "quadratic"
    continuous: ClassVar[bool] = True

    def relative_price(self, commitment: Commitment) -> Number:
        """Return (p - q)^2."""
        distance: Any = commitment.p - commitment.q
        squared: Number = distance * distance
        return squared

    def outbid(self, score: Number) -> Infimum | None:
        """Return the score itself: any price just above it is possible."""
        return outbid_by_a_hair(score)


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

    def relative_price(self, commitment: Commitment) -> Number:
        """Return |p - q| / width, at most 1."""
        distance: Any = abs(commitment.p - commitment.q)
        return Fraction(1) if distance >= self.width else distance / self.width

    def outbid(self, score: Number) -> Infimum | None:
        """Return the score itself: any price just above it is possible."""
        return outbid_by_a_hair(score)


@dataclass(frozen=True)
class Indicator:
    """1 for whatever reveals something: a fixed cost of joining.

    Unlike the paper's prices, it jumps.
    """

    KIND: ClassVar[str] = "indicator"
    continuous: ClassVar[bool] = False

    def relative_price(self, commitment: Commitment) -> Number:
        """Return 0 for silence, else 1."""
        return Fraction(0 if commitment.silent else 1)

    def outbid(self, score: Number) -> Infimum | None:
        """Return the whole price, or None above it."""
        return Infimum(Fraction(1), attained=True) if score < 1 else None


NEAR_SILENCE = (1e-6, 1e-12)
"""Distances from silence at which a function is evaluated to see whether its price vanishes."""

JUMP_RATIO = 0.9
"""A price that keeps more than this share of itself between the two distances counts as a jump."""

NEAR_SILENT: tuple[Callable[[float], Commitment], ...] = (
    lambda d: Commitment(0.5 + d / 2, 0.5 - d / 2),
    lambda d: Commitment(0.5 - d / 2, 0.5 + d / 2),
    lambda d: Commitment(d, 0.0),
    lambda d: Commitment(1.0, 1.0 - d),
)
"""Commitments at a distance |p - q| from revealing nothing."""


@dataclass(frozen=True)
class CustomShape:
    """Any function of (p, q) that is 0 if and only if p = q, and highest and positive at (1, 0).

    It may jump at silence, which is tested (`jump`); elsewhere it is assumed to be continuous.

    Parameters
    ----------
    name
        "module:function", for messages.
    function
        Takes p and q as floats and returns a number, 0 or more.
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
        """The least relative price of revealing next to nothing; 0 where it vanishes.

        A price that vanishes, however slowly, is much less at 10^-12 from silence than at 10^-6;
        one that hardly changes in between jumps. Four directions are tested; the cheapest counts.

        Raises
        ------
        InputError
            If the function fails, or the truth costs nothing.
        """
        top = self._top
        directions = [
            [self._evaluate(make(distance)) / top for distance in NEAR_SILENCE]
            for make in NEAR_SILENT
        ]
        return min(near if near > max(0.0, JUMP_RATIO * far) else 0.0 for far, near in directions)

    def relative_price(self, commitment: Commitment) -> Number:
        """Return the price over the truthful one.

        Raises
        ------
        InputError
            If the function fails, or returns what is not a price.
        """
        price, top = self._evaluate(commitment), self._top
        place = f"shape {self.name!r}"
        at = (
            f"(p, q) = ({format_rounded(float(commitment.p))}, "
            f"{format_rounded(float(commitment.q))})"
        )
        if not 0 <= price <= top:
            raise InputError(
                place,
                f"the price at {at} is {format_rounded(price)}, and {format_rounded(top)} for "
                "the truth",
                "return 0 or more, and the most for the truth",
            )
        if (price == 0) != commitment.silent:
            raise InputError(
                place,
                f"the price at {at} is {format_rounded(price)}",
                "return 0 where p = q, and only there",
            )
        return price / top

    def outbid(self, score: Number) -> Infimum | None:
        """Return the score itself, or the jump where that is more."""
        if score < self.jump:
            return Infimum(self.jump, attained=self.jump >= 1)
        return outbid_by_a_hair(score)

    @property
    def _top(self) -> float:
        top = self._evaluate(TRUTH)
        if top <= 0:
            raise InputError(
                f"shape {self.name!r}",
                "the truth costs nothing",
                "return the highest price for the truth",
            )
        return top

    def _evaluate(self, commitment: Commitment) -> float:
        place = f"shape {self.name!r}"
        try:
            return float(to_number(self.function(float(commitment.p), float(commitment.q))))
        except (Exception, SystemExit) as error:
            raise InputError(
                place,
                f"it failed with {type(error).__name__}: {error}",
                "take p and q, and return a finite number",
            ) from error


def outbid_by_a_hair(score: Number) -> Infimum | None:
    """Return the infimum above a score of a price that takes every value between 0 and 1."""
    return Infimum(score, attained=False) if score < 1 else None


@dataclass(frozen=True)
class Agent:
    """An agent: what a right guess is worth to it, and what its privacy costs.

    Parameters
    ----------
    value
        c: what a right guess is worth, more than 0.
    price
        K: what the truthful commitment costs it, more than 0. None where nobody knows it: then
        the agent can be answered, but its utility and its best replies are unknown.
    shape
        How the price grows from silence to truth.

    Raises
    ------
    InputError
        If the value or the price is not a finite number above 0.

    Examples
    --------
    >>> from fractions import Fraction
    >>> Agent(value=1, price=Fraction(1, 5)).cost(Commitment(Fraction(3, 4), Fraction(1, 4)))
    Fraction(1, 10)
    """

    value: Number
    price: Number | None
    shape: PriceShape = LinearPrice()

    def __post_init__(self) -> None:
        for name, x in (("value", self.value), ("price", self.price)):
            if x is None and name == "price":
                continue
            if not isinstance(x, int | float | Fraction) or not isfinite(x) or x <= 0:
                raise InputError(f"{name} of an agent", f"it is {x}", "use a number above 0")

    @property
    def known_price(self) -> Number:
        """The price.

        Raises
        ------
        InputError
            If nobody knows it.
        """
        if self.price is None:
            raise InputError(
                "price of an agent",
                "it is missing",
                "add a price; only a run under curation.indicator does without",
            )
        return self.price

    def cost(self, commitment: Commitment) -> Number:
        """Return the price of a commitment.

        Raises
        ------
        InputError
            If nobody knows the agent's price.
        """
        return self.known_price * self.shape.relative_price(commitment)
