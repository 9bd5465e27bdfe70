"""Markets: players, goods, who brings which, and what each bundle is worth to each player.

Player 0 is the paper's player 1, the proposer. A bundle is a bit mask of goods (bit g is good g);
an allocation gives each good the index of its new owner, or DESTROYED. Everything is exact: values
are integers in (-B, B) with B = 2^(k-1), prices are integers or fractions. Cost: a welfare is one
evaluation a player. Source: Azar, Chen, Micali, "Budget-balanced maximization of social welfare
resilient to collusion, privacy, and beliefs" (2011), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from aboveboard.formatting import encode_number, format_amount, format_decimal
from aboveboard.market.model.bidding import Additive, BidGroups, BundleTable, Or, Xor, find_problem

DESTROYED = -1
"""The owner of a good that is destroyed."""

Allocation = tuple[int, ...]
"""By good: the index of its owner, or DESTROYED."""

Price = int | Fraction
"""What a player pays; negative where it receives."""


class BundleValuation(Protocol):
    """What bundles are worth to one player."""

    def value(self, bundle: int) -> int:
        """Return the value of a bundle, a bit mask of goods; that of the empty one is 0."""
        ...


@dataclass(frozen=True)
class Outcome:
    """An allocation with prices: the paper's (A, P).

    Parameters
    ----------
    allocation
        By good: its owner.
    prices
        By player: what it pays.

    Examples
    --------
    >>> Outcome((1,), (-2, 2)).prices
    (-2, 2)
    """

    allocation: Allocation
    prices: tuple[Price, ...]


@dataclass(frozen=True)
class Market:
    """An n-m-k market with the players' true valuations.

    Parameters
    ----------
    players
        Their names; the first is the proposer.
    goods
        Their names.
    endowment
        By good: the index of the player that brings it.
    valuations
        By player.
    bits
        The paper's k, at least 1: values lie in (-2^(k-1), 2^(k-1)).
    step
        What one unit of a value is worth in money: 1/100 where values are in cents.

    Raises
    ------
    ValueError
        If names repeat, the parts do not fit together, an empty bundle is worth something, or a
        valuation in a bidding language breaks its bound or speaks of other goods.

    Examples
    --------
    >>> from aboveboard.market import Additive
    >>> values = Additive((1,)), Additive((3,))
    >>> Market(("ann", "bob"), ("book",), (0,), values, bits=3).bound
    4
    """

    players: tuple[str, ...]
    goods: tuple[str, ...]
    endowment: Allocation
    valuations: tuple[BundleValuation, ...]
    bits: int
    step: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if len(set(self.players)) < len(self.players) or len(set(self.goods)) < len(self.goods):
            raise ValueError("two players or two goods have the same name")
        if not self.players or len(self.valuations) != len(self.players):
            raise ValueError("there must be a valuation for each player, and a player")
        if len(self.endowment) != len(self.goods):
            raise ValueError("the endowment must name an owner for each good")
        if not all(0 <= owner < len(self.players) for owner in self.endowment):
            raise ValueError("every good must be brought by a player")
        if self.step <= 0:
            raise ValueError(f"step is {self.step}; it must be more than 0")
        if self.bits < 1:
            raise ValueError(f"bits is {self.bits}; it must be at least 1")
        for name, valuation in zip(self.players, self.valuations, strict=True):
            if isinstance(valuation, Additive | BundleTable | Xor | Or | BidGroups):
                problem = find_problem(valuation, self.m, self.bound)
                if problem:
                    raise ValueError(f"the valuation of {name} {problem}")
        if any(valuation.value(0) for valuation in self.valuations):
            raise ValueError("the empty bundle must be worth 0")

    @property
    def n(self) -> int:
        """How many players there are."""
        return len(self.players)

    @property
    def m(self) -> int:
        """How many goods there are."""
        return len(self.goods)

    @property
    def bound(self) -> int:
        """B = 2^(k-1): every value is strictly between -B and B."""
        return 1 << (self.bits - 1)

    def to_money(self, amount: Price) -> Price:
        """Return an amount in steps as money."""
        return amount if self.step == 1 else Fraction(amount) * self.step

    def encode_amount(self, amount: Price) -> int | float | str | None:
        """Return an amount in steps as money, in plain data: exact where it can be."""
        return encode_number(self.to_money(amount))

    def format_amount(self, amount: Price) -> str:
        """Return an amount in steps as money, in words."""
        money = self.to_money(amount)
        shown = format_decimal(money)
        return format_amount(money) if "/" in shown else shown

    @property
    def nothing(self) -> Outcome:
        """The outcome (E, 0): everybody keeps what it brings, nobody pays."""
        return Outcome(self.endowment, (0,) * self.n)


def bundles_by_player(market: Market, allocation: Allocation) -> tuple[int, ...]:
    """Return what each player holds, in one pass over the goods."""
    held = [0] * market.n
    for g, owner in enumerate(allocation):
        if owner != DESTROYED:
            held[owner] |= 1 << g
    return tuple(held)


def values_by_player(market: Market, allocation: Allocation) -> tuple[int, ...]:
    """Return each player's value of what it holds: theta_i(A_i)."""
    held = bundles_by_player(market, allocation)
    return tuple(v.value(s) for v, s in zip(market.valuations, held, strict=True))


def social_welfare(market: Market, allocation: Allocation) -> int:
    """Return SW(A), the sum of the players' values of what they hold.

    Examples
    --------
    >>> from aboveboard.market import Additive
    >>> values = Additive((1,)), Additive((3,))
    >>> social_welfare(Market(("ann", "bob"), ("book",), (0,), values, bits=3), (1,))
    3
    """
    return sum(values_by_player(market, allocation))


def gains(market: Market, allocation: Allocation) -> tuple[int, ...]:
    """Return theta_i(A_i) - theta_i(E_i) for each player."""
    after, before = values_by_player(market, allocation), values_by_player(market, market.endowment)
    return tuple(a - b for a, b in zip(after, before, strict=True))


def truthful_prices(market: Market, allocation: Allocation) -> tuple[int, ...]:
    """Return the prices of the truthful outcome: each but the proposer pays what it gains."""
    others = gains(market, allocation)[1:]
    return (-sum(others), *others)


def is_allocation(market: Market, allocation: Sequence[int]) -> bool:
    """Return whether it gives every good a player of the market, or destroys it."""
    owners = range(DESTROYED, market.n)
    return len(allocation) == market.m and all(owner in owners for owner in allocation)


@dataclass(frozen=True)
class Announcement:
    """An allocation with what the file says of its prices.

    Parameters
    ----------
    allocation
        Who gets what.
    prices
        By player; None: what each gains (the truthful prices).
    """

    allocation: Allocation
    prices: tuple[Fraction, ...] | None

    def to_outcome(self, market: Market) -> Outcome:
        """Return the outcome that is announced."""
        if self.prices is None:
            return Outcome(self.allocation, truthful_prices(market, self.allocation))
        whole = tuple(p.numerator if p.denominator == 1 else p for p in self.prices)
        return Outcome(self.allocation, whole)
