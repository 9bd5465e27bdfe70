"""Whether inventing elements pays where a sample of the elements is inspected, and what a run says.

The audit plays every lie of each party: any part hidden, any number of elements invented, each lie
weighed by the probability that something is found. Where there are too many lies, a closed form
answers, for the rules that have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from aboveboard.auditing import Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Budget, Progress
from aboveboard.errors import BudgetExceeded, InputError, UndefinedProperty
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.inspection import Inspection, InspectionResult
from aboveboard.exchange.inspection_design import InspectionSetting, find_deposit_by_bounds
from aboveboard.exchange.inspection_search import compute_exact_gain, compute_gains
from aboveboard.exchange.lie_tables import LieTable
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import (
    Rule,
    is_truthful_under_absence,
    is_truthful_under_hiding,
)
from aboveboard.formatting import encode_number, format_count, format_quantity, join_names
from aboveboard.games.capabilities import DeviationKind
from aboveboard.games.game import Game
from aboveboard.mechanisms.settlement import Reply, Settlement, Share

INVENTING_SCOPE = (
    "looked at: each party reports elements that nobody owns, up to as many as there are real "
    "ones, and hides any part of its own; not looked at: to claim elements that others own"
)
RECHECKED_GAIN = 1e-9
"""Gains up to this, in units, are computed once more, exactly."""


@dataclass(frozen=True)
class AgainstInspectedInventing(Property):
    """No party gains in expectation by inventing elements of which a sample is inspected.

    Parameters
    ----------
    ranges
        By party, in the order of the game: its exclusivity.
    rate, deposit, miss
        How likely an element is inspected, what is forfeited, and how likely an inspector errs.
    whole_lists
        Whether a party reports its whole list or nothing of it, beside what it invents.
    coalitions
        Whether parties may invent the same elements together: then only a closed form answers.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from aboveboard.exchange import RULES
    >>> lists = Regions.from_sets({"a": "xyz", "b": "uvw"})
    >>> half = ExclusivityRange.from_value("1/2")
    >>> game = HidingGame(lists, RULES["equal-gain"], (Fraction(1, 2),) * 2)
    >>> claim = AgainstInspectedInventing((half, half), Fraction(1, 4))
    >>> ab.audit(game, [claim])[claim.name].status.value
    'holds'
    """

    deviation_kinds: ClassVar[tuple[DeviationKind, ...]] = ("invents",)

    ranges: tuple[ExclusivityRange, ...]
    rate: Fraction
    deposit: Fraction = Fraction(0)
    miss: Fraction = Fraction(0)
    whole_lists: bool = False
    coalitions: bool = False

    name: ClassVar[str] = "ex-post IC against inventing"

    def make_setting(self, regions: Regions, rule: Rule) -> InspectionSetting:
        """Return lists, rule and tastes."""
        return InspectionSetting(
            regions, rule, self.ranges, self.whole_lists, self.miss, self.coalitions
        )

    def is_enough(self, regions: Regions, rule: Rule) -> bool:
        """Return whether rate and deposit are known to be enough for these lists."""
        setting = self.make_setting(regions, rule)
        try:
            worst = None if self.coalitions else self._find_worst(setting)
        except BudgetExceeded:
            worst = None
        if worst is not None:
            return worst.gain <= 0
        return self._is_proved(setting)

    def _is_proved(self, setting: InspectionSetting) -> bool:
        if self.rate == 1 and not self.miss and not (setting.regions.sizes == 0).any():
            # Whoever invents is caught: it gains no more than by hiding what it does not report.
            truthful = is_truthful_under_absence if self.whole_lists else is_truthful_under_hiding
            return truthful(setting.rule, self.ranges)
        try:
            return find_deposit_by_bounds(setting, self.rate) <= self.deposit
        except InputError:
            return False

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict: all lies are tried or, where there are too many, a closed form.

        Raises
        ------
        UndefinedProperty
            If the game is not one in which lists are reported.
        """
        setting = self._read_setting(game)
        if not setting.regions.union:
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive", statement="no elements")
        try:
            worst = None if self.coalitions else self._find_worst(setting)
        except BudgetExceeded:
            worst = None
        if worst is None:
            return self._judge_by_bounds(setting)
        status = Status.FAILS if worst.gain > 0 else Status.HOLDS
        return Verdict(
            self.name,
            status,
            worst.lies,
            worst.lies,
            "exhaustive",
            gain=max(worst.gain, Fraction(0)),
            witness=self._make_witness(worst) if worst.gain > 0 else None,
            statement=INVENTING_SCOPE,
        )

    def _read_setting(self, game: Game) -> InspectionSetting:
        if not isinstance(game, HidingGame) or len(game.players) != len(self.ranges):
            raise UndefinedProperty(f"{self.name} is a property of lists that its parties report")
        return self.make_setting(game.regions, game.rule)

    def _judge_by_bounds(self, setting: InspectionSetting) -> Verdict:
        if self._is_proved(setting):
            text = (
                f"a rate of {encode_number(self.rate)} with a deposit of "
                f"{encode_number(self.deposit)} is enough where V = "
                f"{format_count(setting.gain)}, whatever is hidden and invented"
                + (", also together" if self.coalitions else "")
            )
            return Verdict(self.name, Status.HOLDS, 1, 1, "closed form", gain=0, statement=text)
        return Verdict(
            self.name,
            Status.UNDECIDED,
            0,
            0,
            "closed form",
            statement="there are too many lies to try them all, and no closed form says that rate "
            "and deposit are enough: see aboveboard design",
        )

    def _find_worst(self, setting: InspectionSetting) -> _WorstLie:
        """Return the lie that gains most, exactly.

        Raises
        ------
        BudgetExceeded
            If there are too many lies.
        """
        worst: _WorstLie | None = None
        lies = 0
        for table in setting.list_tables():
            lies += table.size
            gains = compute_gains(table, self.rate, self.deposit, self.miss)
            if not gains.size:
                continue
            top = gains.max()
            if worst is not None and (top + RECHECKED_GAIN) * float(table.unit) < worst.gain:
                continue
            close = np.argwhere(gains >= top - RECHECKED_GAIN * max(1.0, abs(float(top))))
            for row, column in sorted(close.tolist(), key=lambda at: at[1])[:8]:
                gain = compute_exact_gain(
                    table, row, column + 1, self.rate, self.deposit, self.miss
                )
                if worst is None or gain > worst.gain:
                    worst = _WorstLie(table, row, column + 1, gain, 0)
        if worst is None:
            raise BudgetExceeded("there are no lies to try")
        return replace(worst, lies=lies)

    def _make_witness(self, worst: _WorstLie) -> Witness:
        party, table = worst.table.party, worst.table
        hidden = int(table.hidden[worst.row].sum())
        lie: dict[str, Any] = {"hides": hidden} if hidden else {}
        lie["invents"] = worst.invented
        truth = table.truth * table.unit
        return Witness(
            parties=(party,),
            truth={party: "truth"},
            lie={party: lie},
            others={},
            gain=worst.gain,
            row=f"{self.name}/{party}/({hidden}, {worst.invented})",
            payoffs={party: (truth, truth + worst.gain)},
            kinds={party: "invents"},
        )


@dataclass(frozen=True)
class _WorstLie:
    """The lie that gains most: its table, row and number of inventions, and how many were tried."""

    table: LieTable
    row: int
    invented: int
    gain: Fraction
    lies: int


def settle_inspected(
    mechanism: str,
    parties: Mapping[str, Share],
    details: dict[str, Any],
    inspection: Inspection,
    inspected: InspectionResult,
) -> Settlement:
    """Return the settlement with what was inspected and found; who was caught forfeits its deposit.

    Parameters
    ----------
    mechanism
        The rule's name.
    parties
        Shares before deposits.
    details
        Of the settlement; the inspection is added.
    inspection, inspected
        How elements were inspected, and what was found.
    """
    deposit = inspection.deposit or Fraction(0)
    shares = {
        name: replace(share, payment=deposit, utility=(share.utility or 0) - deposit)
        if name in inspected.found
        else share
        for name, share in parties.items()
    }
    details["inspection"] = {
        "rate": encode_number(inspection.rate),
        "deposit": encode_number(deposit),
        "sampled": inspected.sampled,
        "inspected": len(inspected.asked),
        "invented": {name: len(found) for name, found in inspected.found.items()},
    }
    notes = [
        f"{format_quantity(len(inspected.asked), 'element')} inspected, "
        f"{format_count(inspected.sampled)} of them drawn by the seed"
    ]
    unexamined = ""
    if inspected.found:
        who = join_names(list(inspected.found))
        notes.append(f"invented elements were found with {who}: handed nothing, deposit forfeited")
        unexamined = f"not examined: {who} reported invented elements, which are not true lists"
    details["notes"] = [*details.get("notes", ()), *notes]
    return Settlement(
        mechanism,
        shares,
        details,
        caveat="Inventing is met by inspection, not by the search for lies: 'audit' says whether "
        "the rate is enough.",
        center={"inspection": Reply("csv", rows=inspected.to_frame)},
        unexamined=unexamined,
    )
