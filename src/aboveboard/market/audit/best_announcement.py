"""No better announcement: no small coalition with the proposer gains by announcing otherwise.

That nothing is better than an optimum priced truthfully is Lemmas 10 and 11, corrected as
`docs/theory.md` says; what the proposer's coalition has then is known in closed form and compared
with the lottery of the play at hand. Everybody votes as is dominant, after this announcement and
after the better one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from aboveboard.auditing import Budget, Property, Status, Verdict, Witness
from aboveboard.auditing.budget import Progress
from aboveboard.errors import UndefinedProperty
from aboveboard.games.game import Game
from aboveboard.market.audit.best_votes import get_play, scale_gains
from aboveboard.market.audit.play_audit import PlayAudit
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import Market, social_welfare, values_by_player
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition, expect_utilities
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.parameters import RuleParameters


@dataclass(frozen=True)
class BestAnnouncement(Property):
    """Neither the proposer, nor with one or two others, gains by announcing otherwise than here.

    Examples
    --------
    >>> from aboveboard.auditing import audit
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit import BestAnnouncement, make_voting_game
    >>> values = Additive((1,)), Additive((3,))
    >>> game = make_voting_game(Market(("ann", "bob"), ("book",), (0,), values, bits=3))
    >>> audit(game, [BestAnnouncement()])["no better announcement"].status.value
    'holds'
    """

    name: ClassVar[str] = "no better announcement"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict on the play at hand.

        Raises
        ------
        UndefinedProperty
            If the best allocation is not known.
        """
        play = get_play(self.name, game)
        if play.optimum is None:
            raise UndefinedProperty(f"{self.name} needs the best allocation")
        return scale_gains(judge_announcement(play), play.market.step)


def leading_utility(
    market: Market, parameters: RuleParameters, best: int, leading: Coalition
) -> Fraction:
    """Return what the proposer's coalition expects of a best announcement.

    Parameters
    ----------
    market, parameters
        The market, epsilon and delta.
    best
        The most welfare that an allocation reaches.
    leading
        The proposer's coalition, of c members: it has
        (1 - delta)(gain - 2(n - c) epsilon) + delta (gain / n - (n - 1) / n sum theta_j(E_j) -
        (n + 1)(n - c) epsilon / n), the sum over its members; 0 if there is nothing to gain.
        Source: ours, `docs/theory.md`.
    """
    gain = best - social_welfare(market, market.endowment)
    if gain == 0:
        return Fraction(0)
    n, rest = market.n, market.n - len(leading)
    endowed = values_by_player(market, market.endowment)
    brought = sum(endowed[j] for j in leading)
    epsilon, delta = parameters.epsilon, parameters.delta
    heads = gain - 2 * rest * epsilon
    tails = Fraction(gain - (n - 1) * brought, n) - Fraction((n + 1) * rest, n) * epsilon
    return (1 - delta) * heads + delta * tails


def judge_announcement(play: PlayAudit) -> Verdict:
    """Return whether the proposer's coalitions have the best that they could announce."""
    name, optimum = BestAnnouncement.name, play.optimum
    assert play.parameters is not None
    assert optimum is not None
    coalitions = [c for c in play.coalitions if 0 in c]
    played: dict[Votes | None, tuple[Fraction, ...]] = {}
    gains = []
    for c in coalitions:
        votes = play.find_dominant_votes(c)
        if votes not in played:
            played[votes] = expect_utilities(play.market, play.play(votes))
        has = sum((played[votes][i] for i in c), Fraction(0))
        gains.append((leading_utility(play.market, play.parameters, optimum.welfare, c) - has, c))
    gain, members = max(gains, key=lambda row: row[0])
    checks, names = len(coalitions), member_names(play.market, members)
    if gain > 0:
        return _refute(play, names, gain, optimum.welfare, checks)
    if not optimum.proved:
        return Verdict(
            name,
            Status.UNDECIDED,
            0,
            checks,
            "closed form",
            statement=f"welfare {play.market.format_amount(optimum.welfare)} is the most that was "
            "found, not proved to be the most there is: whoever finds more gains",
        )
    return Verdict(
        name,
        Status.HOLDS,
        checks,
        checks,
        "closed form",
        gain,
        "+".join(names),
        statement="an optimum at truthful prices is best for every coalition with the proposer",
    )


def _refute(
    play: PlayAudit, names: tuple[str, ...], gain: Fraction, welfare: int, checks: int
) -> Verdict:
    assert play.optimum is not None  # without one nothing is refuted
    truthful = find_best_proposal(play.market, play.optimum.allocation)
    witness = Witness(
        names,
        {},
        {names[0]: describe_outcome(play.market, truthful)},
        {"announced": describe_outcome(play.market, play.proposal)},
        gain,
        f"{BestAnnouncement.name}/{'+'.join(names)}",
        note=f"{'+'.join(names)}: of welfare {play.market.format_amount(welfare)}, "
        "priced truthfully, "
        f"they would have {play.market.format_amount(gain)} more",
    )
    return Verdict(
        BestAnnouncement.name,
        Status.FAILS,
        checks,
        checks,
        "closed form",
        gain,
        "+".join(names),
        witness=witness,
    )
