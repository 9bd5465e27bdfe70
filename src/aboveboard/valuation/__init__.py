"""The fair price of data under privacy levels that users choose, and the platform's best offer.

Source: "The Fair Value of Data Under Heterogeneous Privacy Constraints in Federated Learning".
"""

from aboveboard.valuation.division import Shares, divide
from aboveboard.valuation.dp_mean import PrivateMean, private_mean
from aboveboard.valuation.federated_mean import Population, errors
from aboveboard.valuation.few_types import TypeValues, shares_by_type, shares_by_type_exactly
from aboveboard.valuation.given_utilities import Called, Table
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.many_users import PureProfiles, best_response, potential
from aboveboard.valuation.offer import Curve, Offer
from aboveboard.valuation.one_cost import AlikeUsers
from aboveboard.valuation.payments import Payments
from aboveboard.valuation.propose import alike_users, offer_of
from aboveboard.valuation.sampling import Sampled, Sampling, sampled_shares
from aboveboard.valuation.shapley import Division, among_users, with_platform
from aboveboard.valuation.two_users import TwoUsers
from aboveboard.valuation.utilities import DpMean, FederatedMean, Grouped, Utility

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
