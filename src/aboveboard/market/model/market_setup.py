"""What all know of a market: players, goods, who brings which, and who colludes with whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from aboveboard.currencies import count_decimals
from aboveboard.errors import InputError
from aboveboard.faults import raise_faults
from aboveboard.formatting import format_count
from aboveboard.market.model.bidding import Language
from aboveboard.market.model.drawn_proposer import RANDOM, draw_proposer
from aboveboard.market.model.market_file import (
    DESTROYED_GOODS,
    MOST_BITS,
    MarketFile,
    ProposingFile,
)
from aboveboard.market.model.markets import DESTROYED, Allocation, Announcement, Market
from aboveboard.market.model.utilities import Structure

MOST_UNITS = 10_000
"""Units of goods in a market."""

MOST_DECIMALS = 9
"""Decimals of a value."""


@dataclass(frozen=True)
class Trader:
    """What one party reports: what it brings and what bundles are worth to it.

    Parameters
    ----------
    endowment
        The bundle that it brings.
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
    step
        What one unit of a value is worth in money.
    kinds
        By good: the name of its kind; units of one kind are alike. None: each is of its own.
    owners
        By good: the party that brings it.
    stated_bits
        The bits that the file states, of values in whole money; None: they are derived.
    draws
        Whether the first player was drawn to propose.
    """

    players: tuple[str, ...]
    goods: tuple[str, ...]
    bits: int
    order: tuple[str, ...]
    step: Fraction = Fraction(1)
    kinds: tuple[str, ...] | None = None
    owners: tuple[str, ...] = ()
    stated_bits: int | None = None
    draws: bool = False

    def list_kinds(self) -> dict[str, int]:
        """Return the kinds of goods, each with the bit mask of its units."""
        masks: dict[str, int] = {}
        for g, kind in enumerate(self.kinds or self.goods):
            masks[kind] = masks.get(kind, 0) | 1 << g
        return masks

    def build_market(self, reports: Mapping[str, Trader]) -> Market:
        """Return the market that the reports make."""
        endowment = [DESTROYED] * len(self.goods)
        for i, name in enumerate(self.players):
            for g in range(len(self.goods)):
                if reports[name].endowment >> g & 1:
                    endowment[g] = i
        valuations = tuple(reports[name].valuation for name in self.players)
        return Market(self.players, self.goods, tuple(endowment), valuations, self.bits, self.step)

    @property
    def bound(self) -> Fraction:
        """Values lie strictly between -bound and bound, in money."""
        if self.stated_bits is not None:
            return Fraction(1 << (self.stated_bits - 1))
        return (1 << (self.bits - 1)) * self.step

    def find_endowment(self, party: str) -> int:
        """Return what a party brings, as a bit mask."""
        return sum(1 << g for g, owner in enumerate(self.owners) if owner == party)

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
        If two parties bring the same good, or the proposer is not a party.
    """
    if len(file.parties) < 2:
        raise InputError("parties", f"there is {len(file.parties)}", "have at least two")
    units = _list_units(file)
    if not units:
        raise InputError("parties", "nobody brings a good", "list goods as an endowment")
    if DESTROYED_GOODS in file.parties:
        raise InputError(
            f"parties.{DESTROYED_GOODS}",
            "this name means the goods that nobody gets",
            "rename the party",
        )
    first = find_proposer(file)
    others = (name for name in file.parties if name != first)
    goods, owners, kinds = zip(*units, strict=True)
    step = find_step(file)
    return MarketSetup(
        (first, *others),
        goods,
        MOST_BITS if file.bits is None else file.bits + extra_bits(step),
        tuple(file.parties),
        step,
        kinds if len(set(kinds)) < len(kinds) else None,
        owners,
        file.bits,
        is_proposer_drawn(file),
    )


def _list_units(file: MarketFile) -> list[tuple[str, str, str]]:
    """Return every unit of every good: its name, who brings it, and its kind."""
    countable = {
        good
        for player in file.parties.values()
        if isinstance(player.endowment, Mapping)
        for good in player.endowment
    }
    faults: list[InputError] = []
    listed: list[tuple[str, str]] = []  # kind and owner
    owners: dict[str, str] = {}
    for name, player in file.parties.items():
        for good, count in player.count_endowment().items():
            if good not in countable and (count > 1 or good in owners):
                problem = (
                    "is listed twice" if count > 1 else f"has two owners, {owners[good]} and {name}"
                )
                fault = InputError(
                    f"parties.{name}.endowment",
                    f"good {good!r} {problem}",
                    "let one party bring it, once; or say how many there are: "
                    f"endowment = {{{good} = 2}}",
                )
                faults.append(fault)
            owners[good] = name
            listed += [(good, name)] * count
    raise_faults(faults)
    if len(listed) > MOST_UNITS:
        raise InputError(
            "parties",
            f"there are {format_count(len(listed))} units of goods",
            f"use at most {format_count(MOST_UNITS)}",
        )
    total = Counter(kind for kind, _ in listed)
    seen: Counter[str] = Counter()
    units = []
    for kind, owner in listed:
        seen[kind] += 1
        unit = f"{kind} {seen[kind]}" if total[kind] > 1 else kind
        units.append((unit, owner, kind))
    names = Counter(unit for unit, _, _ in units)
    for unit, count in names.items():
        if count > 1:
            raise InputError(
                "parties", f"good {unit!r} is also the name of a unit", "rename the good"
            )
    return units


def extra_bits(step: Fraction) -> int:
    """Return how many bits the decimals of values take."""
    return (step.denominator - 1).bit_length()


def find_step(file: MarketFile) -> Fraction:
    """Return the smallest unit of money that values are written in: 1, 1/10, 1/100, ..

    With a currency it is its smallest coin, or less where values have more decimals.

    Raises
    ------
    InputError
        If a value has more than `MOST_DECIMALS` decimals.
    """
    decimals = 0 if not file.currency else count_decimals(file.currency)
    for name, player in file.parties.items():
        for k, entry in enumerate(player.values):
            while (entry.value * 10**decimals).denominator != 1:
                decimals += 1
                if decimals > MOST_DECIMALS:
                    raise InputError(
                        f"parties.{name}.values[{k}].value",
                        f"{entry.value} has more than {MOST_DECIMALS} decimals",
                        "round it",
                    )
    return Fraction(1, 10**decimals)


def find_proposer(file: MarketFile) -> str:
    """Return who proposes: as the file says or its seed draws, else the first party.

    Raises
    ------
    InputError
        If the one named is not a party, there is no party, or the proposal of one that is drawn is
        fixed beforehand.
    """
    if not file.parties:
        raise InputError("parties", "there is 0", "have at least two")
    if is_proposer_drawn(file):
        if isinstance(file, ProposingFile) and file.proposal is not None:
            raise InputError(
                "proposal",
                "who proposes is drawn, and nobody can fix its proposal",
                "leave [proposal] out, or name the proposer",
            )
        return draw_proposer(file.parties, file.seed)
    named = file.proposer if isinstance(file, ProposingFile) else None
    if named is not None and named not in file.parties:
        raise InputError(
            "proposer", f"{named!r} is not a party", f"name one of {', '.join(file.parties)}"
        )
    return next(iter(file.parties)) if named is None else named


def is_proposer_drawn(file: MarketFile) -> bool:
    """Return whether the file has its proposer drawn.

    Raises
    ------
    InputError
        If a party has the name that means so.
    """
    if not isinstance(file, ProposingFile) or file.proposer != RANDOM:
        return False
    if RANDOM in file.parties:
        raise InputError(
            f"parties.{RANDOM}", "this name means that the proposer is drawn", "rename the party"
        )
    return True


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
                    f"{name!r} is not a party",
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
