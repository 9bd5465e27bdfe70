"""`exchange.union`: rivals exchange lists, and nobody is handed more than its part.

What: every party reports a set; the rule fixes how many new elements each receives, the seed which
ones. Cost: one pass over the data, then the rule on the counts of the Venn regions. Source:
Branzei, Orlandi, Yang, "Sharing information with competitors" (arXiv 1809.10637), section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
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
from aboveboard.errors import InputError
from aboveboard.exchange.exclusivity import Exclusivities, resolve_exclusivity
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.inspected_inventing import AgainstInspectedInventing, settle_inspected
from aboveboard.exchange.inspection import Inspection, InspectionResult
from aboveboard.exchange.inspection_design import (
    InspectionDesign,
    InspectionSetting,
    design_inspection,
)
from aboveboard.exchange.inventing import AgainstInventing
from aboveboard.exchange.mechanism import ExchangeMechanism
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import (
    RULES,
    Rule,
    is_truthful_under_absence,
    is_truthful_under_hiding,
)
from aboveboard.exchange.tabulation import UnionTable, are_same, count_rows, tabulate
from aboveboard.exchange.truthful_range import find_truthful_range, promise_over_range
from aboveboard.exchange.union_file import (
    Hiding,
    UnionFile,
    check_number_of_parties,
)
from aboveboard.exchange.union_games import PartyLists, make_union_participation_game
from aboveboard.exchange.union_notes import (
    note_best_group,
    note_conflicts,
    note_left_out,
    note_spellings,
    note_text_replies,
)
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Work
from aboveboard.mechanisms.reading import ListSource, Read
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.storage.keys import unify_keys
from aboveboard.storage.options import merge_options
from aboveboard.storage.partitions import pick_rows
from aboveboard.storage.records import ELEMENT, Records
from aboveboard.storage.shelf import Shelf

THIN = 120
"""Elements on which the game is compared with the rule: all regions, a few elements of each."""

CAVEAT = (
    "The rule takes every reported element as real, and who invents some can be handed real ones "
    "for them: 'audit' looks at that."
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
    inspection
        How reported elements are inspected; None: they are not.
    inspected
        What an inspection has found; None: nothing was inspected yet.
    work
        Where parts of large lists are worked on.

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
    inspection: Inspection | None = None
    inspected: InspectionResult | None = field(default=None, repr=False)
    work: Work = field(default=Work(), repr=False, compare=False)

    NAME: ClassVar[str] = "exchange.union"
    UNIT: ClassVar[str] = "elements"
    SUMMARY: ClassVar[str] = "parties exchange elements of their lists; no money moves"
    ASSUMES: ClassVar[str] = (
        "elements are real, or a sample of them is inspected ([inspection]): the rule alone does "
        "not detect invented ones; a party minds what its best rival gains; the center is trusted"
    )
    GUARANTEES: ClassVar[str] = (
        "ex-post IC against hiding any part and staying away (equal-gain and best-group-inside "
        "from exclusivity 0 to 1, best-group at 1), with [inspection] against inventing too; DSIC "
        "and IR for all-or-nothing parties from 0 to 1; symmetric, strong dominance; NOT DSIC "
        "where several hide, NOT against inventing without inspection"
    )
    COST: ClassVar[str] = (
        "a run reads all rows once and hands each on with one hash; the audit counts regions, "
        "up to 2^n of them, for each of the lists that a party could report"
    )
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018 (arXiv 1809.10637), section 2"
    FILE: ClassVar[type[CollaborationFile]] = UnionFile
    SPREADS: ClassVar[bool] = True
    KEEPS: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse what the rule is not defined for."""
        check_number_of_parties(self.rule, self.hiding, len(self.ranges))

    @classmethod
    def from_file(cls, file: UnionFile) -> Union:
        """Take the parameters from a validated collaboration file."""
        exclusivity = resolve_exclusivity(file, file.parties)
        inspection = None if file.inspection is None else file.inspection.make_inspection()
        return cls(file.find_rule(), file.hiding, exclusivity, file.seed, inspection)

    @classmethod
    def infer_parties(cls, file: UnionFile, read: Read) -> UnionFile:
        """Return the file with the places of what inspectors know."""
        if file.inspection is None:
            return file
        own = file.inspection.key
        options = replace(merge_options(file, key=own), shared_key=own is None)
        return file.model_copy(update={"inspection": file.inspection.locate(read, options)})

    @staticmethod
    def read_reports(file: UnionFile, read: Read) -> dict[str, Records]:
        """Read every party's list; keys of one value in several types become one key."""
        shelf = Shelf(len(file.parties))
        sources = {
            name: ListSource(party.data, party.elements, file.read_options(name))
            for name, party in file.parties.items()
        }
        for name, records in read.read_lists(sources, shelf):
            shelf.put(name, records)
        return shelf.take(unify_keys)

    def prepare(self, reports: Mapping[str, Records]) -> tuple[Union, Mapping[str, Records]]:
        """Inspect the reports; return the rule that knows what was found, and the true parts.

        Raises
        ------
        InputError
            If there is no rate, or nobody who inspects; if people must inspect first.
        """
        if self.inspection is None:
            return self, reports
        inspected = self.inspection.conduct(reports, self.seed)
        return replace(self, inspected=inspected), inspected.reports

    def offer_for(self, reports: Mapping[str, Records]) -> InspectionDesign:
        """Return the least rate of inspection, and the least deposit, for these lists.

        Raises
        ------
        InputError
            If the file has no table [inspection], or no rate is known to be enough.
        """
        if self.inspection is None:
            raise InputError(
                "key 'inspection'",
                f"{self.NAME} has no parameters to choose without a table [inspection]",
                "write [inspection], which may be empty: then design finds rate and deposit",
            )
        return self._design(self.inspection, self._count_regions(self._tabulate(reports)))

    def _design(self, inspection: Inspection, regions: Regions) -> InspectionDesign:
        setting = InspectionSetting(
            regions,
            self.rule,
            tuple(self.ranges[name] for name in regions.names),
            self.hiding == "all-or-nothing",
            inspection.miss,
            inspection.coalitions,
        )
        return design_inspection(setting, rate=inspection.rate, deposit=inspection.deposit)

    def with_work(self, work: Work) -> Union:
        """Return the same rule, parts of large lists worked on where `work` says."""
        return replace(self, work=work)

    def settle(self, reports: Mapping[str, Records]) -> Settlement:
        """Hand out elements by the rule; whoever was caught inventing is handed nothing.

        Cost: one group-by over all rows, the rule on the region counts, one hash an element.
        """
        table = self._tabulate(reports)
        regions = self._count_regions(table)
        amounts = dict(zip(regions.names, self.rule.compute_amounts(regions).tolist(), strict=True))
        caught = {} if self.inspected is None else self.inspected.found
        handed = {name: 0 if name in caught else amounts[name] for name in reports}
        first = self.rule.name_first(regions)
        parties = self.make_shares(handed, list(table.hand_out(handed, first).values()))
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
        if table.conflicts:
            details["conflicting_elements"] = table.conflicts
        generous = self._compare_with_best_group(regions, handed)
        if generous:
            details["best_group"] = generous
        notes = [
            *note_spellings(reports),
            *note_left_out(left_out),
            *note_text_replies(reports),
            *note_conflicts(table.conflicts),
            *note_best_group(generous, regions),
        ]
        if notes:
            details["notes"] = notes
        if self.inspected is not None and self.inspection is not None:
            return settle_inspected(self.NAME, parties, details, self.inspection, self.inspected)
        caveat = CAVEAT if self.hiding == "partial" else ""
        return Settlement(self.NAME, parties, details, caveat=caveat)

    def _tabulate(self, reports: Mapping[str, Records]) -> UnionTable:
        """Return the union of lists; the largest one is kept."""
        last: UnionTable | None = self.__dict__.get("_table")
        if last is not None and are_same(last.records, reports):
            return last
        made = tabulate(reports, self.seed, self.work.executor)
        if last is None or count_rows(reports) >= count_rows(last.records):
            self.__dict__["_table"] = made
        return made

    def _count_regions(self, table: UnionTable) -> Regions:
        """Return the regions among all parties of the rule; who is absent owns nothing."""
        return count_regions(table).arrange(tuple(self.ranges))

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
            assert share.reply.elements is not None
            handed = share.reply.elements()
            owned = types[name].frame[ELEMENT]
            new = handed.is_in(real.implode()) & ~handed.is_in(owned.implode())
            benefits[name] = int(new.sum())
        return benefits

    def thin(self, types: Mapping[str, Records]) -> Mapping[str, Records]:
        """Return the lists with a few elements of each region, to compare game and rule on."""
        table = self._tabulate(types)
        masks, counts = table.count_regions()
        if counts.sum() <= THIN:
            return types
        few = table.head_regions(max(1, THIN // len(masks)), THIN)
        return {
            name: records.with_frame(pick_rows(records, few)) for name, records in types.items()
        }

    def game(self, types: Mapping[str, Records]) -> HidingGame | ParticipationGame:
        """Return the game in which each party chooses how much of its list to report."""
        regions = count_regions(self._tabulate(types)).arrange(tuple(types))
        weights = tuple(r.high for r in self.list_ranges(types))
        if self.hiding == "all-or-nothing":
            return make_union_participation_game(regions, self.rule, weights)
        return HidingGame(regions, self.rule, weights, lists=PartyLists(types, regions))

    def promises(self, types: Mapping[str, Records]) -> Sequence[Property]:
        """Return what holds for this rule, these exclusivities and so many parties."""
        ranges = self.list_ranges(types)
        graded = (Symmetric(), StrongDominance())
        inspected = self._promise_inspection(types)
        if self.hiding == "all-or-nothing":
            if not is_truthful_under_absence(self.rule, ranges):
                return graded
            truthful = (ExPostIC(), IndividualRationality())
            return (*truthful, DSIC(), *promise_over_range(DSIC(), ranges), *graded, *inspected)
        if not is_truthful_under_hiding(self.rule, ranges):
            return graded
        truthful = (ExPostIC(), IndividualRationality())
        return (*truthful, *promise_over_range(ExPostIC(), ranges), *graded, *inspected)

    def _make_claim(self, types: Mapping[str, Records]) -> AgainstInspectedInventing | None:
        """Return the claim that inventing does not pay at the stated rate; None without one."""
        if self.inspection is None or self.inspection.rate is None:
            return None
        return AgainstInspectedInventing(
            tuple(self.list_ranges(types)),
            self.inspection.rate,
            self.inspection.deposit or Fraction(0),
            self.inspection.miss,
            self.hiding == "all-or-nothing",
            self.inspection.coalitions,
        )

    def _promise_inspection(self, types: Mapping[str, Records]) -> tuple[Property, ...]:
        """Return the claim on inventing where rate and deposit are enough for these lists."""
        claim = self._make_claim(types)
        if claim is None:
            return ()
        regions = count_regions(self._tabulate(types)).arrange(tuple(types))
        return (claim,) if claim.is_enough(regions, self.rule) else ()

    def examines(self, types: Mapping[str, Records]) -> Sequence[Property]:
        """Return what may not be promised: several who hide, invented elements, efficiency."""
        looked_at: list[Property] = [
            ExPostIC(),
            IndividualRationality(),
            DSIC(),
            CoalitionProof(2),
            ParetoEfficient(),
            ParetoEfficient(giving_no_less=True),
        ]
        claim = self._make_claim(types)
        if claim is not None:
            looked_at.insert(2, claim)
        elif self.hiding == "partial":
            looked_at.insert(2, AgainstInventing())
        return looked_at

    def remarks(
        self, game: HidingGame | ParticipationGame, budget: Budget, seed: int
    ) -> Mapping[str, Json]:
        """Return for which exclusivity the rule is truthful on these lists."""
        return {"exclusivity": find_truthful_range(game, budget=budget, seed=seed).as_dict()}


def count_regions(table: UnionTable) -> Regions:
    """Return the regions of the Venn diagram."""
    masks, counts = table.count_regions()
    # Copies: those of polars are read-only, and Numba would compile every kernel for both kinds.
    return Regions(table.names, masks.copy(), counts.copy())
