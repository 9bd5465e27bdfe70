"""Evidence of exchange.union: each member's list is committed, each reply follows from one order.

What the center publishes: how many elements each region of the Venn diagram has, and the root of
the order in which elements are handed out. What each party gets besides: proof that every element
of its reply is in another member's committed list, and the order up to the last element that it
received. Every element there is its own or in its reply, so none was passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.evidence.cases import Case
from aboveboard.evidence.commitments import (
    Opening,
    verify_opening,
)
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import shows_regions
from aboveboard.evidence.own_part import encode_elements, read_records
from aboveboard.evidence.replies import read_elements
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.evidence.union_evidence import rank_elements
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES
from aboveboard.formatting import format_count

MOST_REGIONS = 1_000_000
"""Regions that are published: beyond this a bundle would be too long."""

REGIONS = "how many elements each region of the Venn diagram has, as far as sizes do not tell"

GAINS = "all gains: by the terms nobody sees the regions that they follow from"

ON_THE_CENTERS_WORD = (
    REGIONS,
    "the other columns of the rows that you were handed",
)


@dataclass(frozen=True)
class UnionClaim:
    """What one party was told of an exchange, and what it knows itself.

    Parameters
    ----------
    name
        The party.
    facts
        What the center published.
    private
        What the party got besides.
    commitments
        Root and size of every member's list, by name, from the log.
    amounts
        How many elements each party was handed, as the result says.
    mine
        The party's own elements.
    reply
        The elements that it received.
    seed
        The seed of the order.
    shows_regions
        Whether the terms let all see the regions.
    """

    name: str
    facts: Mapping[str, Any]
    private: Mapping[str, Any]
    commitments: Mapping[str, tuple[bytes, int]]
    amounts: Mapping[str, int]
    mine: frozenset[bytes]
    reply: tuple[bytes, ...]
    seed: int
    shows_regions: bool = True


def verify_union(claim: UnionClaim, findings: Findings) -> None:
    """Verify one party's part of an exchange; everything found goes into `findings`."""
    if claim.shows_regions:
        regions = _read_regions(claim, findings)
        if regions is not None:
            _verify_amounts(claim, regions, findings)
    else:
        _verify_own_amount(claim, findings)
    _verify_reply(claim, findings)
    _verify_order(claim, findings)
    findings.trust(*ON_THE_CENTERS_WORD)


def _read_regions(claim: UnionClaim, findings: Findings) -> Regions | None:
    """Return the published regions where they have the sizes of the committed lists."""
    names = tuple(sorted(claim.commitments))
    try:
        listed = claim.facts["regions"]
        pairs = [(int(mask), count) for mask, count in listed]
        shaped = (
            tuple(claim.facts["names"]) == names
            and len(pairs) <= MOST_REGIONS
            and all(type(count) is int and count > 0 for _, count in pairs)
            and len({mask for mask, _ in pairs}) == len(pairs)
            and all(0 < mask < 1 << len(names) for mask, _ in pairs)
        )
    except (KeyError, TypeError, ValueError):
        shaped = False
    if not shaped:
        findings.contradict("the published regions are no regions of these members' lists")
        return None
    regions = Regions(
        names,
        np.array([mask for mask, _ in pairs], dtype=np.uint64),
        np.array([count for _, count in pairs], dtype=np.int64),
    )
    sizes = dict(zip(names, regions.sizes.tolist(), strict=True))
    wrong = [name for name in names if sizes[name] != claim.commitments[name][1]]
    same_union = regions.union == claim.facts.get("union")
    holds = findings.check(
        not wrong and same_union,
        "the published regions have the sizes of all committed lists",
        f"the published regions do not have the size of the list of {', '.join(wrong) or 'all'}",
    )
    return regions if holds else None


def _verify_amounts(claim: UnionClaim, regions: Regions, findings: Findings) -> None:
    rule = RULES.get(str(claim.facts.get("rule")))
    if rule is None:
        findings.contradict(f"there is no rule {claim.facts.get('rule')!r}")
        return
    due = dict(zip(regions.names, rule.compute_amounts(regions).tolist(), strict=True))
    findings.check(
        {name: due[name] for name in claim.amounts} == dict(claim.amounts),
        f"every gain follows from the regions by the rule {rule.name}",
        f"the gains are not those of the rule {rule.name}: it gives {due}",
    )
    findings.check(
        len(claim.reply) == due[claim.name],
        f"your reply has the {format_count(due[claim.name])} elements that are due to you",
        f"your reply has {format_count(len(claim.reply))} elements and "
        f"{format_count(due[claim.name])} are due to you",
    )


def _verify_own_amount(claim: UnionClaim, findings: Findings) -> None:
    """Compare the stated gain with the reply, where nobody sees the regions."""
    stated = claim.amounts.get(claim.name)
    findings.check(
        stated == len(claim.reply),
        f"your reply has the {format_count(len(claim.reply))} elements of your stated gain",
        f"your reply has {format_count(len(claim.reply))} elements, and your stated gain is "
        f"{stated}",
    )
    findings.trust(GAINS)


def _verify_reply(claim: UnionClaim, findings: Findings) -> None:
    received = set(claim.reply)
    findings.check(
        len(received) == len(claim.reply) and not received & claim.mine,
        "your reply holds no element twice and none of your own",
        "your reply holds an element twice, or one of your own",
    )
    opened: set[bytes] = set()
    openings = claim.private.get("openings", {})
    for owner, data in (openings if isinstance(openings, dict) else {}).items():
        if owner == claim.name or owner not in claim.commitments:
            findings.contradict(
                f"elements are opened from a list of {owner!r}, who is no other member"
            )
            continue
        root, size = claim.commitments[owner]
        try:
            opening = Opening.from_dict(data)
            verify_opening(opening, root, size)
        except InvalidProofError as error:
            findings.contradict(f"an element is not in the committed list of {owner}: {error}")
            continue
        opened |= set(opening.elements)
    findings.check(
        opened >= received,
        "every element of your reply is in another member's committed list",
        f"{format_count(len(received - opened))} elements of your reply are in nobody's "
        "committed list",
    )


def _verify_order(claim: UnionClaim, findings: Findings) -> None:
    """Verify that the reply is the first elements, in one committed order, that the party lacks."""
    try:
        opening = Opening.from_dict(claim.private["order"])
        root = bytes.fromhex(claim.facts["order"])
        verify_opening(opening, root, claim.facts["union"])
    except (KeyError, TypeError, ValueError) as error:
        findings.contradict(f"the hand-out order does not open: {error}")
        return
    start = opening.elements
    in_place = [position for position, _, _ in opening.leaves] == list(range(len(start)))
    ranks = rank_elements(start, claim.seed)
    sorted_ = all(
        (ranks[k], start[k]) < (ranks[k + 1], start[k + 1]) for k in range(len(start) - 1)
    )
    findings.check(
        in_place and sorted_,
        "the hand-out order follows from the seed",
        "the hand-out order does not follow from the seed",
    )
    received = frozenset(claim.reply)
    passed_over = [e for e in start if e not in claim.mine and e not in received]
    findings.check(
        received <= set(start) and not passed_over,
        "your reply is the first elements of the committed order that you lack",
        f"{format_count(len(passed_over))} elements that you lack stand before others that "
        "you were handed"
        if passed_over
        else "an element of your reply is not where the committed order has it",
    )


def verify(case: Case, findings: Findings) -> None:
    """Verify one party's part of an exchange from its bundle."""
    if case.part is None or case.reply is None or len(case.commitments) < len(case.round.present):
        findings.miss("your own file and your reply: that the reply is what is due to you")
        return
    mine = frozenset(encode_elements(read_records(case.round.terms, case.name, case.part)))
    private = case.given.bundle.evidence
    openings = private.get("openings")
    opened = {
        element
        for data in (openings if isinstance(openings, dict) else {}).values()
        if isinstance(data, dict) and isinstance(data.get("elements"), list)
        for element in data["elements"]
        if isinstance(element, str)
    }
    amounts = {
        each: share["benefit"] if type(share.get("benefit")) is int else -1
        for each, share in case.body["shares"].items()
        if each in case.list_compared("benefit") and isinstance(share, dict)
    }
    claim = UnionClaim(
        case.name,
        case.facts,
        private,
        case.commitments,
        amounts,
        mine,
        tuple(read_elements(case.reply, case.given.bundle.reply.get("file", ""), opened)),
        case.seed,
        shows_regions(case.round.terms),
    )
    verify_own_share(case, findings)
    _verify_rule(case, findings)
    verify_union(claim, findings)
    if case.round.terms.counts == "members":
        _verify_counted(case, findings)


def _verify_rule(case: Case, findings: Findings) -> None:
    """Compare the rule that was used with that of the terms."""
    stated, used = case.parameters.get("rule"), case.facts.get("rule")
    if stated is None:
        findings.trust(f"that the rule is {used}: it depends on what the members may lose")
        return
    findings.check(
        stated == used,
        f"the rule is {stated}, as the terms say",
        f"the rule {used} was used, and the terms say {stated}",
        case.proof,
    )


def _verify_counted(case: Case, findings: Findings) -> None:
    """Compare the published regions with those that the members counted themselves."""
    stated = case.facts.get("regions")
    counted = {name: case.round.find("counted", name) for name in case.round.present}
    other = sorted(
        name for name, said in counted.items() if said is None or said.body["regions"] != stated
    )
    holds = findings.check(
        not other,
        "the published regions are those that all members counted by blinded tokens",
        f"the published regions are not those that {', '.join(other)} counted",
        case.proof,
    )
    if holds and REGIONS in findings.on_the_centers_word:
        findings.on_the_centers_word.remove(REGIONS)
        findings.trust("that the other members blinded the lists that they committed to")
