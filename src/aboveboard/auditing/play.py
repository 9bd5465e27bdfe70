"""`play`: where players end who move to what is better, or learn without regret.

A second look at uniqueness: that the truth is the only equilibrium does not say that anybody finds
it. Better replies are followed exactly, from every profile; learning is simulated from random
starts, by the seed. Cost: see `better_replies` and `no_regret`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aboveboard.auditing.better_replies import Moves, PlayEnd, find_ends
from aboveboard.auditing.no_regret import RULES, Learning, LearningRule, learn
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import encode_number
from aboveboard.formatting.plain_json import Json
from aboveboard.games.actions import Action
from aboveboard.games.capabilities import HasDescriptions
from aboveboard.games.game import Game, count_profiles

MOST_LISTED = 20
"""Ends that are listed as data; the counts are of all."""


@dataclass(frozen=True)
class Play:
    """Where players end.

    Parameters
    ----------
    game
        What they play.
    profiles
        How many profiles, each a start of better replies.
    ends
        Where better replies end; None where the game is too large to follow them all.
    learning
        What players who learn came to play, by rule.
    moves
        Whether every better reply is a move, or only the best.
    seed
        Of what was simulated.
    reason
        Why better replies were not followed; empty where they were.

    Examples
    --------
    >>> from aboveboard.games import TabularGame
    >>> found = play(TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1))
    >>> found.profiles, len(found.ends)
    (4, 1)
    """

    game: Game
    profiles: int
    ends: tuple[PlayEnd, ...] | None
    learning: tuple[Learning, ...]
    moves: Moves = "better"
    seed: int = 0
    reason: str = ""

    @property
    def truth(self) -> PlayEnd | None:
        """The end in which all are truthful, if it is one."""
        return next((end for end in self.ends or () if end.truthful), None)

    @property
    def share_to_truth(self) -> Fraction | None:
        """The share of all starts from which better replies end in the truth, in any order.

        None where better replies were not followed.
        """
        if self.ends is None:
            return None
        return Fraction(self.truth.surely if self.truth else 0, self.profiles)

    @property
    def share_may_reach_truth(self) -> Fraction | None:
        """The share of all starts from which some order of better replies ends in the truth."""
        if self.ends is None:
            return None
        return Fraction(self.truth.possibly if self.truth else 0, self.profiles)

    @property
    def cycles(self) -> tuple[PlayEnd, ...]:
        """The ends in which better replies go round for ever."""
        return tuple(end for end in self.ends or () if not end.is_equilibrium)

    @property
    def always_truth(self) -> bool | None:
        """Whether better replies end in the truth from everywhere; None if that is not known."""
        return None if self.ends is None else self.share_to_truth == 1

    def describe_profile(self, positions: Sequence[int]) -> dict[str, Json]:
        """Return what each player does, in words where the game has them."""
        return {
            player: self._describe(i, self.game.actions(i)[k])
            for (i, player), k in zip(enumerate(self.game.players), positions, strict=True)
        }

    def _describe(self, i: int, action: Action) -> Any:
        if isinstance(self.game, HasDescriptions):
            return self.game.describe(i, action)
        return action if isinstance(action, int | str) else str(action)

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        return {
            "profiles": self.profiles,
            "moves": self.moves,
            "always_truth": self.always_truth,
            "share_to_truth": encode_number(self.share_to_truth),
            "share_may_reach_truth": encode_number(self.share_may_reach_truth),
            "ends": None if self.ends is None else len(self.ends),
            "cycles": None if self.ends is None else len(self.cycles),
            "listed": [self._list_end(end) for end in (self.ends or ())[:MOST_LISTED]],
            **({"reason": self.reason} if self.reason else {}),
            "learning": [
                {
                    "rule": each.rule,
                    "rounds": each.rounds,
                    "starts": each.starts,
                    "ended_in_truth": each.ended_in_truth,
                    "truthful": list(each.truthful),
                    "largest_regret": each.largest_regret,
                    "regret": [
                        dict(zip(self.game.players, row, strict=True)) for row in each.regret
                    ],
                }
                for each in self.learning
            ],
            "seed": str(self.seed),
        }

    def _list_end(self, end: PlayEnd) -> dict[str, Any]:
        return {
            "truth": end.truthful,
            "profiles": end.profiles,
            "surely_from": end.surely,
            "possibly_from": end.possibly,
            "cycle": [self.describe_profile(each) for each in end.cycle],
        }


def play(
    game: Game,
    rules: Sequence[LearningRule] = RULES,
    *,
    moves: Moves = "better",
    rounds: int = 2000,
    starts: int = 20,
    seed: int = 0,
) -> Play:
    """Return where players end who move to what is better, or learn without regret.

    Parameters
    ----------
    game
        Any game: a `TabularGame`, or what `Collaboration.game()` returns.
    rules
        How players learn: "regret-matching", "multiplicative-weights"; may be empty.
    moves
        "better": each action that raises a player's payoff is a possible move; "best": only those
        that raise it most.
    rounds, starts
        How often the game is played while players learn, and from how many random starts.
    seed
        Of what is simulated; better replies need none.

    Returns
    -------
    Play
        Better replies are exact where payoffs are: from every profile, in every order. They are
        left out, with the reason, where the game has more than 200,000 profiles.

    Raises
    ------
    ValueError
        If a rule is unknown, or there are no rounds or no starts.
    BudgetExceeded
        If a player has too many actions to learn.

    Examples
    --------
    Two conventions: which one is reached depends on the start.

    >>> from aboveboard import TabularGame
    >>> sides = TabularGame([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])
    >>> found = play(sides, rules=())
    >>> found.share_to_truth, found.share_may_reach_truth, len(found.ends)
    (Fraction(1, 4), Fraction(3, 4), 2)
    """
    for rule in rules:
        if rule not in RULES:
            raise ValueError(f"rule is {rule!r}; use {' or '.join(RULES)}")
    if moves not in ("better", "best"):
        raise ValueError(f"moves is {moves!r}; use better or best")
    for name, count in (("rounds", rounds), ("starts", starts)):
        if count < 1:
            raise ValueError(f"{name} is {count}; use 1 or more")
    ends, reason = None, ""
    try:
        ends = find_ends(game, moves)
    except BudgetExceeded as error:
        reason = str(error)
    learning = tuple(learn(game, r, rounds=rounds, starts=starts, seed=seed) for r in rules)
    return Play(game, count_profiles(game), ends, learning, moves, seed, reason)
