"""What the proposer announces, read from the file or from the board of a play."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from aboveboard.errors import InputError
from aboveboard.market.model.frame import Frame
from aboveboard.market.model.market_file import DESTROYED_GOODS, Proposal
from aboveboard.market.model.markets import DESTROYED, Allocation, Market, Outcome, truthful_prices


def allocation_of(proposal: Proposal, frame: Frame) -> Allocation:
    """Read who gets what.

    Raises
    ------
    InputError
        If a stranger gets something, or a good has no place or two.
    """
    place = "proposal.allocation"
    owners: dict[str, int] = {}
    for name, goods in proposal.allocation.items():
        if name != DESTROYED_GOODS and name not in frame.players:
            raise InputError(
                f"{place}.{name}",
                "this is no party",
                f"name some of {', '.join(frame.players)}, or {DESTROYED_GOODS}",
            )
        for good in goods:
            if good not in frame.goods:
                raise InputError(
                    f"{place}.{name}",
                    f"nobody brings the good {good!r}",
                    f"name some of {', '.join(frame.goods[:12])}",
                )
            if good in owners:
                raise InputError(
                    f"{place}.{name}", f"good {good!r} has two owners", "give it to one party"
                )
            owners[good] = DESTROYED if name == DESTROYED_GOODS else frame.players.index(name)
    for good in frame.goods:
        if good not in owners:
            raise InputError(
                place,
                f"good {good!r} has no owner",
                f"give it to a party, or list it under {DESTROYED_GOODS}",
            )
    return tuple(owners[good] for good in frame.goods)


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

    def outcome(self, market: Market) -> Outcome:
        """Give the outcome that is announced."""
        if self.prices is None:
            return Outcome(self.allocation, truthful_prices(market, self.allocation))
        whole = tuple(p.numerator if p.denominator == 1 else p for p in self.prices)
        return Outcome(self.allocation, whole)


def announcement_of(proposal: Proposal, frame: Frame) -> Announcement:
    """Read what is announced; who has no price pays 0, the proposer what balances.

    Raises
    ------
    InputError
        As `allocation_of`, and if a stranger has a price.
    """
    allocation = allocation_of(proposal, frame)
    if proposal.prices is None:
        return Announcement(allocation, None)
    proposer, *others = frame.players
    for name in proposal.prices:
        if name not in frame.players:
            raise InputError(
                f"proposal.prices.{name}",
                "this is no party",
                f"name some of {', '.join(frame.players)}",
            )
    rest = [proposal.prices.get(name, Fraction(0)) for name in others]
    balancing = -sum(rest, Fraction(0))
    return Announcement(allocation, (proposal.prices.get(proposer, balancing), *rest))
