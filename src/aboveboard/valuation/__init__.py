"""The fair price of data under privacy levels that users choose, and the platform's best offer.

Source: "The Fair Value of Data Under Heterogeneous Privacy Constraints in Federated Learning".
"""

from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offers.many_users import PureProfiles, best_response, potential
from aboveboard.valuation.offers.offer import Curve, Offer
from aboveboard.valuation.offers.one_cost import AlikeUsers
from aboveboard.valuation.offers.propose import alike_users, offer_of
from aboveboard.valuation.offers.two_users import TwoUsers
from aboveboard.valuation.payments import Payments
from aboveboard.valuation.shares.division import Shares, divide
from aboveboard.valuation.shares.few_types import TypeValues, shares_by_type, shares_by_type_exactly
from aboveboard.valuation.shares.sampling import Sampled, Sampling, sampled_shares
from aboveboard.valuation.shares.shapley import Division, among_users, with_platform
from aboveboard.valuation.utilities.dp_mean import PrivateMean, private_mean
from aboveboard.valuation.utilities.federated_mean import Population, errors
from aboveboard.valuation.utilities.given_utilities import Called, Table
from aboveboard.valuation.utilities.utilities import (
    DpMean,
    FederatedMean,
    Grouped,
    Utility,
)

__all__ = [
    "AlikeUsers",
    "Called",
    "Curve",
    "Division",
    "DpMean",
    "FederatedMean",
    "Grouped",
    "LevelsGame",
    "Offer",
    "Payments",
    "Population",
    "PrivateMean",
    "PureProfiles",
    "Sampled",
    "Sampling",
    "Shares",
    "Table",
    "TwoUsers",
    "TypeValues",
    "Utility",
    "alike_users",
    "among_users",
    "best_response",
    "divide",
    "errors",
    "offer_of",
    "potential",
    "private_mean",
    "sampled_shares",
    "shares_by_type",
    "shares_by_type_exactly",
    "with_platform",
]
