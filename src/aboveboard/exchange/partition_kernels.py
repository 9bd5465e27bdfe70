"""Compiled loops over the rows of one partition: owners, conflicting rows, the row that stands.

Rows are those of all parties, laid end to end in the order of the parties' sorted names; `order`
sorts them by element, `starts` says where in it an element begins. The plain twins are in the tests
and, for small lists, in `ownership` and `conflicts`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aboveboard.kernels import kernel

TIED, NOBODY = -2, -1
"""Stand for a row where several are equally frequent, or where no owner sends rows."""


@kernel()
def find_owners(order: Any, starts: Any, owners: Any) -> Any:
    """Return the mask of owners of each element, uint64.

    Parameters
    ----------
    order, starts
        As above.
    owners
        uint8, the party of each row.
    """
    masks = np.zeros(starts.size - 1, np.uint64)
    for group in range(masks.size):
        for at in range(starts[group], starts[group + 1]):
            masks[group] |= np.uint64(1) << np.uint64(owners[order[at]])
    return masks


@kernel()
def mark_different(
    order: Any, starts: Any, owners: Any, has: Any, codes: Any, differs: Any
) -> None:
    """Mark the elements of which two owners differ in one column that both have.

    Parameters
    ----------
    order, starts, owners
        As above.
    has
        Whether a party has the column.
    codes
        uint64 by row: equal for equal values.
    differs
        Boolean by element, written to.
    """
    for group in range(starts.size - 1):
        first = -1
        for at in range(starts[group], starts[group + 1]):
            row = order[at]
            if has[owners[row]]:
                if first < 0:
                    first = row
                elif codes[row] != codes[first]:
                    differs[group] = True
                    break


@kernel()
def vote(order: Any, starts: Any, owners: Any, sends: Any, codes: Any) -> Any:
    """Choose the row that most owners have.

    Parameters
    ----------
    order, starts, owners
        As above.
    sends
        Whether a party sends rows.
    codes
        uint64 by row: equal for rows of equal content.

    Returns
    -------
    chosen
        By element: a row, TIED or NOBODY.
    tied
        One row for each of several contents that are as frequent, element by element.
    groups
        The element of each of these.
    """
    chosen = np.full(starts.size - 1, NOBODY, np.int64)
    tied = np.empty(order.size, np.int64)
    groups = np.empty(order.size, np.int64)
    count = 0
    rows = np.empty(64, np.int64)
    votes = np.empty(64, np.int64)
    for group in range(starts.size - 1):
        kinds, most = 0, 0
        for at in range(starts[group], starts[group + 1]):
            row = order[at]
            if not sends[owners[row]]:
                continue
            kind = 0
            while kind < kinds and codes[rows[kind]] != codes[row]:
                kind += 1
            if kind == kinds:
                rows[kind], votes[kind] = row, 0
                kinds += 1
            votes[kind] += 1
            most = max(most, votes[kind])
        leading = 0
        for kind in range(kinds):
            if votes[kind] == most:
                chosen[group] = rows[kind]
                leading += 1
        if leading > 1:
            chosen[group] = TIED
            for kind in range(kinds):
                if votes[kind] == most:
                    tied[count], groups[count] = rows[kind], group
                    count += 1
    return chosen, tied[:count].copy(), groups[:count].copy()


@kernel()
def choose_smallest(chosen: Any, tied: Any, groups: Any, ranks: Any) -> Any:
    """Choose for each tied element the row of the smallest rank.

    Returns
    -------
    Positions in `tied` of rows whose rank is as small as that of the row chosen: hardly ever any.
    """
    equal = np.empty(tied.size, np.int64)
    count = 0
    best = -1
    for at in range(tied.size):
        group = groups[at]
        if best < 0 or groups[best] != group or ranks[at] < ranks[best]:
            best = at
            chosen[group] = tied[at]
        elif ranks[at] == ranks[best]:
            equal[count] = at
            count += 1
    return equal[:count].copy()


@kernel()
def count_lacked(masks: Any, order: Any, parties: int, shift: int) -> Any:
    """Return by party how many elements it lacks of each bucket of the hand-out order, int64.

    Parameters
    ----------
    masks
        The owners of each element.
    order
        uint64: the place of each in the hand-out order.
    parties
        How many there are.
    shift
        Bits of the place that fall away in the number of a bucket.
    """
    counts = np.zeros((1 << (64 - shift), parties), np.int64)
    for element in range(masks.size):
        # Without a branch, which nothing foretells: all parties at once.
        of_bucket, mask = counts[order[element] >> np.uint64(shift)], ~masks[element]
        for party in range(parties):
            of_bucket[party] += np.int64((mask >> np.uint64(party)) & np.uint64(1))
    return counts.T.copy()
