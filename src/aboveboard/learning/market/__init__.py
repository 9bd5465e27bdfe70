"""What a market for a trained model consists of: qualities, valuations, allocation rules.

Examples
--------
>>> from aboveboard.learning.market import Identity, Linear, Market
>>> Market(Identity(), Linear(((1, 0), (0, 1))), 2).counterfactual
'all'
"""

from __future__ import annotations

from aboveboard.learning.market.allocation import (
    Counterfactual,
    Market,
    assign_models,
    choose_served,
)
from aboveboard.learning.market.quality import (
    Identity,
    LearningCurve,
    Logistic,
    Quality,
    fit_learning_curve,
)
from aboveboard.learning.market.valuations import (
    FunctionValuation,
    Growth,
    Linear,
    QuasiMonotone,
    Valuation,
)

__all__ = [
    "Counterfactual",
    "FunctionValuation",
    "Growth",
    "Identity",
    "LearningCurve",
    "Linear",
    "Logistic",
    "Market",
    "Quality",
    "QuasiMonotone",
    "Valuation",
    "assign_models",
    "choose_served",
    "fit_learning_curve",
]
