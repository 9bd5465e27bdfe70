"""Made-up markets of XOR bids for benchmarks and tests, from a seed.

Two kinds after Leyton-Brown, Pearson, Shoham, "Towards a universal test suite for combinatorial
auction algorithms" (2000), written anew and turned from auctions into markets: every good is
brought by a trader drawn at random.

regions     goods lie on a grid; a bundle grows from a good to its neighbours, as plots of land
arbitrary   any two goods are related by a random weight; a bundle grows along heavy ones

A trader has a private value of each good beside the common one; it bids on a bundle around a good
that it likes and on substitutes around the bundle's other goods, one of which counts. A bundle of
b goods is worth the sum of its goods and b^1.2 more. Cost: O(bids m).
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from aboveboard.market.model.bidding import Xor
from aboveboard.market.model.markets import Market

COMMON, DEVIATION = 100.0, 0.5
"""Common values lie in (1, 100); a private value adds up to half of that, or takes it away."""

GROWTH, JUMP = 0.9, 0.05
"""A bundle grows by one more good with the first probability, by any good with the second."""

SUPERADDITIVE = 1.2
"""Exponent of the bundle's size in what it is worth beyond its goods."""

SUBSTITUTES = 4
"""Bundles that a trader bids on beside its first, at most."""

CERTAIN = 1e-12  # keeps a choice defined where all weights are 0


def generate_regions(traders: int, goods: int, seed: int) -> Market:
    """Return a market of plots on a grid.

    Parameters
    ----------
    traders, goods
        How many, at least 1 each.
    seed
        The same one gives the same market.

    Examples
    --------
    >>> market = generate_regions(traders=3, goods=9, seed=1)
    >>> market.n, market.m, market == generate_regions(3, 9, seed=2)
    (3, 9, False)
    """
    width = max(1, isqrt(goods))
    row, column = np.divmod(np.arange(goods), width)
    apart = abs(row[:, None] - row[None, :]) + abs(column[:, None] - column[None, :])
    return _generate(traders, (apart == 1).astype(np.float64), np.random.default_rng(seed))


def generate_arbitrary(traders: int, goods: int, seed: int) -> Market:
    """Return a market of goods that are related at random.

    Parameters
    ----------
    traders, goods
        How many, at least 1 each.
    seed
        The same one gives the same market.

    Examples
    --------
    >>> market = generate_arbitrary(traders=3, goods=4, seed=1)
    >>> market.n, market.m, market == generate_arbitrary(3, 4, seed=1)
    (3, 4, True)
    """
    generator = np.random.default_rng(seed)
    weights = np.triu(generator.random((goods, goods)), 1)
    return _generate(traders, weights + weights.T, generator)


def _generate(traders: int, related: NDArray[np.float64], generator: np.random.Generator) -> Market:
    goods = len(related)
    common = generator.uniform(1.0, COMMON, goods)
    valuations = []
    for _ in range(traders):
        private = generator.uniform(-DEVIATION, DEVIATION, goods)
        valuations.append(_draw_bids(common * (1.0 + private), private, related, generator))
    endowment = tuple(int(i) for i in generator.integers(0, traders, goods))
    highest = max(value for valuation in valuations for _, value in valuation.bids)
    return Market(
        tuple(f"trader {i}" for i in range(traders)),
        tuple(f"good {g}" for g in range(goods)),
        endowment,
        tuple(valuations),
        highest.bit_length() + 1,
    )


def _draw_bids(
    values: NDArray[np.float64],
    private: NDArray[np.float64],
    related: NDArray[np.float64],
    generator: np.random.Generator,
) -> Xor:
    """Make a trader's bids: a bundle around a good that it likes, and substitutes."""
    liking = private - private.min() + CERTAIN
    bundles = [_grow_bundle(_draw(liking, generator), liking, related, generator)]
    substitutes = bundles[0][1 : 1 + SUBSTITUTES]
    bundles += [_grow_bundle(start, liking, related, generator) for start in substitutes]
    worth: dict[int, int] = {}
    for bundle in bundles:
        value = round(float(values[bundle].sum()) + len(bundle) ** SUPERADDITIVE)
        worth[sum(1 << g for g in bundle)] = max(1, value)
    return Xor(tuple(worth.items()))


def _grow_bundle(
    start: int,
    liking: NDArray[np.float64],
    related: NDArray[np.float64],
    generator: np.random.Generator,
) -> list[int]:
    """Grow a bundle from a good; in the order in which goods joined."""
    bundle, outside = [start], np.ones(len(liking), dtype=bool)
    outside[start] = False
    while outside.any() and generator.random() < GROWTH:
        near = liking * related[bundle].sum(axis=0)
        weights = np.where(outside, liking if generator.random() < JUMP else near, 0.0)
        if not weights.any():
            break
        good = _draw(weights, generator)
        bundle.append(good)
        outside[good] = False
    return bundle


def _draw(weights: NDArray[np.float64], generator: np.random.Generator) -> int:
    return int(generator.choice(len(weights), p=weights / weights.sum()))
