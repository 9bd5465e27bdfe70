"""Closed forms: why no hiding pays, for the rules where that has been proved.

**best-group, exclusivity 1** (docs/theory.md, best-group rule). V = max over groups T of at least
two parties of |union of T| - max size in T. Every member of the best group lacks at least V, so
under any reports some rival of i is handed the whole of V', and i's utility is at most
min(V', lack_i) - V' <= 0. If V <= lack_i the truth has utility 0. Otherwise i is in no best group,
whatever it hides leaves that group's V, so V' >= V and lack_i - V' <= lack_i - V, the truth's
utility.

**equal-gain and two-party, exclusivity in [0, 1]**. V = |u| - max size. The truth has utility
(1 - e)V. If a lie has V' <= V, its utility is at most (1 - e)V'. If V' > V the liar was the only
largest party, which lacks just V: its utility is at most V - eV' < (1 - e)V.

**best-group-inside, exclusivity in [0, 1]** (docs/theory.md). The amounts are best-group's, and
the elements of the best group T are handed out first, so that a member of T is handed only such.
Under any reports some rival of i is handed the whole of V'. If i is in T, the truth has utility
(1 - e)V; a lie with V' <= V has at most (1 - e)V', and one with V' > V makes i, the largest of a
group T', smaller: i is handed elements of T' only, of which at most V are new to it. If i is not
in T, then V' >= V whatever it hides, and its truth has min(V, lack_i) - eV: with V' = V a lie
brings no more than V, and with V' > V the same holds as before.

All count absence (everything hidden) among the lies.

**equal-gain, coalitions of k parties, exclusivity in [0, 1]**, where more than k parties have
elements. Some party j with elements stays truthful; under any reports of the others it is handed
V' new elements. A joint lie must benefit each member. If V' <= V, a member with elements that lies
has at most (1 - e)V'. If V' > V, all the largest parties are members and lie; such a member lacks V
and has at most V - eV' <= (1 - e)V. So it does not gain.

**Equal and smaller reports**, in every profile. The amounts of equal-gain are V, those of
best-group (inside or not) and "everything" min(V, lack) with one V: reports that are equal have
equal lacks. If k's report is part of i's, k is handed the first elements that it lacks in an order
that is the same for all; those that i lacks are among the first min(V, lack of i) for i.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import Rule
from aboveboard.formatting import format_count
from aboveboard.games.capabilities import Proof

PROVED = ("ex-post IC", "IR", "coalition-proof (size 1)", "epsilon-IC (epsilon 0)")
"""Properties that speak of one deviator against the others' truth."""


GRADED = ("symmetric", "strong dominance")
"""Properties that compare what equal or smaller reports bring."""

GRADED_RULES = ("equal-gain", "two-party", "best-group", "best-group-inside", "everything")

COALITIONS = re.compile(r"coalition-proof \(size ([0-9]+)\)")
"""The property of coalitions that cannot pay one another."""


def find_proof(
    name: str, regions: Regions, rule: Rule, exclusivity: Sequence[Fraction]
) -> Proof | None:
    """Return the proof that a property holds on this instance, conditions evaluated, or None."""
    if not regions.union:
        return None
    if name in GRADED and rule.name in GRADED_RULES:
        return _grading(regions, rule)
    size = COALITIONS.fullmatch(name)
    provable = rule.name == "equal-gain" and all(0 <= w <= 1 for w in exclusivity)
    if size is not None and name not in PROVED and provable:
        return _coalitions(regions, int(size[1]))
    if name not in PROVED:
        return None
    if rule.name == "best-group" and all(weight == 1 for weight in exclusivity):
        return _best_group(regions)
    if rule.name == "best-group-inside" and all(0 <= w <= 1 for w in exclusivity):
        return _best_group_inside(regions, rule)
    if rule.name in ("equal-gain", "two-party") and all(0 <= w <= 1 for w in exclusivity):
        return _equal_gain(regions, rule)
    return None


def _coalitions(regions: Regions, size: int) -> Proof | None:
    """Return the proof for coalitions that leave somebody with elements truthful."""
    present = int((regions.sizes > 0).sum())
    if size == 1 or size >= present:
        return None
    return Proof(
        f"equal-gain rule: of {present} parties with elements one at least is not a member, and is "
        "handed as many new elements as any member; a joint lie raises V only if a largest party "
        "takes part, which then can use no more than V",
        present,
    )


def _grading(regions: Regions, rule: Rule) -> Proof:
    amount = "V" if rule.name in ("equal-gain", "two-party") else "the least of V and what it lacks"
    return Proof(
        f"{rule.name} rule: in every profile whoever reports something is handed {amount}, in one "
        "order for all",
        len(regions.names),
    )


def find_best_group(regions: Regions) -> tuple[int, tuple[int, ...]]:
    """Return V and a group that reaches it: a party and all that are no larger.

    The group is empty where no exchange brings anything.
    """
    order = [int(i) for i in np.argsort(-regions.sizes, kind="stable")]
    value, group = 0, tuple[int, ...]()
    for t in range(len(order) - 1):
        members = tuple(order[t:])
        union = int(regions.counts[regions.owned[list(members)].any(axis=0)].sum())
        gain = union - int(regions.sizes[order[t]])
        if gain > value:
            value, group = gain, members
    return value, group


def _best_group(regions: Regions) -> Proof | None:
    value, group = find_best_group(regions)
    for i, lack in enumerate(regions.lacks.tolist()):
        if lack < value and i in group:
            return None
    named = ", ".join(regions.names[i] for i in sorted(group))
    reason = (
        f"V = {format_count(value)}, the equal gain of {named}; every party lacks at least V or is "
        "outside this group, so hiding can neither lower V for it nor bring it more than a rival"
        if group
        else "V = 0: no group has anything to exchange, and hiding adds nothing"
    )
    return Proof(f"best-group rule: {reason}", len(regions.names))


def _best_group_inside(regions: Regions, rule: Rule) -> Proof:
    value, _ = find_best_group(regions)
    named = ", ".join(rule.name_first(regions))
    return Proof(
        f"best-group-inside rule: V = {format_count(value)}, the equal gain of {named}, who are "
        "handed each other's elements only; hiding raises V only for the largest of a group, of "
        "whose elements no more than V are new to it",
        len(regions.names),
    )


def _equal_gain(regions: Regions, rule: Rule) -> Proof:
    value = int(regions.lacks[regions.sizes > 0].min()) if regions.union else 0
    return Proof(
        f"{rule.name} rule: everybody gains V = {format_count(value)}, what the largest "
        "party lacks; hiding raises V only for the largest, which then can use no more than V",
        len(regions.names),
    )


PROVED_FROM = 13
"""Parties of a search from which on dominance is shown in closed form, not by 2^n coalitions."""


def prove_joining(exclusivity: Sequence[Fraction]) -> Proof | None:
    """Return why joining a one-dimensional search is dominant; None: of few parties, or not proved.

    In every coalition both parties at the ends gain the same G >= 0 and everybody else nothing
    (docs/theory.md, wider intervals).
    """
    n = len(exclusivity)
    if n < PROVED_FROM or not all(0 <= weight <= 1 for weight in exclusivity):
        return None
    return Proof(
        "one-dimensional search: in every coalition both parties at the ends gain the same G, no "
        f"less than 0, so one that leaves loses (1 - e)G, and all {n} exclusivities e lie between "
        "0 and 1; whoever is at no end changes nothing by leaving",
        n,
    )


def prove_equal_shares(name: str, received: str, parties: int) -> Proof:
    """Return why parties that hold the same are handed the same, in every coalition.

    Nothing but the coalition and what a party holds decides what it is handed, and whoever stays
    away is handed nothing.

    Parameters
    ----------
    name
        The rule, in words.
    received
        What decides a party's benefit where it takes part.
    parties
        How many there are.
    """
    return Proof(
        f"{name}: in every coalition {received}, so parties that hold the same gain the same; "
        "whoever stays away gains nothing",
        parties,
    )
