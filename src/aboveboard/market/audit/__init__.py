"""The audit of markets: what is claimed of them, as properties, and the games they are judged on.

A stranger's rule is judged too: a game with a `market` and a `rule` (a `VotingRule`, which needs
only how it is played) takes the claims about the root; one with a `play`, those about that play.
"""

from aboveboard.market.audit.asked_in_turn import AskedInTurn
from aboveboard.market.audit.best_announcement import BestAnnouncement
from aboveboard.market.audit.best_votes import BestVotes
from aboveboard.market.audit.budget import BalancedPlay, NoDeficit
from aboveboard.market.audit.collusive_dominance import CollusiveDominance
from aboveboard.market.audit.expected_utilities import find_margin
from aboveboard.market.audit.likely_ending import LikelyEnding
from aboveboard.market.audit.participation import TotalParticipation
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.audit.privacy import FullPrivacy
from aboveboard.market.audit.root_audit import RootAudit, audit_market
from aboveboard.market.audit.root_solvability import RootSolvability
from aboveboard.market.audit.social_optimum import SociallyOptimal
from aboveboard.market.audit.voting_game import VotingGame, make_voting_game
from aboveboard.market.audit.voting_rules import VotingRule

__all__ = [
    "AskedInTurn",
    "BalancedPlay",
    "BestAnnouncement",
    "BestVotes",
    "CollusiveDominance",
    "FullPrivacy",
    "LikelyEnding",
    "NoDeficit",
    "PlayAudit",
    "RootAudit",
    "RootSolvability",
    "SociallyOptimal",
    "TotalParticipation",
    "VotingGame",
    "VotingRule",
    "audit_market",
    "find_margin",
    "make_voting_game",
]
