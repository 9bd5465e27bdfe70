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

if TYPE_CHECKING:
    from aboveboard.exchange.hiding import HidingGame
    from aboveboard.games.actions import Codes

MOST_STATES = 3_000
"""Numbers of drawn elements of each kind, for one pair of profiles."""

MOST_ORDERS = 120
"""Orders of the kinds that are tried before all orders are, or where those are too many."""


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

    `kinds` says of each kind of element whether the reply draws on it, and whether it is new to the
    party; `amount` how many elements are handed out.
    """

    party: int
    profile: int
    kinds: tuple[tuple[bool, bool], ...]
    amount: int


@dataclass(frozen=True)
class Benefits:
    """The benefits of all parties in both profiles that are possible together.

    Parameters
    ----------
    pairs
        By order: benefits in the first profile, and in the second.
    complete
        Whether all orders were gone through.
    few
        Whether there are few enough to go through all.
    """

    pairs: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    complete: bool
    few: bool


def list_benefits(
    segments: Sequence[Segment],
    amounts: tuple[Sequence[int], Sequence[int]],
    *,
    quickly: bool = False,
    first: tuple[int | None, int | None] = (None, None),
) -> Benefits:
    """Return which benefits are possible together under one order.

    Parameters
    ----------
    segments
        All elements.
    amounts
        How many elements each party is handed, in either profile.
    quickly
        Try only orders that put all elements of one kind after those of another.
    first
        In either profile: mask of the parties whose elements go before all others; None: none do.

    Examples
    --------
    Party 0 owns x, hides it, and is handed one of x and y, which party 1 reports:

    >>> both = [Segment(0b11, (0b10, 0b10), 1), Segment(0b10, (0b10, 0b10), 1)]
    >>> found = list_benefits(both, ((1, 0), (2, 0)))
    >>> sorted(found.pairs)
    [((0, 0), (1, 0)), ((1, 0), (1, 0))]
    """
    fixed = [[0] * len(amounts[0]), [0] * len(amounts[1])]
    open_replies = []
    for profile in (0, 1):
        for party, amount in enumerate(amounts[profile]):
            left = int(amount)
            for tier in (True, False):
                reply = _describe_reply(segments, party, profile, left, first[profile], tier)
                new, own = _count_pool(segments, reply)
                if own and new and 0 < left < own + new:
                    open_replies.append(reply)
                else:
                    fixed[profile][party] += min(left, new)
                left = max(0, left - own - new)
    kinds, counts = _merge_kinds(segments, open_replies)
    wanted = tuple(reply.amount for reply in open_replies)
    found = (_draw_blocks if quickly else _draw_all)(kinds, counts, wanted)
    pairs = set()
    for drawn in found.pairs:
        both = [list(row) for row in fixed]
        for reply, benefit in zip(open_replies, drawn, strict=True):
            both[reply.profile][reply.party] += benefit
        pairs.add((tuple(both[0]), tuple(both[1])))
    few = prod(count + 1 for count in counts) <= MOST_STATES
    return Benefits(tuple(sorted(pairs)), found.complete, few)


def _describe_reply(
    segments: Sequence[Segment],
    party: int,
    profile: int,
    amount: int,
    first: int | None,
    early: bool,
) -> _Reply:
    """Describe what a reply draws on: the elements that go first, or those that follow."""
    kinds = []
    for segment in segments:
        reporters = segment.reporters[profile]
        is_early = first is None or bool(reporters & first)
        drawn = reporters != 0 and not reporters >> party & 1 and is_early == early
        kinds.append((drawn, drawn and not segment.owners >> party & 1))
    return _Reply(party, profile, tuple(kinds), amount)


def _count_pool(segments: Sequence[Segment], reply: _Reply) -> tuple[int, int]:
    """Return how many elements the reply can hold that are new, and that the party owns."""
    new = sum(s.count for s, (_, fresh) in zip(segments, reply.kinds, strict=True) if fresh)
    pool = sum(s.count for s, (drawn, _) in zip(segments, reply.kinds, strict=True) if drawn)
    return new, pool - new


class OrderJudge:
    """The largest gain of single rows over all orders of handing out."""

    def __init__(self, game: HidingGame, members: tuple[int, ...], *, transfers: bool) -> None:
        self.game, self.members, self.transfers = game, members, transfers
        self.scale = game.unit.denominator
        self.weights = [int(weight * self.scale) for weight in game.exclusivity]

    def judge(self, honest: Sequence[Codes], lying: Sequence[Codes], most: int) -> tuple[int, bool]:
        """Return the largest gain of a row in units, and whether no order can give more.

        `most` is what the bounds of the two profiles allow.
        """
        segments = self.game.split_by_reporters(honest, lying)
        amounts = (self._find_amounts(honest), self._find_amounts(lying))
        first = (self._find_first(honest), self._find_first(lying))
        gain = None
        for quickly in (True, False):
            found = list_benefits(segments, amounts, quickly=quickly, first=first)
            gain = max(self._value(before, after) for before, after in found.pairs)
            if found.complete or gain >= most:
                return gain, True
            if not found.few:
                return gain, False
        assert gain is not None
        return gain, False

    def _find_amounts(self, profile: Sequence[Codes]) -> list[int]:
        _, reported, counts = self.game.segments([row[None, :] for row in profile])
        n = len(self.game.players)
        amounts: list[int] = self.game.rule.apply(reported, counts, n)[0].tolist()
        return amounts

    def _find_first(self, profile: Sequence[Codes]) -> int | None:
        _, reported, counts = self.game.segments([row[None, :] for row in profile])
        found = self.game.rule.find_first(reported, counts, len(self.game.players))
        return None if found is None else int(found[0])

    def _value(self, before: Sequence[int], after: Sequence[int]) -> int:
        gains = [self._utility(after, i) - self._utility(before, i) for i in self.members]
        return sum(gains) if self.transfers else min(gains)

    def _utility(self, benefits: Sequence[int], i: int) -> int:
        rival = max((b for j, b in enumerate(benefits) if j != i), default=0)
        return self.scale * benefits[i] - self.weights[i] * rival


Kinds = tuple[tuple[tuple[bool, bool], ...], ...]
"""For each kind of element: for each open reply whether it draws on it, and whether it is new."""


def _merge_kinds(
    segments: Sequence[Segment], replies: Sequence[_Reply]
) -> tuple[Kinds, tuple[int, ...]]:
    """Count together what is alike for all open replies; leave out what none draws on."""
    merged: dict[tuple[tuple[bool, bool], ...], int] = {}
    for k, segment in enumerate(segments):
        kind = tuple(reply.kinds[k] for reply in replies)
        if any(drawn for drawn, _ in kind):
            merged[kind] = merged.get(kind, 0) + segment.count
    ordered = sorted(merged.items())
    return tuple(kind for kind, _ in ordered), tuple(count for _, count in ordered)


@dataclass(frozen=True)
class _PossibleBenefits:
    pairs: frozenset[tuple[int, ...]]
    complete: bool


@lru_cache(maxsize=1 << 16)
def _draw_all(kinds: Kinds, counts: tuple[int, ...], amounts: tuple[int, ...]) -> _PossibleBenefits:
    """Return the benefits of the open replies that are possible together."""
    if amounts and prod(count + 1 for count in counts) <= MOST_STATES:
        found = _go_through_orders(kinds, counts, amounts)
        if found is not None:
            return _PossibleBenefits(frozenset(found), True)
    return _draw_blocks(kinds, counts, amounts)


@lru_cache(maxsize=1 << 16)
def _draw_blocks(
    kinds: Kinds, counts: tuple[int, ...], amounts: tuple[int, ...]
) -> _PossibleBenefits:
    """Return benefits that are possible together where kinds come one after the other."""
    if not amounts:
        return _PossibleBenefits(frozenset({()}), True)
    return _PossibleBenefits(frozenset(_try_block_orders(kinds, counts, amounts)), False)


def _go_through_orders(
    kinds: Kinds, counts: tuple[int, ...], amounts: tuple[int, ...]
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


def _count_drawn(kinds: Kinds, used: Sequence[int]) -> list[tuple[int, int]]:
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
    kinds: Kinds, counts: tuple[int, ...], amounts: tuple[int, ...]
) -> set[tuple[int, ...]]:
    """Return the benefits in orders that put all elements of one kind after those of another."""
    orders = _list_orders(len(kinds))
    sizes = np.array(counts, dtype=np.int64)
    benefits = []
    for r, amount in enumerate(amounts):
        drawn = np.array([kind[r][0] for kind in kinds]) * sizes
        fresh = np.array([kind[r][1] for kind in kinds])
        before = np.cumsum(drawn[orders], axis=1) - drawn[orders]
        taken = np.clip(amount - before, 0, drawn[orders])
        benefits.append((taken * fresh[orders]).sum(axis=1))
    return set(map(tuple, np.stack(benefits, axis=1).tolist()))


@lru_cache(maxsize=64)
def _list_orders(n: int) -> NDArray[np.int64]:
    """Return all orders of n kinds, or `MOST_ORDERS` of them, the same ones every time."""
    if factorial(n) <= MOST_ORDERS:
        return np.array(list(permutations(range(n))), dtype=np.int64).reshape(-1, n)
    generator = np.random.default_rng(n)
    return np.array([generator.permutation(n) for _ in range(MOST_ORDERS)], dtype=np.int64)
