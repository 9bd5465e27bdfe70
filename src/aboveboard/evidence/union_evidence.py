"""What the center makes of an exchange of lists, so that each party can verify its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from aboveboard.evidence.commitments import CommittedList, commit_order
from aboveboard.evidence.on_demand import OnDemand
from aboveboard.exchange.handout import hash_elements, put_first


@dataclass(frozen=True)
class UnionRecord:
    """What the center knows after an exchange.

    Parameters
    ----------
    rule
        The rule's name.
    names
        The parties, in the order of the bits of a mask.
    lists
        Each party's committed list.
    amounts
        How many elements each party was handed.
    handed
        The elements of each party's reply.
    seed
        The seed of the order.
    order_key
        The secret key of the committed order.
    regions
        How many elements each set of owners, a bit mask, has; None: counted here.
    union
        All elements, sorted; None: they are sorted here.
    first
        The parties whose elements are handed out before all others.
    invented
        By party that was caught inventing: what it invented, which is no part of the union.
    """

    rule: str
    names: tuple[str, ...]
    lists: Mapping[str, CommittedList]
    amounts: Mapping[str, int]
    handed: Mapping[str, Sequence[bytes]]
    seed: int
    order_key: bytes
    regions: Mapping[int, int] | None = None
    union: Sequence[bytes] | None = None
    first: tuple[str, ...] = ()
    invented: Mapping[str, Sequence[str]] = field(default_factory=dict)


def rank_elements(elements: Sequence[bytes], seed: int) -> list[int]:
    """Return the rank of each element: those of smaller ranks are handed out first."""
    series = pl.Series([element.decode("utf-8") for element in elements], dtype=pl.String)
    ranks: list[int] = hash_elements(series, seed).tolist()
    return ranks


def count_regions(names: Sequence[str], lists: Mapping[str, CommittedList]) -> dict[int, int]:
    """Return how many elements each set of owners, a bit mask, has."""
    owners: dict[bytes, int] = {}
    for k, name in enumerate(names):
        for element in lists[name].elements:
            owners[element] = owners.get(element, 0) | 1 << k
    counts: dict[int, int] = {}
    for mask in owners.values():
        counts[mask] = counts.get(mask, 0) + 1
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class UnionEvidence:
    """What is published of an exchange, and what each party gets besides.

    Parameters
    ----------
    facts
        Public, plain data.
    private
        By party, plain data; made when it is read, for the openings of many elements are large.
    """

    facts: Mapping[str, Any]
    private: Mapping[str, Mapping[str, Any]]


def make_evidence(record: UnionRecord) -> UnionEvidence:
    """Return what the center publishes and hands out so that each party can verify.

    Cost: one hash an element and list, and one sort of the union.
    """
    union = record.union
    if union is None:
        union = sorted({e for owned in record.lists.values() for e in owned.elements})
    ranks = np.array(rank_elements(union, record.seed), dtype=np.uint64)
    if record.first:
        leading = {e for name in record.first for e in record.lists[name].elements}
        leads = np.array([element in leading for element in union])
        ranks = put_first(ranks, leads)
    # The union is sorted, so that a stable sort breaks ties by the elements themselves.
    places = np.argsort(ranks, kind="stable").tolist()
    ordered = [union[k] for k in places]
    order = commit_order(ordered, record.order_key)
    counts = record.regions or count_regions(record.names, record.lists)
    facts = {
        "rule": record.rule,
        "names": list(record.names),
        "regions": [[str(mask), count] for mask, count in counts.items()],
        "order": order.root.hex(),
        "union": len(ordered),
    }
    if record.first:
        facts |= {"first": sorted(record.first), "leading": int(leads.sum())}
    lasts = [max(order.locate(record.handed[name]), default=-1) for name in record.names]
    counted = dict(zip(record.names, [last + 1 for last in lasts], strict=True))
    open_start = order.prepare_first(max(counted.values(), default=0))

    def make(name: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "openings": _open_reply(record, name),
            "order": open_start(counted[name]),
        }
        if name in record.invented:
            made["invented"] = list(record.invented[name])
        return made

    return UnionEvidence(facts, OnDemand(record.names, make))


def _open_reply(record: UnionRecord, name: str) -> dict[str, Any]:
    """Return the openings of a reply's elements from the lists of their owners."""
    openings = {}
    left: Sequence[bytes] = list(dict.fromkeys(record.handed[name]))
    # From those first whose elements go first, which shows that these may.
    for owner in sorted(record.names, key=lambda name: name not in record.first):
        if owner != name and left:
            opened, left = record.lists[owner].open_known(left)
            if opened["positions"]:
                openings[owner] = opened
    return openings
