"""Benefits of reports with hidden elements, compiled: no list of segments is made for a profile.

Parties hide the first elements of a region. So of a region of c elements, those from a on are
reported, where a is the least that one of its holders hides; a holder that hides h of them is
handed h - a of its own. Sums over regions of such terms are all that the rules and the bounds of
benefits need. Cost: one pass over the holdings of a profile. The plain twin goes through segments
(`kernels.hide`, the rule, `kernels.benefit_bounds`).
"""

from __future__ import annotations

import numpy as np

from aboveboard.exchange.kernels import _find_best_group, _largest_first
from aboveboard.games.numbers import BoolArray, IntArray, MaskArray
from aboveboard.kernels import kernel


def _count_size_steps(
    counts: IntArray,
    fixed: BoolArray,
    real: BoolArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
    sizes: IntArray,
    unions: tuple[int, int],
    everything: bool,
) -> int:
    """Return about how many microseconds `bound_by_sizes` takes in plain Python."""
    return (len(hidden) + 1) * (len(counts) + 2 * len(holders) + 2 * len(sizes) + 5)


@kernel(_count_size_steps)
def bound_by_sizes(
    counts: IntArray,
    fixed: BoolArray,
    real: BoolArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
    sizes: IntArray,
    unions: tuple[int, int],
    everything: bool,
) -> tuple[IntArray, IntArray]:
    """Return the least and most new elements by equal-gain, or by "everything".

    Parameters
    ----------
    counts, fixed, real
        The regions that somebody who may hide holds: their sizes, whether somebody else holds
        them, who hides nothing, and whether their elements are real.
    starts, holders, hidden
        Who may hide holds region r: holders[starts[r]:starts[r + 1]]; in each row how many each of
        them hides, shape (m, holders).
    sizes
        What each party owns of real elements.
    unions
        All real elements, and the invented ones that can be reported.
    everything
        Whether everybody is handed all that it lacks.

    Returns
    -------
    tuple
        Least and most, each of shape (m, parties).
    """
    m, n = len(hidden), len(sizes)
    low = np.zeros((m, n), dtype=np.int64)
    high = np.zeros((m, n), dtype=np.int64)
    reported = np.zeros(n, dtype=np.int64)
    returned = np.zeros(n, dtype=np.int64)
    shown = np.zeros(n, dtype=np.int64)
    invented = np.zeros(n, dtype=np.int64)
    for row in range(m):
        reported[:], shown[:], returned[:], invented[:] = sizes, sizes, 0, 0
        union, made_up = np.int64(unions[0]), np.int64(0)
        for r in range(len(counts)):
            first, last = starts[r], starts[r + 1]
            if not real[r]:
                k = holders[first]
                invented[k] = counts[r] - hidden[row, first]
                reported[k] += invented[k]
                made_up += invented[k]
                continue
            least = np.int64(0)
            if not fixed[r]:
                least = counts[r]
                for k in range(first, last):
                    least = min(least, hidden[row, k])
                union -= least
            for k in range(first, last):
                i, away = holders[k], hidden[row, k]
                reported[i] -= away
                returned[i] += away - least
                shown[i] -= least
        largest = np.int64(0)
        for i in range(n):
            largest = max(largest, reported[i])
        for i in range(n):
            if reported[i] > 0:
                amount = union + made_up - (reported[i] if everything else largest)
                high[row, i] = min(amount, union - shown[i])
                own = returned[i] + made_up - invented[i]
                low[row, i] = max(np.int64(0), amount - own)
    return low, high


@kernel()
def _reach_hidden(
    counts: IntArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
    row: int,
    order: IntArray,
    rank: IntArray,
    reach: IntArray,
    ranks: IntArray,
    away: IntArray,
) -> np.int64:
    """Return how many elements are reported at all; each region's holders hide the same ones first.

    reach[t] becomes the number of elements whose smallest reporter stands at place t when the
    largest is first; `ranks` and `away` have room for the holders of a region.
    """
    for place in range(len(order)):
        rank[order[place]] = place
    reach[:] = 0
    union = np.int64(0)
    for r in range(len(counts)):
        held = 0
        for k in range(starts[r], starts[r + 1]):
            place, at = rank[holders[k]], held
            while at > 0 and ranks[at - 1] < place:
                ranks[at], away[at] = ranks[at - 1], away[at - 1]
                at -= 1
            ranks[at], away[at] = place, hidden[row, k]
            held += 1
        least = counts[r]
        for k in range(held):
            if away[k] < least:
                reach[ranks[k]] += least - away[k]
                least = away[k]
        union += counts[r] - least
    return union


@kernel()
def _sort_elements(
    counts: IntArray,
    real: BoolArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
    row: int,
    rank: IntArray,
    begin: int,
    shown: IntArray,
    returned: IntArray,
    pool: IntArray,
) -> None:
    """Count the reported elements of the best group, and the others that are reported: two tiers.

    The group begins at place `begin`. By tier: `pool` has the real elements, `shown` those of them
    that a party shows itself, `returned` what it may be handed without a gain: what it hides
    itself, and others' elements that are not real.
    """
    shown[:], returned[:], pool[:] = 0, 0, 0
    for r in range(len(counts)):
        least, early = counts[r], counts[r]
        for k in range(starts[r], starts[r + 1]):
            least = min(least, hidden[row, k])
            if rank[holders[k]] >= begin:
                early = min(early, hidden[row, k])
        if not real[r]:  # nobody gains by being handed one
            k = holders[starts[r]]
            tier = 0 if rank[k] >= begin else 1
            for i in range(len(rank)):
                if i != k:
                    returned[i, tier] += counts[r] - least
            continue
        pool[0] += counts[r] - early
        pool[1] += early - least
        for k in range(starts[r], starts[r + 1]):
            i, out = holders[k], hidden[row, k]
            shown[i, 0] += counts[r] - early
            shown[i, 1] += early - least
            returned[i, 0] += max(np.int64(0), out - early)
            returned[i, 1] += min(out, early) - least


@kernel(
    lambda counts, real, starts, holders, hidden, n, inside: (
        2 * (len(hidden) + 1) * (len(counts) + 2 * len(holders) + 2) * (n + 1)
    )
)
def bound_by_groups(
    counts: IntArray,
    real: BoolArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
    n: int,
    inside: bool,
) -> tuple[IntArray, IntArray]:
    """Return the least and most new elements by best-group, `inside` or not.

    Parameters
    ----------
    counts, real
        All regions: their sizes, and whether their elements are real.
    starts, holders, hidden
        Region r is held by holders[starts[r]:starts[r + 1]], who hide so many, shape (m, holders).
    n
        How many parties there are.
    inside
        Whether the elements of the best group are handed out first.
    """
    m = len(hidden)
    low = np.zeros((m, n), dtype=np.int64)
    high = np.zeros((m, n), dtype=np.int64)
    sizes = np.zeros(n, dtype=np.int64)
    order = np.zeros(n, dtype=np.int64)
    rank = np.zeros(n, dtype=np.int64)
    reach = np.zeros(n, dtype=np.int64)
    ranks = np.zeros(n, dtype=np.int64)
    away = np.zeros(n, dtype=np.int64)
    shown = np.zeros((n, 2), dtype=np.int64)
    returned = np.zeros((n, 2), dtype=np.int64)
    pool = np.zeros(2, dtype=np.int64)
    for row in range(m):
        sizes[:] = 0
        for r in range(len(counts)):
            for k in range(starts[r], starts[r + 1]):
                sizes[holders[k]] += counts[r] - hidden[row, k]
        _largest_first(sizes, order)
        union = _reach_hidden(counts, starts, holders, hidden, row, order, rank, reach, ranks, away)
        value, begin = _find_best_group(sizes, order, reach)
        if not inside:
            begin = 0
        _sort_elements(
            counts, real, starts, holders, hidden, row, rank, begin, shown, returned, pool
        )
        for i in range(n):
            if sizes[i] == 0:
                continue
            wanted = min(value, union - sizes[i])
            for tier in range(2):
                fresh = pool[tier] - shown[i, tier]
                taken = min(wanted, fresh + returned[i, tier])
                high[row, i] += min(taken, fresh)
                low[row, i] += max(np.int64(0), taken - returned[i, tier])
                wanted -= taken
    return low, high


@kernel(lambda owners, counts, starts, holders, hidden: 20 + 4 * len(owners) + 12 * len(holders))
def split_two(
    owners: MaskArray,
    counts: IntArray,
    starts: IntArray,
    holders: IntArray,
    hidden: IntArray,
) -> tuple[MaskArray, MaskArray, IntArray]:
    """Split regions by who reports their elements in two profiles.

    As `kernels.hide`, with hidden of shape (2, holdings). Returns owners, shape (segments,),
    reporters in either profile, shape (2, segments), and sizes.
    """
    most = len(owners) + 2 * len(holders)
    owned_by = np.empty(most, dtype=np.uint64)
    reported = np.empty((2, most), dtype=np.uint64)
    size = np.empty(most, dtype=np.int64)
    at = 0
    for r in range(len(owners)):
        cut = np.int64(0)
        while cut < counts[r]:
            following = counts[r]
            for p in range(2):
                reported[p, at] = 0
                for k in range(starts[r], starts[r + 1]):
                    if hidden[p, k] <= cut:
                        reported[p, at] |= np.uint64(1) << np.uint64(holders[k])
                    else:
                        following = min(following, hidden[p, k])
            owned_by[at], size[at] = owners[r], following - cut
            at += 1
            cut = following
    return owned_by[:at], reported[:, :at], size[:at]


@kernel(lambda orders, kinds, counts, amounts: 10 + (orders.size + len(counts)) * len(amounts))
def draw_blocks(
    orders: IntArray, kinds: BoolArray, counts: IntArray, amounts: IntArray
) -> IntArray:
    """Return what replies bring that take elements kind by kind, shape (orders, replies).

    Parameters
    ----------
    orders
        Of the kinds, shape (orders, kinds).
    kinds
        Shape (kinds, replies, 2): whether the reply draws on the kind, and whether it is new.
    counts, amounts
        How many elements each kind has, and how many each reply takes.
    """
    benefits = np.zeros((len(orders), len(amounts)), dtype=np.int64)
    use = np.zeros(len(counts), dtype=np.uint8)
    for r in range(len(amounts)):
        for k in range(len(counts)):
            use[k] = 2 if kinds[k, r, 1] else 1 if kinds[k, r, 0] else 0
        for o in range(len(orders)):
            left = amounts[r]
            for k in orders[o]:
                if use[k]:
                    taken = min(left, counts[k])
                    if use[k] == 2:
                        benefits[o, r] += taken
                    left -= taken
                    if left == 0:
                        break
    return benefits
