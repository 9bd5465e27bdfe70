"""What the four mechanisms of the exchange share: exclusivity, and what a settlement is worth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic

from aboveboard.errors import InputError
from aboveboard.exchange.exclusivity import (
    Exclusivities,
    ExclusivityRange,
    check_exclusivity,
)
from aboveboard.exchange.utility import compute_utilities
from aboveboard.formatting import join_names
from aboveboard.mechanisms.mechanism import FileT, GameT_co, Mechanism, ReportT
from aboveboard.mechanisms.settlement import Reply, Settlement, Share


class ExchangeMechanism(Mechanism[FileT, ReportT, GameT_co], Generic[FileT, ReportT, GameT_co]):
    """A rule of the exchange.

    Parties whose exclusivity is a range are valued at its upper end; promises are for all of it.
    """

    exclusivity: Exclusivities

    @cached_property
    def ranges(self) -> dict[str, ExclusivityRange]:
        """Each party's exclusivity as a range."""
        return check_exclusivity(self.exclusivity)

    @property
    def counts_rivals(self) -> bool:
        """Whether what rivals gain is worth less than nothing to any party."""
        return any(each.high > 0 for each in self.ranges.values())

    def list_ranges(self, types: Mapping[str, Any]) -> list[ExclusivityRange]:
        """Return the exclusivities of these parties, in order.

        Raises
        ------
        InputError
            If one is not a party of the collaboration.
        """
        for name in types:
            if name not in self.ranges:
                raise InputError(
                    "reports", f"{name!r} is not a party", f"name some of {join_names(self.ranges)}"
                )
        return [self.ranges[name] for name in types]

    def make_shares(
        self, benefits: Mapping[str, Fraction | int], replies: Sequence[Reply]
    ) -> dict[str, Share]:
        """Return every party's share, with utilities at the upper end of ranges; nobody pays."""
        weights = [each.high for each in self.list_ranges(benefits)]
        utilities = compute_utilities(list(benefits.values()), weights)
        return {
            name: Share(benefits[name], u, 0, reply)
            for name, u, reply in zip(benefits, utilities, replies, strict=True)
        }

    @abstractmethod
    def true_benefits(
        self, types: Mapping[str, ReportT], settlement: Settlement
    ) -> dict[str, Fraction | int]:
        """Return what the replies bring those who take part, by their true types."""

    def true_utility(
        self,
        party: str,
        types: Mapping[str, ReportT],
        reports: Mapping[str, ReportT],
        settlement: Settlement,
    ) -> Fraction:
        """Return the party's true benefit less its exclusivity times its best rival's.

        A party that stays away gains nothing; the others' gains still count against it.
        """
        if all(reports.get(name) is own for name, own in types.items()):
            # Where all are truthful the settlement says it, without a look at every reply.
            return Fraction(settlement.parties[party].utility or 0)
        return self._value(types, settlement)[party]

    def _value(self, types: Mapping[str, ReportT], settlement: Settlement) -> dict[str, Fraction]:
        """Return all true utilities; those of the last settlement are kept."""
        last: _ReportValuation | None = self.__dict__.get("_last")
        if last is None or last.settlement is not settlement or last.types is not types:
            found = self.true_benefits(types, settlement)
            weights = [each.high for each in self.list_ranges(types)]
            utilities = compute_utilities([found.get(name, 0) for name in types], weights)
            last = _ReportValuation(types, settlement, dict(zip(types, utilities, strict=True)))
            self.__dict__["_last"] = last
        return last.utilities


@dataclass(frozen=True, eq=False)
class _ReportValuation:
    types: Mapping[str, Any]
    settlement: Settlement
    utilities: dict[str, Fraction]


def as_fraction(value: Any) -> Fraction:
    """Return a number exactly; a float means its shortest decimal, as it would in a file."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
