"""Exchange of information for information, without money.

Source: S. Branzei, C. Orlandi, G. Yang, "Sharing information with competitors", arXiv 1809.10637.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
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

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "AgainstInspectedInventing": "aboveboard.exchange.inspected_inventing",
    "AgainstInventing": "aboveboard.exchange.inventing",
    "AgainstWidening": "aboveboard.exchange.widening",
    "AveragePoint": "aboveboard.exchange.average",
    "BenefitBox": "aboveboard.exchange.feasible_benefits",
    "Contribution": "aboveboard.exchange.contribution",
    "ExclusivityRange": "aboveboard.exchange.exclusivity",
    "HidingGame": "aboveboard.exchange.hiding",
    "Inspection": "aboveboard.exchange.inspection",
    "InspectionDesign": "aboveboard.exchange.inspection_design",
    "InspectionSetting": "aboveboard.exchange.inspection_design",
    "LengthValue": "aboveboard.exchange.interval_values",
    "ListInspector": "aboveboard.exchange.inspection",
    "Loss": "aboveboard.exchange.average_loss",
    "OneDimensionalSearch": "aboveboard.exchange.interval",
    "OverRange": "aboveboard.exchange.truthful_range",
    "ParticipationGame": "aboveboard.exchange.participation",
    "RULES": "aboveboard.exchange.rules",
    "Regions": "aboveboard.exchange.regions",
    "Rule": "aboveboard.exchange.rules",
    "Union": "aboveboard.exchange.union",
    "choose_rule": "aboveboard.exchange.rules",
    "compute_rewards": "aboveboard.exchange.coalition_values",
    "design_inspection": "aboveboard.exchange.inspection_design",
    "find_truthful_range": "aboveboard.exchange.truthful_range",
    "make_union_participation_game": "aboveboard.exchange.union_games",
}

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


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)
