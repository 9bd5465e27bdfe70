"""The best group, and hand-outs that begin with its elements, compiled.

Shapes and conventions are those of `kernels`. The plain twins are in the tests.
"""

from __future__ import annotations

import numpy as np

from aboveboard.exchange.kernels import (
    _count_rule_steps,
    _find_best_group,
    _largest_first,
    _reach,
    _sizes,
)
from aboveboard.games.numbers import IntArray, MaskArray
from aboveboard.kernels import kernel


@kernel(_count_rule_steps)
def best_group_members(reported: MaskArray, counts: IntArray, n: int) -> MaskArray:
    """Return the mask of the best group of each instance, shape (m,): the largest one that is best.

    A best group is a party with all that are no larger, so the largest is the longest such suffix;
    it holds all parties of one size or none of them.
    """
    m = len(reported)
    members = np.zeros(m, dtype=np.uint64)
    sizes = np.zeros(n, dtype=np.int64)
    order = np.zeros(n, dtype=np.int64)
    rank = np.zeros(n, dtype=np.int64)
    reach = np.zeros(n, dtype=np.int64)
    for row in range(m):
        _sizes(reported[row], counts[row], sizes)
        _largest_first(sizes, order)
        _reach(reported, counts, row, order, rank, reach)
        _, begin = _find_best_group(sizes, order, reach)
        for t in range(begin, n):
            members[row] |= np.uint64(1) << np.uint64(order[t])
    return members


@kernel(
    lambda owners, reported, counts, amounts, first: (
        (owners.size + amounts.size + 10) * (amounts.shape[1] + 1)
    )
)
def benefit_bounds_in_tiers(
    owners: MaskArray,
    reported: MaskArray,
    counts: IntArray,
    amounts: IntArray,
    first: MaskArray,
) -> tuple[IntArray, IntArray]:
    """Return the least and most new elements where those of some parties are handed out first.

    As `kernels.benefit_bounds`, with a mask of the parties whose elements go first for each row.
    """
    m, n = amounts.shape
    low = np.zeros((m, n), dtype=np.int64)
    high = np.zeros((m, n), dtype=np.int64)
    fresh = np.zeros((n, 2), dtype=np.int64)
    returned = np.zeros((n, 2), dtype=np.int64)
    for row in range(m):
        fresh[:], returned[:] = 0, 0
        for s in range(owners.shape[1]):
            size, reporters = counts[row, s], reported[row, s]
            if size == 0 or reporters == 0:
                continue
            tier = 0 if reporters & first[row] else 1
            for i in range(n):
                bit = np.uint64(1) << np.uint64(i)
                if reporters & bit:
                    continue
                if owners[row, s] & bit:
                    returned[i, tier] += size
                else:
                    fresh[i, tier] += size
        for i in range(n):
            wanted = amounts[row, i]
            for tier in range(2):
                taken = min(wanted, fresh[i, tier] + returned[i, tier])
                high[row, i] += min(taken, fresh[i, tier])
                low[row, i] += max(np.int64(0), taken - returned[i, tier])
                wanted -= taken
    return low, high
