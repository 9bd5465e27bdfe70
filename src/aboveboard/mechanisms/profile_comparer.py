"""One game held against one rule, profile by profile: what each party has, pays and can report.

Cost: one call of `settle` and one of `payoffs` for each profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE, PayoffReader
from aboveboard.errors import AboveboardError, InputError
from aboveboard.formatting import describe_action, format_number
from aboveboard.games.actions import AWAY, Action, count_actions, decode
from aboveboard.games.capabilities import (
    GroupsParties,
    HasBatches,
    HasDescriptions,
    HasPayments,
    ListsActions,
    PlaysReports,
)
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import (
    Number,
    absolute,
    from_units,
    sum_exactly,
    to_nearest_float,
    to_number,
)
from aboveboard.mechanisms.mechanism import AnyMechanism
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.settlement_game import SettlementGame
from aboveboard.mechanisms.settling import (
    compute_expected_payment,
    compute_expected_utility,
    is_same,
    settle_reports,
)

MOST_LISTED = 1_000
"""Lies of a party, and actions of a player, up to which each is looked for among the other."""

REMEDY = "let game(types) play the rule of settle(reports), or leave it out: then settle is played"

SettlementOrLottery = Settlement | Lottery[Settlement]


class ProfileComparer:
    """One game, one rule, and the truth for which both are.

    Parameters
    ----------
    mechanism
        The rule with its parameters.
    types
        The truth, by party.
    game
        The game among these types.

    Raises
    ------
    InputError
        If the game's players are others than the parties.
    """

    def __init__(self, mechanism: AnyMechanism, types: Mapping[str, Any], game: Game) -> None:
        self.mechanism, self.types, self.game = mechanism, types, game
        self.reader = PayoffReader(game)
        self.grouped = isinstance(game, GroupsParties)
        self.members = _list_members(game)
        parties = [party for members in self.members for party in members]
        if (sorted(parties) if self.grouped else parties) != (
            sorted(types) if self.grouped else list(types)
        ):
            raise InputError(
                self.place,
                f"its game is among {', '.join(game.players)}, its types are of {', '.join(types)}",
                "let game(types) have the parties as players, in the same order",
            )

    @property
    def place(self) -> str:
        """The mechanism, as errors name it."""
        return f"mechanism {self.mechanism.NAME!r}"

    def compare_truth(self, outcome: SettlementOrLottery) -> None:
        """Raise if the two differ where everybody tells the truth.

        Raises
        ------
        InputError
            If they do.
        """
        truth = [self.game.truth(i) for i in range(len(self.game.players))]
        self._compare(truth, dict(self.types), outcome)
        if not isinstance(outcome, Lottery):
            self._compare_shares(outcome)

    def _compare_shares(self, settlement: Settlement) -> None:
        """Raise if a share has another utility than the mechanism values it at."""
        for party, share in settlement.parties.items():
            value = compute_expected_utility(
                self.mechanism, party, self.types, self.types, settlement
            )
            if value is None or share.utility is None:
                continue
            stated = to_number(share.utility)
            if not self._is_between(stated, value, value):
                raise InputError(
                    self.place,
                    f"its share for {party} has the utility {format_number(stated)}, and "
                    f"true_utility is {format_number(value)} where everybody tells the truth",
                    "let both be the same: one is shown, the other is audited",
                )

    def knows_reports(self) -> bool:
        """Return whether the game says which report an action is."""
        return all(self._knows_reports(i) for i in range(len(self.game.players)))

    def has_lie(self, profile: list[Action]) -> bool:
        """Return whether somebody reports what is not true, and does not only stay away."""
        game = self.game
        return any(
            action != game.truth(i) and not _is_absent(game, i, action)
            for i, action in enumerate(profile)
        )

    def refuse_uncompared(self) -> None:
        """Raise if no deviation could be compared, unless the mechanism says why.

        Raises
        ------
        InputError
            If the mechanism does not, or the game claims more than was compared.
        """
        problem = "its game cannot be compared with settle where somebody lies"
        if self.mechanism.incomparable:
            if isinstance(self.game, ListsActions) and not self.game.covers_all_lies:
                return
            raise InputError(
                self.place,
                f"{problem} ({self.mechanism.incomparable}), and claims to cover all lies",
                "let the game have covers_all_lies = False and say in listed_lies what it covers",
            )
        if not self.knows_reports():
            raise InputError(
                self.place,
                f"{problem}: it does not say which report an action is",
                "add report(i, action) to the game (reports= of TabularGame), or leave game out: "
                "then settle is played",
            )
        raise InputError(
            self.place,
            f"{problem}: the mechanism does not say what a settlement is worth to who lies",
            "add a method true_utility(party, types, reports, settlement)",
        )

    def refuse_missing_lies(self) -> None:
        """Raise if the game is said to cover all lies and lacks one that the mechanism lists.

        Raises
        ------
        InputError
            If it does.
        """
        covers_all = not isinstance(self.game, ListsActions) or self.game.covers_all_lies
        if self.grouped or not covers_all:
            return
        for i, party in enumerate(self.game.players):
            space = self.game.actions(i)
            if count_actions(space) > MOST_LISTED:
                continue
            try:
                lies = list(islice(self.mechanism.lies(party, self.types), MOST_LISTED))
            except InputError:
                continue  # the mechanism lists none: the game says what there is
            played = [
                self._find_report(i, decode(space, code)) for code in range(count_actions(space))
            ]
            for lie in lies:
                if not any(_are_equal(lie, report) for report in played):
                    raise InputError(
                        self.place,
                        f"its game is said to cover all lies, and {party} cannot report {lie!r} "
                        "there, which lies() lists",
                        "add it to the game's actions, or let the game have covers_all_lies = "
                        "False",
                    )

    def compare(self, profile: list[Action]) -> bool:
        """Raise if the two differ in a profile; return whether all parties were valued.

        Raises
        ------
        InputError
            If they differ, or `settle` refuses the reports.
        """
        reports = self._find_reports(profile)
        if not reports:
            return False  # a rule is never applied to nobody
        try:
            outcome = settle_reports(self.mechanism, reports)
        except AboveboardError as error:
            raise InputError(
                self.place,
                f"where {self._describe(profile)}, settle refuses the reports ({error}), "
                "which its game has among its actions",
                "leave out of the game what settle refuses",
            ) from error
        except (Exception, SystemExit) as error:
            error.add_note(f"in settle, where {self._describe(profile)}")
            raise
        return self._compare(profile, reports, outcome)

    def _compare(
        self, profile: list[Action], reports: Mapping[str, Any], outcome: SettlementOrLottery
    ) -> bool:
        low, high = self.reader.bounds(self.reader.columns(profile))
        single = self.game.payoffs(profile) if isinstance(self.game, HasBatches) else None
        paid = _find_payments(self.game, profile)
        valued = True
        for i, party in enumerate(self.game.players):
            bounds = [from_units(x[0, i], self.reader.unit) for x in (low, high)]
            if single is not None and not self._is_between(to_number(single[i]), *bounds):
                raise InputError(
                    self.place,
                    f"its game has two payoffs of {party} where {self._describe(profile)}: "
                    f"{format_number(bounds[0])} by payoff_rows or payoff_bounds, "
                    f"{format_number(to_number(single[i]))} by payoffs",
                    "let both be the same",
                )
            settled = self._add_utilities(self.members[i], reports, outcome)
            if settled is None:
                valued = False
            else:
                self._refuse_difference(profile, party, "has", bounds, settled)
            if paid is not None:
                pays = to_number(paid[i])
                owed = sum_exactly(
                    [compute_expected_payment(name, outcome) for name in self.members[i]]
                )
                self._refuse_difference(profile, party, "pays", [pays, pays], owed)
        return valued

    def _add_utilities(
        self, members: Sequence[str], reports: Mapping[str, Any], outcome: SettlementOrLottery
    ) -> Number | None:
        """Return what the outcome is worth to all of them together; None if one is not known."""
        worth = [
            compute_expected_utility(self.mechanism, name, self.types, reports, outcome)
            for name in members
        ]
        # Who stays away, and whose utility the mechanism does not know, has nothing.
        worth = [
            0 if value is None and name not in reports else value
            for name, value in zip(members, worth, strict=True)
        ]
        known = [value for value in worth if value is not None]
        return sum_exactly(known) if len(known) == len(worth) else None

    def _refuse_difference(
        self, profile: list[Action], party: str, verb: str, bounds: list[Number], settled: Number
    ) -> None:
        low, high = bounds
        again = isinstance(self.game, SettlementGame) and self.game.plays(
            self.mechanism, self.types
        )
        if self._is_between(settled, low, high):
            return
        expected = format_number(low)
        if low != high:
            expected = f"from {expected} to {format_number(high)}"
        if again:
            raise InputError(
                self.place,
                f"settle does not make the same of the same reports: where "
                f"{self._describe(profile)}, {party} {verb} {expected} and then "
                f"{format_number(settled)}",
                "draw by the file's seed only, and keep nothing from call to call",
            )
        raise InputError(
            self.place,
            f"its game is not the rule that settle applies: where {self._describe(profile)}, "
            f"{party} {verb} {expected} in the game and {format_number(settled)} by settle",
            REMEDY,
        )

    def _is_between(self, value: Number, low: Number, high: Number) -> bool:
        """Return whether a number lies between two others, floats but for rounding."""
        slack: Number = 0
        if any(isinstance(x, float) for x in (low, high, value)):
            largest = max(absolute(low), absolute(high), absolute(value), self.reader.peak_payoff)
            slack = RELATIVE_TOLERANCE * to_nearest_float(largest)
        exact = [x if isinstance(x, float) else Fraction(x) for x in (low, high, value)]
        return exact[0] - slack <= exact[2] <= exact[1] + slack

    def _knows_reports(self, i: int) -> bool:
        game, party = self.game, self.game.players[i]
        if isinstance(game, TabularGame):
            return game.reports is not None
        return isinstance(game, PlaysReports) or is_same(game.truth(i), self.types[party])

    def _find_reports(self, profile: list[Action]) -> dict[str, Any]:
        """Return what each party reports in a profile; who stays away is not among them."""
        found: dict[str, Any] = {}
        for i, action in enumerate(profile):
            report = self._find_report(i, action)
            if report is not None:
                found |= report if self.grouped else {self.game.players[i]: report}
        return {party: found[party] for party in self.types if party in found}

    def _find_report(self, i: int, action: Action) -> Any:
        """Return the report that an action stands for, of a group by party; None if it is away."""
        game = self.game
        if _is_absent(game, i, action):
            return None
        if action == game.truth(i):
            own = {party: self.types[party] for party in self.members[i]}
            return own if self.grouped else own[game.players[i]]
        return game.report(i, action) if isinstance(game, PlaysReports) else action

    def _describe(self, profile: list[Action]) -> str:
        said = []
        for i, party in enumerate(self.game.players):
            action = profile[i]
            if action == self.game.truth(i):
                said.append(f"{party} tells the truth")
            elif _is_absent(self.game, i, action):
                said.append(f"{party} {AWAY}")
            else:
                words: Any = f"reports {action}"
                if isinstance(self.game, HasDescriptions):
                    words = self.game.describe(i, action)
                said.append(f"{party} {describe_action(words)}")
        if all(words.endswith(" tells the truth") for words in said):
            return "everybody tells the truth"
        return ", ".join(said)


def _are_equal(lie: Any, report: Any) -> bool:
    """Return whether two reports are the same; a number may be of another type."""
    if isinstance(lie, int | float | Fraction | np.number) and not isinstance(lie, bool):
        return isinstance(report, int | float | Fraction | np.number) and bool(lie == report)
    return is_same(lie, report)


def _list_members(game: Game) -> list[Sequence[str]]:
    """Return the parties that each player stands for."""
    if isinstance(game, GroupsParties):
        return [game.members(i) for i in range(len(game.players))]
    return [(party,) for party in game.players]


def _is_absent(game: Game, i: int, action: Action) -> bool:
    absent = game.absent(i)
    return absent is not None and bool(action == absent)


def _find_payments(game: Game, profile: list[Action]) -> Sequence[Number] | None:
    """Return what each player pays; None where no money moves in the game."""
    if not isinstance(game, HasPayments) or (
        isinstance(game, TabularGame) and game.payment_table is None
    ):
        return None
    return game.payments(profile)
