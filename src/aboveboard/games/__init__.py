"""Games: players, actions, payoffs; exact numbers, lotteries, and games of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.games.gambit import from_gambit, to_gambit
    from aboveboard.games.game import Game, TabularGame
    from aboveboard.games.lottery import Lottery
    from aboveboard.games.tabulation import tabulate, tabulate_all

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "Game": "aboveboard.games.game",
    "Lottery": "aboveboard.games.lottery",
    "TabularGame": "aboveboard.games.game",
    "from_gambit": "aboveboard.games.gambit",
    "tabulate": "aboveboard.games.tabulation",
    "tabulate_all": "aboveboard.games.tabulation",
    "to_gambit": "aboveboard.games.gambit",
}

__all__ = [
    "Game",
    "Lottery",
    "TabularGame",
    "from_gambit",
    "tabulate",
    "tabulate_all",
    "to_gambit",
]


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)
