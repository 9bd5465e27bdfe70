"""A curator who makes truth the only equilibrium: "Data Curation from Privacy-Aware Agents"."""

from aboveboard.curation.advice import Advice, Cure, advise
from aboveboard.curation.commitments import SILENCE, TRUTH, Agent, Commitment
from aboveboard.curation.curated import Curated, Society
from aboveboard.curation.curators import (
    AlwaysAll,
    AlwaysNoise,
    Competitive,
    Curator,
    Fair,
    IndicatorScored,
    Straightforward,
)
from aboveboard.curation.dynamics import better_replies
from aboveboard.curation.equilibria import (
    best_reply,
    helpless,
    is_equilibrium,
    pure_equilibria,
    regrets,
    stake_of,
)
from aboveboard.curation.mixed import mixed_equilibria
from aboveboard.curation.protocols import PROTOCOLS, Protocol

__all__ = [
    "PROTOCOLS",
    "SILENCE",
    "TRUTH",
    "Advice",
    "Agent",
    "AlwaysAll",
    "AlwaysNoise",
    "Commitment",
    "Competitive",
    "Curated",
    "Curator",
    "Cure",
    "Fair",
    "IndicatorScored",
    "Protocol",
    "Society",
    "Straightforward",
    "advise",
    "best_reply",
    "better_replies",
    "helpless",
    "is_equilibrium",
    "mixed_equilibria",
    "pure_equilibria",
    "regrets",
    "stake_of",
]
