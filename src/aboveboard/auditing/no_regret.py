"""Learning without regret: players who repeat a game and shift to what would have paid.

Two rules: regret matching (Hart and Mas-Colell, 2000: play an action with a chance proportional to
how much more it would have brought so far) and multiplicative weights (Freund and Schapire, 1999).
Under both, the average regret of every player goes to 0 whatever the others do. What is played need
not converge to an equilibrium: the share of rounds in which all are truthful is measured.

Cost: one payoff for each action of each player in each round; float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.actions import count_actions, encode_positions, find_position
from aboveboard.games.game import Game
from aboveboard.games.numbers import FloatArray, as_floats

LearningRule = Literal["regret-matching", "multiplicative-weights"]

RULES: tuple[LearningRule, ...] = ("regret-matching", "multiplicative-weights")

Positions = NDArray[np.int64]

MOST_ENTRIES = 4_000_000
"""Payoffs that are tabulated before the first round; beyond, each round asks the game."""

MOST_ACTIONS = 2000
"""Actions of one player: each is valued in each round."""

LATE = 4
"""What is played is judged by the last quarter of the rounds."""

SETTLED = 0.95
"""Share of late rounds that must be truthful for a start to count as one that ends in truth."""


@dataclass(frozen=True)
class Learning:
    """What players who learn came to play.

    Parameters
    ----------
    rule
        "regret-matching" or "multiplicative-weights".
    rounds
        How often the game was played from each start.
    truthful
        By start: in which share of the last quarter of the rounds all were truthful.
    regret
        By start and player: the average, over all rounds, of how much more its best single action
        would have brought.
    course
        The share of starts in which all were truthful, over 100 equal parts of the rounds.
    """

    rule: LearningRule
    rounds: int
    truthful: tuple[float, ...]
    regret: tuple[tuple[float, ...], ...]
    course: tuple[float, ...]

    @property
    def starts(self) -> int:
        """From how many starts."""
        return len(self.truthful)

    @property
    def ended_in_truth(self) -> int:
        """From how many starts nearly all late rounds were truthful."""
        return sum(share >= SETTLED for share in self.truthful)

    @property
    def largest_regret(self) -> float:
        """The largest average regret of a player, over all starts."""
        return max((x for row in self.regret for x in row), default=0.0)


class _Payoffs:
    """Payoffs of each action of a player against what the others have played, as floats."""

    def __init__(self, game: Game) -> None:
        self.reader = PayoffReader(game)
        self.shape = tuple(count_actions(space) for space in self.reader.spaces)
        largest = max(self.shape)
        if largest > MOST_ACTIONS:
            raise BudgetExceeded(
                f"learning: a player has {format_count(largest)} actions; at most "
                f"{format_count(MOST_ACTIONS)} can be looked at: use shorter lists of reports"
            )
        self.tables: list[FloatArray] | None = None
        if prod(self.shape) * len(self.shape) <= MOST_ENTRIES:
            table = self._scale(self.reader.table()).reshape(len(self.shape), *self.shape)
            self.tables = [np.moveaxis(own, i, -1) for i, own in enumerate(table)]

    def _scale(self, entries: Any) -> FloatArray:
        return np.asarray(as_floats(entries), dtype=np.float64) * float(self.reader.unit)

    def value_actions(self, i: int, played: Positions) -> FloatArray:
        """Return player i's payoffs, shape (starts, actions), against profiles (starts, n)."""
        extent = self.shape[i]
        if self.tables is not None:
            others = tuple(played[:, j] for j in range(len(self.shape)) if j != i)
            return np.broadcast_to(self.tables[i][others], (len(played), extent))
        rows = np.repeat(played, extent, axis=0)
        rows[:, i] = np.tile(np.arange(extent), len(played))
        columns = [
            encode_positions(space, rows[:, j]) for j, space in enumerate(self.reader.spaces)
        ]
        return self._scale(self.reader.payoffs(columns)[:, i]).reshape(len(played), extent)


def learn(game: Game, rule: LearningRule, *, rounds: int, starts: int, seed: int) -> Learning:
    """Return what is played if all learn by one rule, from random starts.

    Parameters
    ----------
    game
        Any game.
    rule
        How they learn.
    rounds
        How often the game is played from each start.
    starts
        How many starts: with regret matching a random first profile, with multiplicative weights
        random first weights.
    seed
        Of all draws.

    Raises
    ------
    BudgetExceeded
        If a player has more than `MOST_ACTIONS` actions.

    Examples
    --------
    >>> from aboveboard import TabularGame
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> learn(dilemma, "regret-matching", rounds=400, starts=3, seed=1).ended_in_truth
    3
    """
    payoffs = _Payoffs(game)
    rng = np.random.default_rng(seed)
    n = len(payoffs.shape)
    truth = np.array([find_position(game.actions(i), game.truth(i)) for i in range(n)])
    played = np.stack([rng.integers(0, a, starts) for a in payoffs.shape], axis=1)
    weights = [rng.dirichlet(np.ones(a), starts) for a in payoffs.shape]
    regret = [np.zeros((starts, a)) for a in payoffs.shape]
    spread = [0.0] * n
    honest = np.zeros((rounds, starts), dtype=bool)
    for t in range(rounds):
        if t or rule == "multiplicative-weights":
            chances = [
                _match_regret(regret[i], played[:, i])
                if rule == "regret-matching"
                else _weigh(regret[i], weights[i], spread[i], t)
                for i in range(n)
            ]
            played = np.stack([_draw(c, rng) for c in chances], axis=1)
        honest[t] = (played == truth).all(axis=1)
        for i in range(n):
            values = payoffs.value_actions(i, played)
            own = np.take_along_axis(values, played[:, [i]], axis=1)
            regret[i] += values - own
            spread[i] = max(spread[i], float(np.ptp(values, axis=1).max()))
    late = honest[rounds - max(1, rounds // LATE) :]
    average = np.stack([np.maximum(r.max(axis=1), 0) / rounds for r in regret], axis=1)
    parts = np.array_split(honest.mean(axis=1), min(100, rounds))
    return Learning(
        rule,
        rounds,
        tuple(late.mean(axis=0).tolist()),
        tuple(tuple(row) for row in average.tolist()),
        tuple(float(part.mean()) for part in parts),
    )


def _match_regret(regret: FloatArray, last: Positions) -> FloatArray:
    """Return chances proportional to positive regrets; the last action where there are none."""
    positive = np.maximum(regret, 0)
    total = positive.sum(axis=1, keepdims=True)
    again = np.zeros_like(positive)
    np.put_along_axis(again, last[:, None], 1.0, axis=1)
    chances: FloatArray = np.where(total > 0, positive / np.where(total > 0, total, 1), again)
    return chances


def _weigh(regret: FloatArray, weights: FloatArray, spread: float, t: int) -> FloatArray:
    """Return the first weights times exp(rate x what each action would have brought)."""
    rate = np.sqrt(8 * np.log(max(weights.shape[1], 2)) / (t + 1)) / (spread or 1.0)
    scores = np.log(np.maximum(weights, 1e-300)) + rate * regret
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return chances


def _draw(chances: FloatArray, rng: np.random.Generator) -> Positions:
    """Return one action of each row, drawn by its chances."""
    levels = chances.cumsum(axis=1)
    picks = (rng.random((len(chances), 1)) * levels[:, [-1]] >= levels).sum(axis=1)
    found: Positions = np.minimum(picks, chances.shape[1] - 1).astype(np.int64)
    return found
