"""Rivals train together, and pay for what they get.

Source: M. Chen, Y. Liu, W. Shen, Y. Shen, P. Tang, Q. Yang, "Mechanism Design for Multi-Party
Machine Learning".
"""

from aboveboard.learning.allocation import Counterfactual, Market, allocation, models
from aboveboard.learning.certificate import Certificate, bound
from aboveboard.learning.conditions import Condition, DifferentiablePayment, theorem_2, theorem_3
from aboveboard.learning.desirable import Desirable
from aboveboard.learning.desirable_search import Found, search
from aboveboard.learning.exploitation_payment import Outcome, exploitation_payments, outcome
from aboveboard.learning.growth_boundary import Boundary, figure_3, growth_boundary
from aboveboard.learning.growth_rate import alpha_star
from aboveboard.learning.market_game import MarketGame
from aboveboard.learning.payments import Payments, type_grid
from aboveboard.learning.quality import Fitted, Identity, Logistic, Quality, fit
from aboveboard.learning.valuations import Called, Growth, Linear, QuasiMonotone, Valuation

__all__ = [
    "Boundary",
    "Called",
    "Certificate",
    "Condition",
    "Counterfactual",
    "Desirable",
    "DifferentiablePayment",
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
    "theorem_2",
    "theorem_3",
    "type_grid",
]
