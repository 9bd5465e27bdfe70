"""Whether a mechanism's fast game is the rule that `settle` applies: compared before a verdict.

The two are compared at the truth and in a seeded sample of profiles in which one party or several
lie or stay away. A game that cannot be compared where somebody lies is refused: off the truth it
could play another rule. Cost: one call of `settle` and one of `payoffs` for each profile compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.formatting import format_quantity
from aboveboard.games.actions import Action, count_actions, decode, draw
from aboveboard.games.capabilities import HasCost
from aboveboard.games.game import Game
from aboveboard.mechanisms.mechanism import AnyMechanism, FileT, Mechanism, ReportT
from aboveboard.mechanisms.profile_comparer import ProfileComparer, SettlementOrLottery
from aboveboard.mechanisms.settlement_game import SettlementGame
from aboveboard.mechanisms.settling import settle_reports

REPEATED = 6
"""Deviations in which `settle` is called twice where it is what is played."""


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
    mechanism: Mechanism[FileT, ReportT, Game],
    types: Mapping[str, ReportT],
    *,
    seed: int = 0,
    game: Game | None = None,
    outcome: SettlementOrLottery | None = None,
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
        ProfileComparer(mechanism, types, game).compare_truth(outcome)
    comparer = _thin_out(mechanism, types, game, seed)
    if outcome is None:
        comparer.compare_truth(settle_reports(mechanism, comparer.types))
    if comparer.knows_reports():
        comparer.refuse_missing_lies()
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
    outcome: SettlementOrLottery,
    seed: int,
) -> None:
    """Raise if `settle` does not make the same of the same reports when it is called again."""
    comparer = ProfileComparer(mechanism, types, game)
    comparer.compare_truth(outcome)
    for profile in _draw_deviations(game, REPEATED, seed):
        comparer.compare(profile)


def _thin_out(
    mechanism: AnyMechanism, types: Mapping[str, Any], game: Game, seed: int
) -> ProfileComparer:
    """Return what compares on thin types; on all where nobody could deviate among those."""
    thin = mechanism.thin(types)
    if thin is not types:
        comparer = ProfileComparer(mechanism, thin, mechanism.game(thin))
        deviates = any(True for _ in _draw_deviations(comparer.game, mechanism.COMPARED, seed))
        if mechanism.AUDITS_WITHOUT_DATA or (deviates and thin.keys() == types.keys()):
            return comparer
    return ProfileComparer(mechanism, types, game)


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
