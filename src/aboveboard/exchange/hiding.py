"""The game of partial hiding: each party reports any part of what it owns, or also invents.

An action says how many elements of each region a party leaves out. Benefits are counted against
what a party owns, so that elements it hid and is handed back are worth nothing. The rule fixes how
many elements each party is handed; which ones depends on an order of all elements that nobody knows
beforehand. One lie against truthful others is judged by the liar's best case over that order
(`payoff_bounds`); where several reports are not true, both sides are judged by one order
(`orders`).

For one deviator the counts stand for all its lies, since elements of a region are interchangeable.
For several, which ones they hide matters too: `refined` makes every element a region of its own.

Invented elements are real for nobody: who is handed one gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange import efficiency, hiding_bounds, likely_hiding, proofs
from aboveboard.exchange.orders import OrderJudge
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import Rule
from aboveboard.exchange.union_games import PartyLists
from aboveboard.exchange.utility import (
    can_exceed_floors,
    compute_payoff_rows,
    find_best_rivals,
    find_unit,
)
from aboveboard.formatting.plain_json import Json
from aboveboard.games.actions import AWAY, Codes, Grid, encode
from aboveboard.games.capabilities import DeviationKind, Proof
from aboveboard.games.numbers import Array
from aboveboard.storage.records import Records

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
    invented
        How many elements that nobody owns each party can add to its report.
    lists
        The lists behind the regions, where they are at hand.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from aboveboard.exchange import RULES
    >>> lists = Regions.from_sets({"a": "xy", "b": "yz", "c": "z"})
    >>> game = HidingGame(lists, RULES["best-group"], (Fraction(1),) * 3)
    >>> verdicts = ab.audit(game, [ab.ExPostIC(), ab.IndividualRationality()])
    >>> [verdict.status.value for verdict in verdicts.values()]
    ['holds', 'holds']
    """

    regions: Regions
    rule: Rule
    exclusivity: tuple[Fraction, ...]
    invented: int = 0
    lists: PartyLists | None = None

    compared_outcomes: ClassVar[str] = "every number of new elements up to what a party lacks"

    @property
    def players(self) -> tuple[str, ...]:
        """Names of the parties."""
        return self.regions.names

    @cached_property
    def unit(self) -> Fraction:
        """What one unit of a payoff is worth, in elements."""
        return find_unit(self.exclusivity)

    @cached_property
    def pool(self) -> Regions:
        """The regions, followed by one for each party of elements that it could invent.

        These are marked as owned by everybody: nobody gains by being handed one.
        """
        if not self.invented:
            return self.regions
        n = len(self.players)
        everybody = np.uint64((1 << n) - 1)
        return Regions(
            self.players,
            np.concatenate([self.regions.owners, np.full(n, everybody)]),
            np.concatenate([self.regions.counts, np.full(n, self.invented, dtype=np.int64)]),
        )

    @cached_property
    def can_report(self) -> NDArray[np.bool_]:
        """Whether a party can report elements of a region of the pool, shape (parties, regions)."""
        inventors = np.eye(len(self.players), dtype=np.bool_)
        return np.hstack([self.regions.owned, inventors] if self.invented else [self.regions.owned])

    @cached_property
    def _held(self) -> list[NDArray[np.intp]]:
        """For each party the positions of the regions that it can report."""
        return [np.flatnonzero(row) for row in self.can_report]

    @cached_property
    def holdings(self) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.intp]]]:
        """Who can report each region, one region after the other, and where each party stands."""
        reportable = self.can_report
        starts = np.concatenate([[0], reportable.sum(axis=0).cumsum()]).astype(np.int64)
        holders = np.nonzero(reportable.T)[1].astype(np.int64)
        return starts, holders, [np.flatnonzero(holders == i) for i in range(len(reportable))]

    def actions(self, i: int, /) -> Grid:
        """Return how many elements party i can leave out of each region; last, of invented ones."""
        return self._grids[i]

    @cached_property
    def _grids(self) -> list[Grid]:
        return [Grid(self.pool.counts[held].tolist()) for held in self._held]

    def truth(self, i: int, /) -> Hidden:
        """Return the truth: nothing is hidden, and nothing is invented."""
        own = len(self._held[i]) - bool(self.invented)
        return (0,) * own + ((self.invented,) if self.invented else ())

    def absent(self, i: int, /) -> Hidden | None:
        """Return the action that leaves out everything; None for a party with nothing to report."""
        hidden = tuple(self.pool.counts[self._held[i]].tolist())
        return hidden or None

    def report(self, i: int, action: Hidden, /) -> Records:
        """Return what party i reports when it takes an action.

        Raises
        ------
        ValueError
            If the game does not know the lists, or elements are invented.
        """
        if self.lists is None or self.invented:
            raise ValueError("this game does not know what its parties' lists hold")
        hidden = zip(self._held[i].tolist(), action, strict=True)
        return self.lists.hide(i, dict(hidden))

    def deviation_kind(self, i: int, action: Hidden, /) -> DeviationKind:
        """Return what a party does: it stays away, invents elements, or only hides some."""
        if action == self.absent(i):
            return "stays away"
        return "invents" if self.invented and action[-1] < self.invented else "hides"

    def with_inventing(self, most: int) -> HidingGame:
        """Return the game in which each party can also report up to `most` invented elements."""
        return replace(self, invented=most, lists=None)

    def segments(self, columns: Sequence[Codes]) -> Segments:
        """Return owners, reporters and sizes of what the parties report, each (m, segments)."""
        from aboveboard.exchange import kernels

        starts, holders, _ = self.holdings
        regions, hidden = self.pool, self.spread(columns)
        split: Segments = kernels.hide(regions.owners, regions.counts, starts, holders, hidden)
        return split

    def spread(self, columns: Sequence[Codes]) -> NDArray[np.int64]:
        """Return how many elements each holder of each region hides, shape (m, holdings)."""
        _, holders, places = self.holdings
        hidden = np.empty((max(map(len, columns)), len(holders)), dtype=np.int64)
        for column, where in zip(columns, places, strict=True):
            hidden[:, where] = column
        return hidden

    def benefit_bounds(
        self, columns: Sequence[Codes]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the least and most new elements that the replies can bring, each (m, parties)."""
        return hiding_bounds.bound_benefits(self, columns)

    def bound_benefits(
        self,
        owners: NDArray[np.uint64],
        reported: NDArray[np.uint64],
        counts: NDArray[np.int64],
        amounts: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the least and most new elements that amounts can bring, each (m, parties)."""
        from aboveboard.exchange import group_kernels, kernels

        first = self.rule.find_first(reported, counts, len(self.players))
        bounds: tuple[NDArray[np.int64], NDArray[np.int64]]
        if first is None:
            bounds = kernels.benefit_bounds(owners, reported, counts, amounts)
        else:
            bounds = group_kernels.benefit_bounds_in_tiers(owners, reported, counts, amounts, first)
        return bounds

    def payoff_bounds(
        self, columns: Sequence[Codes]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return lowest and highest utilities over all orders of handing out, in units."""
        low, high = self.benefit_bounds(columns)
        return (
            compute_payoff_rows(low, find_best_rivals(high), self.exclusivity),
            compute_payoff_rows(high, find_best_rivals(low), self.exclusivity),
        )

    def payoff_rows(self, columns: Sequence[Codes]) -> NDArray[np.int64]:
        """Return utilities in units when every reply brings as many new elements as it can."""
        _, high = self.benefit_bounds(columns)
        payoffs: NDArray[np.int64] = compute_payoff_rows(
            high, find_best_rivals(high), self.exclusivity
        )
        return payoffs

    def payoffs(self, profile: Sequence[Hidden], /) -> list[Fraction]:
        """Return the utilities of one profile, as `payoff_rows` does."""
        return [int(x) * self.unit for x in self.payoff_rows(self._columns(profile))[0]]

    def _columns(self, profile: Sequence[Hidden]) -> list[Codes]:
        return [encode(self.actions(i), hidden) for i, hidden in enumerate(profile)]

    def attainable(
        self, columns: Sequence[Codes], members: Sequence[int], floors: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return for each row whether the bounds let all members exceed their floors.

        Each benefit lies between its bounds. Whoever must exceed its floor needs more the more
        its rivals have, so the least sufficient benefits are reached by raising each in turn.
        """
        lows, highs = self.benefit_bounds(columns)
        scale = self.unit.denominator
        weights = [int(weight * scale) for weight in self.exclusivity]
        return np.array(
            [
                can_exceed_floors(
                    low.tolist(), high.tolist(), members, floor.tolist(), weights, scale
                )
                for low, high, floor in zip(lows, highs, floors, strict=True)
            ],
            dtype=np.bool_,
        )

    def gains_in_one_outcome(
        self,
        honest: Sequence[Codes],
        lying: Sequence[Codes],
        members: Sequence[int],
        bounds: Array,
        *,
        transfers: bool,
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Return what each row gains at most under one order of handing out, in units.

        Parameters
        ----------
        honest, lying
            The two profiles of each row, as many as there are rows.
        members
            Who deviates.
        bounds
            By row, a gain that no order exceeds.
        transfers
            Whether the members' gains are added; else the least of them counts.

        Returns
        -------
        gains
            Shape (rows,): the largest over the orders that were tried.
        left_open
            Where not all orders were tried, and none gave a gain.
        """
        judge = OrderJudge(self, tuple(members), transfers=transfers)
        rows = [
            judge.judge([c[k] for c in honest], [c[k] for c in lying], int(bound))
            for k, bound in enumerate(bounds)
        ]
        gains = np.array([gain for gain, _ in rows], dtype=np.int64)
        settled = np.array([sure for _, sure in rows], dtype=np.bool_)
        return gains, ~settled & (gains <= 0)

    def benefits(self, profile: Sequence[Hidden], /) -> list[int]:
        """Return how many elements each party is handed."""
        _, reported, counts = self.segments(self._columns(profile))
        amounts: list[int] = self.rule.apply(reported, counts, len(self.players))[0].tolist()
        return amounts

    def inferior(self, profile: Sequence[Hidden], /) -> NDArray[np.bool_]:
        """Return [k, i] = k reports a subset of what i reports."""
        _, reported, counts = self.segments(self._columns(profile))
        reporters = _find_reporters(reported[0][counts[0] > 0], len(self.players))
        beyond = reporters[:, None, :] & ~reporters[None, :, :]
        return np.asarray(~np.any(beyond, axis=2), dtype=np.bool_)

    def result_inferior(self, profile: Sequence[Hidden], /) -> NDArray[np.bool_]:
        """Return [k, i] = what k holds afterwards is a subset of what i holds, in any common order.

        Meaningful where k's report is a subset of i's: then k's first elements that i lacks are a
        prefix, at most as long as k's amount, of what i is handed from.
        """
        _, reported, counts = self.segments(self._columns(profile))
        kept = counts[0] > 0
        reporters, sizes = _find_reporters(reported[0][kept], len(self.players)), counts[0][kept]
        amounts = np.array(self.benefits(profile))
        lacks = sizes[reporters.any(axis=0)].sum() - (reporters * sizes).sum(axis=1)
        contained = np.minimum(amounts[:, None], lacks[None, :]) <= amounts[None, :]
        return np.asarray(contained, dtype=np.bool_)

    def outcomes(self, profile: Sequence[Hidden], /, *, giving_no_less: bool) -> NDArray[np.int64]:
        """Return payoffs of what else the center could hand out, in units."""
        _, reported, counts = self.segments(self._columns(profile))
        kept = counts[0] > 0
        reporters, sizes = _find_reporters(reported[0][kept], len(self.players)), counts[0][kept]
        owned = (reporters * sizes).sum(axis=1)
        lacks = np.where(owned > 0, sizes[reporters.any(axis=0)].sum() - owned, 0)
        return efficiency.list_candidates(
            np.array(self.benefits(profile), dtype=np.int64),
            lacks.astype(np.int64),
            self.exclusivity,
            giving_no_less=giving_no_less,
        )

    def find_likely_gain(self) -> tuple[int, tuple[Hidden, ...]] | None:
        """Return a party and a profile of the others' false reports in which it gains by hiding."""
        return likely_hiding.find_likely_gain(self)

    def refine(self) -> HidingGame | None:
        """Return the game with a region for every element; None if it is that already."""
        if (self.regions.counts == 1).all():
            return None
        return replace(self, regions=self.regions.split_into_elements(), lists=None)

    def smaller(self) -> Iterator[HidingGame]:
        """Yield the same game on smaller instances that the rule admits."""
        for regions in self.regions.shrink():
            if self.rule.least <= len(regions.names) <= self.rule.most and regions.union:
                kept = [self.players.index(name) for name in regions.names]
                weights = tuple(self.exclusivity[k] for k in kept)
                invented = min(self.invented, regions.union)
                yield replace(
                    self, regions=regions, exclusivity=weights, invented=invented, lists=None
                )

    def instance(self) -> dict[str, Json]:
        """Return the instance in plain data."""
        return self.regions.describe()

    def proof(self, name: str) -> Proof | None:
        """Return a closed-form proof of a property of deviations, where one is known."""
        if self.invented:
            return None
        return proofs.find_proof(name, self.regions, self.rule, self.exclusivity)

    def describe(self, i: int, action: Hidden) -> object:
        """Return what is hidden and invented; elements by name where each is a region."""
        if action == self.truth(i):
            return "truth"
        if action == self.absent(i):
            return AWAY
        own = len(action) - bool(self.invented)
        hidden = {int(r): h for r, h in zip(self._held[i][:own], action[:own], strict=True) if h}
        said: dict[str, Any] = {}
        if hidden and (self.regions.counts == 1).all():
            names = self.regions.name_elements()
            said["hides"] = [names[r] for r in hidden]
        elif hidden:
            said["hides"] = {self.regions.name_region(r): h for r, h in hidden.items()}
        if self.invented and action[-1] < self.invented:
            said["invents"] = self.invented - action[-1]
        return said


def _find_reporters(reported: NDArray[np.uint64], n: int) -> NDArray[np.bool_]:
    """Return who reports which segment, shape (parties, segments)."""
    bits = np.arange(n, dtype=np.uint64)[:, None]
    return (reported[None, :] >> bits & np.uint64(1)).astype(np.bool_)
