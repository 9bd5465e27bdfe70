"""How often an agent's best guess is right, for any function: the table contracted bit by bit.

An agent knows its own bit and hears of every other bit through a channel. The chance that its best
guess is right is the sum over all it may hear of max(P(heard, g = 1), P(heard, g = 0)) (Lemma 1).
Each other bit is summed out of the table of g once, its channel's matrix put in its place: O(N 2^N)
products, never 4^N pairs of bits and messages. Bits of which nothing is heard halve the table
first. Float64, or exact where prior and channels are fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import CLEAR, Channel
from aboveboard.curation.social_functions import Bits
from aboveboard.games.numbers import Array, Number

FloatArray = NDArray[np.float64]

TOGETHER = 5
"""Bits whose channels are multiplied into one matrix, 32 by 32: few passes over the table."""

SLICE = 1 << 18
"""Values that are compared at a time: they stay in the cache."""


def right_guess(table: Bits, own: int, channels: Mapping[int, Channel], prior: Number) -> Number:
    """Give the probability that an agent's best guess of g is right.

    Parameters
    ----------
    table
        g by bit mask, shape (2^(N + 1),).
    own
        The agent's own bit, which it knows.
    channels
        For every other bit what is heard of it.
    prior
        The chance that a bit is 1.

    Returns
    -------
    number
        Exact if prior and channels are; else float64.
    """
    size = len(table).bit_length() - 1
    heard = {**channels, own: CLEAR}
    if exact(prior, [heard[j] for j in range(size)]):
        return _exactly(table, heard, Fraction(prior))
    return _largest(beliefs_of(table, own, channels, float(prior)))


def exact(prior: Number, channels: Sequence[Channel]) -> bool:
    """Say whether no float is among these."""
    return not any(isinstance(x, float) for x in (prior, *(y for c in channels for y in c)))


@dataclass(frozen=True)
class Beliefs:
    """What an agent thinks of g by what it hears.

    Parameters
    ----------
    bits
        The bits of which something is heard, its own among them, lowest first.
    one
        P(heard, g = 1) by the mask of the messages of these bits, the lowest first.
    totals
        P(message) of each of these bits, shape (2,) each.
    """

    bits: tuple[int, ...]
    one: FloatArray
    totals: tuple[FloatArray, ...]

    def posterior(self, messages: Mapping[int, NDArray[np.int64]]) -> FloatArray:
        """Give P(g = 1) given what was heard in each of m rounds; shape (m,)."""
        index = sum(messages[j] << k for k, j in enumerate(self.bits))
        total = np.prod(
            [t[messages[j]] for j, t in zip(self.bits, self.totals, strict=True)], axis=0
        )
        found: FloatArray = self.one[index] / total
        return found


def beliefs_of(table: Bits, own: int, channels: Mapping[int, Channel], prior: float) -> Beliefs:
    """Give what an agent thinks of g, arguments as in `right_guess`."""
    size = len(table).bit_length() - 1
    heard = {**channels, own: CLEAR}
    values: Array = table
    bits = list(range(size))
    # The highest bit first: then what is left needs no copy to be added up.
    for j in reversed([j for j in bits if heard[j].noise]):
        values = _summed_out(values, bits.index(j), prior)
        bits.remove(j)
    one = values.astype(np.float64)
    joints = [_matrix(heard[j], prior) for j in bits]
    for low in range(0, len(bits), TOGETHER):
        one = _contracted(one, joints[low : low + TOGETHER], low)
    return Beliefs(tuple(bits), one, tuple(joint.sum(axis=1) for joint in joints))


def _summed_out(values: Array, position: int, prior: float) -> FloatArray:
    """Average over a bit of which nothing is heard."""
    pairs = values.reshape(-1, 2, 1 << position)
    summed: FloatArray = (pairs[:, 0] * (1 - prior) + pairs[:, 1] * prior).reshape(-1)
    return summed


def _matrix(channel: Channel, prior: float) -> FloatArray:
    return np.array([[float(x) for x in row] for row in channel.joint(prior)])


def _contracted(values: FloatArray, joints: Sequence[FloatArray], low: int) -> FloatArray:
    """Put messages in the place of the bits from `low` on."""
    # Later bits are higher in the mask: their matrices stand to the left.
    matrix: Any = np.ones((1, 1))
    for joint in joints:
        matrix = np.kron(joint, matrix)
    width = len(matrix)
    blocks = values.reshape(-1, width, 1 << low)
    there: FloatArray = blocks[..., 0] @ matrix.T if low == 0 else np.matmul(matrix, blocks)
    return there.reshape(-1)


def _largest(beliefs: Beliefs) -> float:
    """Sum max(P(heard, g = 1), P(heard, g = 0)) over all that may be heard."""
    split = min(len(beliefs.totals), SLICE.bit_length() - 1)
    low, high = _product(beliefs.totals[:split]), _product(beliefs.totals[split:])
    right = 0.0
    rows = beliefs.one.reshape(len(high), len(low))
    for row, weight in zip(rows, high.tolist(), strict=True):
        right += float(np.maximum(row, weight * low - row).sum())
    return right


def _product(totals: Sequence[FloatArray]) -> FloatArray:
    """Give the chances of all combinations, the first bit the lowest."""
    found: Any = np.ones(1)
    for total in totals:
        found = np.kron(total, found)
    return np.asarray(found, dtype=np.float64)


def _exactly(table: Bits, heard: Mapping[int, Channel], prior: Fraction) -> Fraction:
    """Contract in whole numbers: each channel over its common denominator."""
    size = len(table).bit_length() - 1
    one: Array = table.astype(np.int64).astype(object)
    total: Array = np.ones(1, dtype=object)
    scale = 1
    for j in range(size):
        joint: Any = heard[j].joint(prior)
        if heard[j].noise:
            joint = ((1 - prior, prior),)
        unit = lcm(*(Fraction(x).denominator for row in joint for x in row))
        whole = [[int(x * unit) for x in row] for row in joint]
        scale *= unit
        # Bits that are done stand at the front, so that the next one is always the last axis.
        pairs = one.reshape(-1, 2)
        one = np.concatenate([pairs[:, 0] * a + pairs[:, 1] * b for a, b in whole])
        total = np.concatenate([total * (a + b) for a, b in whole])
    right = sum(max(x, t - x) for x, t in zip(one.tolist(), total.tolist(), strict=True))
    return Fraction(right, scale)
