"""The game of partial hiding: each party reports any part of what it owns.

An action says how many elements of each region a party hides. Benefits are counted against what a
party owns, so that elements it hid and is handed back are worth nothing. The rule fixes how many
elements each party is handed, not which: a deviation is judged by the deviator's best case over
that choice, the truth by the worst (`payoff_bounds`).

For one deviator the counts stand for all its lies, since elements of a region are interchangeable.
For several, which ones they hide matters too: `refined` makes every element a region of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange import efficiency, proofs
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import Rule
from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals, find_unit
from aboveboard.games.actions import AWAY, Codes, Grid, encode
from aboveboard.games.capabilities import Proof

CELLS = 1 << 16
"""Segments (profiles times what a profile may be split into) held at once: 24 bytes each, so that
they stay in the cache while the rule is applied; 2^18 takes a third longer."""

Hidden = tuple[int, ...]
Segments = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]


@dataclass(frozen=True)
class HidingGame:
    """Set union in which every party may hide any part of its set.

    Parameters
    ----------
    regions
        Who owns how much.
    rule
        How many elements each party is handed.
    exclusivity
        Each party's weight of its best rival's benefit.
    """

    regions: Regions
    rule: Rule
    exclusivity: tuple[Fraction, ...]

    @property
    def players(self) -> tuple[str, ...]:
        """Names of the parties."""
        return self.regions.names

    @cached_property
    def unit(self) -> Fraction:
        """What one unit of a payoff is worth, in elements."""
        return find_unit(self.exclusivity)

    @cached_property
    def _held(self) -> list[NDArray[np.intp]]:
        """For each party the positions of the regions that it owns."""
        return [np.flatnonzero(row) for row in self.regions.owned]

    @cached_property
    def _holdings(self) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.intp]]]:
        """Who owns each region, one region after the other, and where each party stands there."""
        owned = self.regions.owned
        starts = np.concatenate([[0], owned.sum(axis=0).cumsum()]).astype(np.int64)
        holders = np.nonzero(owned.T)[1].astype(np.int64)
        return starts, holders, [np.flatnonzero(holders == i) for i in range(len(owned))]

    def actions(self, i: int, /) -> Grid:
        """How many elements party i hides of each region it owns."""
        return Grid(self.regions.counts[self._held[i]].tolist())

    def truth(self, i: int, /) -> Hidden:
        """Nothing hidden."""
        return (0,) * len(self._held[i])

    def absent(self, i: int, /) -> Hidden | None:
        """Everything hidden; None for a party that owns nothing and has no choice."""
        hidden = tuple(self.regions.counts[self._held[i]].tolist())
        return hidden or None

    def segments(self, columns: Sequence[Codes]) -> Segments:
        """Give owners, reporters and sizes of what the parties report, each (m, segments)."""
        from aboveboard.exchange import kernels

        starts, holders, places = self._holdings
        hidden = np.empty((max(map(len, columns)), len(holders)), dtype=np.int64)
        for column, where in zip(columns, places, strict=True):
            hidden[:, where] = column
        regions = self.regions
        split: Segments = kernels.hide(regions.owners, regions.counts, starts, holders, hidden)
        return split

    def benefit_bounds(
        self, columns: Sequence[Codes]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the least and most new elements that the replies can bring, each (m, parties)."""
        from aboveboard.exchange import kernels

        m, n = max(len(column) for column in columns), len(self.players)
        low, high = np.empty((m, n), dtype=np.int64), np.empty((m, n), dtype=np.int64)
        step = max(1, CELLS // (len(self.regions.counts) + len(self._holdings[1]) + 1))
        for start in range(0, m, step):
            some = slice(start, start + step)
            owners, reported, counts = self.segments(
                [column if len(column) == 1 else column[some] for column in columns]
            )
            amounts = self.rule.apply(reported, counts, n)
            low[some], high[some] = kernels.benefit_bounds(owners, reported, counts, amounts)
        return low, high

    def payoff_bounds(
        self, columns: Sequence[Codes]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give lowest and highest utilities over which elements are handed out, in units."""
        low, high = self.benefit_bounds(columns)
        return (
            compute_payoff_rows(low, find_best_rivals(high), self.exclusivity),
            compute_payoff_rows(high, find_best_rivals(low), self.exclusivity),
        )

    def payoff_rows(self, columns: Sequence[Codes]) -> NDArray[np.int64]:
        """Give utilities in units when every reply brings as many new elements as it can."""
        _, high = self.benefit_bounds(columns)
        payoffs: NDArray[np.int64] = compute_payoff_rows(
            high, find_best_rivals(high), self.exclusivity
        )
        return payoffs

    def payoffs(self, profile: Sequence[Hidden], /) -> list[Fraction]:
        """Give the utilities of one profile, as `payoff_rows` does."""
        return [int(x) * self.unit for x in self.payoff_rows(self._columns(profile))[0]]

    def _columns(self, profile: Sequence[Hidden]) -> list[Codes]:
        return [encode(self.actions(i), hidden) for i, hidden in enumerate(profile)]

    def attainable(
        self, columns: Sequence[Codes], members: Sequence[int], floors: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Say for each row whether one choice of elements lifts all members above their floors.

        Each benefit lies between its bounds. Whoever must exceed its floor needs more the more
        its rivals have, so the least sufficient benefits are reached by raising each in turn.
        """
        lows, highs = self.benefit_bounds(columns)
        scale = self.unit.denominator
        weights = [int(weight * scale) for weight in self.exclusivity]
        return np.array(
            [
                _least_sufficient(
                    low.tolist(), high.tolist(), members, floor.tolist(), weights, scale
                )
                for low, high, floor in zip(lows, highs, floors, strict=True)
            ],
            dtype=np.bool_,
        )

    def benefits(self, profile: Sequence[Hidden], /) -> list[int]:
        """Give how many elements each party is handed."""
        _, reported, counts = self.segments(self._columns(profile))
        amounts: list[int] = self.rule.apply(reported, counts, len(self.players))[0].tolist()
        return amounts

    def inferior(self, profile: Sequence[Hidden], /) -> NDArray[np.bool_]:
        """Give [k, i] = k reports a subset of what i reports."""
        _, reported, counts = self.segments(self._columns(profile))
        tells = _tells(reported[0][counts[0] > 0], len(self.players))
        beyond = tells[:, None, :] & ~tells[None, :, :]
        return np.asarray(~np.any(beyond, axis=2), dtype=np.bool_)

    def result_inferior(self, profile: Sequence[Hidden], /) -> NDArray[np.bool_]:
        """Give [k, i] = what k holds afterwards is a subset of what i holds, in any common order.

        Meaningful where k's report is a subset of i's: then k's first elements that i lacks are a
        prefix, at most as long as k's amount, of what i is handed from.
        """
        _, reported, counts = self.segments(self._columns(profile))
        kept = counts[0] > 0
        tells, sizes = _tells(reported[0][kept], len(self.players)), counts[0][kept]
        amounts = np.array(self.benefits(profile))
        lacks = sizes[tells.any(axis=0)].sum() - (tells * sizes).sum(axis=1)
        contained = np.minimum(amounts[:, None], lacks[None, :]) <= amounts[None, :]
        return np.asarray(contained, dtype=np.bool_)

    def outcomes(self, profile: Sequence[Hidden], /, *, giving_no_less: bool) -> NDArray[np.int64]:
        """Give payoffs of what else the center could hand out, in units."""
        _, reported, counts = self.segments(self._columns(profile))
        kept = counts[0] > 0
        tells, sizes = _tells(reported[0][kept], len(self.players)), counts[0][kept]
        owned = (tells * sizes).sum(axis=1)
        lacks = np.where(owned > 0, sizes[tells.any(axis=0)].sum() - owned, 0)
        return efficiency.list_candidates(
            np.array(self.benefits(profile), dtype=np.int64),
            lacks.astype(np.int64),
            self.exclusivity,
            giving_no_less=giving_no_less,
        )

    def refined(self) -> HidingGame | None:
        """Give the game with a region for every element; None if it is that already."""
        if (self.regions.counts == 1).all():
            return None
        return replace(self, regions=self.regions.split_into_elements())

    def smaller(self) -> Iterator[HidingGame]:
        """Yield the same game on smaller instances that the rule admits."""
        for regions in self.regions.smaller():
            if self.rule.least <= len(regions.names) <= self.rule.most and regions.union:
                kept = [self.players.index(name) for name in regions.names]
                weights = tuple(self.exclusivity[k] for k in kept)
                yield replace(self, regions=regions, exclusivity=weights)

    def instance(self) -> dict[str, Any]:
        """Describe the instance in plain data."""
        return self.regions.instance()

    def proof(self, name: str) -> Proof | None:
        """Give a closed-form proof of a property of deviations, where one is known."""
        return proofs.find_proof(name, self.regions, self.rule, self.exclusivity)

    def describe(self, i: int, action: Hidden) -> Any:
        """Say what is hidden: elements where they have names, else how many of whose region."""
        if action == self.truth(i):
            return "truth"
        if action == self.absent(i):
            return AWAY
        held = self._held[i]
        if (self.regions.counts == 1).all():
            names = self.regions.name_elements()
            return {"hides": [names[r] for r, h in zip(held, action, strict=True) if h]}
        return {
            "hides": {
                self.regions.name_region(int(r)): h for r, h in zip(held, action, strict=True) if h
            }
        }


def _tells(reported: NDArray[np.uint64], n: int) -> NDArray[np.bool_]:
    """Say who reports which segment, shape (parties, segments)."""
    bits = np.arange(n, dtype=np.uint64)[:, None]
    return (reported[None, :] >> bits & np.uint64(1)).astype(np.bool_)


def _least_sufficient(
    benefit: list[int],
    most: list[int],
    members: Sequence[int],
    floors: list[int],
    weights: list[int],
    scale: int,
) -> bool:
    """Raise the members' benefits until each exceeds its floor; False if that is too much."""
    moved = True
    while moved:
        moved = False
        for i, floor in zip(members, floors, strict=True):
            rival = max((b for j, b in enumerate(benefit) if j != i), default=0)
            needed = (floor + weights[i] * rival) // scale + 1
            if needed > benefit[i]:
                if needed > most[i]:
                    return False
                benefit[i], moved = needed, True
    return True
