"""What the proposer announces if everybody votes dominantly, and whether that decides the play.

Definition 2 (3): the best announcements are the same whoever colludes outside the proposer's
coalition. Lemmas 3, 4, 10 and 11 say which they are; Lemma 10 is false as printed where
everybody is in the proposer's coalition and SW(E) = max SW = 0 (READING.md). Announcements that
step a refuses are not listed: they cost the proposer 1, and (E, 0) costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.auditing.verdict import Status, Verdict, Witness
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Array
from aboveboard.market.audit.expected_utilities import UtilityScheme, find_unit
from aboveboard.market.audit.strict_dominance import decode_votes
from aboveboard.market.model.descriptions import describe_outcome, format_structure, member_names
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition, Structure
from aboveboard.market.rules.announcements import Announcements, IntArray

OUT = -1
"""Position that stands for announcing (E, 0), which is not voted on."""


@dataclass(frozen=True)
class Root:
    """What the proposer announces under one collusion structure.

    Parameters
    ----------
    structure
        The coalitions, by index.
    utility
        What the proposer's coalition expects.
    best
        Every best announcement, (E, 0) first if it is one.
    votes
        How the others vote on each; None on (E, 0).
    """

    structure: Structure
    utility: Fraction
    best: tuple[Outcome, ...]
    votes: tuple[Votes | None, ...]

    @property
    def leading(self) -> Coalition:
        """The proposer's coalition."""
        return next(c for c in self.structure if 0 in c)


def find_best_announcements(
    scheme: UtilityScheme, utility: Array
) -> tuple[frozenset[int], Fraction]:
    """Give the positions of the best announcements (OUT for (E, 0)) and their utility.

    `utility` has what the proposer's coalition expects of each announcement, in units.
    """
    top = int(utility.max()) if len(utility) else -1
    found = {int(k) for k in np.flatnonzero(utility == max(top, 0))}
    if top <= 0:
        found.add(OUT)
    return frozenset(found), max(top, 0) * find_unit(scheme)


def build_root(
    market: Market,
    announced: Announcements,
    structure: Structure,
    top: frozenset[int],
    value: Fraction,
    codes: IntArray,
) -> Root:
    """Put the best announcements of one structure, and the votes on them, into words."""
    order = sorted(top)
    return Root(
        structure,
        value,
        tuple(market.nothing if k == OUT else announced[k] for k in order),
        tuple(None if k == OUT else decode_votes(codes[k]) for k in order),
    )


def examine_roots(
    market: Market,
    scheme: UtilityScheme,
    announced: Announcements,
    listed: Sequence[Structure],
    utilities: Sequence[Array],
    tops: Sequence[frozenset[int]],
    best: int,
) -> list[Verdict]:
    """Give the verdicts on the best announcements.

    Parameters
    ----------
    market, scheme, announced
        The market, expected utilities by the number of YES, and all announcements.
    listed
        Collusion structures.
    utilities
        By structure: what the proposer's coalition expects of each announcement, in units.
    tops
        By structure: the positions of the best announcements.
    best
        The most welfare there is.
    """
    rows = len(listed) * (len(announced) + 1)
    verdicts = [_check_independence(market, scheme, announced, listed, utilities, tops, rows)]
    optimal = set(np.flatnonzero(announced.welfare == best).tolist())
    before = social_welfare(market, market.endowment)
    if before == best:
        optimal.add(OUT)
    verdicts.append(
        _compare(
            "best announcements are socially optimal",
            market,
            announced,
            [(s, top, top & optimal) for s, top in zip(listed, tops, strict=True)],
            rows,
        )
    )
    if scheme.destruction is None:
        return verdicts  # the lemmas speak of M
    printed, corrected = [], []
    for structure, top in zip(listed, tops, strict=True):
        leading = next(c for c in structure if 0 in c)
        claimed = _predict_best(announced, leading, before, best)
        printed.append((structure, top, claimed))
        if before == best == 0 and len(leading) == market.n:
            claimed = frozenset(optimal)
        corrected.append((structure, top, claimed))
    verdicts += [
        _compare("best announcements, as printed", market, announced, printed, rows),
        _compare("best announcements, as corrected", market, announced, corrected, rows),
    ]
    return verdicts


def _predict_best(
    announced: Announcements, leading: Coalition, before: int, best: int
) -> frozenset[int]:
    """Give the set S of Lemmas 3, 4, 10 and 11."""
    if before == best:
        return frozenset({OUT})
    found: NDArray[np.bool_] = announced.find_semi_truthful(best, leading)
    return frozenset(np.flatnonzero(found).tolist())


def _compare(
    name: str,
    market: Market,
    announced: Announcements,
    rows: Sequence[tuple[Structure, frozenset[int], frozenset[int]]],
    checks: int,
) -> Verdict:
    """Say whether the best announcements are those claimed, in every structure."""
    for structure, top, claimed in rows:
        odd = sorted(top ^ claimed)
        if not odd:
            continue
        k = odd[0]
        outcome = market.nothing if k == OUT else announced[k]
        is_best = "is best too" if k in top else "is not best"
        witness = Witness(
            (market.players[0],),
            {},
            {market.players[0]: describe_outcome(market, outcome)},
            {"coalitions": [list(member_names(market, c)) for c in structure]},
            0,
            f"{name}/{k}",
            note=f"this announcement {is_best}; {len(top)} are, {len(claimed)} are claimed",
        )
        return Verdict(name, Status.FAILS, checks, checks, "exhaustive", witness=witness)
    return Verdict(name, Status.HOLDS, checks, checks, "exhaustive")


def _check_independence(
    market: Market,
    scheme: UtilityScheme,
    announced: Announcements,
    listed: Sequence[Structure],
    utilities: Sequence[Array],
    tops: Sequence[frozenset[int]],
    rows: int,
) -> Verdict:
    """Definition 2 (3): the best announcements depend on the proposer's own coalition only."""
    name = "root-solvable: the best announcements do not depend on who else colludes"
    first: dict[Coalition, int] = {}
    for at, structure in enumerate(listed):
        leading = next(c for c in structure if 0 in c)
        before = first.setdefault(leading, at)
        odd = sorted(tops[at] ^ tops[before])
        if not odd:
            continue
        k = odd[0]
        believed, true = (at, before) if k in tops[at] else (before, at)
        reached = _find_utility(scheme, utilities[true], k)
        _, best = find_best_announcements(scheme, utilities[true])
        outcome = market.nothing if k == OUT else announced[k]
        said = member_names(market, leading)
        witness = Witness(
            said,
            {},
            {market.players[0]: describe_outcome(market, outcome)},
            {"coalitions": [list(member_names(market, c)) for c in listed[true]]},
            reached - best,
            f"{name}/{k}",
            note=f"this is best if the coalitions are {format_structure(market, listed[believed])}; whoever "
            f"believes so wrongly expects {encode_number(best)} and has {encode_number(reached)}",
        )
        return Verdict(name, Status.FAILS, rows, rows, "exhaustive", witness=witness)
    return Verdict(name, Status.HOLDS, rows, rows, "exhaustive")


def _find_utility(scheme: UtilityScheme, utility: Array, k: int) -> Fraction:
    return Fraction(0) if k == OUT else int(utility[k]) * find_unit(scheme)
