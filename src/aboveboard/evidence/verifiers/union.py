"""Evidence of exchange.union: each member's list is committed, each reply follows from one order.

What the center publishes: how many elements each region of the Venn diagram has, and the root of
the order in which elements are handed out. What each party gets besides: proof that every element
of its reply is in another member's committed list, and the order up to the last element that it
received. Every element there is its own or in its reply, so none was passed over. Where the
elements of the best group go first (rule best-group-inside), each that is handed out among them is
opened from a list of that group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_hex, decode_whole
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import shows_regions
from aboveboard.evidence.openings import Opening, verify_opening
from aboveboard.evidence.own_part import encode_elements, read_records
from aboveboard.evidence.replies import read_elements
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.evidence.union_evidence import rank_elements
from aboveboard.evidence.verifiers.inspection import WHICH_ARE_REAL, verify_inspection
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.evidence.verifiers.union_claim import UnionClaim
from aboveboard.exchange.handout import put_first
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES
from aboveboard.formatting import format_count, join_names

MOST_REGIONS = 1_000_000
"""Regions that are published: beyond this a bundle would be too long."""

REGION_COUNTS = "how many elements each region of the Venn diagram has, as far as sizes do not tell"

GAINS = "all gains: by the terms nobody sees the regions that they follow from"

HANDED_FIRST = "that elements of the best group that you were not handed stand where they are due"

INSIDE = "best-group-inside"

OTHER_COLUMNS = "the other columns of the rows that you were handed"
"""Where rows have more than the element: no commitment is of them."""

ON_THE_CENTERS_WORD = (REGION_COUNTS, OTHER_COLUMNS)


def list_further_trust(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what more is taken on the center's word by these parameters of the rule."""
    first = (HANDED_FIRST,) if parameters.get("rule") == INSIDE else ()
    return (*first, *((WHICH_ARE_REAL,) if "inspection" in parameters else ()))


def verify_union(claim: UnionClaim, findings: Findings) -> None:
    """Verify one party's part of an exchange; everything found goes into `findings`."""
    if claim.inspection is not None or "inspection" in claim.facts:
        verify_inspection(claim, findings)
    if claim.shows_regions:
        regions = _read_regions(claim, findings)
        if regions is not None:
            _verify_amounts(claim, regions, findings)
    else:
        _verify_own_amount(claim, findings)
    opened = _verify_reply(claim, findings)
    _verify_order(claim, opened, findings)
    findings.trust(REGION_COUNTS)


def _read_regions(claim: UnionClaim, findings: Findings) -> Regions | None:
    """Return the published regions where they have the sizes of the committed lists."""
    names = tuple(sorted(claim.commitments))
    try:
        listed = claim.facts["regions"]
        pairs = [(decode_whole(mask), count) for mask, count in listed]
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
        findings.contradict("the published regions are not regions of these members' lists")
        return None
    regions = Regions(
        names,
        np.array([mask for mask, _ in pairs], dtype=np.uint64),
        np.array([count for _, count in pairs], dtype=np.int64),
    )
    sizes = dict(zip(names, regions.sizes.tolist(), strict=True))
    reported = {name: claim.commitments[name][1] for name in names} | claim.caught
    wrong = [name for name in names if sizes[name] != reported[name]]
    # Python's integers: a sum of int64 wraps around, and false counts could have the right sizes.
    same_union = sum(count for _, count in pairs) == claim.facts.get("union")
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
    try:
        amounts = rule.compute_amounts(regions).tolist()
    except InputError as error:  # a rule for another number of parties
        findings.contradict(f"{error.place} cannot have been used: {error.problem}")
        return
    due = dict(zip(regions.names, amounts, strict=True))
    due |= dict.fromkeys(claim.caught, 0)
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


def _verify_reply(claim: UnionClaim, findings: Findings) -> dict[str, frozenset[bytes]]:
    """Verify where the reply's elements come from; return those opened, by their owner."""
    received = set(claim.reply)
    findings.check(
        len(received) == len(claim.reply) and not received & claim.mine,
        "your reply holds no element twice and none of your own",
        "your reply holds an element twice, or one of your own",
    )
    opened: dict[str, frozenset[bytes]] = {}
    openings = claim.private.get("openings", {})
    for owner, data in (openings if isinstance(openings, dict) else {}).items():
        if owner == claim.name or owner not in claim.commitments:
            findings.contradict(
                f"elements are opened from a list of {owner!r}, who is not another member"
            )
            continue
        root, size = claim.commitments[owner]
        try:
            opening = Opening.from_dict(data)
            verify_opening(opening, root, size)
        except InvalidProofError as error:
            findings.contradict(f"an element is not in the committed list of {owner}: {error}")
            continue
        opened[owner] = frozenset(opening.elements)
    strange = received.difference(*opened.values())
    findings.check(
        not strange,
        "every element of your reply is in another member's committed list",
        f"{format_count(len(strange))} elements of your reply are in nobody's committed list",
    )
    return opened


def _verify_order(
    claim: UnionClaim, opened: Mapping[str, frozenset[bytes]], findings: Findings
) -> None:
    """Verify that the reply is the first elements, in one committed order, that the party lacks."""
    try:
        opening = Opening.from_dict(claim.private["order"])
        root = decode_hex(claim.facts["order"])
        verify_opening(opening, root, claim.facts["union"])
    except (KeyError, TypeError, ValueError) as error:
        findings.contradict(f"the hand-out order does not open: {error}")
        return
    start = opening.elements
    in_place = [position for position, _, _ in opening.leaves] == list(range(len(start)))
    ranks = rank_elements(start, claim.seed)
    leading = _find_leading(claim, start, opened, findings)
    if leading is not None:
        ranks = put_first(ranks, leading)
    places = list(zip(ranks.tolist(), start, strict=True))
    sorted_ = all(places[k] < places[k + 1] for k in range(len(start) - 1))
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


def _find_leading(
    claim: UnionClaim,
    start: Sequence[bytes],
    opened: Mapping[str, frozenset[bytes]],
    findings: Findings,
) -> NDArray[np.bool_] | None:
    """Return which elements at the start of the order go first, by the rule; None if none do.

    That an element belongs to the best group is known of the party's own, where it is a member, and
    of those that it was handed, which are opened from a member's list.
    """
    first, count = claim.facts.get("first"), claim.facts.get("leading")
    if claim.facts.get("rule") != INSIDE:
        if first is not None:
            findings.contradict("elements of some members go first, which is not by the rule")
        return None
    if not isinstance(first, list) or type(count) is not int:
        findings.contradict("it is not published whose elements go first")
        return None
    group = frozenset(map(str, first))
    if claim.shows_regions:
        _verify_group(claim, group, count, findings)
    known = frozenset[bytes]().union(*(opened.get(name, frozenset()) for name in group))
    if claim.name in group:
        known |= claim.mine
    received = frozenset(claim.reply)
    late = [e for e in start[count:] if e in known]
    strange = [e for e in start[:count] if e in received and e not in known]
    findings.check(
        not late and not strange,
        f"what {join_names(sorted(group))} reported goes first, as far as your list and reply tell",
        f"{format_count(len(late))} elements of the best group stand behind others, and "
        f"{format_count(len(strange))} that you were handed among the first are not of it",
    )
    findings.trust(HANDED_FIRST)
    return np.arange(len(start)) < count


def _verify_group(claim: UnionClaim, group: frozenset[str], count: int, findings: Findings) -> None:
    """Compare who goes first, and with how many elements, with what the regions say."""
    regions = _read_regions(claim, Findings())
    if regions is None:
        return  # it has been said that these are not regions
    due = set(RULES[INSIDE].name_first(regions))
    mask = sum(1 << k for k, name in enumerate(regions.names) if name in due)
    leading = int(regions.counts[(regions.owners & np.uint64(mask)) != 0].sum())
    findings.check(
        group == due and count == leading,
        f"{format_count(leading)} elements of {join_names(sorted(due))} go first, by the regions",
        f"{format_count(count)} elements of {join_names(sorted(group))} go first; by the regions "
        f"it is {format_count(leading)} of {join_names(sorted(due))}",
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
    try:
        reply, is_wide = read_elements(case.reply, case.given.bundle.reply["file"], opened)
    except InputError:  # its bytes are those that the result names
        findings.contradict("your reply is not a list of elements", case.proof)
        return
    claim = UnionClaim(
        case.name,
        case.facts,
        private,
        case.commitments,
        amounts,
        mine,
        tuple(reply),
        case.seed,
        shows_regions(case.round.terms),
        case.parameters.get("inspection"),
        {n: case.find_share(n, "payment") for n in case.list_compared("payment")},
    )
    verify_own_share(case, findings)
    _verify_rule(case, findings)
    verify_union(claim, findings)
    if is_wide:
        findings.trust(OTHER_COLUMNS)
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
    if holds and REGION_COUNTS in findings.on_the_centers_word:
        findings.on_the_centers_word.remove(REGION_COUNTS)
        findings.trust("that the other members blinded the lists that they committed to")
