"""A market of goods: propose and agree, immune to collusion."""

from aboveboard.market.bidding import Additive, Or, Table, Xor
from aboveboard.market.clearing import VCG
from aboveboard.market.generators import arbitrary, regions
from aboveboard.market.markets import DESTROYED, Market, Outcome, social_welfare
from aboveboard.market.mechanisms import ProposeAndAgree
from aboveboard.market.propose_and_agree import replayed
from aboveboard.market.simple_mechanisms import Naive1, Naive2, Naive3, Naive4
from aboveboard.market.social_optimum import (
    Optimum,
    optimal_allocations,
    optimum,
    truthful_outcomes,
)

__all__ = [
    "DESTROYED",
    "VCG",
    "Additive",
    "Market",
    "Naive1",
    "Naive2",
    "Naive3",
    "Naive4",
    "Optimum",
    "Or",
    "Outcome",
    "ProposeAndAgree",
    "Table",
    "Xor",
    "arbitrary",
    "optimal_allocations",
    "optimum",
    "regions",
    "replayed",
    "social_welfare",
    "truthful_outcomes",
]
