"""The audit: properties of games, and verdicts that say no more than was found.

Examples
--------
>>> from aboveboard import TabularGame
>>> from aboveboard.auditing import audit, DSIC
>>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
>>> audit(dilemma, [DSIC()])["DSIC"].status.value
'holds'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.auditing.balance import StrongBudgetBalance, WeakBudgetBalance
    from aboveboard.auditing.budget import Budget, CostEstimate, Progress
    from aboveboard.auditing.deviation_property import DeviationProperty
    from aboveboard.auditing.deviations import (
        DSIC,
        CoalitionProof,
        EpsilonIC,
        ExPostIC,
        IndividualRationality,
        estimate_cost,
    )
    from aboveboard.auditing.efficiency import Efficient, ParetoEfficient
    from aboveboard.auditing.equilibrium import UniqueEquilibrium, pure_equilibria
    from aboveboard.auditing.examining import audit
    from aboveboard.auditing.implications import IMPLICATIONS, implies
    from aboveboard.auditing.property import Property
    from aboveboard.auditing.symmetry import StrongDominance, Symmetric
    from aboveboard.auditing.verdict import Status, Verdict, Verdicts, Witness

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "Budget": "aboveboard.auditing.budget",
    "CoalitionProof": "aboveboard.auditing.deviations",
    "DSIC": "aboveboard.auditing.deviations",
    "DeviationProperty": "aboveboard.auditing.deviation_property",
    "Efficient": "aboveboard.auditing.efficiency",
    "EpsilonIC": "aboveboard.auditing.deviations",
    "CostEstimate": "aboveboard.auditing.budget",
    "ExPostIC": "aboveboard.auditing.deviations",
    "IMPLICATIONS": "aboveboard.auditing.implications",
    "IndividualRationality": "aboveboard.auditing.deviations",
    "ParetoEfficient": "aboveboard.auditing.efficiency",
    "Progress": "aboveboard.auditing.budget",
    "Property": "aboveboard.auditing.property",
    "Status": "aboveboard.auditing.verdict",
    "StrongBudgetBalance": "aboveboard.auditing.balance",
    "StrongDominance": "aboveboard.auditing.symmetry",
    "Symmetric": "aboveboard.auditing.symmetry",
    "UniqueEquilibrium": "aboveboard.auditing.equilibrium",
    "Verdict": "aboveboard.auditing.verdict",
    "Verdicts": "aboveboard.auditing.verdict",
    "WeakBudgetBalance": "aboveboard.auditing.balance",
    "Witness": "aboveboard.auditing.verdict",
    "audit": "aboveboard.auditing.examining",
    "estimate_cost": "aboveboard.auditing.deviations",
    "implies": "aboveboard.auditing.implications",
    "pure_equilibria": "aboveboard.auditing.equilibrium",
}

__all__ = [
    "DSIC",
    "IMPLICATIONS",
    "Budget",
    "CoalitionProof",
    "CostEstimate",
    "DeviationProperty",
    "Efficient",
    "EpsilonIC",
    "ExPostIC",
    "IndividualRationality",
    "ParetoEfficient",
    "Progress",
    "Property",
    "Status",
    "StrongBudgetBalance",
    "StrongDominance",
    "Symmetric",
    "UniqueEquilibrium",
    "Verdict",
    "Verdicts",
    "WeakBudgetBalance",
    "Witness",
    "audit",
    "estimate_cost",
    "implies",
    "pure_equilibria",
]


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)
