"""Markets: goods, traders, bids, prices, and how a file describes them."""

from aboveboard.market.model.bidding import Additive, BidGroups, BundleTable, Or, Xor
from aboveboard.market.model.markets import DESTROYED, Market, Outcome, social_welfare
from aboveboard.market.model.steps import Ending, Votes

__all__ = [
    "DESTROYED",
    "Additive",
    "BidGroups",
    "BundleTable",
    "Ending",
    "Market",
    "Or",
    "Outcome",
    "Votes",
    "Xor",
    "social_welfare",
]
