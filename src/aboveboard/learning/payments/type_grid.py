"""Ex-post IC and IR where the parties' true sizes are others: what an audit looks at besides.

A verdict on one game speaks of one profile of true sizes. Here every size that a party can report
may also be true. Cost: a small audit for each of at most `MOST_GAMES` profiles of true sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from aboveboard.auditing import Budget, Property, Verdict, audit
from aboveboard.auditing.budget import Progress
from aboveboard.errors import UndefinedProperty
from aboveboard.formatting import format_count
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number
from aboveboard.learning.payments.game import MarketGame

MOST_GAMES, FEWEST_GAMES = 200, 5
"""Profiles of true sizes that are looked at, each a game of its own."""

WORK = 4000
"""Games times squared parties (times sets of the served, where they are tried): a few seconds."""


@dataclass(frozen=True)
class OnTypeGrid(Property):
    """A property of learning games, also at other true sizes than the parties' own.

    Parameters
    ----------
    claim
        The property that is examined in each game.

    Examples
    --------
    >>> from aboveboard.auditing import ExPostIC
    >>> OnTypeGrid(ExPostIC()).name
    'ex-post IC at other sizes'
    """

    claim: Property

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return f"{self.claim.name} at other sizes"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict on all profiles of true sizes, or on some that the seed draws.

        Raises
        ------
        UndefinedProperty
            If the game is not one of reported sizes.
        """
        if not isinstance(game, MarketGame):
            raise UndefinedProperty(f"{self.name} needs a game of reported sizes")
        games, total = _list_games(game, seed)
        verdict = audit(games, [self.claim], budget=budget, seed=seed)[self.claim.name]
        scope = (
            f"{format_count(len(games))} of {format_count(total)} profiles of true sizes, each up "
            f"to its own in {max(len(sizes) for sizes in game.reports) - 1} steps"
        )
        statement = scope if verdict.statement is None else f"{scope}; {verdict.statement}"
        return replace(verdict, property=self.name, statement=statement)

    def implies(self, other: Property) -> bool:
        """Return whether the other claim is this one."""
        return self == other


def _list_games(game: MarketGame, seed: int) -> tuple[list[MarketGame], int]:
    """Return games at other true sizes, and how many there are on the grid."""
    most = _count_affordable(game)
    counts = [len(sizes) for sizes in game.reports]
    total = prod(counts)
    if total <= most:
        picked = list(product(*(range(count) for count in counts)))
    else:
        generator = np.random.default_rng(seed)
        drawn = generator.integers(0, counts, size=(most, len(counts)))
        picked = [tuple(row) for row in np.unique(drawn, axis=0).tolist()]
    return [_move_truth(game, positions) for positions in picked], total


def _count_affordable(game: MarketGame) -> int:
    n = game.market.n
    work = n * n * (1 << n if game.market.tries_sets else 8)
    return max(FEWEST_GAMES, min(MOST_GAMES, 8 * WORK // work))


def _move_truth(game: MarketGame, positions: Sequence[int]) -> MarketGame:
    sizes: list[Number] = [s[k] for s, k in zip(game.reports, positions, strict=True)]
    reports = tuple(s[: k + 1] for s, k in zip(game.reports, positions, strict=True))
    return replace(game, sizes=tuple(sizes), reports=reports)


def iterate_games(game: MarketGame, sizes: Sequence[Sequence[Number]]) -> Iterator[MarketGame]:
    """Yield one game for each profile of true sizes.

    Parameters
    ----------
    game
        Gives the players and the market.
    sizes
        What each party may have; it can report any of these up to what it has.
    """
    for own in product(*sizes):
        reports = tuple(
            tuple(x for x in grid if x <= size) for grid, size in zip(sizes, own, strict=True)
        )
        yield MarketGame(game.players, game.market, own, reports)
