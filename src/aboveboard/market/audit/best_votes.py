"""No better votes: as it is played here, no small coalition gains by voting otherwise.

The votes' dominance is not quoted from the lemmas but evaluated: by as many inequalities as players
times members (`expected_utilities.compute_margin`), at any size of the market.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Progress
from aboveboard.errors import UndefinedProperty
from aboveboard.games.game import Game
from aboveboard.market.audit.expected_utilities import compute_margin
from aboveboard.market.audit.play_audit import AnnouncedGame, PlayAudit
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition


@dataclass(frozen=True)
class BestVotes(Property):
    """No party, pair or triple gains by voting otherwise than it does here.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import BestVotes, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [BestVotes()])["no better votes"].status.value
    'holds'
    """

    name: ClassVar[str] = "no better votes"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict on the play at hand."""
        play = get_play(self.name, game)
        return scale_gains(judge_votes(play), play.market.step)


def get_play(name: str, game: Game) -> PlayAudit:
    """Return the play of M at hand.

    Raises
    ------
    UndefinedProperty
        If the game is not that of an announcement in M.
    """
    if not isinstance(game, AnnouncedGame) or game.play.parameters is None:
        raise UndefinedProperty(f"{name} speaks of an announcement in market.propose_and_agree")
    return game.play


def scale_gains(verdict: Verdict, step: Fraction) -> Verdict:
    """Return a verdict with its gains in money, `step` being what one unit is worth."""
    if step == 1:
        return verdict
    witness = verdict.witness
    if witness is not None:
        witness = replace(witness, gain=witness.gain * step)
    gain = None if verdict.gain is None else verdict.gain * step
    return replace(verdict, gain=gain, witness=witness)


def judge_votes(play: PlayAudit) -> Verdict:
    """Return whether each coalition's votes are its dominant ones, and these strictly best."""
    name, votes = BestVotes.name, play.votes
    if votes is None:
        return Verdict(
            name, Status.VACUOUS, 0, 0, "closed form", statement="the announcement is not voted on"
        )
    scheme = play.rule.scheme
    assert scheme is not None  # M has one
    prices = [int(price) for price in play.proposal.prices]
    checks = len(play.coalitions)
    least: tuple[Fraction, Coalition] | None = None
    for members in play.coalitions:
        if members == {0}:
            continue
        best = play.find_dominant_votes(members)
        assert best is not None  # the announcement is voted on
        other = _replace_votes(votes, members, best)
        if other != votes:
            gain = play.expect(members, other) - play.utilities[members]
            return _refute(play, members, other, gain, checks)
        gap = compute_margin(scheme, play.net_gains, prices, members)
        if gap is not None and (least is None or gap < least[0]):
            least = gap, members
    if least is None:
        return Verdict(name, Status.VACUOUS, 0, 0, "closed form")
    return Verdict(
        name,
        Status.HOLDS if least[0] > 0 else Status.FAILS,
        checks,
        checks,
        "closed form",
        -least[0],
        "+".join(member_names(play.market, least[1])),
        statement=f"other votes of up to {play.most} lose at least "
        f"{play.market.format_amount(least[0])}, whatever the rest say",
    )


def _replace_votes(votes: Votes, members: Coalition, theirs: Votes) -> Votes:
    """Return votes in which the members vote otherwise."""
    voters = range(1, len(votes.step_2) + 1)
    return Votes(
        tuple((theirs if i in members else votes).step_2[i - 1] for i in voters),
        tuple((theirs if i in members else votes).step_3[i - 1] for i in voters),
    )


def _refute(
    play: PlayAudit, members: Coalition, other: Votes, gain: Fraction, checks: int
) -> Verdict:
    names = member_names(play.market, members)
    better = {
        play.market.players[i]: [
            "yes" if answers[i - 1] else "no" for answers in (other.step_2, other.step_3)
        ]
        for i in sorted(members - {0})
    }
    witness = Witness(
        names,
        {},
        better,
        describe_outcome(play.market, play.proposal),
        gain,
        f"{BestVotes.name}/{'+'.join(names)}",
        note=f"{'+'.join(names)}: by the votes that are best for them they would have "
        f"{play.market.format_amount(gain)} more",
    )
    return Verdict(
        BestVotes.name,
        Status.FAILS,
        checks,
        checks,
        "closed form",
        gain,
        "+".join(names),
        witness=witness,
    )
