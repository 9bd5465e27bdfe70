"""A curator who makes truth the only equilibrium: "Data Curation from Privacy-Aware Agents".

Examples
--------
>>> from fractions import Fraction
>>> from aboveboard.curation.social_functions import Threshold
>>> agents = (Agent(value=1, price=Fraction(1, 5)),) * 3
>>> game = CurationGame(Society(Threshold(2), agents, prior=Fraction(1, 2)), PROTOCOLS["fair"])
>>> examine_equilibria(game).list_names()
('truth',)
"""

from aboveboard.curation.advice import Advice, advise
from aboveboard.curation.any_word import has_only_truth, make_any_word
from aboveboard.curation.best_replies import BestReply, best_reply
from aboveboard.curation.commitments import SILENCE, TRUTH, Agent, Commitment
from aboveboard.curation.comparison_curators import AlwaysAll, AlwaysNoise, Straightforward
from aboveboard.curation.curation_game import CurationGame, Society
from aboveboard.curation.curators import (
    Competitive,
    Curator,
    Fair,
    IndicatorScored,
)
from aboveboard.curation.cures import Cure
from aboveboard.curation.dynamics import simulate_better_replies
from aboveboard.curation.equilibria import (
    Equilibria,
    compute_stake,
    examine_equilibria,
    is_equilibrium,
    is_helpless,
    regrets,
)
from aboveboard.curation.mixed import MixedEquilibrium, MixedSearch, find_mixed_equilibria
from aboveboard.curation.number_society import NumberSociety, Scale, make_number_society
from aboveboard.curation.properties import NoMixedEquilibrium, StableCommitments, TruthAnswered
from aboveboard.curation.protocols import PROTOCOLS, Protocol

__all__ = [
    "PROTOCOLS",
    "SILENCE",
    "TRUTH",
    "Advice",
    "Agent",
    "AlwaysAll",
    "AlwaysNoise",
    "BestReply",
    "Commitment",
    "Competitive",
    "CurationGame",
    "Curator",
    "Cure",
    "Equilibria",
    "Fair",
    "IndicatorScored",
    "MixedEquilibrium",
    "MixedSearch",
    "NoMixedEquilibrium",
    "NumberSociety",
    "Protocol",
    "Scale",
    "Society",
    "StableCommitments",
    "Straightforward",
    "TruthAnswered",
    "advise",
    "best_reply",
    "compute_stake",
    "examine_equilibria",
    "find_mixed_equilibria",
    "has_only_truth",
    "is_equilibrium",
    "is_helpless",
    "make_any_word",
    "make_number_society",
    "regrets",
    "simulate_better_replies",
]
