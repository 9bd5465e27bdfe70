"""Naive-2 with voters who are asked one after another: the sequential repair.

Asked at once, voters who expect another NO lose nothing by a NO of their own: the announcement can
fail in equilibrium although all gain by it. Asked in turn, each hearing the answers before its own,
they cannot: the last voter decides alone, so it agrees if its coalition gains, and so does each
before it. The outcome of every subgame-perfect equilibrium is the same unless some coalition is
indifferent (`docs/theory.md`, naive mechanisms). Cost: one lottery.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import ClassVar

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Progress
from aboveboard.formatting import format_count
from aboveboard.games.game import Game
from aboveboard.market.audit.play_audit import AnnouncedGame, PlayAudit
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition


@dataclass(frozen=True)
class AskedInTurn(Property):
    """Asked in turn, all say YES, and no other answer is as good on the way.

    Only for rules that a single NO undoes (Naive-2), about the announcement at hand.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market import Outcome
    >>> from aboveboard.market.audit import AskedInTurn, VotingGame
    >>> from aboveboard.market.audit.voting_rules import make_naive_rule
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> rule = make_naive_rule(2, market, Fraction(1, 4))
    >>> game = VotingGame(market, rule, Outcome((1,), (-2, 2)))
    >>> audit(game, [AskedInTurn()])["agreed if asked in turn"].status.value
    'holds'
    """

    name: ClassVar[str] = "agreed if asked in turn"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict; undecided where no play is at hand, or a NO does not undo it."""
        play = game.play if isinstance(game, AnnouncedGame) else None
        if play is None or not _undoes_by_one_no(play):
            return Verdict(
                self.name,
                Status.UNDECIDED,
                0,
                0,
                "exhaustive",
                statement="only where a single NO undoes an announcement (Naive-2)",
            )
        if play.proposal == play.market.nothing:
            return Verdict(self.name, Status.VACUOUS, 0, 0, "exhaustive")
        gains = find_gains_of_agreement(play)
        least, members = min(
            ((gain, c) for c, gain in gains.items()), key=lambda row: (row[0], sorted(row[1]))
        )
        step = play.market.step
        if least > 0:
            statement = (
                "every subgame-perfect equilibrium ends in the announcement; asked at once, "
                f"{_count_failures(play, gains)}"
            )
            return Verdict(
                self.name,
                Status.HOLDS,
                len(gains),
                len(gains),
                "exhaustive",
                gain=-least * step,
                statement=statement,
            )
        return Verdict(
            self.name,
            Status.FAILS,
            len(gains),
            len(gains),
            "exhaustive",
            gain=-least * step,
            witness=self._describe_refusal(play, members, least),
        )

    def _describe_refusal(self, play: PlayAudit, members: Coalition, gain: Fraction) -> Witness:
        """Return who says NO, and what it gains by the announcement: nothing, or less."""
        names = tuple(member_names(play.market, members))
        note = (
            f"{'+'.join(names)} gains {play.market.format_amount(gain)} by the announcement: "
            + ("its NO is as good" if gain == 0 else "it says NO")
        )
        return Witness(
            names,
            {},
            {},
            describe_outcome(play.market, play.proposal),
            -gain * play.market.step,
            f"{self.name}/{'+'.join(names)}",
            note=note,
        )


def find_gains_of_agreement(play: PlayAudit) -> dict[Coalition, Fraction]:
    """Return what each coalition with a voter gains if all agree rather than one does not."""
    yes = Votes.from_answer(play.market.n, yes=True)
    return {c: play.expect(c, yes) for c in play.structure if c - {0}}


def _undoes_by_one_no(play: PlayAudit) -> bool:
    """Return whether everybody keeps what it has as soon as one voter says NO, for sure."""
    n, nothing = play.market.n, play.market.nothing
    if play.proposal == nothing:
        return not play.rule.votes_twice
    for voter in range(n - 1):
        answers = tuple(i != voter for i in range(n - 1))
        endings = list(play.play(Votes(answers, answers)))
        if any(ending.outcome != nothing for ending, _ in endings):
            return False
    return True


def _count_failures(play: PlayAudit, gains: dict[Coalition, Fraction]) -> str:
    """Return in how many equilibria of voting at once the announcement fails.

    They are the profiles in which no coalition alone can save it: some voter outside each says NO.
    """
    refusing = {c: 2 ** len(c - {0}) - 1 for c in gains}  # ways in which a coalition refuses
    alone = sum(refusing.values())  # profiles in which exactly one coalition refuses
    failures = prod(1 + ways for ways in refusing.values()) - 1 - alone
    if not failures:
        return "too"
    return f"it also fails in {format_count(failures)} equilibria in which two or more say NO"
