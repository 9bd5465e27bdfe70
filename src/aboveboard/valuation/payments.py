"""`valuation.payments`: the fair price of data at the privacy levels that users have chosen.

What: the platform gains U(levels); each user is awarded its fair share of it, by Theorem 2
(fairness among users, who share alpha U) or Theorem 1 (the platform is a member). Cost: that of
the division, see `division`. Source: "The Fair Value of Data Under Heterogeneous Privacy
Constraints", sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from aboveboard.auditing import (
    DSIC,
    Budget,
    ExPostIC,
    IndividualRationality,
    Property,
    UniqueEquilibrium,
)
from aboveboard.auditing.verdict import plain
from aboveboard.mechanism import CollaborationFile, Read, Reply, Settlement, Share
from aboveboard.numbers import Number
from aboveboard.valuation.axioms import said
from aboveboard.valuation.division import Divider, Fairness, Shares, divide, tidy
from aboveboard.valuation.levels import NOTHING, Level, spoken
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offer import Offer
from aboveboard.valuation.payments_file import (
    Design,
    PaymentsFile,
    design_of,
    levels_of,
    utility_of,
)
from aboveboard.valuation.propose import offer_of
from aboveboard.valuation.remarks import remarks_on
from aboveboard.valuation.utilities import Utility

ALL_PROFILES_UP_TO = 12
"""Users up to whom an audit looks at all profiles of levels unless told otherwise."""


@dataclass(frozen=True)
class Payments:
    """Fair payments for data.

    Parameters
    ----------
    users
        Their names, in order.
    utility
        What the platform gains.
    fairness
        Among "users" (Theorem 2), or with the "platform" as a member (Theorem 1).
    alpha
        Part of the utility that users share, 0 to 1; for fairness among users.
    design
        What levels are on offer and what they cost the users; None where nothing is said.
    """

    users: tuple[str, ...]
    utility: Utility
    fairness: Fairness
    alpha: Fraction
    design: Design | None

    NAME: ClassVar[str] = "valuation.payments"
    UNIT: ClassVar[str] = "utility"
    SUMMARY: ClassVar[str] = "users are paid their fair share of what their data are worth"
    ASSUMES: ClassVar[str] = (
        "the platform's utility is known, divisible and transferable; levels are kept as promised"
    )
    GUARANTEES: ClassVar[str] = (
        "fairness, null player, efficiency, additivity (Shapley); users choose their levels freely"
    )
    SOURCE: ClassVar[str] = (
        "The Fair Value of Data Under Heterogeneous Privacy Constraints in Federated Learning"
    )
    FILE: ClassVar[type[CollaborationFile]] = PaymentsFile
    STARTING_FILE: ClassVar[str] = """\
name = "three hospitals"
mechanism = "valuation.payments"
# "users": they share alpha times the utility (Theorem 2).
# "platform": the platform is a member like the users (Theorem 1); alpha is left out.
fairness = "users"
alpha = 1.0

# What the platform gains.
# dp-mean:        a mean under differential privacy; each party has epsilon = 1.5 or "inf".
# federated-mean: each party's own mean; level 0 nothing, 1 aggregated, 2 direct; samples, weight.
# table:          values = [..], one for each coalition, by bit mask in the order of the parties.
# callable:       function = "module:function" of the privacy levels.
[utility]
kind = "federated-mean"
s2 = 1.0    # variance of the parties' means
t2 = 10.0   # variance within a party

[parties.anna]
level = 2
samples = 100
weight = 1

[parties.bert]
level = 1
samples = 100

[parties.cleo]
level = 1
samples = 10

# What the platform may choose from, for 'aboveboard design' and for the audit: two levels, and
# what the less private one costs a party (one number, or a table by party).
[design]
levels = [0, 2]
cost = 0.5
# Where several equilibria exist: "optimistic" (the platform's best) or "pessimistic".
selection = "optimistic"
"""

    @classmethod
    def of(cls, file: PaymentsFile) -> Payments:
        """Take the parameters from a validated collaboration file."""
        levels_of(file)
        return cls(
            tuple(file.parties), utility_of(file), file.fairness, file.alpha, design_of(file)
        )

    @staticmethod
    def reports(file: PaymentsFile, read: Read) -> dict[str, Level]:
        """Give each user's privacy level."""
        return levels_of(file)

    def settle(self, reports: Mapping[str, Level]) -> Settlement:
        """Pay every user its fair share; who does not report is at level 0."""
        levels = self._levels(reports)
        found = self.divided(levels)
        by_user = dict(zip(self.users, zip(found.users, levels, strict=True), strict=True))
        shares = {}
        for i, name in enumerate(self.users):
            if name not in reports:
                continue
            share, level = by_user[name]
            shares[name] = Share(
                benefit=share,
                utility=tidy(share - self._cost(i, level)),
                payment=-share if share else 0,
                reply=Reply("json", data={"level": spoken(level), "share": plain(share)}),
                more={"share": share},
            )
        return Settlement(self.NAME, shares, self._details(found, levels))

    def divided(self, levels: Sequence[Level]) -> Shares:
        """Divide the utility at these levels, one for each user."""
        return divide(self.utility, levels, self.fairness, self.alpha)

    def game(self, types: Mapping[str, Level]) -> LevelsGame:
        """Give the game in which each user chooses its privacy level."""
        chosen = self._levels(types)
        on_offer = [self._offered(x) for x in chosen]
        costs = [tuple(self._cost(i, x) for x in levels) for i, levels in enumerate(on_offer)]
        return LevelsGame(
            self.users,
            tuple(on_offer),
            chosen,
            tuple(costs),
            Divider(self.utility, len(self.users), self.fairness, self.alpha),
        )

    def offer(self) -> Offer:
        """Give the platform's best offer by the file's design.

        Raises
        ------
        InputError
            If the file has no design, or its users are too many to search.
        """
        return offer_of(self.utility, self.users, self.design)

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise; ExPostIC is Nash at these levels."""
        usual = (ExPostIC(), IndividualRationality())
        if len(self.users) > ALL_PROFILES_UP_TO:
            return usual
        return (*usual, DSIC(), UniqueEquilibrium())

    def remarks(self, game: LevelsGame, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Check the axioms on these shares, and Assumptions 1 and 2 on this utility."""
        return remarks_on(self.utility, self.design, game, seed)

    def _levels(self, reports: Mapping[str, Level]) -> tuple[Level, ...]:
        return tuple(reports.get(name, NOTHING) for name in self.users)

    def _offered(self, chosen: Level) -> tuple[Level, ...]:
        there = (
            self.utility.offered() if self.design is None else (self.design.low, self.design.high)
        )
        return tuple(sorted({*there, chosen}))

    def _cost(self, i: int, level: Level) -> Number:
        if self.design is None or level <= self.design.low:
            return 0
        return tidy(self.design.costs[i])

    def _details(self, found: Shares, levels: Sequence[Level]) -> dict[str, Any]:
        return {
            "fairness": self.fairness,
            **({"alpha": plain(self.alpha)} if self.fairness == "users" else {}),
            "utility": plain(found.total),
            "platform": plain(found.platform),
            "levels": {name: spoken(x) for name, x in zip(self.users, levels, strict=True)},
            "method": found.method,
            "efficiency error": plain(found.error),
            "signs": "share is what a party is awarded; payment is what it pays to the platform",
            "notes": self._notes(found),
        }

    def _notes(self, found: Shares) -> list[str]:
        notes = []
        below = [f"{n} {said(x)}" for n, x in zip(self.users, found.users, strict=True) if x < 0]
        if below:
            notes.append(
                f"{len(below)} negative shares: {', '.join(below[:10])}; the platform is worse off "
                "with these data, and by the axioms their owners would pay"
            )
        if found.at_nothing != 0:
            whose = (
                "the shares sum to alpha (U - U(0)) and the platform keeps the rest"
                if self.fairness == "users"
                else "it goes to the platform alone"
            )
            notes.append(f"no data at all are worth {said(found.at_nothing)}, not 0: {whose}")
        return notes
