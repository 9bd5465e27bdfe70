"""What all know of a market: players, goods, who brings which, and who colludes with whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aboveboard.errors import InputError
from aboveboard.market.model.bidding import Language
from aboveboard.market.model.market_file import DESTROYED_GOODS, MarketFile, ProposingFile
from aboveboard.market.model.markets import DESTROYED, Allocation, Announcement, Market
from aboveboard.market.model.utilities import Structure


@dataclass(frozen=True)
class Trader:
    """What one party reports: what it brings and what bundles are worth to it.

    Parameters
    ----------
    brings
        A bundle.
    valuation
        Its bids.
    ballot
        Its votes in steps 2 and 3; None: as is dominant.
    announcement
        What it announces where all do; None: what the file says for all.
    """

    endowment: int
    valuation: Language
    ballot: tuple[bool, bool] | None = None
    announcement: Announcement | None = None


@dataclass(frozen=True)
class MarketSetup:
    """What all know of a market before anybody reports.

    Parameters
    ----------
    players
        The proposer first, then in the file's order.
    goods
        In the order in which the file's endowments list them.
    bits
        The paper's k.
    order
        The players in the file's order.
    """

    players: tuple[str, ...]
    goods: tuple[str, ...]
    bits: int
    order: tuple[str, ...]

    def build_market(self, reports: Mapping[str, Trader]) -> Market:
        """Return the market that the reports make."""
        endowment = [DESTROYED] * len(self.goods)
        for i, name in enumerate(self.players):
            for g in range(len(self.goods)):
                if reports[name].endowment >> g & 1:
                    endowment[g] = i
        valuations = tuple(reports[name].valuation for name in self.players)
        return Market(self.players, self.goods, tuple(endowment), valuations, self.bits)

    def encode_goods(self, goods: Iterable[str]) -> int:
        """Return goods by name as a bit mask."""
        return sum(1 << self.goods.index(g) for g in goods)

    def list_goods(self, bundle: int) -> list[str]:
        """Return the names of the goods of a bundle."""
        return [name for g, name in enumerate(self.goods) if bundle >> g & 1]

    def list_holdings(self, allocation: Allocation) -> dict[str, list[str]]:
        """Return the names of what everybody holds, and what is destroyed."""
        owners = (*enumerate(self.players), (DESTROYED, DESTROYED_GOODS))
        return {
            name: [good for good, owner in zip(self.goods, allocation, strict=True) if owner == i]
            for i, name in owners
        }


def read_setup(file: MarketFile) -> MarketSetup:
    """Return the players and the goods.

    Raises
    ------
    InputError
        If two parties bring the same good, or the proposer is no party.
    """
    owners: dict[str, str] = {}
    for name, player in file.parties.items():
        for good in player.endowment:
            if good in owners:
                twice = owners[good] == name
                raise InputError(
                    f"parties.{name}.endowment",
                    f"good {good!r} "
                    + (
                        "is listed twice" if twice else f"has two owners, {owners[good]} and {name}"
                    ),
                    "let one party bring it, once",
                )
            owners[good] = name
    if not owners:
        raise InputError("parties", "nobody brings a good", "list goods as an endowment")
    if DESTROYED_GOODS in file.parties:
        raise InputError(
            f"parties.{DESTROYED_GOODS}",
            "this name means the goods that nobody gets",
            "rename the party",
        )
    first = find_proposer(file)
    others = (name for name in file.parties if name != first)
    return MarketSetup((first, *others), tuple(owners), file.bits, tuple(file.parties))


def find_proposer(file: MarketFile) -> str:
    """Return who proposes: as the file says, else the first party.

    Raises
    ------
    InputError
        If the one named is no party.
    """
    named = file.proposer if isinstance(file, ProposingFile) else None
    if named is not None and named not in file.parties:
        raise InputError(
            "proposer", f"{named!r} is no party", f"name one of {', '.join(file.parties)}"
        )
    return next(iter(file.parties)) if named is None else named


def read_structure(file: MarketFile, setup: MarketSetup) -> Structure:
    """Return the coalitions as a partition of player indices; whoever is not named stands alone.

    Raises
    ------
    InputError
        If a stranger is named, or somebody twice.
    """
    named: set[str] = set()
    for k, coalition in enumerate(file.coalitions):
        for name in coalition:
            if name not in setup.players:
                raise InputError(
                    f"coalitions[{k}]",
                    f"{name!r} is no party",
                    f"name some of {', '.join(setup.players)}",
                )
            if name in named:
                raise InputError(
                    f"coalitions[{k}]",
                    f"{name} is named twice",
                    "put everybody into one coalition at most",
                )
            named.add(name)
    together = [frozenset(map(setup.players.index, c)) for c in file.coalitions if c]
    alone = [frozenset([i]) for i, name in enumerate(setup.players) if name not in named]
    return tuple(sorted((*together, *alone), key=min))
