"""Bidding languages: what bundles are worth, written down briefly.

=========== ===================================================================================
table       a listed bundle, exactly as listed, is worth its value; any other is worth 0
additive    a bundle is worth the sum of its goods' values
xor         the best of the bids inside the bundle; 0 if none is inside
or          the best sum of disjoint bids inside the bundle, of at least one; 0 if none is inside
groups      the best sum of disjoint bids, at most one of each group; units of a good are alike
=========== ===================================================================================

Values are integers of either sign. A bid is inside a bundle if the bundle has all its goods. In xor
and or a negative bid is a burden that comes with the goods: whoever holds {g} with the one bid
({g}, -2) has -2, not 0. Destroying the good is what rids it of that.

Cost: table and additive are linear in the goods; xor in the bids; or is weighted set packing, an
exact search that is exponential in the bids at worst and instant for the few dozens a party writes.
Source: the valuations are those of Azar, Chen, Micali (2011), section 3.3; the languages are the
field's (Nisan, "Bidding and allocation in combinatorial auctions", 2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations

Bid = tuple[int, int]
"""A bundle, as a bit mask of goods, and its value."""


@dataclass(frozen=True)
class BundleTable:
    """Exactly the listed bundles are worth something.

    Parameters
    ----------
    bids
        Each bundle once.

    Examples
    --------
    >>> BundleTable(((0b01, 3), (0b11, 5))).value(0b10)
    0
    """

    bids: tuple[Bid, ...]

    @cached_property
    def _values(self) -> Mapping[int, int]:
        return dict(self.bids)

    def value(self, bundle: int) -> int:
        """Return the value of a bundle."""
        return self._values.get(bundle, 0)

    def find_extremes(self) -> tuple[int, int]:
        """Return the lowest and the highest value of any bundle, the empty one included."""
        return _find_extremes(self.bids)


@dataclass(frozen=True)
class Additive:
    """Each good is worth its own value.

    Parameters
    ----------
    values
        By good.

    Examples
    --------
    >>> Additive((3, 2)).value(0b11)
    5
    """

    values: tuple[int, ...]

    def value(self, bundle: int) -> int:
        """Return the value of a bundle."""
        return sum(value for g, value in enumerate(self.values) if bundle >> g & 1)

    def find_extremes(self) -> tuple[int, int]:
        """Return the lowest and the highest value of any bundle, the empty one included."""
        return sum(v for v in self.values if v < 0), sum(v for v in self.values if v > 0)


@dataclass(frozen=True)
class Xor:
    """The best bid inside the bundle counts.

    Parameters
    ----------
    bids
        No empty bundle.

    Examples
    --------
    >>> Xor(((0b01, 3), (0b10, 2))).value(0b11)
    3
    """

    bids: tuple[Bid, ...]

    def value(self, bundle: int) -> int:
        """Return the value of a bundle."""
        return max((value for inside, value in self.bids if inside & ~bundle == 0), default=0)

    def find_extremes(self) -> tuple[int, int]:
        """Return the lowest and the highest value of any bid and of the empty bundle.

        A bid that a smaller and better one hides counts too.
        """
        return _find_extremes(self.bids)


@dataclass(frozen=True)
class Or:
    """The best collection of disjoint bids inside the bundle counts.

    Parameters
    ----------
    bids
        No empty bundle.

    Examples
    --------
    >>> Or(((0b01, 3), (0b10, 2))).value(0b11)
    5
    """

    bids: tuple[Bid, ...]

    def value(self, bundle: int) -> int:
        """Return the value of a bundle, by an exact search."""
        inside = tuple(bid for bid in self.bids if bid[0] & ~bundle == 0)
        useful = tuple(bid for bid in inside if bid[1] >= 0)
        if useful or not inside:
            return _pack_bids(useful)
        return max(value for _, value in inside)

    def find_extremes(self) -> tuple[int, int]:
        """Return the lowest value of any bid and the highest of any bundle."""
        return _find_extremes(self.bids)[0], _pack_bids(tuple(b for b in self.bids if b[1] >= 0))


CountedBid = tuple[tuple[tuple[int, int], ...], int]
"""Kinds of goods with how many units of each, and the value of having them."""


@dataclass(frozen=True)
class BidGroups:
    """At most one bid of each group counts, groups add; units of a kind are alike.

    Parameters
    ----------
    kinds
        Bit masks of the goods of one kind; each good is in one of them.
    groups
        The bids; no value is negative, none is of nothing.

    Examples
    --------
    >>> two_berths = (((0, 2),), 7)
    >>> one_berth = (((0, 1),), 4)
    >>> BidGroups((0b111,), ((two_berths,), (one_berth,))).value(0b111)
    11
    """

    kinds: tuple[int, ...]
    groups: tuple[tuple[CountedBid, ...], ...]

    def value(self, bundle: int) -> int:
        """Return the value of a bundle, by an exact search."""
        held = tuple((bundle & mask).bit_count() for mask in self.kinds)
        return _pack_counts(self.groups, held)

    def find_extremes(self) -> tuple[int, int]:
        """Return the lowest and the highest value of any bundle, the empty one included."""
        return 0, _pack_counts(self.groups, tuple(mask.bit_count() for mask in self.kinds))


Language = BundleTable | Additive | Xor | Or | BidGroups
"""The languages that the solvers read; any other valuation is searched exhaustively."""


def restrict(valuation: Language, kept: tuple[int, ...]) -> Language:
    """Return the same values of bundles of some goods only, in the same language.

    Parameters
    ----------
    valuation
        Of all goods.
    kept
        Which goods stay, ascending; good k of the result is good kept[k].
    """
    if isinstance(valuation, Additive):
        return Additive(tuple(valuation.values[g] for g in kept))
    if isinstance(valuation, BidGroups):
        kinds = tuple(
            sum(1 << k for k, g in enumerate(kept) if mask >> g & 1) for mask in valuation.kinds
        )
        return BidGroups(kinds, valuation.groups)
    left = sum(1 << g for g in kept)
    bids = tuple(
        (sum(1 << k for k, g in enumerate(kept) if bundle >> g & 1), value)
        for bundle, value in valuation.bids
        if bundle & ~left == 0
    )
    return replace(valuation, bids=bids)


def find_problem(valuation: Language, m: int, bound: int) -> str:
    """Return what is wrong with a valuation of m goods and values below a bound; "" if nothing is.

    Examples
    --------
    >>> find_problem(Additive((1, 9)), 2, 8)
    'leaves the bound: values lie strictly between -8 and 8'
    """
    if isinstance(valuation, Additive):
        if len(valuation.values) != m:
            return f"has values of {len(valuation.values)} goods, and there are {m}"
    elif isinstance(valuation, BidGroups):
        bids = [bid for group in valuation.groups for bid in group]
        if sum(valuation.kinds) != (1 << m) - 1 or any(
            one & other for one, other in combinations(valuation.kinds, 2)
        ):
            return f"has kinds that are not a partition of the {m} goods"
        if any(value < 0 or not counts for counts, value in bids):
            return "has a negative bid in a group, or a bid on nothing"
    else:
        bundles = [bundle for bundle, _ in valuation.bids]
        if any(bundle < 0 or bundle >> m for bundle in bundles):
            return f"has bids on other goods than the {m} of the market"
        if isinstance(valuation, BundleTable) and len(set(bundles)) < len(bundles):
            return "lists a bundle twice"
        if not isinstance(valuation, BundleTable) and not all(bundles):
            return "has a bid on the empty bundle"
    if any(abs(value) >= bound for value in valuation.find_extremes()):
        return f"leaves the bound: values lie strictly between -{bound} and {bound}"
    return ""


def _find_extremes(bids: tuple[Bid, ...]) -> tuple[int, int]:
    values = [0, *(value for _, value in bids)]
    return min(values), max(values)


@lru_cache(maxsize=4096)  # one game looks at the same few bundles many times
def _pack_counts(groups: tuple[tuple[CountedBid, ...], ...], held: tuple[int, ...]) -> int:
    """Return the largest sum of bids, one of each group at most, that the units held satisfy."""
    fitting = [
        [bid for bid in group if all(held[kind] >= count for kind, count in bid[0])]
        for group in groups
    ]
    fitting = [group for group in fitting if group]
    if len(fitting) <= 1:
        return max((value for group in fitting for _, value in group), default=0)
    if all(held[kind] == 1 for group in fitting for counts, _ in group for kind, _ in counts):
        # A good of its own stands for each group, so that its bids exclude one another.
        bids = tuple(
            (sum(1 << kind for kind, _ in counts) | 1 << len(held) + k, value)
            for k, group in enumerate(fitting)
            for counts, value in group
        )
        return _pack_bids(bids)
    return _search_counts(fitting, 0, held, {})


def _search_counts(
    groups: Sequence[Sequence[CountedBid]],
    k: int,
    left: tuple[int, ...],
    seen: dict[tuple[int, tuple[int, ...]], int],
) -> int:
    """Return the same of the groups from k on and the units left; what was seen is remembered."""
    if k == len(groups):
        return 0
    if (k, left) not in seen:
        best = _search_counts(groups, k + 1, left, seen)
        for counts, value in groups[k]:
            wanted = dict(counts)
            rest = tuple(units - wanted.get(kind, 0) for kind, units in enumerate(left))
            if min(rest) >= 0:
                best = max(best, value + _search_counts(groups, k + 1, rest, seen))
        seen[k, left] = best
    return seen[k, left]


@lru_cache(maxsize=4096)  # one game asks for the same few bundles again and again
def _pack_bids(bids: tuple[Bid, ...]) -> int:
    """Return the largest sum of disjoint bids, none of them negative."""
    return _pack_left(bids, frozenset(range(len(bids))), {})


def _pack_left(bids: tuple[Bid, ...], left: frozenset[int], seen: dict[frozenset[int], int]) -> int:
    """Return the largest sum of disjoint bids among those left.

    Branches on the good that is in the most bids: one of these is taken, or none is. What is left
    often falls apart, and what was seen is remembered.
    """
    if not left:
        return 0
    if left in seen:
        return seen[left]
    part = _find_connected(bids, left)
    if len(part) < len(left):
        found = _pack_left(bids, part, seen) + _pack_left(bids, left - part, seen)
    else:
        good = _find_busiest_good(bids, left)
        rivals = frozenset(k for k in left if bids[k][0] >> good & 1)
        found = _pack_left(bids, left - rivals, seen)
        for k in rivals:
            free = frozenset(j for j in left if not bids[j][0] & bids[k][0])
            found = max(found, bids[k][1] + _pack_left(bids, free, seen))
    seen[left] = found
    return found


def _find_connected(bids: tuple[Bid, ...], left: frozenset[int]) -> frozenset[int]:
    """Return the bids that hang together with one of those left by shared goods."""
    goods = bids[min(left)][0]
    part: frozenset[int] = frozenset()
    while True:
        grown = frozenset(k for k in left if bids[k][0] & goods)
        if grown == part:
            return part
        part = grown
        for k in part:
            goods |= bids[k][0]


def _find_busiest_good(bids: tuple[Bid, ...], left: frozenset[int]) -> int:
    """Return the good that is in the most of these bids."""
    counts: dict[int, int] = {}
    for k in left:
        bundle = bids[k][0]
        while bundle:
            good = (bundle & -bundle).bit_length() - 1
            counts[good] = counts.get(good, 0) + 1
            bundle &= bundle - 1
    return min(counts, key=lambda good: (-counts[good], good))
