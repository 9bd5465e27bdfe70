"""Who proposes where the seed draws it: each party with the same chance, before anybody votes."""

from __future__ import annotations

from collections.abc import Iterable

from aboveboard.games.keyed_stream import KeyedStream

RANDOM = "random"
"""The word in a file for a proposer that is drawn."""

PROPOSER = "proposer"
"""The purpose of the keyed stream that draws it."""


def draw_proposer(names: Iterable[str], seed: int) -> str:
    """Return who proposes: each party with the same chance, whatever their order.

    Examples
    --------
    >>> draw_proposer(["bob", "ann"], 1) == draw_proposer(["ann", "bob"], 1)
    True
    """
    ordered = sorted(names)
    return ordered[int(KeyedStream(seed, PROPOSER).integers(0, len(ordered)))]
