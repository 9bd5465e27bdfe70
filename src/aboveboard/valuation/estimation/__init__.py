"""The estimators of the paper on users' samples, each user at its own privacy level.

Source: "The Fair Value of Data Under Heterogeneous Privacy Constraints in Federated Learning",
Example 1 and section 4.
"""

from aboveboard.valuation.estimation.dp_release import Release, release
from aboveboard.valuation.estimation.estimates import Estimator, find_estimator
from aboveboard.valuation.estimation.federated_user import User
from aboveboard.valuation.estimation.ledger import read_spent
from aboveboard.valuation.estimation.secure_sum import Sum, secure_sum
from aboveboard.valuation.estimation.variance_components import (
    VarianceComponents,
    estimate_variance_components,
    sum_samples,
)

__all__ = [
    "Estimator",
    "Release",
    "Sum",
    "User",
    "VarianceComponents",
    "estimate_variance_components",
    "find_estimator",
    "read_spent",
    "release",
    "secure_sum",
    "sum_samples",
]
