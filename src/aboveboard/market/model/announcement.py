"""What is announced, read from the file."""

from __future__ import annotations

from fractions import Fraction

from aboveboard.errors import InputError
from aboveboard.market.model.market_file import DESTROYED_GOODS, Proposal
from aboveboard.market.model.market_setup import MarketSetup
from aboveboard.market.model.markets import (
    DESTROYED,
    Allocation,
    Announcement,
)


def parse_allocation(proposal: Proposal, setup: MarketSetup, key: str = "proposal") -> Allocation:
    """Return who gets what; `key` is where the file has it.

    Raises
    ------
    InputError
        If a stranger gets something, or a good has no place or two.
    """
    place = f"{key}.allocation"
    owners: dict[str, int] = {}
    for name, goods in proposal.allocation.items():
        if name != DESTROYED_GOODS and name not in setup.players:
            raise InputError(
                f"{place}.{name}",
                "this is not a party",
                f"name some of {', '.join(setup.players)}, or {DESTROYED_GOODS}",
            )
        for good in goods:
            if good not in setup.goods:
                raise InputError(
                    f"{place}.{name}",
                    f"nobody brings the good {good!r}",
                    f"name some of {', '.join(setup.goods[:12])}",
                )
            if good in owners:
                raise InputError(
                    f"{place}.{name}", f"good {good!r} has two owners", "give it to one party"
                )
            owners[good] = DESTROYED if name == DESTROYED_GOODS else setup.players.index(name)
    for good in setup.goods:
        if good not in owners:
            raise InputError(
                place,
                f"good {good!r} has no owner",
                f"give it to a party, or list it under {DESTROYED_GOODS}",
            )
    return tuple(owners[good] for good in setup.goods)


def parse_announcement(
    proposal: Proposal, setup: MarketSetup, key: str = "proposal"
) -> Announcement:
    """Return what is announced; who has no price pays 0, the proposer what balances.

    Raises
    ------
    InputError
        As `allocation_of`, and if a stranger has a price.
    """
    allocation = parse_allocation(proposal, setup, key)
    if proposal.prices is None:
        return Announcement(allocation, None)
    proposer, *others = setup.players
    for name in proposal.prices:
        if name not in setup.players:
            raise InputError(
                f"{key}.prices.{name}",
                "this is not a party",
                f"name some of {', '.join(setup.players)}",
            )
    prices = {name: price / setup.step for name, price in proposal.prices.items()}
    rest = [prices.get(name, Fraction(0)) for name in others]
    balancing = -sum(rest, Fraction(0))
    return Announcement(allocation, (prices.get(proposer, balancing), *rest))
