"""Total participation: nobody expects to lose by taking part (Definition 2 (3), third bullet).

It is so in expectation only: an ending of small probability can cost a party what it brought, and
the verdict says how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from aboveboard.auditing import Status, Verdict
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import Outcome
from aboveboard.market.model.utilities import Coalition, expect_utilities, utilities


@dataclass(frozen=True)
class TotalParticipation(RootProperty):
    """No party and no coalition expects less than by staying away.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import TotalParticipation, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [TotalParticipation()])["total participation"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "total participation"

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return self.LABEL

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on every rational play."""
        market, checks = found.market, 0
        least: tuple[Fraction, Coalition, Outcome] | None = None
        each = {k: expect_utilities(market, p) for k, p in found.rational_plays.items()}
        for root in found.roots:
            for key in zip(root.best, root.votes, strict=True):
                for members in root.structure:
                    checks += 1
                    has = sum((each[key][i] for i in members), Fraction(0))
                    if least is None or has < least[0]:
                        least = has, members, key[0]
        if least is None:
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive")
        has, members, outcome = least
        names = member_names(market, members)
        statement = _describe_stakes(found)
        if has >= 0:
            return self.hold(checks, statement, gain=-has, gainer="+".join(names))
        witness = self.make_witness(
            names,
            describe_outcome(market, outcome),
            -has,
            f"after this announcement they expect {market.format_amount(has)}",
        )
        return self.fail(checks, witness, gain=-has, statement=statement)

    def judge_play(self, play: PlayAudit) -> Verdict:
        """Return the verdict on the play at hand, coalitions of up to three looked at."""
        market, checks = play.market, len(play.coalitions)
        least, members = min(
            ((has, c) for c, has in play.utilities.items()),
            key=lambda row: (row[0], sorted(row[1])),
        )
        names = member_names(market, members)
        statement = (
            f"of coalitions of up to {play.most} as it is played here, the least that one expects "
            f"is {market.format_amount(least)}"
        )
        if least >= 0:
            return self.hold(checks, statement, gain=-least, gainer="+".join(names))
        witness = self.make_witness(
            names,
            describe_outcome(market, play.proposal),
            -least,
            f"as it is played here, {'+'.join(names)} expects {market.format_amount(least)}",
        )
        return self.fail(checks, witness, gain=-least, statement=statement)


def _describe_stakes(found: RootAudit) -> str:
    """Return what those outside the proposer's coalition expect, and the worst ending."""
    market = found.market
    others: list[Fraction] = []
    worst: list[Fraction] = []
    for root in found.roots:
        outside = [i for i in range(market.n) if i not in root.leading]
        for key in zip(root.best, root.votes, strict=True):
            lottery = found.rational_plays[key]
            each = expect_utilities(market, lottery)
            others += [each[i] for i in outside]
            for ending, _ in lottery:
                has = utilities(market, ending.outcome)
                worst += [sum((has[i] for i in c), Fraction(0)) for c in root.structure]
    lowest = market.format_amount(min(worst))
    least = f"the worst ending of a rational play leaves a coalition with {lowest}"
    if not others:
        return least
    return (
        "a player outside the proposer's coalition expects from "
        f"{market.format_amount(min(others))} to "
        f"{market.format_amount(max(others))}; {least}"
    )
