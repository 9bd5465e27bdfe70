"""A market of goods: propose and agree, immune to collusion."""

from aboveboard.market.mechanisms import ProposeAndAgree
from aboveboard.market.model.bidding import Additive, Or, Table, Xor
from aboveboard.market.model.generators import arbitrary, regions
from aboveboard.market.model.markets import DESTROYED, Market, Outcome, social_welfare
from aboveboard.market.optimum.social_optimum import (
    Optimum,
    optimal_allocations,
    optimum,
    truthful_outcomes,
)
from aboveboard.market.rules.propose_and_agree import replayed
from aboveboard.market.simple_mechanisms import Naive1, Naive2, Naive3, Naive4
from aboveboard.market.vcg_mechanism import VCG

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
