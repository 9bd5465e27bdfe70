"""What the proposer announces, read from the file or from the board of a play."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from aboveboard.errors import InputError
from aboveboard.market.model.market_file import DESTROYED_GOODS, Proposal
from aboveboard.market.model.market_setup import MarketSetup
from aboveboard.market.model.markets import DESTROYED, Allocation, Market, Outcome, truthful_prices


def parse_allocation(proposal: Proposal, setup: MarketSetup) -> Allocation:
    """Read who gets what.

    Raises
    ------
    InputError
        If a stranger gets something, or a good has no place or two.
    """
    place = "proposal.allocation"
    owners: dict[str, int] = {}
    for name, goods in proposal.allocation.items():
        if name != DESTROYED_GOODS and name not in setup.players:
            raise InputError(
                f"{place}.{name}",
                "this is no party",
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
        """Give the outcome that is announced."""
        if self.prices is None:
            return Outcome(self.allocation, truthful_prices(market, self.allocation))
        whole = tuple(p.numerator if p.denominator == 1 else p for p in self.prices)
        return Outcome(self.allocation, whole)


def parse_announcement(proposal: Proposal, setup: MarketSetup) -> Announcement:
    """Read what is announced; who has no price pays 0, the proposer what balances.

    Raises
    ------
    InputError
        As `allocation_of`, and if a stranger has a price.
    """
    allocation = parse_allocation(proposal, setup)
    if proposal.prices is None:
        return Announcement(allocation, None)
    proposer, *others = setup.players
    for name in proposal.prices:
        if name not in setup.players:
            raise InputError(
                f"proposal.prices.{name}",
                "this is no party",
                f"name some of {', '.join(setup.players)}",
            )
    rest = [proposal.prices.get(name, Fraction(0)) for name in others]
    balancing = -sum(rest, Fraction(0))
    return Announcement(allocation, (proposal.prices.get(proposer, balancing), *rest))
