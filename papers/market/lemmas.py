"""What the paper's lemmas say of votes and announcements, compared with what a market shows.

Lemmas 1, 2 and 7 to 9 on the votes; Lemmas 3, 4, 10 and 11 on what is best to announce, as printed
and as corrected. None of it is a verdict on a user's market: a misprint of the paper is not a fault
of the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aboveboard.auditing import Status, Verdict, Witness
from aboveboard.market.audit.root_audit import RootAudit
from aboveboard.market.audit.roots import OUT
from aboveboard.market.audit.strict_dominance import find_dominance, predict_votes
from aboveboard.market.model.descriptions import describe_outcome, member_names
from aboveboard.market.model.utilities import Coalition, Structure

LEMMAS = "votes are those of the lemmas"
PRINTED, CORRECTED = "best announcements, as printed", "best announcements, as corrected"


def check_votes(found: RootAudit) -> Verdict:
    """Return whether every coalition's best votes are those of Lemmas 1, 2 and 7 to 9."""
    market, announced = found.market, found.announced
    filled = found.rule.tabulate(market, announced)
    compared = 0
    for members in sorted({c for s in found.structures for c in s}, key=sorted):
        best = find_dominance(filled, found.rule, members)
        if not best.voters:
            continue
        compared += len(announced)
        said = predict_votes(announced, found.rule, members)
        wrong = np.flatnonzero((best.codes != said).any(axis=1))
        if len(wrong):
            names = member_names(market, members)
            outcome = describe_outcome(market, announced[int(wrong[0])])
            witness = Witness(names, {}, {}, {market.players[0]: outcome}, 0, LEMMAS)
            return Verdict(LEMMAS, Status.FAILS, compared, compared, "exhaustive", witness=witness)
    return Verdict(LEMMAS, Status.HOLDS, compared, compared, "exhaustive")


@dataclass(frozen=True)
class _Claim:
    """Which announcements are said to be best under a structure, by position."""

    structure: Structure
    found: frozenset[int]
    claimed: frozenset[int]


def check_printed(found: RootAudit) -> Verdict:
    """Return whether the best announcements are those of the lemmas as printed."""
    claims = [
        _Claim(root.structure, root.positions, _predict_best(found, root.leading))
        for root in found.roots
    ]
    return _compare(PRINTED, found, claims)


def check_corrected(found: RootAudit) -> Verdict:
    """Return the same with Lemma 10 corrected, where everybody colludes and no welfare is left."""
    before, best = found.welfare_before, found.welfare_best
    optimal = frozenset({OUT, *np.flatnonzero(found.announced.welfare == best).tolist()})
    claims = []
    for root in found.roots:
        is_exception = before == best == 0 and len(root.leading) == found.market.n
        claimed = optimal if is_exception else _predict_best(found, root.leading)
        claims.append(_Claim(root.structure, root.positions, claimed))
    return _compare(CORRECTED, found, claims)


def _predict_best(found: RootAudit, leading: Coalition) -> frozenset[int]:
    """Return the set S of Lemmas 3, 4, 10 and 11."""
    if found.welfare_before == found.welfare_best:
        return frozenset({OUT})
    semi = found.announced.find_semi_truthful(found.welfare_best, leading)
    return frozenset(np.flatnonzero(semi).tolist())


def _compare(name: str, found: RootAudit, claims: Sequence[_Claim]) -> Verdict:
    market = found.market
    for each in claims:
        odd = sorted(each.found ^ each.claimed)
        if odd:
            outcome = market.nothing if odd[0] == OUT else found.announced[odd[0]]
            is_best = "is best too" if odd[0] in each.found else "is not best"
            witness = Witness(
                (market.players[0],),
                {},
                {market.players[0]: describe_outcome(market, outcome)},
                {"coalitions": [list(member_names(market, c)) for c in each.structure]},
                0,
                f"{name}/{odd[0]}",
                note=f"this announcement {is_best}; {len(each.found)} are, "
                f"{len(each.claimed)} are claimed",
            )
            return Verdict(
                name, Status.FAILS, found.rows, found.rows, "exhaustive", witness=witness
            )
    return Verdict(name, Status.HOLDS, found.rows, found.rows, "exhaustive")
