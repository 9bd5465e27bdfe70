"""Collusively dominant votes: Definition 1, in every subgame after an announcement.

Every coalition has a joint vote that is strictly better for it than every other one, whatever
everybody else votes. (The definition must exclude the same vote; see `docs/theory.md`.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aboveboard.auditing import Status, Verdict
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty
from aboveboard.market.model.descriptions import describe_outcome, member_names


@dataclass(frozen=True)
class CollusiveDominance(RootProperty):
    """Every coalition has one vote that is strictly best for it, whatever the others vote.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import CollusiveDominance, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [CollusiveDominance()])["collusively dominant"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "collusively dominant"

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on the weakest vote of all."""
        weakest = found.weakest
        if weakest is None:
            statement = "there is nothing to announce, or nobody votes"
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive", statement=statement)
        names = member_names(found.market, weakest.members)
        if weakest.margin > 0:
            least = found.market.format_amount(weakest.margin)
            return self.hold(
                found.checks,
                f"the least that another vote loses is {least}, by {', '.join(names)}",
                gain=-weakest.margin,
            )
        announced = describe_outcome(found.market, found.announced[weakest.announcement])
        witness = self.make_witness(
            names,
            {found.market.players[0]: announced},
            -weakest.margin,
            f"after this announcement in {found.rule.name} no vote of theirs beats every other "
            "one whatever the rest say: which is best depends on what they believe",
            row=str(weakest.announcement),
        )
        return self.fail(found.checks, witness, gain=-weakest.margin)
