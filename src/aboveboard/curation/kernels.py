"""A compiled sum over rivals with the same channel.

Its plain twin is in tests/curation/test_inference.py.
"""

from __future__ import annotations

import numpy as np

from aboveboard.games.numbers import FloatArray
from aboveboard.kernels import kernel


@kernel()
def sum_out_rivals(
    one: FloatArray, n: int, after_zero: float, after_one: float, out: FloatArray
) -> None:
    """Sum n rivals out of P(g = 1 | ones among those left).

    Parameters
    ----------
    one
        Shape (m, R + 1).
    n
        How many rivals.
    after_zero, after_one
        The chance that a rival's bit is 1 after each message.
    out
        Shape (m, n + 1, R - n + 1): by the number of messages 0.
    """
    width = one.shape[1]
    there = np.empty((n + 1, width))
    for m in range(one.shape[0]):
        there[0, :] = one[m]
        for j in range(n):
            left = width - 1 - j
            # From the most zeros down: a row is read before it is written.
            for k in range(j, -1, -1):
                for s in range(left):
                    there[k + 1, s] = (
                        there[k, s] * (1.0 - after_zero) + there[k, s + 1] * after_zero
                    )
            for s in range(left):
                there[0, s] = there[0, s] * (1.0 - after_one) + there[0, s + 1] * after_one
        out[m, :, :] = there[:, : width - n]
