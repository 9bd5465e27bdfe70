"""The largest total benefit that any truthful mechanism reaches, by going through all of them.

A system of benefits gives, for each coalition that joins, what each of its members gains: any
numbers up to what it lacks there. It makes joining dominant at exclusivity 1 if for every
coalition S and member i: v_i(S) - max of the others' v_j(S) >= - max of v_j(S minus i). The right
side depends on the largest benefit in S minus i alone, so systems are told apart by these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange import Regions
from aboveboard.exchange.utility import find_best_rivals
from papers.exchange.audits import list_outcomes
from papers.exchange.instances import restrict_to_coalition

Largest = tuple[int, ...]
"""The largest benefit in each coalition settled so far, by bit mask."""


def find_most_welfare(regions: Regions) -> tuple[int, int]:
    """Return the largest total benefit at the full coalition, and how many benefits were tried."""
    n = len(regions.names)
    full = (1 << n) - 1
    masks = sorted(range(1, full), key=lambda mask: (mask.bit_count(), mask))
    tables = {mask: _benefits(regions, mask) for mask in (*masks, full)}
    systems: set[Largest] = {(0,) * (full + 1)}
    tried = 0
    for mask in masks:
        grown: set[Largest] = set()
        for known in systems:
            rows = _stable(tables[mask], mask, known)
            tried += len(tables[mask])
            for largest in np.unique(rows.max(axis=1)).tolist():
                grown.add((*known[:mask], largest, *known[mask + 1 :]))
        systems = grown
    best = 0
    for known in systems:
        tried += len(tables[full])
        best = max(best, int(_stable(tables[full], full, known).sum(axis=1).max()))
    return best, tried


def _benefits(regions: Regions, mask: int) -> NDArray[np.int64]:
    """Return all benefits of a coalition's members, shape (m, members)."""
    some = restrict_to_coalition(regions, mask)
    members = [i for i in range(len(regions.names)) if mask >> i & 1]
    union = int(some.counts[some.owners != 0].sum())
    return list_outcomes([union - int(some.sizes[i]) for i in members])


def _stable(rows: NDArray[np.int64], mask: int, known: Largest) -> NDArray[np.int64]:
    """Keep the benefits at which no member gains by leaving; nothing for anybody is among them."""
    members = [i for i in range(mask.bit_length()) if mask >> i & 1]
    threats = np.array([known[mask ^ 1 << i] for i in members], dtype=np.int64)
    return rows[(rows - find_best_rivals(rows) >= -threats).all(axis=1)]
