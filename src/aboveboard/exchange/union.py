"""`exchange.union`: rivals exchange lists, and nobody is handed more than its part.

What: every party reports a set; the rule fixes how many new elements each receives, the seed which
ones. Cost: one pass over the data, then the rule on the counts of the Venn regions. Source:
Branzei, Orlandi, Yang, "Sharing information with competitors" (arXiv 1809.10637), section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar

import polars as pl

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Property,
    StrongDominance,
    Symmetric,
)
from aboveboard.exchange.exclusivity import Exclusivities, resolve_exclusivity
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.inventing import AgainstInventing
from aboveboard.exchange.mechanism import ExchangeMechanism
from aboveboard.exchange.ownership import OWNERS, Ownership, index_owners
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.replies import Replies
from aboveboard.exchange.rules import (
    RULES,
    Rule,
    is_truthful_under_absence,
    is_truthful_under_hiding,
)
from aboveboard.exchange.truthful_range import find_truthful_range, promise_over_range
from aboveboard.exchange.union_file import Hiding, UnionFile, check_number_of_parties
from aboveboard.exchange.union_games import PartyLists, make_union_participation_game
from aboveboard.formatting import format_count, format_quantity, join_names
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Reply, Settlement
from aboveboard.storage.keys import unify_keys
from aboveboard.storage.records import ELEMENT, Records

THIN = 120
"""Elements on which the game is compared with the rule: all regions, a few elements of each."""

CAVEAT = (
    "The search for lies tried hiding any part of a list and staying away. It did not try "
    "inventing elements: the rule takes every reported element as real, and who invents some can "
    "be handed real ones for them. 'audit' looks at that."
)


@dataclass(frozen=True)
class Union(ExchangeMechanism[UnionFile, Records, HidingGame | ParticipationGame]):
    """Set union under one rule.

    Parameters
    ----------
    rule
        How many elements each party is handed.
    hiding
        What a party can do: hide any part ("partial") or only stay away ("all-or-nothing").
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    seed
        Fixes the order in which elements are handed out.

    Raises
    ------
    InputError
        If the rule is for another number of parties, or an exclusivity is wrong.

    Examples
    --------
    >>> rule = Union(RULES["equal-gain"], "partial", {"a": 1, "b": 1}, seed=7)
    >>> lists = {
    ...     "a": Records(pl.DataFrame({"element": ["x", "y"]})),
    ...     "b": Records(pl.DataFrame({"element": ["y", "z"]})),
    ... }
    >>> rule.settle(lists).parties["a"].reply.rows()["element"].to_list()
    ['z']
    """

    rule: Rule
    hiding: Hiding
    exclusivity: Exclusivities
    seed: int

    NAME: ClassVar[str] = "exchange.union"
    UNIT: ClassVar[str] = "elements"
    SUMMARY: ClassVar[str] = "parties exchange elements of their lists; no money moves"
    ASSUMES: ClassVar[str] = (
        "elements are real: the rule does not detect invented ones, and inventing can pay; a "
        "party minds what its best rival gains; the center is trusted"
    )
    GUARANTEES: ClassVar[str] = (
        "ex-post IC against hiding any part and staying away (equal-gain from exclusivity 0 to 1, "
        "best-group at 1); DSIC and IR for all-or-nothing parties from 0 to 1; symmetric, strong "
        "dominance; NOT DSIC where several hide, NOT against inventing"
    )
    COST: ClassVar[str] = (
        "a run reads all rows once and hands each on with one hash; the audit counts regions, "
        "up to 2^n of them, for each of the lists that a party could report"
    )
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018 (arXiv 1809.10637), section 2"
    FILE: ClassVar[type[CollaborationFile]] = UnionFile

    def __post_init__(self) -> None:
        """Refuse what the rule is not defined for."""
        check_number_of_parties(self.rule, self.hiding, len(self.ranges))

    @classmethod
    def from_file(cls, file: UnionFile) -> Union:
        """Take the parameters from a validated collaboration file."""
        exclusivity = resolve_exclusivity(file, file.parties)
        return cls(file.find_rule(), file.hiding, exclusivity, file.seed)

    @staticmethod
    def read_reports(file: UnionFile, read: Read) -> dict[str, Records]:
        """Read every party's list; keys of one value in several types become one key."""
        return unify_keys(
            {
                name: read(
                    name,
                    data=party.data,
                    elements=party.elements,
                    options=file.read_options(name),
                )
                for name, party in file.parties.items()
            }
        )

    def settle(self, reports: Mapping[str, Records]) -> Settlement:
        """Hand out elements by the rule.

        Cost: one group-by over all rows, the rule on the region counts, one hash an element.
        """
        ownership = index_owners(reports)
        regions = self._count_regions(ownership)
        amounts = dict(zip(regions.names, self.rule.compute_amounts(regions).tolist(), strict=True))
        handed = {name: amounts[name] for name in reports}
        replies = Replies(ownership, reports, handed, self.seed)
        parties = self.make_shares(
            handed,
            [Reply(reports[name].form, partial(replies.make_reply, name)) for name in reports],
        )
        sizes = dict(zip(regions.names, regions.sizes.tolist(), strict=True))
        details: dict[str, Any] = {
            "rule": self.rule.name,
            "hiding": self.hiding,
            "union": regions.union,
            "owned": {name: sizes[name] for name in reports},
            "lacked": {name: regions.union - sizes[name] for name in reports},
        }
        left_out = {n: dict(r.reading.left_out) for n, r in reports.items() if r.reading.left_out}
        if left_out:
            details["left_out"] = left_out
        if replies.conflicts:
            details["conflicting_elements"] = replies.conflicts
        generous = self._compare_with_best_group(regions, handed)
        if generous:
            details["best_group"] = generous
        notes = [
            *_note_spellings(reports),
            *_note_left_out(left_out),
            *_note_text_replies(reports),
            *_note_conflicts(replies.conflicts),
            *_note_best_group(generous, regions),
        ]
        if notes:
            details["notes"] = notes
        caveat = CAVEAT if self.hiding == "partial" else ""
        return Settlement(self.NAME, parties, details, caveat=caveat)

    def _count_regions(self, ownership: Ownership) -> Regions:
        """Return the regions among all parties of the rule; who is absent owns nothing."""
        return count_regions(ownership).arrange(tuple(self.ranges))

    def _compare_with_best_group(
        self, regions: Regions, handed: Mapping[str, int]
    ) -> dict[str, int]:
        """Return what best-group would hand out, where equal-gain hands out nothing."""
        if self.rule.name != "equal-gain" or any(handed.values()):
            return {}
        amounts = RULES["best-group"].compute_amounts(regions).tolist()
        return {
            name: amount
            for name, amount in zip(regions.names, amounts, strict=True)
            if amount and name in handed
        }

    def true_benefits(
        self, types: Mapping[str, Records], settlement: Settlement
    ) -> dict[str, Fraction | int]:
        """Return how many elements parties are handed that are real and that they do not own."""
        real = pl.concat([records.frame[ELEMENT] for records in types.values()])
        benefits: dict[str, Fraction | int] = {}
        for name, share in settlement.parties.items():
            assert share.reply.rows is not None
            # Not the first column: a reply has the receiver's own order.
            handed = share.reply.rows()[types[name].key or ELEMENT]
            owned = types[name].frame[ELEMENT]
            new = handed.is_in(real.implode()) & ~handed.is_in(owned.implode())
            benefits[name] = int(new.sum())
        return benefits

    def thin(self, types: Mapping[str, Records]) -> Mapping[str, Records]:
        """Return the lists with a few elements of each region, to compare game and rule on."""
        ownership = index_owners(types)
        if len(ownership) <= THIN:
            return types
        each = max(1, THIN // ownership.elements[OWNERS].n_unique())
        few = ownership.elements.group_by(OWNERS, maintain_order=True).head(each).head(THIN)
        return {
            name: replace(
                records, frame=records.frame.join(few.select(ELEMENT), on=ELEMENT, how="semi")
            )
            for name, records in types.items()
        }

    def game(self, types: Mapping[str, Records]) -> HidingGame | ParticipationGame:
        """Return the game in which each party chooses how much of its list to report."""
        ownership = index_owners(types)
        regions = count_regions(ownership).arrange(tuple(types))
        weights = tuple(r.high for r in self.list_ranges(types))
        if self.hiding == "all-or-nothing":
            return make_union_participation_game(regions, self.rule, weights)
        return HidingGame(regions, self.rule, weights, lists=PartyLists(ownership, types, regions))

    def promises(self, types: Mapping[str, Records]) -> Sequence[Property]:
        """Return what holds for this rule, these exclusivities and so many parties."""
        ranges = self.list_ranges(types)
        graded = (Symmetric(), StrongDominance())
        if self.hiding == "all-or-nothing":
            if not is_truthful_under_absence(ranges):
                return graded
            truthful = (ExPostIC(), IndividualRationality())
            return (*truthful, DSIC(), *promise_over_range(DSIC(), ranges), *graded)
        if not is_truthful_under_hiding(self.rule, ranges):
            return graded
        truthful = (ExPostIC(), IndividualRationality())
        return (*truthful, *promise_over_range(ExPostIC(), ranges), *graded)

    def examines(self, types: Mapping[str, Records]) -> Sequence[Property]:
        """Return what is not promised: several who hide, invented elements, efficiency."""
        looked_at: list[Property] = [
            ExPostIC(),
            IndividualRationality(),
            DSIC(),
            CoalitionProof(2),
            ParetoEfficient(),
            ParetoEfficient(giving_no_less=True),
        ]
        if self.hiding == "partial":
            looked_at.insert(2, AgainstInventing())
        promised = self.promises(types)
        return [prop for prop in looked_at if prop not in promised]

    def remarks(
        self, game: HidingGame | ParticipationGame, budget: Budget, seed: int
    ) -> Mapping[str, Any]:
        """Return for which exclusivity the rule is truthful on these lists."""
        return {"exclusivity": find_truthful_range(game, budget=budget, seed=seed).as_dict()}


def count_regions(ownership: Ownership) -> Regions:
    """Return the regions of the Venn diagram."""
    masks, counts = ownership.count_regions()
    # Copies: those of polars are read-only, and Numba would compile every kernel for both kinds.
    return Regions(ownership.names, masks.copy(), counts.copy())


def _note_spellings(reports: Mapping[str, Records]) -> list[str]:
    """Note whose elements are compared and delivered in another spelling than their owners'."""
    changed = {n: r.reading.respelled for n, r in reports.items() if r.reading.respelled}
    if not changed:
        return []
    counts = join_names([f"{count} of {name}" for name, count in sorted(changed.items())])
    return [f"elements are compared and delivered in one spelling, which changed {counts}"]


def _note_left_out(left_out: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Note how many entries of whom are not elements, and why."""
    return [
        f"of {name} were left out: "
        + join_names([f"{format_count(count)} {reason}" for reason, count in counts.items()])
        for name, counts in sorted(left_out.items())
    ]


def _note_text_replies(reports: Mapping[str, Records]) -> list[str]:
    """Note which parties send text, and receive of other parties' rows the key only."""
    texts = [name for name, records in reports.items() if records.form == "txt"]
    if not texts or len(texts) == len(reports):
        return []
    one = len(texts) == 1
    who = f"{texts[0]} sends" if one else f"{len(texts)} parties send"
    verb = "receives" if one else "receive"
    return [f"{who} lines of text and {verb} only the key of other parties' rows"]


def _note_conflicts(conflicts: int) -> list[str]:
    """Note how many elements have conflicting rows, and how the row is chosen."""
    if not conflicts:
        return []
    one = conflicts == 1
    return [
        f"{format_quantity(conflicts, 'element')} {'has' if one else 'have'} different rows with "
        "different owners; delivered is the row that most owners have, of equally many the one "
        "that the seed selects"
    ]


def _note_best_group(generous: Mapping[str, int], regions: Regions) -> list[str]:
    """Note what best-group would hand out where equal-gain hands out nothing, and its condition."""
    if not generous:
        return []
    whole = [n for n, lack in zip(regions.names, regions.lacks.tolist(), strict=True) if not lack]
    would = join_names([f"{name} {format_count(amount)}" for name, amount in generous.items()])
    return [
        f"equal-gain hands out nothing, because {join_names(whole)} lacks nothing; "
        f'rule = "best-group" would hand out: {would}. It is truthful only if every party minds '
        "a rival's gain as much as its own (exclusivity = 1)"
    ]
