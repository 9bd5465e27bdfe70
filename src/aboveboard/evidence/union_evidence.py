"""What the center makes of an exchange of lists, so that each party can verify its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
        The elements of each party's reply, in any order; or their places in `union`, whole numbers.
    seed
        The seed of the order.
    order_key
        The secret key of the committed order.
    regions
        How many elements each set of owners, a bit mask, has; None: counted here.
    union
        All elements, sorted, as a column of bytes; None: they are sorted here.
    first
        The parties whose elements are handed out before all others.
    invented
        By party that was caught inventing: what it invented, which is not part of the union.
    """

    rule: str
    names: tuple[str, ...]
    lists: Mapping[str, CommittedList]
    amounts: Mapping[str, int]
    handed: Mapping[str, Sequence[bytes] | NDArray[np.int64]]
    seed: int
    order_key: bytes
    regions: Mapping[int, int] | None = None
    union: pl.Series | None = None
    first: tuple[str, ...] = ()
    invented: Mapping[str, Sequence[str]] = field(default_factory=dict)


def rank_elements(elements: pl.Series | Sequence[bytes], seed: int) -> NDArray[np.uint64]:
    """Return the rank of each element: those of smaller ranks are handed out first."""
    if isinstance(elements, pl.Series):
        return hash_elements(elements.cast(pl.String), seed)
    texts = [element.decode("utf-8") for element in elements]
    return hash_elements(pl.Series(texts, dtype=pl.String), seed)


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

    Cost: three hashes an element and list, and one sort of the union; some 200 bytes an element.
    """
    union = _sort_union(record) if record.union is None else record.union
    matched = _Matches(record, union)
    ranks = rank_elements(union, record.seed)
    if record.first:
        leads = np.zeros(len(union), dtype=bool)
        for name in record.first:
            leads[matched.find(name)[0]] = True
        ranks = put_first(ranks, leads)
    # The union is sorted, so that a stable sort breaks ties by the elements themselves.
    places = np.argsort(ranks, kind="stable")
    order = commit_order(union.gather(places), record.order_key).keep_tree()
    counts = record.regions or count_regions(record.names, record.lists)
    facts = {
        "rule": record.rule,
        "names": list(record.names),
        "regions": [[str(mask), count] for mask, count in counts.items()],
        "order": order.root.hex(),
        "union": len(union),
    }
    if record.first:
        facts |= {"first": sorted(record.first), "leading": int(leads.sum())}
    turns = np.empty(len(union), dtype=np.int64)
    turns[places] = np.arange(len(union))
    counted = {name: int(turns[matched.select(name)].max(initial=-1)) + 1 for name in record.names}
    open_start = order.prepare_first(max(counted.values(), default=0))

    def make(name: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "openings": _open_reply(record, matched, name),
            "order": open_start(counted[name]),
        }
        if name in record.invented:
            made["invented"] = list(record.invented[name])
        return made

    return UnionEvidence(facts, OnDemand(record.names, make))


def _sort_union(record: UnionRecord) -> pl.Series:
    columns = [each.column for each in record.lists.values()]
    # Texts are sorted by their bytes, which is how bytes are sorted.
    return pl.concat(columns).cast(pl.String).unique().sort().cast(pl.Binary)


class _Matches:
    """Where the elements of lists and of replies stand in the union, found once each."""

    def __init__(self, record: UnionRecord, union: pl.Series) -> None:
        self._record, self._union = record, union
        self._found: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def find(self, owner: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places in the union of an owner's elements, and their positions in its tree.

        Places ascend.
        """
        if owner not in self._found:
            self._found[owner] = self._record.lists[owner].match(self._union)
        return self._found[owner]

    def select(self, name: str) -> NDArray[np.int64]:
        """Return the places in the union of a reply's elements, each once, ascending.

        Raises
        ------
        ValueError
            If one is not in the union.
        """
        handed = self._record.handed[name]
        if isinstance(handed, np.ndarray):
            return np.unique(handed)
        asked = pl.DataFrame({"element": pl.Series(list(handed), dtype=pl.Binary)}).unique()
        here = pl.DataFrame({"element": self._union}).with_row_index("place")
        found = asked.join(here, on="element", how="inner")["place"].to_numpy().astype(np.int64)
        if len(found) < len(asked):
            raise ValueError(f"{name} was handed what nobody has")
        return np.sort(found)


def _open_reply(record: UnionRecord, matched: _Matches, name: str) -> dict[str, Any]:
    """Return the openings of a reply's elements from the lists of their owners."""
    openings = {}
    left = matched.select(name)
    # From those first whose elements go first, which shows that these may.
    for owner in sorted(record.names, key=lambda name: name not in record.first):
        if owner == name or not len(left):
            continue
        places, positions = matched.find(owner)
        if not len(places):
            continue
        at = np.minimum(np.searchsorted(places, left), len(places) - 1)
        known = places[at] == left
        if known.any():
            openings[owner] = record.lists[owner].encode_at(np.sort(positions[at[known]]))
        left = left[~known]
    return openings
