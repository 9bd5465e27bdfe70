"""Games: players, actions, payoffs; exact numbers, lotteries, and games of other programs."""

from aboveboard.games.gambit import from_gambit, to_gambit
from aboveboard.games.game import Game, TabularGame
from aboveboard.games.lottery import Lottery
from aboveboard.games.tabulation import tabulate, tabulate_all

__all__ = [
    "Game",
    "Lottery",
    "TabularGame",
    "from_gambit",
    "tabulate",
    "tabulate_all",
    "to_gambit",
]
