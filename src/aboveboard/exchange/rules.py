"""How many elements each party is handed: the rules of set union.

Every rule maps what is reported (only the sizes of Venn regions matter) to an amount for each
party; `handout` selects the elements. A party that reports nothing is absent: it is handed nothing
and the rule is applied to the others.

=================== ======= ==========================================================
two-party           n = 2   Proposition 1: both gain what the larger party lacks
three-party         n = 3   Mechanism 1, read as in docs/theory.md
three-party-pareto  n = 3   Theorem 2.2: everybody topped up to the second-highest benefit
all-or-nothing      n <= 20 Mechanism 2, by a DP over coalitions, O(n 2^n)
best-group          n <= 63 our answer to Open Problem 1: V is what the best equal exchange of
                            any group would give; everybody gets min(V, what it lacks)
best-group-inside   n <= 63 the same amounts; the elements of the best group are handed out first
equal-gain          n <= 63 everybody gets what the largest party lacks
everything          n <= 63 everybody gets all that it lacks
=================== ======= ==========================================================

Where a party can hide any part, two-party, equal-gain and best-group-inside are truthful for every
exclusivity from 0 to 1, the three-party rules and best-group only where every exclusivity is 1
(with two parties best-group is the two-party rule). Where it can only stay away, all are, from 0 to
1. "everything" serves to compare: it is truthful at 0 alone.

Source: Branzei, Orlandi, Yang, "Sharing information with competitors" (arXiv 1809.10637).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.regions import MOST_OWNERS, Regions

Amounts = Callable[[NDArray[np.uint64], NDArray[np.int64], int], NDArray[np.int64]]

MOST_IN_COALITIONS = 20  # 2^20 coalitions: the largest table that a run should build


@dataclass(frozen=True)
class Rule:
    """A rule of exchange.

    Parameters
    ----------
    name
        As in the collaboration file.
    least, most
        For how many parties it is defined.
    reference
        Where it comes from.

    Examples
    --------
    >>> lists = Regions.from_sets({"a": "xyz", "b": "yw", "c": "v"})
    >>> RULES["equal-gain"].compute_amounts(lists).tolist()
    [2, 2, 2]
    >>> RULES["best-group"].compute_amounts(lists).tolist()
    [2, 2, 2]
    """

    name: str
    least: int
    most: int
    reference: str

    def check_parties(self, n: int) -> None:
        """Raise `InputError` if the rule is not defined for n parties."""
        if not self.least <= n <= self.most:
            wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            raise InputError(
                f"rule {self.name!r}",
                f"it is for {wanted} parties and there are {n}",
                f'rule = "equal-gain" takes up to {MOST_OWNERS}',
            )

    def apply(
        self, reported: NDArray[np.uint64], counts: NDArray[np.int64], n: int
    ) -> NDArray[np.int64]:
        """Return amounts, shape (m, n), for m instances of segments, both of shape (m, segments).

        Raises
        ------
        InputError
            If the rule is not defined for n parties.
        """
        self.check_parties(n)
        return _find_kernel(self.name)(reported, counts, n)

    def find_first(
        self, reported: NDArray[np.uint64], counts: NDArray[np.int64], n: int
    ) -> NDArray[np.uint64] | None:
        """Return by instance the mask of parties whose elements are handed out before others.

        None: no elements go before others, but for the order that the seed gives.
        """
        if self.name != "best-group-inside":
            return None
        from aboveboard.exchange import group_kernels

        return group_kernels.best_group_members(reported, counts, n)

    def name_first(self, regions: Regions) -> tuple[str, ...]:
        """Return the parties whose elements are handed out first when all report all they own."""
        owners, counts = regions.owners[None, :], regions.counts[None, :]
        found = self.find_first(owners, counts, len(regions.names))
        mask = 0 if found is None else int(found[0])
        return tuple(name for i, name in enumerate(regions.names) if mask >> i & 1)

    def compute_amounts(self, regions: Regions) -> NDArray[np.int64]:
        """Return the amounts, shape (n,), when everybody reports all it owns.

        Raises
        ------
        InputError
            If the rule is not defined for so many parties.
        """
        owners, counts = regions.owners[None, :], regions.counts[None, :]
        amounts: NDArray[np.int64] = self.apply(owners, counts, len(regions.names))[0]
        return amounts

    def compute_coalition_amounts(self, regions: Regions) -> NDArray[np.int64]:
        """Return the amounts if only a coalition is present, for each: shape (2^n, n), by bit mask.

        One pass over 2^n coalitions for the rules of any number of parties.

        Raises
        ------
        InputError
            If the rule is not defined for so many parties.
        """
        from aboveboard.exchange import kernels

        self.check_parties(len(regions.names))
        n = len(regions.names)
        coalitions = np.arange(1 << n, dtype=np.uint64)
        if self.name in ("two-party", "three-party", "three-party-pareto"):
            reported = coalitions[:, None] & regions.owners[None, :]
            counts = np.broadcast_to(regions.counts, reported.shape)
            return self.apply(np.ascontiguousarray(reported), np.ascontiguousarray(counts), n)
        unions = kernels.coalition_unions(regions.owners, regions.counts, n)
        sizes = regions.sizes
        if self.name in ("best-group", "best-group-inside"):
            order = np.argsort(-sizes, kind="stable")
            value = kernels.best_group_ceilings(unions, sizes, order)
        elif self.name == "everything":
            value = unions
        elif self.name == "equal-gain":
            value = kernels.equal_gain_ceilings(unions, sizes)
        else:
            value = _compute_mechanism_2_ceilings(unions, sizes)
        present = (coalitions[:, None] >> np.arange(n, dtype=np.uint64) & np.uint64(1)) > 0
        lacks = unions[:, None] - sizes[None, :]
        given: NDArray[np.int64] = np.where(
            present & (sizes > 0), np.minimum(value[:, None], lacks), 0
        )
        return given


def _compute_mechanism_2_ceilings(
    unions: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return Mechanism 2's V for each coalition; parties without elements count as absent."""
    from aboveboard.exchange import kernels

    n = len(sizes)
    holders = [i for i in range(n) if sizes[i] > 0]
    compact = np.zeros(1, dtype=np.int64)
    for i in holders:
        compact = np.concatenate([compact, compact + (1 << i)])
    value = kernels.ceilings(unions[compact], sizes[holders])
    place = np.zeros(len(unions), dtype=np.int64)
    coalitions = np.arange(len(unions))
    for k, i in enumerate(holders):
        place |= (coalitions >> i & 1) << k
    result: NDArray[np.int64] = value[place]
    return result


def _find_kernel(name: str) -> Amounts:
    from aboveboard.exchange import kernels, three_party_kernels

    table: dict[str, Amounts] = {
        "two-party": kernels.equal_gain,  # for two parties both formulas are min of the two lacks
        "three-party": partial(three_party_kernels.three_party, topped_up=False),
        "three-party-pareto": partial(three_party_kernels.three_party, topped_up=True),
        "all-or-nothing": kernels.all_or_nothing,
        "best-group": kernels.best_group,
        "best-group-inside": kernels.best_group,
        "everything": kernels.everything,
        "equal-gain": kernels.equal_gain,
    }
    return table[name]


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("two-party", 2, 2, "Proposition 1"),
        Rule("three-party", 3, 3, "Mechanism 1, Theorem 2.1"),
        Rule("three-party-pareto", 3, 3, "Theorem 2.2"),
        Rule("all-or-nothing", 1, MOST_IN_COALITIONS, "Mechanism 2, Theorem 2.3"),
        Rule("best-group", 1, MOST_OWNERS, "an answer to Open Problem 1"),
        Rule("best-group-inside", 1, MOST_OWNERS, "docs/theory.md, best group, inside"),
        Rule("equal-gain", 1, MOST_OWNERS, "section 2.3, Lemma 1"),
        Rule("everything", 1, MOST_OWNERS, "section 1.1"),
    )
}


def choose_rule(
    exclusivity: Sequence[ExclusivityRange],
    hiding: Literal["partial", "all-or-nothing"],
    *,
    stated: bool = True,
) -> Rule:
    """Return the rule that is used where a collaboration names none.

    best-group where each exclusivity is 1; best-group-inside, which hands out as much, where all
    are stated, one as a range; else equal-gain, by which all gain the same; Mechanism 2 where
    parties can only stay away. All are truthful for every exclusivity that the parties may have.

    Parameters
    ----------
    exclusivity
        Of each party.
    hiding
        What parties can hide.
    stated
        Whether every party's exclusivity is stated; what is not counts as 0 to 1.

    Examples
    --------
    >>> choose_rule([ExclusivityRange.from_value(1)] * 3, "partial").name
    'best-group'
    >>> choose_rule([ExclusivityRange.from_value([0.6, 1])] * 3, "partial").name
    'best-group-inside'
    >>> choose_rule([ExclusivityRange.from_value([0, 1])] * 3, "partial", stated=False).name
    'equal-gain'
    """
    if hiding == "all-or-nothing":
        return RULES["all-or-nothing"]
    if all(e.lies_within(1, 1) for e in exclusivity):
        return RULES["best-group"]
    ranges = stated and not all(e.is_point for e in exclusivity)
    within = all(e.lies_within(0, 1) for e in exclusivity)
    return RULES["best-group-inside" if ranges and within else "equal-gain"]


def is_truthful_under_hiding(rule: Rule, exclusivity: Sequence[ExclusivityRange]) -> bool:
    """Return whether hiding any part never pays, whatever the lists, against truthful others.

    Sources: Proposition 1, Theorems 2.1 and 2.2; docs/theory.md for best-group and equal-gain.
    """
    if rule.name == "everything":
        return all(e.lies_within(0, 0) for e in exclusivity)
    if rule.name in ("two-party", "equal-gain", "best-group-inside") or (
        rule.name == "best-group" and len(exclusivity) <= 2
    ):
        return all(e.lies_within(0, 1) for e in exclusivity)
    if rule.name in ("three-party", "three-party-pareto", "best-group"):
        return all(e.lies_within(1, 1) for e in exclusivity)
    return False


def is_truthful_under_absence(rule: Rule, exclusivity: Sequence[ExclusivityRange]) -> bool:
    """Return whether joining is dominant for parties that can only stay away."""
    most = 0 if rule.name == "everything" else 1
    return all(e.lies_within(0, most) for e in exclusivity)
