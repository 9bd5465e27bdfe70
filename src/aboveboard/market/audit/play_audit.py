"""One play of a market of any size: an announcement, the votes on it, and who colludes.

What a collaboration file or its defaults say is played. The claims about it (`best_votes`,
`best_announcement`, `participation` and others) rest on this lottery and on the lemmas' closed
forms, tested against the exhaustive audit. Cost: the coalitions of up to `size`, times n times
their size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Protocol, runtime_checkable

from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.voting_rules import AnnouncementGame, VotingRule
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import Coalition, Structure, expect_utilities
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules.dominant_votes import derive_dominant_votes, net_gains
from aboveboard.market.rules.parameters import RuleParameters
from aboveboard.market.rules.propose_and_agree import is_regular

PLAYERS_IN_TRIPLES = 20
"""With more players not every pair and triple is looked at, only everybody alone."""


@dataclass(frozen=True, eq=False)
class PlayAudit:
    """What follows an announcement.

    Parameters
    ----------
    market, rule
        The market, and the mechanism.
    proposal
        What player 0 announces.
    structure
        Who colludes: each of these coalitions counts as one.
    optimum
        The best allocation, or the best that was found; None: nothing is known of it.
    parameters
        Of M; None for another rule, of which less is known in closed form.
    cast
        The votes; None: those that are dominant for the structure.
    size
        So many of the coalitions that collude anew are looked at; None: 3, or 1 in a market of
        more than `PLAYERS_IN_TRIPLES` players.

    Examples
    --------
    >>> from aboveboard.market import Additive
    >>> from aboveboard.market.audit.voting_rules import make_naive_rule
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> alone = (frozenset({0}), frozenset({1}))
    >>> rule = make_naive_rule(2, market, Fraction(1, 4))
    >>> PlayAudit(market, rule, Outcome((1,), (-2, 2)), alone).votes
    Votes(step_2=(True,), step_3=(True,))
    """

    market: Market
    rule: VotingRule
    proposal: Outcome
    structure: Structure
    optimum: Optimum | None = None
    parameters: RuleParameters | None = None
    cast: Votes | None = None
    size: int | None = None

    @property
    def most(self) -> int:
        """How many coalitions of the structure collude anew at most."""
        if self.size is not None:
            return self.size
        return 3 if self.market.n <= PLAYERS_IN_TRIPLES else 1

    @cached_property
    def coalitions(self) -> tuple[Coalition, ...]:
        """All coalitions that are looked at."""
        return tuple(
            frozenset[int]().union(*chosen)
            for k in range(1, self.most + 1)
            for chosen in combinations(self.structure, k)
        )

    @cached_property
    def net_gains(self) -> tuple[int, ...]:
        """What each player gains beyond its price."""
        return net_gains(self.market, self.proposal)

    def find_dominant_votes(self, members: Coalition = frozenset()) -> Votes | None:
        """Return the dominant votes if `members` collude too; None if nobody is asked."""
        if not is_regular(self.market, self.proposal):
            return None
        rest = (c for c in self.structure if not c <= members)
        return derive_dominant_votes(self.net_gains, [members, *rest])

    @cached_property
    def votes(self) -> Votes | None:
        """The votes that are cast; None if nobody is asked."""
        usual = self.find_dominant_votes()
        return usual if self.cast is None or usual is None else self.cast

    def play(self, votes: Votes | None) -> Lottery[Ending]:
        """Return the lottery over endings if these votes are cast."""
        return self.rule.play(self.proposal, votes or Votes.from_answer(self.market.n, True))

    @cached_property
    def lottery(self) -> Lottery[Ending]:
        """The lottery of the play at hand."""
        return self.play(self.votes)

    @cached_property
    def utilities(self) -> Mapping[Coalition, Fraction]:
        """What each coalition expects."""
        each = expect_utilities(self.market, self.lottery)
        return {c: sum((each[i] for i in c), Fraction(0)) for c in self.coalitions}

    def expect(self, members: Coalition, votes: Votes | None) -> Fraction:
        """Return what a coalition expects of votes."""
        each = expect_utilities(self.market, self.play(votes))
        return sum((each[i] for i in members), Fraction(0))


@runtime_checkable
class AnnouncedGame(AnnouncementGame, Protocol):
    """A game in which an announcement was made: the claims about its play can be examined."""

    @property
    def play(self) -> PlayAudit:
        """The announcement, the votes on it, and who colludes."""
        ...
