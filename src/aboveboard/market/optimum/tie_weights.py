"""Which of several optimal allocations is meant: the one of least weight.

Every good has a weight by owner, 0 for who brings it, and the canonical optimum is the optimal
allocation whose weights sum to the least. So the endowment is canonical whenever it is optimal
(Lemma 3), and one solve of welfare and weights together finds the optimum and decides the tie.

Small markets have weights that make this the first optimal allocation in lexicographic order, by
good, each good's owners as in `order_owners`; no two allocations have the same sum. In larger ones
those sums would not fit into 64 bits: weights are drawn by a hash of the names of player and good,
evenly from 1 to `DRAWN`. That two optimal allocations then have the same least sum has a chance of
at most V / DRAWN for V variables (the isolation lemma: Mulmuley, Vazirani, Vazirani, 1987): one in
50,000 for 5,000 bids, if there is a tie at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from aboveboard.market.model.markets import DESTROYED, Allocation, Market

DRAWN = 1 << 28
"""Largest weight that is drawn: sums over 100 goods, times a welfare of 2^25, fit into 64 bits."""

MOST_ORDERED = 1 << 30
"""Allocations up to which weights write their lexicographic order."""


@dataclass(frozen=True)
class TieWeights:
    """Weights by good and owner.

    Parameters
    ----------
    market
        Whose goods and players.
    ordered
        Whether they write the lexicographic order of all allocations, so that no two weigh alike.
    """

    market: Market
    ordered: bool

    def weigh(self, good: int, owner: int) -> int:
        """Return the weight of a good at an owner: 0 at who brings it."""
        endowed = self.market.endowment[good]
        if owner == endowed:
            return 0
        if not self.ordered:
            name = "" if owner == DESTROYED else self.market.players[owner]
            return _draw(name, self.market.goods[good])
        n = self.market.n
        rank = n if owner == DESTROYED else owner + (owner < endowed)
        return rank * int((n + 1) ** (self.market.m - 1 - good))

    def weigh_bundle(self, owner: int, bundle: int) -> int:
        """Return the weight of a bundle (a bit mask) at an owner."""
        return sum(self.weigh(g, owner) for g in range(bundle.bit_length()) if bundle >> g & 1)

    def weigh_allocation(self, allocation: Allocation) -> int:
        """Return the sum of an allocation's weights."""
        return sum(self.weigh(g, owner) for g, owner in enumerate(allocation))

    @property
    def most(self) -> int:
        """A number that no allocation's weight reaches."""
        if self.ordered:
            return int((self.market.n + 1) ** self.market.m)
        return self.market.m * DRAWN + 1


def weigh_ties(market: Market) -> TieWeights:
    """Return the weights that decide ties in a market."""
    return TieWeights(market, (market.n + 1) ** market.m <= MOST_ORDERED)


@lru_cache(maxsize=1 << 16)
def _draw(player: str, good: str) -> int:
    # Lengths are hashed too, so that no two pairs of names are written alike.
    text = f"{len(player)} {player} {good}".encode("utf-8", "surrogatepass")
    return 1 + int.from_bytes(blake2b(text, digest_size=8).digest(), "big") % DRAWN
