"""The budget: balanced as it is played rationally, and never a deficit (remarks of section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from aboveboard.auditing import Verdict
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty
from aboveboard.market.model.descriptions import describe_outcome
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import surplus


@dataclass(frozen=True)
class BalancedPlay(RootProperty):
    """In every ending of a rational play the center takes nothing and pays nothing.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import BalancedPlay, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [BalancedPlay()])["balanced when played rationally"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "balanced when played rationally"

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return self.LABEL

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on every rational play."""
        plays = found.rational_plays.items()
        rows = [(outcome, e) for (outcome, _), lottery in plays for e, _ in lottery]
        return self._check(found.market, rows, "")

    def judge_play(self, play: PlayAudit) -> Verdict:
        """Return the verdict on the play at hand."""
        rows = [(play.proposal, ending) for ending, _ in play.lottery]
        return self._check(play.market, rows, "as it is played here, ")

    def _check(self, market: Market, rows: list[tuple[Outcome, Ending]], where: str) -> Verdict:
        for outcome, ending in rows:
            taken = surplus(ending.outcome)
            if taken:
                witness = self.make_witness(
                    (),
                    describe_outcome(market, outcome),
                    taken,
                    f"{where}step {ending.step} leaves the center with "
                    f"{market.format_amount(taken)}",
                    row=ending.step,
                )
                return self.fail(len(rows), witness)
        return self.hold(len(rows))


@dataclass(frozen=True)
class NoDeficit(RootProperty):
    """Whatever is announced, no ending costs the center money.

    Every announcement is played out with all saying YES, with all saying NO, and as is rational.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import NoDeficit, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [NoDeficit()])["never a deficit"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "never a deficit"

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return self.LABEL

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on every announcement; the steps that bring money are reported."""
        return self._check(
            found.market, _list_plays(found), "played out with all YES and with all NO; "
        )

    def judge_play(self, play: PlayAudit) -> Verdict:
        """Return the verdict on the play at hand."""
        return self._check(play.market, [play.lottery], "as it is played here ")

    def _check(self, market: Market, lotteries: list[Lottery[Ending]], where: str) -> Verdict:
        by_step: dict[str, set[Fraction]] = {}
        checks = 0
        for lottery in lotteries:
            for ending, _ in lottery:
                checks += 1
                by_step.setdefault(ending.step, set()).add(surplus(ending.outcome))
        least, step = min((min(taken), step) for step, taken in by_step.items())
        gains = [
            f"step {step} brings {_format_amounts(market, taken)}"
            for step, taken in sorted(by_step.items())
            if max(taken) > 0
        ]
        statement = where + (
            "; ".join(gains) + "; every other step balances" if gains else "every step balances"
        )
        if least >= 0:
            return self.hold(checks, statement, gain=-least)
        cost = f"step {step} costs the center {market.format_amount(-least)}"
        witness = self.make_witness((), {}, -least, cost, row=step)
        return self.fail(checks, witness, gain=-least, statement=statement)


def _format_amounts(market: Market, amounts: set[Fraction]) -> str:
    return " or ".join(market.format_amount(x) for x in sorted(amounts))


def _list_plays(found: RootAudit) -> list[Lottery[Ending]]:
    market, rule = found.market, found.rule
    everybody, nobody = (Votes.from_answer(market.n, answer) for answer in (True, False))
    played = list(found.rational_plays.values())
    if not rule.proposer_limited:  # step a, which the simple mechanisms do not have
        played.append(rule.play(Outcome(market.endowment, (1, *(0,) * (market.n - 1))), everybody))
    agreed = found.agreed_plays
    return [*(play for _, play in agreed), *(rule.play(o, nobody) for o, _ in agreed), *played]
