"""Rivals train together, and pay for what they get.

Source: M. Chen, Y. Liu, W. Shen, Y. Shen, P. Tang, Q. Yang, "Mechanism Design for Multi-Party
Machine Learning".

Examples
--------
>>> from aboveboard.learning import Identity, Linear, Market, compute_outcome
>>> compute_outcome(Market(Identity(), Linear(((1, 0), (0, 1))), 2), [1, 2]).served
(True, True)
"""

from aboveboard.learning.desirable.certificate import Certificate, verify_certificate
from aboveboard.learning.desirable.growth_boundary import (
    Boundary,
    find_boundary,
    trace_figure_3,
)
from aboveboard.learning.desirable.growth_rate import alpha_star
from aboveboard.learning.desirable.mechanism import Desirable
from aboveboard.learning.desirable.search import SearchResult, search_desirable
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
from aboveboard.learning.payments.exploitation_payment import (
    PaymentOutcome,
    compute_outcome,
    exploitation_payments,
)
from aboveboard.learning.payments.game import MarketGame
from aboveboard.learning.payments.mechanism import Payments, type_grid

__all__ = [
    "Boundary",
    "Certificate",
    "Counterfactual",
    "Desirable",
    "FunctionValuation",
    "Growth",
    "Identity",
    "LearningCurve",
    "Linear",
    "Logistic",
    "Market",
    "MarketGame",
    "PaymentOutcome",
    "Payments",
    "Quality",
    "QuasiMonotone",
    "SearchResult",
    "Valuation",
    "alpha_star",
    "assign_models",
    "choose_served",
    "compute_outcome",
    "exploitation_payments",
    "find_boundary",
    "fit_learning_curve",
    "search_desirable",
    "trace_figure_3",
    "type_grid",
    "verify_certificate",
]
