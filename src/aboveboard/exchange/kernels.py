"""The rules of exchange, compiled, each for many instances at once.

An instance is a list of segments: a bit mask of the parties that report its elements, and how many
elements. Segments of size zero or without a reporter are passed over. A party that reports nothing
is absent and is given nothing. The plain twins are in tests/oracles/exchange.py.
"""

from __future__ import annotations

import numpy as np

from aboveboard.games.numbers import IntArray, MaskArray
from aboveboard.kernels import kernel

# De Bruijn's sequence: multiplied by one bit, its highest six bits identify that bit.
_SEQUENCE = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.zeros(64, dtype=np.int64)
for _place in range(64):
    _PLACES[((0x03F79D71B4CB0A89 << _place) & (2**64 - 1)) >> 58] = _place


def _count_rule_steps(reported: MaskArray, counts: IntArray, n: int) -> int:
    """Return about how many microseconds a rule takes in plain Python."""
    return int(20 + 3 * len(reported) * (reported.shape[1] + 2) * (n + 1))


@kernel()
def _lowest(mask: np.uint64) -> np.int64:
    """Return the position of the lowest bit that is set, in a few steps."""
    place: np.int64 = _PLACES[((mask & (~mask + np.uint64(1))) * _SEQUENCE) >> np.uint64(58)]
    return place


@kernel()
def _sizes(reported: MaskArray, counts: IntArray, sizes: IntArray) -> int:
    """Write each party's size into `sizes` and return the size of the union."""
    sizes[:] = 0
    union = 0
    for s in range(len(reported)):
        if counts[s] > 0 and reported[s] != 0:
            union += counts[s]
            left = reported[s]
            while left != 0:
                sizes[_lowest(left)] += counts[s]
                left &= left - np.uint64(1)
    return union


@kernel()
def _largest_first(sizes: IntArray, order: IntArray) -> None:
    """Write the parties into `order`, the largest first, by insertion.

    There are few, and `np.argsort` would cost the first call more to compile than all the rest.
    """
    for i in range(len(sizes)):
        at = i
        while at > 0 and sizes[order[at - 1]] < sizes[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i


@kernel()
def _reach(
    reported: MaskArray,
    counts: IntArray,
    row: int,
    order: IntArray,
    rank: IntArray,
    reach: IntArray,
) -> None:
    """Write into reach[t] how many elements of an instance have their smallest owner at place t.

    The instance is passed as a row: a view of it would take a seventh of the whole time. `rank`
    becomes each party's place.
    """
    for place in range(len(order)):
        rank[order[place]] = place
    reach[:] = 0
    for s in range(reported.shape[1]):
        left = reported[row, s]
        if counts[row, s] > 0 and left != 0:
            last = 0
            while left != 0:
                last = max(last, rank[_lowest(left)])
                left &= left - np.uint64(1)
            reach[last] += counts[row, s]


@kernel()
def _find_best_group(sizes: IntArray, order: IntArray, reach: IntArray) -> tuple[np.int64, int]:
    """Return what the best group has that its largest party lacks, and the place of that party.

    Of two groups that are as good the larger one is taken.
    """
    n = len(order)
    best, suffix, begin = np.int64(0), reach[n - 1], n
    for t in range(n - 2, -1, -1):
        suffix += reach[t]
        lacking = suffix - sizes[order[t]]
        if lacking >= best:
            best, begin = lacking, t
    return best, begin


@kernel(_count_rule_steps)
def best_group(reported: MaskArray, counts: IntArray, n: int) -> IntArray:
    """Return amounts by the best-group rule; both inputs (m, segments), the result (m, parties)."""
    m = len(reported)
    amounts = np.zeros((m, n), dtype=np.int64)
    sizes = np.zeros(n, dtype=np.int64)
    order = np.zeros(n, dtype=np.int64)
    rank = np.zeros(n, dtype=np.int64)
    reach = np.zeros(n, dtype=np.int64)
    for row in range(m):
        union = _sizes(reported[row], counts[row], sizes)
        _largest_first(sizes, order)
        _reach(reported, counts, row, order, rank, reach)
        ceiling, _ = _find_best_group(sizes, order, reach)
        for i in range(n):
            if sizes[i] > 0:
                amounts[row, i] = min(ceiling, union - sizes[i])
    return amounts


@kernel(_count_rule_steps)
def equal_gain(reported: MaskArray, counts: IntArray, n: int) -> IntArray:
    """Return amounts by plain equal gain: what the largest party lacks, for everybody present."""
    m = len(reported)
    amounts = np.zeros((m, n), dtype=np.int64)
    sizes = np.zeros(n, dtype=np.int64)
    for row in range(m):
        union = _sizes(reported[row], counts[row], sizes)
        ceiling = union - sizes.max()
        for i in range(n):
            if sizes[i] > 0:
                amounts[row, i] = ceiling
    return amounts


@kernel(_count_rule_steps)
def everything(reported: MaskArray, counts: IntArray, n: int) -> IntArray:
    """Return all that each party lacks, for everybody present."""
    m = len(reported)
    amounts = np.zeros((m, n), dtype=np.int64)
    sizes = np.zeros(n, dtype=np.int64)
    for row in range(m):
        union = _sizes(reported[row], counts[row], sizes)
        for i in range(n):
            if sizes[i] > 0:
                amounts[row, i] = union - sizes[i]
    return amounts


@kernel(lambda unions, sizes: len(unions) * len(sizes))
def ceilings(unions: IntArray, sizes: IntArray) -> IntArray:
    """Return Mechanism 2's V for every coalition, from |union| of every coalition: O(n 2^n)."""
    n = len(sizes)
    value = np.zeros(len(unions), dtype=np.int64)
    for coalition in range(1, len(unions)):
        least, most = np.int64(2**62), np.int64(0)
        for k in range(n):
            if coalition >> k & 1:
                lack = unions[coalition] - sizes[k]
                least = min(least, lack + value[coalition ^ (1 << k)])
                most = max(most, lack)
        value[coalition] = min(least, most)
    return value


@kernel(lambda reported, counts, n: len(reported) + (n << n))
def coalition_unions(reported: MaskArray, counts: IntArray, n: int) -> IntArray:
    """Return the size of every coalition's union, shape (2^n,), from one instance's segments."""
    inside = np.zeros(1 << n, dtype=np.int64)
    for s in range(len(reported)):
        if reported[s] != 0:
            inside[np.int64(reported[s])] += counts[s]
    for k in range(n):
        for coalition in range(1 << n):
            if coalition >> k & 1:
                inside[coalition] += inside[coalition ^ (1 << k)]
    full = (1 << n) - 1
    unions = np.empty(1 << n, dtype=np.int64)
    for coalition in range(1 << n):
        unions[coalition] = inside[full] - inside[full ^ coalition]
    return unions


@kernel(
    lambda reported, counts, n: (
        _count_rule_steps(reported, counts, n) + len(reported) * (2 * n << n)
    )
)
def all_or_nothing(reported: MaskArray, counts: IntArray, n: int) -> IntArray:
    """Return amounts by Mechanism 2 among the parties that are present."""
    m = len(reported)
    amounts = np.zeros((m, n), dtype=np.int64)
    sizes = np.zeros(n, dtype=np.int64)
    for row in range(m):
        union = _sizes(reported[row], counts[row], sizes)
        value = ceilings(coalition_unions(reported[row], counts[row], n), sizes)
        present = 0
        for i in range(n):
            if sizes[i] > 0:
                present |= 1 << i
        for i in range(n):
            if sizes[i] > 0:
                amounts[row, i] = min(value[present], union - sizes[i])
    return amounts


@kernel(lambda unions, sizes, order: len(unions) * len(sizes))
def best_group_ceilings(unions: IntArray, sizes: IntArray, order: IntArray) -> IntArray:
    """Return the best-group rule's V for every coalition, from `order`, largest first."""
    value = np.zeros(len(unions), dtype=np.int64)
    for coalition in range(len(unions)):
        suffix, members = 0, 0
        for t in range(len(order) - 1, -1, -1):
            k = order[t]
            if coalition >> k & 1:
                suffix |= 1 << k
                members += 1
                if members > 1:
                    value[coalition] = max(value[coalition], unions[suffix] - sizes[k])
    return value


@kernel(lambda unions, sizes: len(unions) * len(sizes))
def equal_gain_ceilings(unions: IntArray, sizes: IntArray) -> IntArray:
    """Return plain equal gain's V for every coalition."""
    value = np.zeros(len(unions), dtype=np.int64)
    for coalition in range(1, len(unions)):
        largest = 0
        for k in range(len(sizes)):
            if coalition >> k & 1:
                largest = max(largest, sizes[k])
        value[coalition] = unions[coalition] - largest
    return value


@kernel(
    lambda owners, counts, starts, holders, hidden: (
        10 + 2 * len(hidden) * (len(owners) + len(holders) + 1)
    )
)
def hide(
    owners: MaskArray,
    counts: IntArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
) -> tuple[MaskArray, MaskArray, IntArray]:
    """Split regions into segments by who reports them once parties hide elements.

    Parameters
    ----------
    owners, counts
        The regions, shape (regions,).
    starts, holders
        The parties that own region r are holders[starts[r]:starts[r + 1]]; shapes (regions + 1,)
        and (holdings,).
    hidden
        Shape (m, holdings): how many elements of the region each holder hides. Parties hide the
        first elements of a region, so that two of them hide the same ones first.

    Returns
    -------
    tuple
        Owners, reporters and sizes of the segments, each of shape (m, regions + holdings): no
        region has more cuts than holders. Segments that are not needed have size 0.
    """
    m, width = len(hidden), len(owners) + len(holders)
    owned_by = np.empty((m, width), dtype=np.uint64)
    reported = np.empty((m, width), dtype=np.uint64)
    size = np.empty((m, width), dtype=np.int64)
    for row in range(m):
        at = 0
        for r in range(len(owners)):
            cut = np.int64(0)
            while cut < counts[r]:
                reporters, following = np.uint64(0), counts[r]
                for k in range(starts[r], starts[r + 1]):
                    if hidden[row, k] <= cut:
                        reporters |= np.uint64(1) << np.uint64(holders[k])
                    else:
                        following = min(following, hidden[row, k])
                owned_by[row, at], reported[row, at], size[row, at] = (
                    owners[r],
                    reporters,
                    following - cut,
                )
                at += 1
                cut = following
        owned_by[row, at:], reported[row, at:], size[row, at:] = 0, 0, 0
    return owned_by, reported, size


@kernel(
    lambda owners, reported, counts, amounts: (
        (owners.size + amounts.size + 10) * (amounts.shape[1] + 1)
    )
)
def benefit_bounds(
    owners: MaskArray, reported: MaskArray, counts: IntArray, amounts: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the least and most new elements that amounts can bring, against what parties own.

    What a party is handed of its own, because it hid it, counts nothing. Shapes as in `hide`;
    the results (m, parties).
    """
    m, n = amounts.shape
    low = np.zeros((m, n), dtype=np.int64)
    high = np.zeros((m, n), dtype=np.int64)
    owned = np.zeros(n, dtype=np.int64)
    returned = np.zeros(n, dtype=np.int64)
    for row in range(m):
        union = np.int64(0)
        owned[:], returned[:] = 0, 0
        for s in range(owners.shape[1]):
            size, reporters = counts[row, s], reported[row, s]
            if size > 0 and reporters != 0:
                union += size
                left = owners[row, s]
                while left != 0:
                    owner = _lowest(left)
                    left &= left - np.uint64(1)
                    owned[owner] += size
                    if not (reporters >> np.uint64(owner)) & np.uint64(1):
                        returned[owner] += size
        for i in range(n):
            high[row, i] = min(amounts[row, i], union - owned[i])
            low[row, i] = max(np.int64(0), amounts[row, i] - returned[i])
    return low, high
