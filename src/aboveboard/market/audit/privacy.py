"""Full privacy: the likely ending tells no more than its outcome (Definitions 5 and 6, Lemma 6).

Definition 5 asks it of mechanisms that end in one way for sure; Definition 6 of the one ending
that carries 1 - delta. With probability delta the play ends elsewhere, and there whoever watches
can learn more: the verdict says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aboveboard.auditing import Verdict
from aboveboard.formatting import format_probability, state_probability
from aboveboard.market.audit.likely_ending import find_likeliest
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty
from aboveboard.market.model.descriptions import describe_outcome
from aboveboard.market.model.markets import Outcome
from aboveboard.market.model.steps import Ending


@dataclass(frozen=True)
class FullPrivacy(RootProperty):
    """Two announcements never end alike, so the likely ending shows no more than its outcome.

    It is examined for every announcement on which all agree: one that other values would make
    best counts too.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import FullPrivacy, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [FullPrivacy()])["private in the likely ending"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "private in the likely ending"

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return self.LABEL

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on all announcements."""
        market, plays = found.market, found.agreed_plays
        seen: dict[Outcome, tuple[Outcome, Ending]] = {}
        for proposal, lottery in plays:
            ending, _ = find_likeliest(lottery)
            earlier = seen.setdefault(ending.outcome, (proposal, ending))
            if earlier != (proposal, ending):
                alike = {
                    "one": describe_outcome(market, earlier[0]),
                    "another": describe_outcome(market, proposal),
                }
                note = "two announcements end in the same outcome"
                return self.fail(len(plays), self.make_witness((), alike, 0, note))
        return self.hold(len(plays), _describe_rest(found))


def _describe_rest(found: RootAudit) -> str:
    rest = 1 - found.rule.mass
    if not rest:
        return "whoever sees the whole play learns no more than its outcome"
    return (
        f"in the ending that {state_probability(found.rule.mass)} whoever sees the whole play "
        f"learns no more than its outcome; with probability {format_probability(rest)} it ends "
        "elsewhere, and then votes and goods show more of the parties' values"
    )
