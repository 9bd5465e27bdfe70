"""Whether a mechanism's fast game is the rule that `settle` applies: compared before a verdict.

The two are compared at the truth and in a seeded sample of profiles in which one party or several
lie or stay away. A game that cannot be compared where somebody lies is refused: off the truth it
could play another rule. Cost: one call of `settle` and one of `payoffs` for each profile compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.auditing.payoff_reader import RELATIVE_TOLERANCE, PayoffReader
from aboveboard.errors import AboveboardError, InputError
from aboveboard.formatting import describe_action, format_number, format_quantity
from aboveboard.games.actions import AWAY, Action, count_actions, decode, draw
from aboveboard.games.capabilities import (
    GroupsParties,
    HasCost,
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

REPEATED = 6
"""Deviations in which `settle` is called twice where it is what is played."""

REMEDY = "let game(types) play the rule of settle(reports), or leave it out: then settle is played"
Outcome = Settlement | Lottery[Settlement]


@dataclass(frozen=True)
class Comparison:
    """In how many profiles a game was found to be the rule that `settle` applies.

    Parameters
    ----------
    profiles
        Profiles compared, the truth among them; 0 where the game plays `settle` itself.
    deviations
        Those in which somebody lies or stays away, and what that is worth to all is known.
    unknown
        Why deviations were not compared; empty where they were.

    Examples
    --------
    >>> print(Comparison(profiles=25, deviations=24))
    the game agrees with settle in 25 profiles
    """

    profiles: int
    deviations: int
    unknown: str = ""

    def __str__(self) -> str:
        if not self.profiles:
            return "settle itself was played"
        if not self.unknown:
            return f"the game agrees with settle in {format_quantity(self.profiles, 'profile')}"
        return f"the game agrees with settle at the truth; lies were not compared: {self.unknown}"


def compare_game_with_settle(
    mechanism: AnyMechanism,
    types: Mapping[str, Any],
    *,
    seed: int = 0,
    game: Game | None = None,
    outcome: Outcome | None = None,
) -> Comparison:
    """Compare a mechanism's game with its `settle`, at the truth and in a sample of deviations.

    Parameters
    ----------
    mechanism
        The rule with its parameters.
    types
        The truth, by party.
    seed
        Seed of the sample.
    game, outcome
        The game among these types, and what `settle` makes of them, where they are at hand.

    Raises
    ------
    InputError
        If the two differ by more than rounding (or, where the game gives bounds, if `settle` lies
        outside them): with the profile, the party and both numbers. If they cannot be compared
        where somebody lies, and the mechanism does not say why (`incomparable`).

    Examples
    --------
    >>> from aboveboard.exchange import OneDimensionalSearch
    >>> rule = OneDimensionalSearch({"ann": 1, "bob": 1})
    >>> str(compare_game_with_settle(rule, {"ann": (0, 4), "bob": (1, 6)}))[:30]
    'the game agrees with settle in'
    """
    game = mechanism.game(types) if game is None else game
    if outcome is None and not mechanism.AUDITS_WITHOUT_DATA:
        outcome = settle_reports(mechanism, types)
    if isinstance(game, SettlementGame) and game.plays(mechanism, types):
        if outcome is not None and not isinstance(game, HasCost):
            _compare_with_itself(mechanism, types, game, outcome, seed)
        return Comparison(0, 0)
    if outcome is not None:
        _Comparer(mechanism, types, game).compare_truth(outcome)
    comparer = _thin_out(mechanism, types, game, seed)
    if outcome is None:
        comparer.compare_truth(settle_reports(mechanism, comparer.types))
    deviations = list(_draw_deviations(comparer.game, mechanism.COMPARED, seed))
    known = comparer.knows_reports()
    compared = [profile for profile in deviations if known and comparer.compare(profile)]
    lies = any(map(comparer.has_lie, deviations))
    if deviations and not (any(map(comparer.has_lie, compared)) if lies else compared):
        comparer.refuse_uncompared()
        return Comparison(1, 0, mechanism.incomparable)
    return Comparison(1 + len(compared), len(compared))


def _compare_with_itself(
    mechanism: AnyMechanism,
    types: Mapping[str, Any],
    game: SettlementGame,
    outcome: Outcome,
    seed: int,
) -> None:
    """Raise if `settle` does not make the same of the same reports when it is called again."""
    comparer = _Comparer(mechanism, types, game)
    comparer.compare_truth(outcome)
    for profile in _draw_deviations(game, REPEATED, seed):
        comparer.compare(profile)


def _thin_out(
    mechanism: AnyMechanism, types: Mapping[str, Any], game: Game, seed: int
) -> _Comparer:
    """Return what compares on thin types; on all where nobody could deviate among those."""
    thin = mechanism.thin(types)
    if thin is not types:
        comparer = _Comparer(mechanism, thin, mechanism.game(thin))
        deviates = any(True for _ in _draw_deviations(comparer.game, 1, seed))
        if thin.keys() == types.keys() and deviates:
            return comparer
        if mechanism.AUDITS_WITHOUT_DATA:
            return comparer
    return _Comparer(mechanism, types, game)


class _Comparer:
    """One game, one rule, and the truth for which both are."""

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
        return f"mechanism {self.mechanism.NAME!r}"

    def compare_truth(self, outcome: Outcome) -> None:
        """Raise if the two differ where everybody tells the truth."""
        truth = [self.game.truth(i) for i in range(len(self.game.players))]
        self._compare(truth, dict(self.types), outcome)

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
        """Raise if no deviation could be compared, unless the mechanism says why."""
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

    def compare(self, profile: list[Action]) -> bool:
        """Raise if the two differ in a profile; return whether all parties were valued."""
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

    def _compare(self, profile: list[Action], reports: Mapping[str, Any], outcome: Outcome) -> bool:
        low, high = self.reader.bounds(self.reader.columns(profile))
        paid = _find_payments(self.game, profile)
        valued = True
        for i, party in enumerate(self.game.players):
            settled = self._add_utilities(self.members[i], reports, outcome)
            if settled is None:
                valued = False
            else:
                bounds = [from_units(x[0, i], self.reader.unit) for x in (low, high)]
                self._refuse_difference(profile, party, "has", bounds, settled)
            if paid is not None:
                pays = to_number(paid[i])
                owed = sum_exactly(
                    [compute_expected_payment(name, outcome) for name in self.members[i]]
                )
                self._refuse_difference(profile, party, "pays", [pays, pays], owed)
        return valued

    def _add_utilities(
        self, members: Sequence[str], reports: Mapping[str, Any], outcome: Outcome
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
        slack: Number = 0
        if any(isinstance(x, float) for x in (low, high, settled)):
            largest = max(absolute(low), absolute(high), absolute(settled), self.reader.peak_payoff)
            slack = RELATIVE_TOLERANCE * to_nearest_float(largest)
        exact = [x if isinstance(x, float) else Fraction(x) for x in (low, high, settled)]
        if exact[0] - slack <= exact[2] <= exact[1] + slack:
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


def _draw_deviations(game: Game, count: int, seed: int) -> Iterator[list[Action]]:
    """Yield profiles: each player away alone, then one or several drawn to lie or stay away."""
    generator = np.random.default_rng(seed)
    n = len(game.players)
    truth = [game.truth(i) for i in range(n)]
    spaces = [game.actions(i) for i in range(n)]
    away = [i for i in range(n) if game.absent(i) is not None and game.absent(i) != truth[i]]
    seen = 0
    for i in away[: count // 3]:
        yield [game.absent(j) if j == i else truth[j] for j in range(n)]
        seen += 1
    for k in range(count - seen):
        size = 1 if k % 2 == 0 or n == 1 else int(generator.integers(2, n + 1))
        members = generator.choice(n, size=size, replace=False)
        profile = list(truth)
        for i in members:
            leaves = i in away and generator.random() < 1 / 8
            drawn = decode(spaces[i], draw(spaces[i], 1, generator)[0])
            profile[i] = game.absent(i) if leaves else drawn
        if any(count_actions(spaces[i]) > 1 and profile[i] != truth[i] for i in members):
            yield profile
