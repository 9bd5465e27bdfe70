"""Exchange of information for information, without money.

Source: S. Branzei, C. Orlandi, G. Yang, "Sharing information with competitors", arXiv 1809.10637.
"""

from aboveboard.exchange.average import AveragePoint
from aboveboard.exchange.contribution import Contribution
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.interval import OneDimensionalSearch
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES, Rule
from aboveboard.exchange.union import Union, make_union_participation_game

__all__ = [
    "RULES",
    "AveragePoint",
    "Contribution",
    "HidingGame",
    "OneDimensionalSearch",
    "ParticipationGame",
    "Regions",
    "Rule",
    "Union",
    "make_union_participation_game",
]
