"""The least rate of inspection, and the least deposit, for which no lie with inventions pays.

Where there are few enough lies (2^21 of each party) all of them are tried, each with its
probability of being found; the rate is then the least for these lists, exactly: 1 - (a/b)^(1/k) of
the lie that binds. Where there are more, the rate is that of `inspection_bounds`, for equal-gain
and for best-group at exclusivity 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.inspection_bounds import (
    compute_proved_rate,
    compute_stated_bound,
    find_needed_deposit,
    round_up,
)
from aboveboard.exchange.inspection_search import RATE_HALVINGS, find_least_deposit, find_least_rate
from aboveboard.exchange.lie_tables import KeptTables, LieTable, tabulate_lies
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import Rule
from aboveboard.formatting import (
    encode_number,
    format_count,
    format_number,
    format_probability,
)
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.settlement import Exhibit

ALL_LIES = "all lies of each party"
CLOSED_FORM = "closed form"


@dataclass(frozen=True)
class InspectionSetting:
    """The lists, the rule and the tastes for which inspection is designed.

    Parameters
    ----------
    regions
        Who owns how much.
    rule
        How many elements each party is handed.
    ranges
        By party, in order: its exclusivity.
    whole_lists
        Whether a party reports its whole list or nothing of it, beside what it invents.
    miss
        How likely an inspector takes an invented element for real.
    coalitions
        Whether parties may invent the same elements together.

    Examples
    --------
    >>> from aboveboard.exchange import RULES
    >>> lists = Regions.from_sets({"a": "xy", "b": "zw"})
    >>> all_tastes = ExclusivityRange.from_value([0, 1])
    >>> InspectionSetting(lists, RULES["equal-gain"], (all_tastes,) * 2).bound
    Fraction(1, 2)
    """

    regions: Regions
    rule: Rule
    ranges: tuple[ExclusivityRange, ...]
    whole_lists: bool = False
    miss: Fraction = Fraction(0)
    coalitions: bool = False

    @property
    def gain(self) -> int:
        """V: what everybody gains by equal-gain, else the most that anybody is handed."""
        return int(self.rule.compute_amounts(self.regions).max(initial=0))

    @property
    def highest(self) -> Fraction:
        """The highest exclusivity of all."""
        return max(r.high for r in self.ranges)

    @property
    def bound(self) -> Fraction:
        """(1 + e)/(V + 1 + e) at the highest exclusivity."""
        return compute_stated_bound(self.gain, self.highest)

    def list_tables(self, first: int = 0) -> Iterator[LieTable]:
        """Yield the lies of each party, at both ends of its exclusivity.

        Parameters
        ----------
        first
            How many tables to leave out.

        Raises
        ------
        BudgetExceeded
            If there are too many.
        """
        ends = [(i, e) for i, own in enumerate(self.ranges) for e in sorted({own.low, own.high})]
        for i, e in ends[first:]:
            game = HidingGame(self.regions, self.rule, (e,) * len(self.ranges))
            yield tabulate_lies(game, i, whole_lists=self.whole_lists, misses=bool(self.miss))


@dataclass(frozen=True)
class InspectionDesign:
    """How often to inspect, and what a party deposits.

    Parameters
    ----------
    rate
        How likely each element is inspected.
    deposit
        What a party forfeits that invented elements, in elements.
    exact_rate
        The rate without rounding, as text such as "1-(3/4)^(1/2)".
    rate_alone
        The least rate without a deposit, rounded up; None if no rate is enough.
    bound
        (1 + e)/(V + 1 + e), which the rate does not exceed unless a file states more.
    gain
        V.
    basis
        What the numbers rest on: all lies, or a closed form.
    lies
        How many lies were tried; 0 for a closed form.

    Examples
    --------
    >>> from aboveboard.exchange.rules import RULES
    >>> lists = Regions.from_sets({"a": "1234", "b": "3456", "c": "1678"})
    >>> half = ExclusivityRange.from_value("1/2")
    >>> found = design_inspection(InspectionSetting(lists, RULES["equal-gain"], (half,) * 3))
    >>> found.exact_rate, found.deposit, found.bound
    ('1-(3/4)^(1/2)', Fraction(0, 1), Fraction(3, 11))
    """

    rate: Fraction
    deposit: Fraction
    exact_rate: str
    rate_alone: Fraction | None
    bound: Fraction
    gain: int
    basis: str
    lies: int

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        return {
            "rate": encode_number(self.rate),
            "deposit": encode_number(self.deposit),
            "exact_rate": self.exact_rate,
            "rate_without_deposit": encode_number(self.rate_alone),
            "bound": encode_number(self.bound),
            "equal_gain": self.gain,
            "basis": self.basis,
            "lies": self.lies,
        }

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        text = f"Inspect each reported element with probability {format_probability(self.rate)}"
        if self.deposit:
            return f"{text}, against a deposit worth {format_number(self.deposit)} new elements."
        return f"{text}: then inventing does not pay, without a deposit."

    def summary_rows(self) -> Sequence[tuple[str, str]]:
        """Return labels and values."""
        alone = "none" if self.rate_alone is None else str(encode_number(self.rate_alone))
        return [
            ("rate", f"{encode_number(self.rate)} ({self.exact_rate})"),
            ("deposit (in new elements)", str(encode_number(self.deposit))),
            ("least rate without a deposit", alone),
            ("(1 + e)/(V + 1 + e)", str(encode_number(self.bound))),
            ("V, the most that a party is handed", f"{format_count(self.gain)}"),
            ("basis", self.basis + (f" ({format_count(self.lies)})" if self.lies else "")),
        ]

    def tables(self) -> Sequence[Exhibit]:
        """Return no tables."""
        return ()


def design_inspection(
    setting: InspectionSetting, *, rate: Fraction | None = None, deposit: Fraction | None = None
) -> InspectionDesign:
    """Return the least rate, and the least deposit, for which no lie with inventions pays.

    Parameters
    ----------
    setting
        Lists, rule and tastes.
    rate
        Stated: the least deposit for it is found.
    deposit
        Stated: the least rate for it is found. If neither is, the rate is the least without a
        deposit or, where that exceeds (1 + e)/(V + 1 + e), this bound with the least deposit.

    Raises
    ------
    InputError
        If all lists are empty; if the rule is not truthful for an exclusivity, or there are too
        many lies to try them all and no closed form is known; if a stated deposit suffices for no
        rate.

    Examples
    --------
    >>> from aboveboard.exchange.rules import RULES
    >>> lists = Regions.from_sets({"a": "1234", "b": "3456", "c": "1678"})
    >>> half = ExclusivityRange.from_value("1/2")
    >>> found = design_inspection(InspectionSetting(lists, RULES["equal-gain"], (half,) * 3))
    >>> found.exact_rate, found.deposit
    ('1-(3/4)^(1/2)', Fraction(0, 1))
    """
    _check_setting(setting)
    if setting.coalitions:
        return _design_by_bounds(setting, rate, deposit)
    try:
        return _design_by_tables(setting, KeptTables(setting.list_tables), rate, deposit)
    except BudgetExceeded:
        return _design_by_bounds(setting, rate, deposit)


def _check_setting(setting: InspectionSetting) -> None:
    if not setting.regions.union:
        raise InputError(
            "the parties' lists",
            "all of them are empty, so that there is nothing to exchange and no rate to find",
            "give at least one party a list with elements",
        )
    if not all(r.lies_within(0, 1) for r in setting.ranges):
        raise InputError(
            "exclusivity",
            "above 1 a party does best by staying away, whatever is inspected",
            "write exclusivities from 0 to 1",
        )
    equal = setting.rule.name in ("equal-gain", "two-party")
    if setting.coalitions and not equal:
        raise InputError(
            "inspection.coalitions",
            f"no rate has been proved for coalitions under rule {setting.rule.name!r}",
            'use rule = "equal-gain", or leave coalitions out',
        )


def _design_by_tables(
    setting: InspectionSetting,
    tables: KeptTables,
    rate: Fraction | None,
    deposit: Fraction | None,
) -> InspectionDesign:
    miss, bound = setting.miss, setting.bound
    alone, exact = find_least_rate(tables, miss)
    chosen, text, pledge = rate, "", Fraction(0)
    if chosen is None and deposit is not None:
        chosen, text = find_least_rate(tables, miss, deposit)
        if chosen is None:
            raise _refuse_deposit(deposit)
        pledge = deposit
    elif chosen is None and alone is not None and alone <= bound:
        chosen, text = alone, exact
    else:
        chosen = bound if chosen is None else chosen
        pledge = find_least_deposit(tables, chosen, miss)
        if deposit is not None and deposit > pledge:
            pledge = deposit
    return InspectionDesign(
        chosen,
        pledge,
        text or str(encode_number(chosen)),
        alone,
        bound,
        setting.gain,
        ALL_LIES,
        tables.lies,
    )


def _refuse_deposit(deposit: Fraction) -> InputError:
    return InputError(
        "inspection.deposit",
        f"with a deposit of {encode_number(deposit)} no rate is enough",
        "leave it out: design finds the least one",
    )


def _design_by_bounds(
    setting: InspectionSetting, rate: Fraction | None, deposit: Fraction | None
) -> InspectionDesign:
    alone: Fraction | None = None
    exact = ""
    if not setting.miss and _is_equal_gain(setting) and not _has_empty(setting):
        root = max(
            (compute_proved_rate(setting.gain, r.high) for r in setting.ranges),
            key=lambda root: root.value,
        )
        alone, exact = root.round_up(), str(root)
    else:
        alone = _find_rate_by_bounds(setting, Fraction(0))
    chosen, text, pledge = rate, "", Fraction(0)
    if chosen is None and deposit is not None:
        chosen, pledge = _find_rate_by_bounds(setting, deposit), deposit
        if chosen is None:
            raise _refuse_deposit(deposit)
    elif chosen is None and alone is not None and alone <= setting.bound:
        chosen, text = alone, exact
    else:
        chosen = setting.bound if chosen is None else chosen
        pledge = find_deposit_by_bounds(setting, chosen)
        if deposit is not None and deposit > pledge:
            pledge = deposit
    return InspectionDesign(
        chosen,
        pledge,
        text or str(encode_number(chosen)),
        alone,
        setting.bound,
        setting.gain,
        CLOSED_FORM,
        0,
    )


def _is_equal_gain(setting: InspectionSetting) -> bool:
    # Who reports its whole list or nothing has fewer lies: the closed form is enough for it too.
    return setting.rule.name in ("equal-gain", "two-party")


def _has_empty(setting: InspectionSetting) -> bool:
    return bool((setting.regions.sizes == 0).any())


def find_deposit_by_bounds(setting: InspectionSetting, rate: Fraction) -> Fraction:
    """Return a deposit that a closed form proves to be enough at this rate.

    Raises
    ------
    InputError
        If no closed form is known for the rule.
    """
    hit = rate * (1 - setting.miss)
    if not hit:
        raise InputError("inspection.rate", "nothing would ever be found", "write a rate above 0")
    if _is_equal_gain(setting):
        if _has_empty(setting):
            return (1 - hit) * (setting.gain + 1) / hit * (2 if setting.miss else 1)
        needs = [
            find_needed_deposit(setting.gain, e, rate, setting.miss)
            for e in {end for r in setting.ranges for end in (r.low, r.high)}
        ]
        most = max(needs)
        exact = (1 - hit) / hit
        if setting.highest == 1 and abs(most - float(exact)) <= 1e-9 * float(exact):
            return exact
        return round_up(most) if most > 1e-9 else Fraction(0)
    if (
        setting.rule.name == "best-group"
        and not setting.miss
        and all(r.lies_within(1, 1) for r in setting.ranges)
    ):
        return (1 - hit) / hit * (1 if not _has_empty(setting) else setting.gain + 1)
    raise InputError(
        "inspection",
        f"there are too many lies to try them all, and no closed form for rule "
        f"{setting.rule.name!r} with these keys",
        'use rule = "equal-gain", or "best-group" at exclusivity 1',
    )


def _find_rate_by_bounds(setting: InspectionSetting, deposit: Fraction) -> Fraction | None:
    """Return a rate for which a closed form proves the deposit to be enough; None if none."""

    def is_enough(rate: float) -> bool:
        try:
            needed = float(find_deposit_by_bounds(setting, Fraction(rate)))
        except InputError:
            return False
        return needed <= float(deposit) + 1e-12

    if not is_enough(1.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(RATE_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return min(Fraction(1), round_up(high))
