"""The game of reporting values where there are too many: some lies of each party are listed.

A party halves or raises all its values, drops a bid, copies a rival's bids, or asks for a price of
what it brings. A lie that pays is a counterexample; where none does, others may.

Cost: one clearing of the market, of n + 1 searches for an optimum, for each profile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from aboveboard.formatting import format_amount
from aboveboard.market.model.bidding import (
    Additive,
    BidGroups,
    BundleTable,
    Language,
    Or,
    Xor,
    find_problem,
)
from aboveboard.market.model.market_setup import MarketSetup, Trader
from aboveboard.mechanisms.settlement_game import SettlementGame

if TYPE_CHECKING:
    from aboveboard.mechanisms.mechanism import AnyMechanism

MOST_LIES = 6
"""Listed for each party."""

MOST_DROPPED = 2
"""Bids of a party that are dropped, one in each lie."""

MOST_PROFILES = 20_000
"""Profiles that are looked at one by one; if there are more, a sample is."""

SEARCH_COST = 16
"""Values that a search for an optimum takes, for each good and each bid."""

FACTORS = (("half of its values", 1, 2), ("five quarters of its values", 5, 4))


class ListedValuesGame(SettlementGame):
    """The game among traders in which each reports its values, or one of a few lies.

    Parameters
    ----------
    mechanism
        The rule, which is played.
    types
        The truth, by party.
    setup
        Who takes part, and with which goods.
    """

    def __init__(
        self, mechanism: AnyMechanism, types: Mapping[str, Trader], setup: MarketSetup
    ) -> None:
        lies = {party: list(_list_lies(party, types, setup)) for party in types}
        self._words = [[name for name, _ in lies[party]] for party in types]
        self._lies = {party: [lie for _, lie in listed] for party, listed in lies.items()}
        self._size = len(setup.goods) + sum(_count_bids(x.valuation) for x in types.values())
        self._traders = types
        super().__init__(mechanism, types)

    def _list_reports(self, party: str) -> list[Trader]:
        return [self._traders[party], *self._lies[party]]

    @property
    def covers_all_lies(self) -> bool:
        """Whether all values are listed; they are not."""
        return False

    @property
    def listed_lies(self) -> str:
        """What the actions are, for verdicts."""
        return "the values that the mechanism lists, such as half of the true ones"

    @property
    def weight(self) -> int:
        """How many values go into one profile's payoffs, all profiles shared among the reports."""
        n = len(self.players)
        counts = [len(self.actions(i)) for i in range(n)]
        profiles = min(prod(counts), MOST_PROFILES)
        return (n + 1) * self._size * SEARCH_COST * profiles // sum(counts)

    def outside(self, i: int, /) -> int:
        """Return what a party has that takes no part: it keeps what it brings, and gains 0."""
        return 0

    def describe(self, i: int, action: int) -> str:
        """Return an action in words."""
        return "reports the truth" if not action else f"reports {self._words[i][action - 1]}"


def _list_lies(
    party: str, types: Mapping[str, Trader], setup: MarketSetup
) -> Iterator[tuple[str, Trader]]:
    """Yield the lies of a party, in words and as reports; none is the truth, none comes twice."""
    own = types[party]
    bound = 1 << (setup.bits - 1)
    seen: list[Language] = [own.valuation]
    for words, valuation in _list_valuations(party, types, setup):
        new = all(valuation != other for other in seen)
        if new and not find_problem(valuation, len(setup.goods), bound):
            seen.append(valuation)
            yield words, replace(own, valuation=valuation)
        if len(seen) > MOST_LIES:
            return


def _list_valuations(
    party: str, types: Mapping[str, Trader], setup: MarketSetup
) -> Iterator[tuple[str, Language]]:
    own = types[party]
    bids = _count_bids(own.valuation)
    if bids:
        yield "that nothing is worth anything", Xor(())
        for words, up, down in FACTORS:
            yield words, _scale(own.valuation, up, down)
    for k in range(min(bids, MOST_DROPPED) if bids > 1 else 0):
        yield f"all but bid {k + 1}", _drop(own.valuation, k)
    rivals = [(name, x.valuation) for name, x in types.items() if name != party]
    prices = sorted({high for _, x in rivals if (high := x.find_extremes()[1]) > 0})
    if own.endowment and prices:
        for price in (prices[-1], prices[-1] // 2):
            shown = format_amount(price * setup.step)
            yield f"that what it brings is worth {shown} to it", Xor(((own.endowment, price),))
    for name, valuation in rivals:
        if _count_bids(valuation):
            yield f"the values of {name}", valuation


def _count_bids(valuation: Language) -> int:
    if isinstance(valuation, Additive):
        return sum(value != 0 for value in valuation.values)
    if isinstance(valuation, BidGroups):
        return sum(map(len, valuation.groups))
    return len(valuation.bids)


def _scale(valuation: Language, up: int, down: int) -> Language:
    """Return the same bids with values multiplied by up / down, rounded towards zero."""

    def scaled(value: int) -> int:
        return (abs(value) * up // down) * (1 if value >= 0 else -1)

    if isinstance(valuation, Additive):
        return Additive(tuple(scaled(value) for value in valuation.values))
    if isinstance(valuation, BidGroups):
        groups = tuple(
            tuple((counts, scaled(value)) for counts, value in group) for group in valuation.groups
        )
        return replace(valuation, groups=groups)
    return replace(valuation, bids=tuple((goods, scaled(value)) for goods, value in valuation.bids))


def _drop(valuation: Language, k: int) -> Language:
    """Return the valuation without its bid number k."""
    if isinstance(valuation, Additive):
        worth = [g for g, value in enumerate(valuation.values) if value]
        values = [0 if g == worth[k] else value for g, value in enumerate(valuation.values)]
        return Additive(tuple(values))
    if isinstance(valuation, BidGroups):
        left = iter(range(sum(map(len, valuation.groups))))
        groups = [tuple(bid for bid in group if next(left) != k) for group in valuation.groups]
        return replace(valuation, groups=tuple(group for group in groups if group))
    assert isinstance(valuation, BundleTable | Xor | Or)
    return replace(valuation, bids=valuation.bids[:k] + valuation.bids[k + 1 :])
