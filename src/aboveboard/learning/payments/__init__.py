"""Payments for a model trained together: the maximal exploitation payment.

Examples
--------
>>> from aboveboard.learning.market import Identity, Linear, Market
>>> from aboveboard.learning.payments import compute_outcome
>>> compute_outcome(Market(Identity(), Linear(((1, 2), (0, 1))), 2), [1, 2]).payments
(4, 1)
"""

from __future__ import annotations

from aboveboard.learning.payments.exploitation_payment import (
    PaymentOutcome,
    compute_outcome,
    exploitation_payments,
)
from aboveboard.learning.payments.game import MarketGame
from aboveboard.learning.payments.mechanism import Payments, type_grid

__all__ = [
    "MarketGame",
    "PaymentOutcome",
    "Payments",
    "compute_outcome",
    "exploitation_payments",
    "type_grid",
]
