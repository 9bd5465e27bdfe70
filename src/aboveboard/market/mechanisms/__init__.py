"""The mechanisms of the market system as a collaboration runs them."""

from aboveboard.market.mechanisms.naive import Naive1, Naive2, Naive3, Naive4
from aboveboard.market.mechanisms.propose_and_agree import ProposeAndAgree
from aboveboard.market.mechanisms.vcg import VCG

__all__ = ["VCG", "Naive1", "Naive2", "Naive3", "Naive4", "ProposeAndAgree"]
