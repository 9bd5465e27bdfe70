"""All announcements, votes and collusion structures of a tiny market, looked at once.

What the claims about the root rest on (`root_solvability`, `social_optimum` and others): for every
coalition its best vote in every subgame and by how much it beats the next (Definition 1), and for
every collusion structure the best announcements if everybody votes so (Definition 2). Exact.

Cost: (n + 1)^m (2^(k+1) - 1)^(n-1) announcements, times 4^(n-1) votes for each of 2^n coalitions;
three players, two goods and B = 4 make 3,600 announcements, done in about a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np

from aboveboard.errors import BudgetExceeded, UndefinedProperty
from aboveboard.formatting import format_count
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import Array, IntArray
from aboveboard.market.audit.roots import Root, build_root, find_best_announcements, to_fraction
from aboveboard.market.audit.strict_dominance import Dominance, combine_coalitions, find_dominance
from aboveboard.market.audit.voting_rules import AnnouncementGame, VotingRule
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import (
    Coalition,
    Structure,
    enumerate_structures,
    is_structure,
)
from aboveboard.market.rules.announcements import (
    Announcements,
    count_announcements,
    enumerate_allocations,
    enumerate_announcements,
)

MOST_ANNOUNCEMENTS = 100_000
"""Announcements that are looked at, unless the caller says otherwise."""

MOST_UTILITIES = 2**30
"""Announcements times votes times coalitions: about half a minute of comparing votes."""

MOST_IN_AUDIT = 5_000
"""Announcements up to which an audit looks at all of them: some seconds."""

MOST_PLAYERS_IN_AUDIT = 5
"""Collusion structures and votes multiply with the players: five have 52 and, in M, 256."""

CELLS = 2**23
"""Expected utilities held at a time: 64 MiB."""

AnnouncementAndVotes = tuple[Outcome, Votes | None]
"""An announcement and the votes on it; None where it is not voted on."""


@dataclass(frozen=True)
class WeakestVote:
    """The vote that beats the next best one by the least.

    Parameters
    ----------
    margin
        By how much; it is strictly dominant where this is positive.
    members
        The coalition that votes.
    announcement
        Position of what was announced.
    """

    margin: Fraction
    members: Coalition
    announcement: int


@dataclass(frozen=True, eq=False)
class RootAudit:
    """What was found of a market.

    Parameters
    ----------
    market, rule
        The market, and the mechanism in which one proposes and the others vote.
    structures
        The collusion structures that were looked at.
    announced
        All announcements but (E, 0).
    weakest
        The weakest vote of any coalition in any subgame; None where nobody votes.
    checks
        How many comparisons of votes that rests on.
    utilities
        By structure: what the proposer's coalition expects of each announcement, in units; empty
        where votes are not dominant.
    roots
        By structure: the best announcements; empty likewise.
    welfare_before, welfare_best
        SW(E), and the most that any allocation reaches.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit.voting_rules import make_naive_rule
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> found = audit_market(market, make_naive_rule(2, market, Fraction(1, 4)))
    >>> len(found.structures), len(found.announced), found.rows
    (2, 20, 42)
    """

    market: Market
    rule: VotingRule
    structures: tuple[Structure, ...]
    announced: Announcements
    weakest: WeakestVote | None
    checks: int
    utilities: tuple[Array, ...]
    roots: tuple[Root, ...]
    welfare_before: int
    welfare_best: int

    @property
    def is_dominant(self) -> bool:
        """Whether every coalition has a strictly dominant vote in every subgame."""
        return self.weakest is None or self.weakest.margin > 0

    @property
    def rows(self) -> int:
        """How many pairs of a structure and an announcement there are, (E, 0) among them."""
        return len(self.structures) * (len(self.announced) + 1)

    @cached_property
    def rational_plays(self) -> dict[AnnouncementAndVotes, Lottery[Ending]]:
        """The lotteries of all best announcements with the dominant votes on them."""
        played: dict[AnnouncementAndVotes, Lottery[Ending]] = {}
        for root in self.roots:
            for key in zip(root.best, root.votes, strict=True):
                if key not in played:
                    outcome, votes = key
                    everybody = Votes.from_answer(self.market.n, True)
                    played[key] = self.rule.play(outcome, votes or everybody)
        return played

    @cached_property
    def agreed_plays(self) -> tuple[tuple[Outcome, Lottery[Ending]], ...]:
        """Every announcement, (E, 0) first, with its lottery if all say YES."""
        everybody = Votes.from_answer(self.market.n, True)
        proposals = [
            self.market.nothing,
            *map(self.announced.__getitem__, range(len(self.announced))),
        ]
        return tuple((proposal, self.rule.play(proposal, everybody)) for proposal in proposals)


def audit_market(
    market: Market,
    rule: VotingRule,
    structures: Sequence[Structure] | None = None,
    *,
    most: int = MOST_ANNOUNCEMENTS,
) -> RootAudit:
    """Look at all announcements and votes of a market.

    Parameters
    ----------
    market, rule
        The market, and the mechanism in which one proposes and the others vote.
    structures
        Collusion structures; None: all of them.
    most
        How many announcements are bearable.

    Raises
    ------
    BudgetExceeded
        If there are more announcements, or with their votes and coalitions more than
        `MOST_UTILITIES`.
    ValueError
        If a structure is not a partition of the players.

    Examples
    --------
    >>> from aboveboard.market import Additive, Market
    >>> from aboveboard.market.audit.voting_rules import make_naive_rule
    >>> values = Additive((1,)), Additive((3,))
    >>> market = Market(("ann", "bob"), ("book",), (0,), values, bits=3)
    >>> found = audit_market(market, make_naive_rule(2, market, Fraction(1, 4)))
    >>> found.is_dominant, found.welfare_before, found.welfare_best
    (False, 1, 3)
    """
    _check_size(market, rule, most)
    listed = tuple(enumerate_structures(market.n)) if structures is None else tuple(structures)
    for structure in listed:
        if not is_structure(market.n, structure):
            raise ValueError(f"{structure} is not a partition of the {market.n} players")
    announced = enumerate_announcements(
        market, rule.limit, proposer_limited=rule.proposer_limited, most=most
    )
    best = max(social_welfare(market, a) for a in enumerate_allocations(market))
    before = social_welfare(market, market.endowment)
    if not len(announced):
        return RootAudit(market, rule, listed, announced, None, 0, (), (), before, best)
    found = _compare_votes(market, rule, announced, listed)
    utilities: tuple[Array, ...] = ()
    roots: tuple[Root, ...] = ()
    if found.weakest is None or found.weakest.margin > 0:
        utilities = found.utilities
        tops = [find_best_announcements(utility) for utility in utilities]
        roots = tuple(
            build_root(market, announced, structure, top, value * rule.unit, codes)
            for structure, (top, value), codes in zip(listed, tops, found.codes, strict=True)
        )
    return RootAudit(
        market, rule, listed, announced, found.weakest, found.checks, utilities, roots, before, best
    )


def _check_size(market: Market, rule: VotingRule, most: int) -> None:
    """Refuse what would take hours, before anything is listed."""
    total = min(count_announcements(market, rule.limit), most)
    utilities = total * rule.strategies ** (market.n - 1) * 2**market.n
    if utilities > MOST_UTILITIES:
        raise BudgetExceeded(
            f"the market has {format_count(utilities)} utilities of coalitions to look at, and "
            f"{format_count(MOST_UTILITIES)} are allowed; audit a market of fewer parties, "
            "goods or bits"
        )


# ------------------------------------------------------------------------------ the subgames


@dataclass(frozen=True)
class _VoteFindings:
    """What the subgames gave, and by structure the utilities of the proposer's side."""

    weakest: WeakestVote | None
    checks: int
    utilities: tuple[Array, ...]
    codes: tuple[IntArray, ...]


def _compare_votes(
    market: Market, rule: VotingRule, announced: Announcements, listed: Sequence[Structure]
) -> _VoteFindings:
    """Look at every subgame of every structure; chunk by chunk."""
    coalitions = sorted({c for s in listed for c in s}, key=sorted)
    size = max(1, CELLS // (market.n * rule.strategies ** (market.n - 1)))
    checks = 0
    weakest: WeakestVote | None = None
    utilities: list[list[Array]] = [[] for _ in listed]
    codes: list[list[IntArray]] = [[] for _ in listed]
    for begin in range(0, len(announced), size):
        filled = rule.tabulate(market, announced.select_rows(slice(begin, begin + size)))
        by_coalition: dict[Coalition, Dominance] = {}
        for members in coalitions:
            found = by_coalition[members] = find_dominance(filled, rule, members)
            checks += found.checks
            if not found.voters:
                continue
            k = int(found.margin.argmin())
            least = to_fraction(found.margin[k]) * rule.unit
            if weakest is None or least < weakest.margin:
                weakest = WeakestVote(least, members, begin + k)
        for at, structure in enumerate(listed):
            utility, votes = combine_coalitions(filled, (by_coalition[c] for c in structure))
            side = sorted(next(c for c in structure if 0 in c))
            utilities[at].append(utility[side].sum(axis=0))
            codes[at].append(votes)
    return _VoteFindings(
        weakest,
        checks,
        tuple(map(np.concatenate, utilities)),
        tuple(map(np.concatenate, codes)),
    )


# --------------------------------------------------------------------- for properties of games


def is_tiny(game: AnnouncementGame) -> bool:
    """Return whether an audit looks at all announcements and collusion structures of a game."""
    announcements = count_announcements(game.market, game.rule.limit)
    return game.market.n <= MOST_PLAYERS_IN_AUDIT and announcements <= MOST_IN_AUDIT


def check_game(name: str, game: Game) -> AnnouncementGame:
    """Return the game if its market and rule are known.

    Raises
    ------
    UndefinedProperty
        If they are not: the property called `name` has no meaning then.
    """
    if not isinstance(game, AnnouncementGame):
        raise UndefinedProperty(
            f"{name} speaks of what a proposer announces; give the game a market and a rule "
            "(aboveboard.market.audit.VotingRule)"
        )
    return game


def examine_root(game: AnnouncementGame, *, proposer_alone: bool = False) -> RootAudit | None:
    """Return what is found of a tiny game, once for each game; None where it is not tiny.

    Parameters
    ----------
    game
        Its market and its rule.
    proposer_alone
        Only for the collusion structures in which the proposer colludes with nobody.
    """
    if not is_tiny(game):
        return None
    try:
        hash((game.market, game.rule))
    except TypeError:  # a stranger's valuation that cannot be a key
        return _audit_structures(game.market, game.rule, proposer_alone)
    return _audit_once(game.market, game.rule, proposer_alone)


def _audit_structures(market: Market, rule: VotingRule, proposer_alone: bool) -> RootAudit:
    listed = [
        structure
        for structure in enumerate_structures(market.n)
        if not proposer_alone or frozenset({0}) in structure
    ]
    return audit_market(market, rule, listed)


_audit_once = lru_cache(maxsize=4)(_audit_structures)
"""The same, for the properties of one audit, which look at the same game."""
