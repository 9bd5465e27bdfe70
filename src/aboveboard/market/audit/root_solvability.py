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
from aboveboard.market.audit.expectations import Scheme, table, unit_of
from aboveboard.market.audit.paths import anywhere, on_the_path
from aboveboard.market.audit.roots import Root, best_announcements, root_of, root_verdicts
from aboveboard.market.audit.rules import Rule
from aboveboard.market.audit.subgames import (
    Dominance,
    chosen_by_all,
    closed_form,
    dominance,
    votes_of,
)
from aboveboard.market.model.descriptions import describe, names
from aboveboard.market.model.markets import Market, social_welfare
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition, Structure, is_structure, structures
from aboveboard.market.rules.announcements import (
    Announcements,
    IntArray,
    allocations,
    announcements,
    count,
)

MOST = 100_000
"""Announcements that an audit looks at, unless told otherwise: each is also played out."""

MOST_UTILITIES = 2**30
"""Announcements times votes times coalitions: about half a minute of comparing votes."""

DOMINANT = "votes are collusively dominant"

CELLS = 2**23
"""Expected utilities held at a time: 64 MiB."""


@dataclass(frozen=True)
class RootSolvability:
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


def audit(
    market: Market,
    rule: Rule,
    given: Sequence[Structure] | None = None,
    *,
    most: int = MOST,
    played_out: bool = True,
) -> RootSolvability:
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
    _bearable(market, scheme, most)
    listed = list(structures(market.n)) if given is None else list(given)
    for structure in listed:
        if not is_structure(market.n, structure):
            raise ValueError(f"{structure} is no partition of the {market.n} players")
    announced = announcements(
        market, scheme.limit, proposer_limited=scheme.proposer_limited, most=most
    )
    best = max(social_welfare(market, a) for a in allocations(market))
    before = social_welfare(market, market.endowment)
    if not len(announced):
        nothing = Verdict(
            DOMINANT, Status.VACUOUS, 0, 0, "exhaustive", statement="there is nothing to announce"
        )
        return RootSolvability(market.players, Verdicts([nothing]), (), before, best)
    found = _votes(market, scheme, announced, listed)
    verdicts = [found.dominant]
    if scheme.drawn is not None:
        verdicts.append(found.as_the_lemmas_say)
    roots: list[Root] = []
    if found.dominant.status is not Status.FAILS:
        tops = [best_announcements(scheme, utility) for utility in found.leading_utility]
        roots = [
            root_of(market, announced, structure, top, value, codes)
            for structure, (top, value), codes in zip(listed, tops, found.codes, strict=True)
        ]
        positions = [top for top, _ in tops]
        utilities = found.leading_utility
        verdicts += root_verdicts(market, scheme, announced, listed, utilities, positions, best)
    if roots and played_out:
        on_path, played = on_the_path(market, rule, roots, best)
        verdicts += [*on_path, *anywhere(market, rule, announced, played)]
    return RootSolvability(market.players, Verdicts(verdicts), tuple(roots), before, best)


def _bearable(market: Market, scheme: Scheme, most: int) -> None:
    """Refuse what would take hours, before anything is listed."""
    total = min(count(market, scheme.limit), most)
    utilities = total * scheme.strategies ** (market.n - 1) * 2**market.n
    if utilities > MOST_UTILITIES:
        raise BudgetExceeded(
            f"the market has {format_count(utilities)} utilities of coalitions to look at, and "
            f"{MOST_UTILITIES:,} are allowed; audit a market of fewer parties, goods or bits"
        )


# ------------------------------------------------------------------------------ the subgames


@dataclass(frozen=True)
class _Found:
    """What the subgames gave: verdicts, and by structure the utilities of the proposer's side."""

    dominant: Verdict
    as_the_lemmas_say: Verdict
    leading_utility: tuple[Array, ...]
    codes: tuple[IntArray, ...]


def _votes(
    market: Market, scheme: Scheme, announced: Announcements, listed: Sequence[Structure]
) -> _Found:
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
        part = announced.part(slice(begin, begin + size))
        filled = table(scheme, market, part)
        by_coalition: dict[Coalition, Dominance] = {}
        for members in coalitions:
            one = dominance(filled, scheme, members)
            by_coalition[members] = one
            checks += one.checks
            if not one.voters:
                continue
            compared += len(part)
            k = int(one.margin.argmin())
            least = int(one.margin[k]) * unit_of(scheme)
            if weakest is None or least < weakest[0]:
                weakest = least, members, begin + k
            wrong = np.flatnonzero((one.codes != closed_form(part, scheme, members)).any(axis=1))
            if len(wrong) and differs is None:
                differs = members, begin + int(wrong[0]), votes_of(one.codes[wrong[0]])
        for at, structure in enumerate(listed):
            utility, cast = chosen_by_all(filled, (by_coalition[c] for c in structure))
            side = sorted(next(c for c in structure if 0 in c))
            leading[at].append(utility[side].sum(axis=0))
            codes[at].append(cast)
    return _Found(
        _dominant(market, scheme, announced, weakest, checks),
        _as_the_lemmas_say(market, announced, differs, compared),
        tuple(np.concatenate(parts) for parts in leading),
        tuple(np.concatenate(parts) for parts in codes),
    )


def _dominant(
    market: Market,
    scheme: Scheme,
    announced: Announcements,
    weakest: tuple[Fraction, Coalition, int] | None,
    checks: int,
) -> Verdict:
    name = DOMINANT
    if weakest is None:
        return Verdict(name, Status.VACUOUS, 0, 0, "exhaustive", statement="nobody votes")
    least, members, k = weakest
    said = names(market, members)
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
        {market.players[0]: describe(market, announced[k])},
        -least,
        f"{name}/{'+'.join(said)}/{k}",
        note=f"after this announcement in {scheme.name} no vote of theirs beats every other one "
        "whatever the rest say: which is best depends on what they believe",
    )
    return Verdict(name, Status.FAILS, checks, checks, "exhaustive", -least, witness=witness)


def _as_the_lemmas_say(
    market: Market,
    announced: Announcements,
    differs: tuple[Coalition, int, Votes] | None,
    compared: int,
) -> Verdict:
    name = "votes are those of the lemmas"
    if differs is None:
        return Verdict(name, Status.HOLDS, compared, compared, "exhaustive")
    members, k, votes = differs
    said = names(market, members)
    witness = Witness(
        said,
        {},
        {},
        {market.players[0]: describe(market, announced[k])},
        0,
        f"{name}/{'+'.join(said)}/{k}",
        note=f"the best votes are {votes}",
    )
    return Verdict(name, Status.FAILS, compared, compared, "exhaustive", witness=witness)
