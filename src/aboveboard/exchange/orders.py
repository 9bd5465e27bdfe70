"""What one order of handing out can bring: benefits of two profiles under the same order.

The center hands every party the first elements that it lacks in one order of all elements, the same
for everybody and whatever is reported. So a lie and the truth are compared under one order: a gain
counts only if some order gives it. Which benefits are possible together is found by going through
all orders, element by element; elements that are alike for everybody are only counted.

Cost: the number of ways to have drawn so many of each kind of element, times the benefits reached
there; `MOST_STATES` at most. Beyond, orders that put one kind after the other are tried: a gain
that they give is real, but others may give more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aboveboard.exchange.utility import compute_payoff_rows, find_best_rivals
from aboveboard.games.numbers import Array, sum_along

if TYPE_CHECKING:
    from aboveboard.exchange.hiding import HidingGame
    from aboveboard.games.actions import Codes

MOST_STATES = 3_000
"""Numbers of drawn elements of each kind, for one pair of profiles."""

MOST_ORDERS = 120
"""Orders of the kinds that are tried before all orders are, or where those are too many."""

FEWEST_ORDERS = 8
"""Orders that are tried however many kinds there are."""
MOST_PLACES = 1 << 16
"""Places of all orders together: with very many kinds fewer orders are tried."""

MOST_REMEMBERED = 64
"""Kinds up to which what was found is remembered for the next row."""


@dataclass(frozen=True)
class Segment:
    """Elements that are alike: masks of who owns them and who reports them in either profile.

    Parameters
    ----------
    owners
        Mask of the parties that own them.
    reporters
        Masks of the parties that report them, in the first profile and in the second.
    count
        How many elements there are.
    """

    owners: int
    reporters: tuple[int, int]
    count: int


@dataclass(frozen=True)
class _Reply:
    """What is left open of one party's reply in one profile.

    `kinds` says of each segment whether the reply draws on it, and whether that is new to the
    party; `amount` how many elements are handed out.
    """

    party: int
    profile: int
    kinds: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    amount: int


@dataclass(frozen=True)
class Benefits:
    """The benefits of all parties in both profiles that are possible together.

    Parameters
    ----------
    before, after
        By order: benefits in the first profile and in the second, shape (orders, parties).
    complete
        Whether all orders were gone through.
    few
        Whether there are few enough to go through all.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    complete: bool
    few: bool

    @property
    def pairs(self) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The different ones, in the first profile and in the second."""
        both = zip(self.before.tolist(), self.after.tolist(), strict=True)
        return {(tuple(before), tuple(after)) for before, after in both}


@dataclass(frozen=True)
class SegmentArrays:
    """Segments as arrays.

    Parameters
    ----------
    owners, counts
        Masks of owners, and sizes, shape (segments,).
    reporters
        Masks of reporters in either profile, shape (2, segments).
    """

    owners: NDArray[np.uint64]
    reporters: NDArray[np.uint64]
    counts: NDArray[np.int64]

    @classmethod
    def from_segments(cls, segments: Sequence[Segment]) -> SegmentArrays:
        """Return the arrays of a list."""
        return cls(
            np.array([s.owners for s in segments], dtype=np.uint64),
            np.array([s.reporters for s in segments], dtype=np.uint64).reshape(-1, 2).T,
            np.array([s.count for s in segments], dtype=np.int64),
        )


def list_benefits(
    elements: SegmentArrays,
    amounts: tuple[Sequence[int], Sequence[int]],
    first: tuple[int | None, int | None] = (None, None),
    *,
    quickly: bool = False,
) -> Benefits:
    """Return which benefits are possible together under one order.

    Parameters
    ----------
    elements
        All of them.
    amounts
        How many elements each party is handed, in either profile.
    first
        In either profile: mask of the parties whose elements go before all others; None: none do.
    quickly
        Try only orders that put all elements of one kind after those of another.

    Examples
    --------
    Party 0 owns x, hides it, and is handed one of x and y, which party 1 reports:

    >>> both = [Segment(0b11, (0b10, 0b10), 1), Segment(0b10, (0b10, 0b10), 1)]
    >>> found = list_benefits(SegmentArrays.from_segments(both), ((1, 0), (2, 0)))
    >>> sorted(found.pairs)
    [((0, 0), (1, 0)), ((1, 0), (1, 0))]
    """
    n = len(amounts[0])
    fixed = np.zeros((2, n), dtype=np.int64)
    open_replies = []
    for profile in (0, 1):
        drawn, fresh = _find_pools(elements, profile, first[profile], n)
        new, pool = fresh @ elements.counts, drawn @ elements.counts
        for party, amount in enumerate(amounts[profile]):
            left = int(amount)
            for tier in range(len(drawn)):
                size, real = int(pool[tier, party]), int(new[tier, party])
                if real < size and real and 0 < left < size:
                    own = drawn[tier, party], fresh[tier, party]
                    open_replies.append(_Reply(party, profile, own, left))
                else:
                    fixed[profile, party] += min(left, real)
                left = max(0, left - size)
    kinds, counts = _merge_kinds(elements, open_replies)
    wanted = tuple(reply.amount for reply in open_replies)
    found = _draw(kinds, counts, wanted, quickly=quickly)
    both = np.repeat(fixed[None], len(found.rows), axis=0)
    for r, reply in enumerate(open_replies):
        both[:, reply.profile, reply.party] += found.rows[:, r]
    return Benefits(both[:, 0], both[:, 1], found.complete, _are_few(counts))


def _find_pools(
    elements: SegmentArrays, profile: int, first: int | None, n: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what each reply draws on, and what of that is new; shape (tiers, n, segments)."""
    bits = np.uint64(1) << np.arange(n, dtype=np.uint64)[:, None]
    reporters = elements.reporters[profile]
    drawn = (reporters != 0) & (reporters & bits == 0)
    if first is None:
        drawn = drawn[None]
    else:
        early = reporters & np.uint64(first) != 0
        drawn = np.stack([drawn & early, drawn & ~early])
    return drawn, drawn & (elements.owners & bits == 0)


class OrderJudge:
    """The largest gain of single rows over all orders of handing out."""

    def __init__(self, game: HidingGame, members: tuple[int, ...], *, transfers: bool) -> None:
        self.game, self.members, self.transfers = game, list(members), transfers

    def judge(self, honest: Sequence[Codes], lying: Sequence[Codes], most: int) -> tuple[int, bool]:
        """Return the largest gain of a row in units, and whether no order can give more.

        `most` is what the bounds of the two profiles allow.
        """
        elements = self._split(honest, lying)
        n, rule = len(self.game.players), self.game.rule
        counts = np.ascontiguousarray(np.broadcast_to(elements.counts, elements.reporters.shape))
        handed = rule.apply(elements.reporters, counts, n).tolist()
        masks = rule.find_first(elements.reporters, counts, n)
        first = (None, None) if masks is None else (int(masks[0]), int(masks[1]))
        gain = None
        for quickly in (True, False):
            found = list_benefits(elements, (handed[0], handed[1]), first, quickly=quickly)
            gain = self._find_largest_gain(found)
            if found.complete or gain >= most:
                return gain, True
            if not found.few:
                return gain, False
        assert gain is not None
        return gain, False

    def _split(self, honest: Sequence[Codes], lying: Sequence[Codes]) -> SegmentArrays:
        """Split the elements by who owns them and who reports them in either profile."""
        from aboveboard.exchange import hiding_kernels

        pool, (starts, holders, _) = self.game.pool, self.game.holdings
        hidden = self.game.spread([np.stack(pair) for pair in zip(honest, lying, strict=True)])
        owners, reporters, counts = hiding_kernels.split_two(
            pool.owners, pool.counts, starts, holders, hidden
        )
        return SegmentArrays(owners, np.ascontiguousarray(reporters), counts)

    def _find_largest_gain(self, found: Benefits) -> int:
        """Return the most that one of the orders gives: all members together, or each of them."""
        gains = self._value(found.after) - self._value(found.before)
        joint = sum_along(gains, axis=1) if self.transfers else gains.min(axis=1)
        return int(joint.max())

    def _value(self, benefits: NDArray[np.int64]) -> Array:
        """Return the members' utilities in units, shape (orders, members)."""
        rivals = find_best_rivals(benefits)
        members: Array = compute_payoff_rows(benefits, rivals, self.game.exclusivity)
        return members[:, self.members]


ElementKinds = tuple[tuple[tuple[bool, bool], ...], ...]
"""For each kind of element: for each open reply whether it draws on it, and whether it is new."""


def _merge_kinds(
    elements: SegmentArrays, replies: Sequence[_Reply]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Count together what is alike for all open replies; leave out what none draws on.

    Returns shape (kinds, replies, 2), in the order of tuples, and the counts.
    """
    if not replies:
        return np.zeros((0, 0, 2), dtype=np.bool_), np.zeros(0, dtype=np.int64)
    rows = np.array([row for reply in replies for row in reply.kinds])
    used = rows[::2].any(axis=0)
    packed = np.packbits(rows[:, used], axis=0).T
    kinds, where = np.unique(packed, axis=0, return_inverse=True)
    counts = np.zeros(len(kinds), dtype=np.int64)
    np.add.at(counts, where.reshape(-1), elements.counts[used])
    bits = np.unpackbits(kinds, axis=1, count=len(rows)).astype(np.bool_)
    return bits.reshape(len(kinds), len(replies), 2), counts


def _are_few(counts: NDArray[np.int64]) -> bool:
    """Return whether so many of each kind have few enough ways to be drawn."""
    return len(counts) < MOST_STATES.bit_length() and prod((counts + 1).tolist()) <= MOST_STATES


@dataclass(frozen=True)
class _PossibleBenefits:
    """By order what each open reply brings, shape (orders, replies)."""

    rows: NDArray[np.int64]
    complete: bool


def _draw(
    kinds: NDArray[np.bool_],
    counts: NDArray[np.int64],
    amounts: tuple[int, ...],
    *,
    quickly: bool,
) -> _PossibleBenefits:
    """Return benefits that are possible together; those of few kinds are remembered."""
    if len(kinds) > MOST_REMEMBERED:
        return _PossibleBenefits(_try_block_orders(kinds, counts, amounts), False)
    few: ElementKinds = tuple(tuple((a, b) for a, b in kind) for kind in kinds.tolist())
    return (_draw_blocks if quickly else _draw_all)(few, tuple(counts.tolist()), amounts)


@lru_cache(maxsize=1 << 16)
def _draw_all(
    kinds: ElementKinds, counts: tuple[int, ...], amounts: tuple[int, ...]
) -> _PossibleBenefits:
    """Return the benefits of the open replies that are possible together."""
    if amounts and prod(count + 1 for count in counts) <= MOST_STATES:
        found = _go_through_orders(kinds, counts, amounts)
        if found is not None:
            return _PossibleBenefits(np.array(sorted(found), dtype=np.int64), True)
    return _draw_blocks(kinds, counts, amounts)


@lru_cache(maxsize=1 << 16)
def _draw_blocks(
    kinds: ElementKinds, counts: tuple[int, ...], amounts: tuple[int, ...]
) -> _PossibleBenefits:
    """Return benefits that are possible together where kinds come one after the other."""
    if not amounts:
        return _PossibleBenefits(np.zeros((1, 0), dtype=np.int64), True)
    table = np.array(kinds, dtype=np.bool_).reshape(len(kinds), len(amounts), 2)
    found = _try_block_orders(table, np.array(counts, dtype=np.int64), amounts)
    return _PossibleBenefits(found, False)


def _go_through_orders(
    kinds: ElementKinds, counts: tuple[int, ...], amounts: tuple[int, ...]
) -> set[tuple[int, ...]] | None:
    """Go through all orders, one element at a time; None if there are too many states."""
    start = (0,) * len(counts)
    level = {start: {(-1,) * len(amounts)}}
    ended: set[tuple[int, ...]] = set()
    states = 0
    while level:
        following: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
        for used, reached in level.items():
            states += len(reached)
            if states > MOST_STATES:
                return None
            for k, count in enumerate(counts):
                if used[k] == count:
                    continue
                after = (*used[:k], used[k] + 1, *used[k + 1 :])
                sizes = _count_drawn(kinds, after)
                for benefits in reached:
                    closed = _close(benefits, sizes, amounts)
                    if min(closed) >= 0:
                        ended.add(closed)
                    else:
                        following.setdefault(after, set()).add(closed)
        level = following
    return ended


def _count_drawn(kinds: ElementKinds, used: Sequence[int]) -> list[tuple[int, int]]:
    """Return for each open reply how much of its pool is drawn, and how much of that is new."""
    return [
        (
            sum(u for u, kind in zip(used, kinds, strict=True) if kind[r][0]),
            sum(u for u, kind in zip(used, kinds, strict=True) if kind[r][1]),
        )
        for r in range(len(kinds[0]))
    ]


def _close(
    benefits: tuple[int, ...], sizes: Sequence[tuple[int, int]], amounts: tuple[int, ...]
) -> tuple[int, ...]:
    """Fix the benefit of each reply that is full now."""
    return tuple(
        new if benefit < 0 and drawn == amount else benefit
        for benefit, (drawn, new), amount in zip(benefits, sizes, amounts, strict=True)
    )


def _try_block_orders(
    kinds: NDArray[np.bool_], counts: NDArray[np.int64], amounts: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return the benefits in orders that put all elements of one kind after those of another."""
    from aboveboard.exchange import hiding_kernels

    orders, wanted = _list_orders(len(kinds)), np.array(amounts, dtype=np.int64)
    benefits: NDArray[np.int64] = hiding_kernels.draw_blocks(orders, kinds, counts, wanted)
    return benefits


@lru_cache(maxsize=64)
def _list_orders(n: int) -> NDArray[np.int64]:
    """Return all orders of n kinds, or `MOST_ORDERS` of them at most, the same ones every time."""
    if n < MOST_ORDERS and factorial(n) <= MOST_ORDERS:
        return np.array(list(permutations(range(n))), dtype=np.int64).reshape(-1, n)
    generator = np.random.default_rng(n)
    count = min(MOST_ORDERS, max(FEWEST_ORDERS, MOST_PLACES // n))
    return np.array([generator.permutation(n) for _ in range(count)], dtype=np.int64)
