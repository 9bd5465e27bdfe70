"""Winner determination: socially optimal allocations."""

from aboveboard.market.optimum.optimal_set import list_optimal_allocations, list_truthful_outcomes
from aboveboard.market.optimum.social_optimum import Optimum, find_optimum

__all__ = ["Optimum", "find_optimum", "list_optimal_allocations", "list_truthful_outcomes"]
