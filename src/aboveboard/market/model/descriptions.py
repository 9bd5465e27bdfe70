"""Markets' coalitions and outcomes in words and in plain data."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from aboveboard.formatting import encode_number, format_transfer
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import Coalition, Structure


def member_names(market: Market, members: Coalition) -> tuple[str, ...]:
    """Return the names of a coalition's members."""
    return tuple(market.players[i] for i in sorted(members))


def format_structure(market: Market, structure: Structure) -> str:
    """Return a collusion structure: "{a, b}, {c}"."""
    return ", ".join("{" + ", ".join(member_names(market, c)) + "}" for c in structure)


def describe_outcome(market: Market, outcome: Outcome) -> Mapping[str, Any]:
    """Return a description of an outcome in plain data, as a collaboration file has it."""
    held: dict[str, list[str]] = {name: [] for name in market.players}
    destroyed: list[str] = []
    for good, owner in zip(market.goods, outcome.allocation, strict=True):
        (destroyed if owner < 0 else held[market.players[owner]]).append(good)
    prices = dict(
        zip(
            market.players,
            map(encode_number, map(Fraction, map(market.to_money, outcome.prices))),
            strict=True,
        )
    )
    return {"allocation": {**held, "destroyed": destroyed}, "prices": prices}


def format_outcome(described: Mapping[str, Any]) -> str:
    """Write an outcome that `describe` gave: "g1 to a, g2 destroyed; a receives 1, b pays 1"."""
    goods = [
        f"{good} destroyed" if name == "destroyed" else f"{good} to {name}"
        for name, held in described["allocation"].items()
        for good in held
    ]
    prices = [
        f"{name} {format_transfer(Fraction(price))}" for name, price in described["prices"].items()
    ]
    return "; ".join(", ".join(part) for part in (goods, prices) if part)
