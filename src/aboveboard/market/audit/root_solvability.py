"""The audit of section 4 for one market: whether its play is decided at the root.

For the collusion structures given, or for all: every coalition's vote is collusively dominant in
every subgame (Definitions 1 and 2), the best announcements do not depend on who else colludes and
are the (semi-)truthful ones (Lemmas 3, 4, 10 and 11), participation is total in expectation, the
budget balances on the path of play, one terminal node carries 1 - delta and shows an optimal
outcome, and the outcome tells as much as the node (Definition 6). Exact and exhaustive: all
announcements, all votes. Beyond its reach `at_any_size` evaluates the lemmas' closed forms.

Cost: (n + 1)^m (2^(k+1) - 1)^(n-1) announcements, times 4^(n-1) votes for each of 2^n coalitions;
three players, two goods and B = 4 make 3,600 announcements, done in about three seconds, most of
them for playing every announcement out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.auditing.verdict import Status, Verdict, Verdicts, Witness
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import encode_number, format_count
from aboveboard.games.numbers import Array
from aboveboard.market.audit.best_announcements import (
    Root,
    build_root,
    examine_roots,
    find_best_announcements,
)
from aboveboard.market.audit.expected_utilities import UtilityScheme, find_unit, tabulate_utilities
from aboveboard.market.audit.rational_play import examine_all_announcements, examine_rational_play
from aboveboard.market.audit.strict_dominance import (
    Dominance,
    combine_coalitions,
    decode_votes,
    find_dominance,
    predict_votes,
)
from aboveboard.market.audit.voting_rules import VotingRule
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.markets import Market, social_welfare
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import (
    Coalition,
    Structure,
    enumerate_structures,
    is_structure,
)
from aboveboard.market.rules.announcements import (
    Announcements,
    IntArray,
    count_announcements,
    enumerate_allocations,
    enumerate_announcements,
)

MOST = 100_000
"""Announcements that an audit looks at, unless told otherwise: each is also played out."""

MOST_UTILITIES = 2**30
"""Announcements times votes times coalitions: about half a minute of comparing votes."""

DOMINANT = "votes are collusively dominant"

CELLS = 2**23
"""Expected utilities held at a time: 64 MiB."""


@dataclass(frozen=True)
class RootAudit:
    """What the audit of a market found.

    Parameters
    ----------
    players
        Their names.
    verdicts
        One for each claim.
    roots
        The best announcements, by collusion structure; empty where votes are not dominant.
    welfare_before, welfare_best
        SW(E), and the most that any allocation reaches.
    """

    players: tuple[str, ...]
    verdicts: Verdicts
    roots: tuple[Root, ...]
    welfare_before: int
    welfare_best: int

    def as_dict(self) -> dict[str, Any]:
        """Give plain data; of the best announcements only how many."""
        return {
            **self.verdicts.as_dict(),
            "welfare_before": self.welfare_before,
            "welfare_best": self.welfare_best,
            "roots": [
                {
                    "coalitions": [[self.players[i] for i in sorted(c)] for c in root.structure],
                    "utility": encode_number(root.utility),
                    "best announcements": len(root.best),
                }
                for root in self.roots
            ],
        }


def audit_market(
    market: Market,
    rule: VotingRule,
    given: Sequence[Structure] | None = None,
    *,
    most: int = MOST,
    played_out: bool = True,
) -> RootAudit:
    """Audit a market exhaustively.

    Parameters
    ----------
    market, rule
        The market, and the mechanism in which one proposes and the others vote.
    given
        Collusion structures; all of them if left out.
    most
        How many announcements are bearable.
    played_out
        False: only the votes and the best announcements, not what is played then, which takes
        most of the time.

    Raises
    ------
    BudgetExceeded
        If there are more announcements, or with their votes and coalitions more than
        `MOST_UTILITIES`.
    ValueError
        If a structure is no partition of the players.
    """
    scheme = rule.scheme
    _check_size(market, scheme, most)
    listed = list(enumerate_structures(market.n)) if given is None else list(given)
    for structure in listed:
        if not is_structure(market.n, structure):
            raise ValueError(f"{structure} is no partition of the {market.n} players")
    announced = enumerate_announcements(
        market, scheme.limit, proposer_limited=scheme.proposer_limited, most=most
    )
    best = max(social_welfare(market, a) for a in enumerate_allocations(market))
    before = social_welfare(market, market.endowment)
    if not len(announced):
        nothing = Verdict(
            DOMINANT, Status.VACUOUS, 0, 0, "exhaustive", statement="there is nothing to announce"
        )
        return RootAudit(market.players, Verdicts([nothing]), (), before, best)
    found = _examine_votes(market, scheme, announced, listed)
    verdicts = [found.dominant]
    if scheme.destruction is not None:
        verdicts.append(found.as_the_lemmas_say)
    roots: list[Root] = []
    if found.dominant.status is not Status.FAILS:
        tops = [find_best_announcements(scheme, utility) for utility in found.leading_utility]
        roots = [
            build_root(market, announced, structure, top, value, codes)
            for structure, (top, value), codes in zip(listed, tops, found.codes, strict=True)
        ]
        positions = [top for top, _ in tops]
        utilities = found.leading_utility
        verdicts += examine_roots(market, scheme, announced, listed, utilities, positions, best)
    if roots and played_out:
        on_path, played = examine_rational_play(market, rule, roots, best)
        verdicts += [*on_path, *examine_all_announcements(market, rule, announced, played)]
    return RootAudit(market.players, Verdicts(verdicts), tuple(roots), before, best)


def _check_size(market: Market, scheme: UtilityScheme, most: int) -> None:
    """Refuse what would take hours, before anything is listed."""
    total = min(count_announcements(market, scheme.limit), most)
    utilities = total * scheme.strategies ** (market.n - 1) * 2**market.n
    if utilities > MOST_UTILITIES:
        raise BudgetExceeded(
            f"the market has {format_count(utilities)} utilities of coalitions to look at, and "
            f"{MOST_UTILITIES:,} are allowed; audit a market of fewer parties, goods or bits"
        )


# ------------------------------------------------------------------------------ the subgames


@dataclass(frozen=True)
class _VoteFindings:
    """What the subgames gave: verdicts, and by structure the utilities of the proposer's side."""

    dominant: Verdict
    as_the_lemmas_say: Verdict
    leading_utility: tuple[Array, ...]
    codes: tuple[IntArray, ...]


def _examine_votes(
    market: Market, scheme: UtilityScheme, announced: Announcements, listed: Sequence[Structure]
) -> _VoteFindings:
    """Look at every subgame of every structure; chunk by chunk."""
    coalitions = sorted({c for s in listed for c in s}, key=sorted)
    cells = market.n * scheme.strategies ** (market.n - 1)
    size = max(1, CELLS // cells)
    checks, compared = 0, 0
    weakest: tuple[Fraction, Coalition, int] | None = None
    differs: tuple[Coalition, int, Votes] | None = None
    leading: list[list[Array]] = [[] for _ in listed]
    codes: list[list[IntArray]] = [[] for _ in listed]
    for begin in range(0, len(announced), size):
        part = announced.select_rows(slice(begin, begin + size))
        filled = tabulate_utilities(scheme, market, part)
        by_coalition: dict[Coalition, Dominance] = {}
        for members in coalitions:
            one = find_dominance(filled, scheme, members)
            by_coalition[members] = one
            checks += one.checks
            if not one.voters:
                continue
            compared += len(part)
            k = int(one.margin.argmin())
            least = int(one.margin[k]) * find_unit(scheme)
            if weakest is None or least < weakest[0]:
                weakest = least, members, begin + k
            wrong = np.flatnonzero((one.codes != predict_votes(part, scheme, members)).any(axis=1))
            if len(wrong) and differs is None:
                differs = members, begin + int(wrong[0]), decode_votes(one.codes[wrong[0]])
        for at, structure in enumerate(listed):
            utility, cast = combine_coalitions(filled, (by_coalition[c] for c in structure))
            side = sorted(next(c for c in structure if 0 in c))
            leading[at].append(utility[side].sum(axis=0))
            codes[at].append(cast)
    return _VoteFindings(
        _judge_dominance(market, scheme, announced, weakest, checks),
        _judge_lemmas(market, announced, differs, compared),
        tuple(np.concatenate(parts) for parts in leading),
        tuple(np.concatenate(parts) for parts in codes),
    )


def _judge_dominance(
    market: Market,
    scheme: UtilityScheme,
    announced: Announcements,
    weakest: tuple[Fraction, Coalition, int] | None,
    checks: int,
) -> Verdict:
    name = DOMINANT
    if weakest is None:
        return Verdict(name, Status.VACUOUS, 0, 0, "exhaustive", statement="nobody votes")
    least, members, k = weakest
    said = member_names(market, members)
    if least > 0:
        statement = (
            f"the least that another vote loses is {encode_number(least)}, by {', '.join(said)}"
        )
        return Verdict(
            name, Status.HOLDS, checks, checks, "exhaustive", -least, statement=statement
        )
    witness = Witness(
        said,
        {},
        {},
        {market.players[0]: describe_outcome(market, announced[k])},
        -least,
        f"{name}/{'+'.join(said)}/{k}",
        note=f"after this announcement in {scheme.name} no vote of theirs beats every other one "
        "whatever the rest say: which is best depends on what they believe",
    )
    return Verdict(name, Status.FAILS, checks, checks, "exhaustive", -least, witness=witness)


def _judge_lemmas(
    market: Market,
    announced: Announcements,
    differs: tuple[Coalition, int, Votes] | None,
    compared: int,
) -> Verdict:
    name = "votes are those of the lemmas"
    if differs is None:
        return Verdict(name, Status.HOLDS, compared, compared, "exhaustive")
    members, k, votes = differs
    said = member_names(market, members)
    witness = Witness(
        said,
        {},
        {},
        {market.players[0]: describe_outcome(market, announced[k])},
        0,
        f"{name}/{'+'.join(said)}/{k}",
        note=f"the best votes are {votes}",
    )
    return Verdict(name, Status.FAILS, compared, compared, "exhaustive", witness=witness)
