"""Exchange of information for information, without money.

Source: S. Branzei, C. Orlandi, G. Yang, "Sharing information with competitors", arXiv 1809.10637.
"""

from aboveboard.exchange.average import AveragePoint
from aboveboard.exchange.average_loss import Loss
from aboveboard.exchange.coalition_values import compute_rewards
from aboveboard.exchange.contribution import Contribution
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.feasible_benefits import BenefitBox
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.inspected_inventing import AgainstInspectedInventing
from aboveboard.exchange.inspection import Inspection, ListInspector
from aboveboard.exchange.inspection_design import (
    InspectionDesign,
    InspectionSetting,
    design_inspection,
)
from aboveboard.exchange.interval import OneDimensionalSearch
from aboveboard.exchange.interval_values import LengthValue
from aboveboard.exchange.inventing import AgainstInventing
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES, Rule, choose_rule
from aboveboard.exchange.truthful_range import OverRange, find_truthful_range
from aboveboard.exchange.union import Union
from aboveboard.exchange.union_games import make_union_participation_game
from aboveboard.exchange.widening import AgainstWidening

__all__ = [
    "RULES",
    "AgainstInspectedInventing",
    "AgainstInventing",
    "AgainstWidening",
    "AveragePoint",
    "BenefitBox",
    "Contribution",
    "ExclusivityRange",
    "HidingGame",
    "Inspection",
    "InspectionDesign",
    "InspectionSetting",
    "LengthValue",
    "ListInspector",
    "Loss",
    "OneDimensionalSearch",
    "OverRange",
    "ParticipationGame",
    "Regions",
    "Rule",
    "Union",
    "choose_rule",
    "compute_rewards",
    "design_inspection",
    "find_truthful_range",
    "make_union_participation_game",
]
