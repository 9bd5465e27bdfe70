"""The fair price of data under privacy levels that users choose, and the platform's best offer.

Source: "The Fair Value of Data Under Heterogeneous Privacy Constraints in Federated Learning".
"""

from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offers.alike_users import AlikeUsers
from aboveboard.valuation.offers.best_replies import reply_in_turn
from aboveboard.valuation.offers.curve import Curve
from aboveboard.valuation.offers.offer import Offer
from aboveboard.valuation.offers.propose import make_alike_users, propose_offer
from aboveboard.valuation.offers.pure_profiles import PureProfiles, potential
from aboveboard.valuation.offers.two_users import TwoUsers
from aboveboard.valuation.payments import Payments
from aboveboard.valuation.shares.division import Shares, divide
from aboveboard.valuation.shares.few_types import (
    TypeValues,
    shapley_by_type,
    shapley_by_type_exactly,
)
from aboveboard.valuation.shares.sampling import SampledShares, Sampling, sample_shares
from aboveboard.valuation.shares.shapley import (
    ShapleyDivision,
    shapley_among_users,
    shapley_with_platform,
)
from aboveboard.valuation.utilities.dp_mean import PrivateMean, private_mean
from aboveboard.valuation.utilities.federated_mean import Population, compute_expected_errors
from aboveboard.valuation.utilities.user_utilities import FunctionUtility, TableUtility
from aboveboard.valuation.utilities.utilities import (
    DpMean,
    FederatedMean,
    UserTypes,
)

__all__ = [
    "AlikeUsers",
    "Curve",
    "DpMean",
    "FederatedMean",
    "FunctionUtility",
    "LevelsGame",
    "Offer",
    "Payments",
    "Population",
    "PrivateMean",
    "PureProfiles",
    "SampledShares",
    "Sampling",
    "ShapleyDivision",
    "Shares",
    "TableUtility",
    "TwoUsers",
    "TypeValues",
    "UserTypes",
    "compute_expected_errors",
    "divide",
    "make_alike_users",
    "potential",
    "private_mean",
    "propose_offer",
    "reply_in_turn",
    "sample_shares",
    "shapley_among_users",
    "shapley_by_type",
    "shapley_by_type_exactly",
    "shapley_with_platform",
]
