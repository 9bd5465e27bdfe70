"""Exchange of information for information, without money.

Source: S. Branzei, C. Orlandi, G. Yang, "Sharing information with competitors", arXiv 1809.10637.
"""

from aboveboard.exchange.average import AveragePoint
from aboveboard.exchange.coalition_values import compute_rewards
from aboveboard.exchange.contribution import Contribution
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.feasible_benefits import BenefitBox
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.interval import OneDimensionalSearch
from aboveboard.exchange.inventing import AgainstInventing
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES, Rule, choose_rule
from aboveboard.exchange.truthful_range import OverRange, find_truthful_range
from aboveboard.exchange.union import Union
from aboveboard.exchange.union_games import make_union_participation_game

__all__ = [
    "RULES",
    "AgainstInventing",
    "AveragePoint",
    "BenefitBox",
    "Contribution",
    "ExclusivityRange",
    "HidingGame",
    "OneDimensionalSearch",
    "OverRange",
    "ParticipationGame",
    "Regions",
    "Rule",
    "Union",
    "choose_rule",
    "compute_rewards",
    "find_truthful_range",
    "make_union_participation_game",
]
