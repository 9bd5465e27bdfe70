"""The leaves of a log's tree, as far as a round must know them: how many, and the root at a size.

Whoever has the whole log keeps all of them. A hub keeps them in its database, and reads a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aboveboard.evidence.trees import compute_root


class Leaves(Protocol):
    """Hashes of a log's entries."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def add(self, leaf: bytes) -> Leaves:
        """Return them with one more."""
        ...

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` of them."""
        ...


@dataclass(frozen=True)
class WholeLeaves:
    """The hashes of all entries of a log.

    Parameters
    ----------
    hashes
        In order.

    Examples
    --------
    >>> leaves = WholeLeaves().add(b"x" * 32).add(b"y" * 32)
    >>> len(leaves), leaves.root_at(1)[:2]
    (2, b'xx')
    """

    hashes: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return len(self.hashes)

    def add(self, leaf: bytes) -> WholeLeaves:
        """Return them with one more."""
        return WholeLeaves((*self.hashes, leaf))

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` of them."""
        return compute_root(self.hashes[:size])
