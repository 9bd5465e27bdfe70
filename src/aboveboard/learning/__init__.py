"""Rivals train together, and pay for what they get.

Source: M. Chen, Y. Liu, W. Shen, Y. Shen, P. Tang, Q. Yang, "Mechanism Design for Multi-Party
Machine Learning".
"""

from aboveboard.learning.desirable.certificate import Certificate, bound
from aboveboard.learning.desirable.growth_boundary import (
    Boundary,
    figure_3,
    growth_boundary,
)
from aboveboard.learning.desirable.growth_rate import alpha_star
from aboveboard.learning.desirable.mechanism import Desirable
from aboveboard.learning.desirable.search import Found, search
from aboveboard.learning.market.allocation import Counterfactual, Market, allocation, models
from aboveboard.learning.market.quality import Fitted, Identity, Logistic, Quality, fit
from aboveboard.learning.market.valuations import Called, Growth, Linear, QuasiMonotone, Valuation
from aboveboard.learning.payments.exploitation_payment import (
    Outcome,
    exploitation_payments,
    outcome,
)
from aboveboard.learning.payments.game import MarketGame
from aboveboard.learning.payments.mechanism import Payments, type_grid

__all__ = [
    "Boundary",
    "Called",
    "Certificate",
    "Counterfactual",
    "Desirable",
    "Fitted",
    "Found",
    "Growth",
    "Identity",
    "Linear",
    "Logistic",
    "Market",
    "MarketGame",
    "Outcome",
    "Payments",
    "Quality",
    "QuasiMonotone",
    "Valuation",
    "allocation",
    "alpha_star",
    "bound",
    "exploitation_payments",
    "figure_3",
    "fit",
    "growth_boundary",
    "models",
    "outcome",
    "search",
    "type_grid",
]
