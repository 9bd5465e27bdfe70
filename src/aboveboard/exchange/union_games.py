"""Lists as reports of a game, and the game among parties that can only stay away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.exchange import efficiency
from aboveboard.exchange.ownership import Ownership, index_owners
from aboveboard.exchange.participation import ParticipationGame, Present
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import Rule
from aboveboard.storage.records import ELEMENT, Records


@dataclass(frozen=True, eq=False)
class PartyLists:
    """The lists behind the regions of a game: what a party reports that hides some elements.

    Parameters
    ----------
    records
        The parties' lists.
    regions
        The regions of these lists, with the parties in the order of the game.
    """

    records: Mapping[str, Records]
    regions: Regions

    @cached_property
    def ownership(self) -> Ownership:
        """Who owns which element."""
        return index_owners(self.records)

    def hide(self, i: int, hidden: Mapping[int, int]) -> Records:
        """Return what party i reports that hides the first so many elements of some regions."""
        name = self.regions.names[i]
        masks = self.regions.translate_masks(self.ownership.masks(), self.ownership.names)
        elements = self.ownership.elements[ELEMENT]
        out = [
            elements.gather(np.flatnonzero(masks == self.regions.owners[r])[:count])
            for r, count in hidden.items()
            if count
        ]
        if not out:
            return self.records[name]
        kept = ~self.records[name].frame[ELEMENT].is_in(pl.concat(out).implode())
        return self.records[name].with_frame(self.records[name].frame.filter(kept))


def make_union_participation_game(
    regions: Regions, rule: Rule, exclusivity: tuple[Fraction, ...]
) -> ParticipationGame:
    """Return the game among all-or-nothing parties: every coalition's amounts in one pass.

    Parameters
    ----------
    regions
        Who owns how much.
    rule
        How many elements each party is handed.
    exclusivity
        Each party's weight of its best rival's benefit.

    Notes
    -----
    Cost: O(2^n) amounts for n parties.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from aboveboard.exchange import RULES
    >>> lists = Regions.from_sets({"a": "xy", "b": "yz", "c": "z"})
    >>> game = make_union_participation_game(lists, RULES["all-or-nothing"], (Fraction(1),) * 3)
    >>> ab.audit(game, [ab.DSIC()])["DSIC"].status.value
    'holds'
    """
    table = rule.compute_coalition_amounts(regions)
    bits = 1 << np.arange(len(regions.names), dtype=np.int64)
    outside = regions.owned[:, None, :] & ~regions.owned[None, :, :]
    is_subset = np.logical_not(np.any(outside, axis=2))

    @cache
    def find_unions() -> NDArray[np.int64]:
        from aboveboard.exchange import kernels

        unions: NDArray[np.int64] = kernels.coalition_unions(
            regions.owners, regions.counts, len(regions.names)
        )
        return unions

    def find_amounts(present: Present) -> NDArray[np.int64]:
        amounts: NDArray[np.int64] = table[present @ bits]
        return amounts

    def find_lacks(present: Present) -> NDArray[np.int64]:
        union = find_unions()[present @ bits][..., None]
        holds = present & (regions.sizes > 0)
        return np.where(holds, union - regions.sizes, 0).astype(np.int64)

    def compare(present: Present) -> NDArray[np.bool_]:
        # As in HidingGame.result_inferior: a prefix of what i is handed from.
        amounts, lacks = find_amounts(present), find_lacks(present)
        inside = np.minimum(amounts[:, :, None], lacks[:, None, :]) <= amounts[:, None, :]
        return np.asarray(inside, dtype=np.bool_)

    def list_alternatives(
        present: Present, unit: Fraction, giving_no_less: bool
    ) -> NDArray[np.int64]:
        return efficiency.list_candidates(
            find_amounts(present),
            find_lacks(present),
            exclusivity,
            giving_no_less=giving_no_less,
        )

    return ParticipationGame.from_table(
        regions.names,
        table,
        exclusivity,
        worth_no_more=is_subset,
        compare=compare,
        alternatives=list_alternatives,
        compared_outcomes="every number of new elements up to what a party lacks",
    )
