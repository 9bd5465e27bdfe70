"""A stream of random numbers that nobody can predict who does not know the seed.

The bytes are those of SHAKE-256 of the seed and of what they are for, block by block. From numbers
that were seen neither the seed nor the other numbers can be computed, unlike those of a small
generator such as PCG64: one that a mechanism draws noise, coins or lots with would give away the
seed, and with it what the others have. Two purposes share nothing.
Cost: some 3 nanoseconds a byte.
"""

from __future__ import annotations

import hashlib
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 16
"""Bytes of one call of SHAKE-256."""

DrawnShape: TypeAlias = int | tuple[int, ...]


class KeyedStream:
    """Draws as a generator of NumPy does, from a seed of 256 bits.

    Parameters
    ----------
    seed
        A whole number, at least 0.
    purpose
        What is drawn, such as "lottery".

    Raises
    ------
    ValueError
        If the seed is less than 0.

    Examples
    --------
    >>> KeyedStream(7, "coins").integers(0, 2, size=6).tolist()
    [1, 1, 0, 1, 0, 1]
    >>> KeyedStream(7, "coins").bytes(4) == KeyedStream(7, "noise").bytes(4)
    False
    """

    def __init__(self, seed: int, purpose: str) -> None:
        if seed < 0:
            raise ValueError(f"a seed is at least 0, not {seed}")
        text = f"aboveboard stream v1\n{purpose}\n{seed}\n"
        self._key = hashlib.shake_256(text.encode()).digest(64)
        self._block, self._buffer = 0, b""

    def bytes(self, length: int) -> bytes:
        """Return the next bytes of the stream."""
        parts = [self._buffer]
        have = len(self._buffer)
        while have < length:
            counter = self._block.to_bytes(8)
            parts.append(hashlib.shake_256(self._key + counter).digest(BLOCK))
            self._block += 1
            have += BLOCK
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    def integers(self, low: int, high: int, size: DrawnShape | None = None) -> NDArray[np.int64]:
        """Return whole numbers from `low` to less than `high`, each as likely as the others.

        Parameters
        ----------
        low, high
            At most 2^63 apart.
        size
            The shape; None: one number.

        Raises
        ------
        ValueError
            If `high` is not above `low`, or is too far from it.
        """
        span = high - low
        if not 0 < span <= 1 << 63:
            raise ValueError(f"there is no number from {low} to less than {high}")
        count = 1 if size is None else prod(size) if isinstance(size, tuple) else size
        if span & (span - 1) == 0 and span <= 256:  # no draw is rejected, and a byte will do
            octets = np.frombuffer(self.bytes(count), np.uint8).astype(np.int64)
            values = (octets & (span - 1)) + low
        else:
            values = self._draw_below(span, count).astype(np.int64) + low
        return values.reshape(() if size is None else size)

    def _draw_below(self, span: int, count: int) -> NDArray[np.uint64]:
        """Return numbers below `span`: from 64 bits each, without those that favour some."""
        limit = (1 << 64) - (1 << 64) % span
        found: list[NDArray[np.uint64]] = []
        missing = count
        while missing:
            words = np.frombuffer(self.bytes(8 * missing), "<u8")
            kept = words if limit == 1 << 64 else words[words < np.uint64(limit)]
            found.append(kept % np.uint64(span))
            missing -= len(kept)
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def random(self, size: DrawnShape) -> NDArray[np.float64]:
        """Return numbers from 0 to less than 1, of 53 random bits."""
        count = prod(size) if isinstance(size, tuple) else size
        words = np.frombuffer(self.bytes(8 * count), "<u8")
        return ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(size)


Draws: TypeAlias = KeyedStream | np.random.Generator
"""What draws: a keyed stream where somebody must not predict it, else a generator of NumPy."""
