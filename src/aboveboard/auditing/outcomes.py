"""Properties of what comes out: budget balance, efficiency, symmetry, strong dominance."""

from __future__ import annotations

from aboveboard.auditing.balance import StrongBudgetBalance, WeakBudgetBalance
from aboveboard.auditing.efficiency import Efficient, ParetoEfficient
from aboveboard.auditing.symmetry import StrongDominance, Symmetric

OutcomeProperty = (
    WeakBudgetBalance
    | StrongBudgetBalance
    | ParetoEfficient
    | Efficient
    | Symmetric
    | StrongDominance
)
