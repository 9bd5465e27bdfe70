"""A market of goods: propose and agree, immune to collusion."""

from aboveboard.market.mechanisms.naive import Naive1, Naive2, Naive3, Naive4
from aboveboard.market.mechanisms.propose_and_agree import ProposeAndAgree
from aboveboard.market.mechanisms.vcg import VCG
from aboveboard.market.model.bidding import Additive, BidGroups, BundleTable, Or, Xor
from aboveboard.market.model.generators import generate_arbitrary, generate_regions
from aboveboard.market.model.markets import DESTROYED, Market, Outcome, social_welfare
from aboveboard.market.optimum.optimal_set import list_optimal_allocations, list_truthful_outcomes
from aboveboard.market.optimum.social_optimum import Optimum, find_optimum
from aboveboard.market.rules.propose_and_agree import verify_transcript

__all__ = [
    "DESTROYED",
    "VCG",
    "Additive",
    "BidGroups",
    "BundleTable",
    "Market",
    "Naive1",
    "Naive2",
    "Naive3",
    "Naive4",
    "Optimum",
    "Or",
    "Outcome",
    "ProposeAndAgree",
    "Xor",
    "find_optimum",
    "generate_arbitrary",
    "generate_regions",
    "list_optimal_allocations",
    "list_truthful_outcomes",
    "social_welfare",
    "verify_transcript",
]
