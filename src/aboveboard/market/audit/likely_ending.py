"""One likely ending: most probability lies on one terminal node, a social optimum (Definition 6).

The mass 1 - delta is that of one terminal node (see `docs/theory.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from aboveboard.auditing import Status, Verdict
from aboveboard.formatting import format_number, state_probability
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.root_property import RootProperty
from aboveboard.market.model.descriptions import describe_outcome
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.steps import Ending
from aboveboard.market.model.utilities import surplus


@dataclass(frozen=True)
class LikelyEnding(RootProperty):
    """With probability 1 - delta or more a rational play ends in one way, a social optimum.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import LikelyEnding, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [LikelyEnding()])["one likely ending"].status.value
    'holds'
    """

    LABEL: ClassVar[str] = "one likely ending"
    GAINS_ARE_MONEY: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        return self.LABEL

    def judge_root(self, found: RootAudit) -> Verdict:
        """Return the verdict on every rational play."""
        market, mass, best = found.market, found.rule.mass, found.welfare_best
        plays = found.rational_plays.items()
        for (outcome, _), lottery in plays:
            failed = self._check(market, outcome, lottery, mass, best, len(plays))
            if failed is not None:
                return failed
        statement = f"in every rational play one ending {state_probability(mass)}"
        return self.hold(len(plays), statement)

    def judge_play(self, play: PlayAudit) -> Verdict:
        """Return the verdict on the play at hand; undecided where no optimum is proved."""
        best = None if play.optimum is None else play.optimum.welfare
        failed = self._check(play.market, play.proposal, play.lottery, play.rule.mass, best, 1)
        if failed is not None:
            return failed
        ending, carried = find_likeliest(play.lottery)
        welfare = social_welfare(play.market, ending.outcome.allocation)
        statement = (
            f"as it is played here, step {ending.step} {state_probability(carried)} "
            f"and welfare {play.market.format_amount(welfare)}"
        )
        if play.optimum is None or not play.optimum.proved:
            unproved = f"{statement}; no optimum is proved"
            return Verdict(self.name, Status.UNDECIDED, 1, 1, "exhaustive", statement=unproved)
        return self.hold(1, f"{statement} of {play.market.format_amount(best or 0)}")

    def _check(
        self,
        market: Market,
        outcome: Outcome,
        lottery: Lottery[Ending],
        mass: Fraction,
        best: int | None,
        checks: int,
    ) -> Verdict | None:
        """Return the verdict where a play breaks the property, else None."""
        ending, carried = find_likeliest(lottery)
        welfare = social_welfare(market, ending.outcome.allocation)
        falls_short = best is not None and welfare < best
        if carried >= mass and not falls_short and not surplus(ending.outcome):
            return None
        witness = self.make_witness(
            (),
            describe_outcome(market, outcome),
            mass - carried,
            f"step {ending.step} has probability {format_number(carried)} of "
            f"{format_number(mass)}, welfare {market.format_amount(welfare)}"
            + (f" of {market.format_amount(best or 0)}" if falls_short else ""),
            row=ending.step,
        )
        return self.fail(checks, witness)


def find_likeliest(lottery: Lottery[Ending]) -> tuple[Ending, Fraction]:
    """Return the ending of the largest probability, and that probability."""
    return max(lottery, key=lambda row: row[1])
