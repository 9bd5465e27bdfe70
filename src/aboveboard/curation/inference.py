"""Accuracy of an agent's best guess, for any function, by contracting the table bit by bit.

An agent knows its own bit and receives a message about every other bit through a channel. The
chance that its best guess is right is the sum over all messages of
max(P(messages, g = 1), P(messages, g = 0)) (Lemma 1). Each other bit is summed out of the table of
g once and replaced by its message: O(N 2^N) products, never 4^N pairs of bits and messages. Bits
with pure noise are summed out first, which halves the table each time. Float64, or exact where
prior and channels are fractions.
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
from aboveboard.games.numbers import Array, FloatArray, Number

BLOCK_BITS = 5
"""Bits whose channels are multiplied into one matrix, 32 by 32, for few passes over the table."""

CACHE_VALUES = 1 << 18
"""Values that are compared at a time; so many stay in the cache."""


def compute_accuracy(
    table: Bits, own: int, channels: Mapping[int, Channel], prior: Number
) -> Number:
    """Return the probability that an agent's best guess of g is right.

    Parameters
    ----------
    table
        g by bit mask, shape (2^(N + 1),).
    own
        The agent's own bit, which it knows.
    channels
        For every other bit how its message comes about.
    prior
        The chance that a bit is 1.

    Returns
    -------
    number
        Exact if prior and channels are; else float64.
    """
    size = len(table).bit_length() - 1
    everything = {**channels, own: CLEAR}
    if is_exact(prior, [everything[j] for j in range(size)]):
        return _contract_exactly(table, everything, Fraction(prior))
    return _sum_likelier(compute_beliefs(table, own, channels, float(prior)))


def is_exact(prior: Number, channels: Sequence[Channel]) -> bool:
    """Return whether no float is among these."""
    return not any(isinstance(x, float) for x in (prior, *(y for c in channels for y in c)))


@dataclass(frozen=True)
class Beliefs:
    """An agent's beliefs about g, by the messages it receives.

    Parameters
    ----------
    bits
        The bits about which messages reveal something, its own among them, lowest first.
    one
        P(messages, g = 1) by the mask of the messages of these bits, the lowest first.
    totals
        P(message) of each of these bits, shape (2,) each.
    """

    bits: tuple[int, ...]
    one: FloatArray
    totals: tuple[FloatArray, ...]

    def posterior(self, messages: Mapping[int, NDArray[np.int64]]) -> FloatArray:
        """Return P(g = 1) after the messages of each of m rounds; shape (m,)."""
        index = sum(messages[j] << k for k, j in enumerate(self.bits))
        total = np.prod(
            [t[messages[j]] for j, t in zip(self.bits, self.totals, strict=True)], axis=0
        )
        posterior: FloatArray = self.one[index] / total
        return posterior


def compute_beliefs(
    table: Bits, own: int, channels: Mapping[int, Channel], prior: float
) -> Beliefs:
    """Return an agent's beliefs about g; arguments as in `compute_accuracy`."""
    size = len(table).bit_length() - 1
    everything = {**channels, own: CLEAR}
    values: Array = table
    bits = list(range(size))
    # The highest bit first: the slices that are added then lie in one piece of memory.
    for j in reversed([j for j in bits if everything[j].noise]):
        values = _average_over_bit(values, bits.index(j), prior)
        bits.remove(j)
    one = values.astype(np.float64)
    joints = [_make_matrix(everything[j], prior) for j in bits]
    for low in range(0, len(bits), BLOCK_BITS):
        one = _contract(one, joints[low : low + BLOCK_BITS], low)
    return Beliefs(tuple(bits), one, tuple(joint.sum(axis=1) for joint in joints))


def _average_over_bit(values: Array, position: int, prior: float) -> FloatArray:
    """Average over a bit whose message is noise."""
    pairs = values.reshape(-1, 2, 1 << position)
    average: FloatArray = (pairs[:, 0] * (1 - prior) + pairs[:, 1] * prior).reshape(-1)
    return average


def _make_matrix(channel: Channel, prior: float) -> FloatArray:
    """Return P(message, bit), shape (2, 2)."""
    return np.array([[float(x) for x in row] for row in channel.joint(prior)])


def _contract(values: FloatArray, joints: Sequence[FloatArray], low: int) -> FloatArray:
    """Replace the bits from `low` on by their messages."""
    # Later bits are higher in the mask: their matrices stand to the left.
    matrix: Any = np.ones((1, 1))
    for joint in joints:
        matrix = np.kron(joint, matrix)
    width = len(matrix)
    blocks = values.reshape(-1, width, 1 << low)
    product: FloatArray = blocks[..., 0] @ matrix.T if low == 0 else np.matmul(matrix, blocks)
    return product.reshape(-1)


def _sum_likelier(beliefs: Beliefs) -> float:
    """Return the sum of max(P(messages, g = 1), P(messages, g = 0)) over all messages."""
    split = min(len(beliefs.totals), CACHE_VALUES.bit_length() - 1)
    low, high = _multiply(beliefs.totals[:split]), _multiply(beliefs.totals[split:])
    accuracy = 0.0
    rows = beliefs.one.reshape(len(high), len(low))
    for row, weight in zip(rows, high.tolist(), strict=True):
        accuracy += float(np.maximum(row, weight * low - row).sum())
    return accuracy


def _multiply(totals: Sequence[FloatArray]) -> FloatArray:
    """Return the chances of all combinations of messages, the first bit the lowest."""
    chances: Any = np.ones(1)
    for total in totals:
        chances = np.kron(total, chances)
    return np.asarray(chances, dtype=np.float64)


def _contract_exactly(table: Bits, channels: Mapping[int, Channel], prior: Fraction) -> Fraction:
    """Return the accuracy in whole numbers, each channel over its common denominator."""
    size = len(table).bit_length() - 1
    one: Array = table.astype(np.int64).astype(object)
    total: Array = np.ones(1, dtype=object)
    scale = 1
    for j in range(size):
        joint: Any = channels[j].joint(prior)
        if channels[j].noise:
            joint = ((1 - prior, prior),)
        unit = lcm(*(Fraction(x).denominator for row in joint for x in row))
        whole = [[int(x * unit) for x in row] for row in joint]
        scale *= unit
        # Replaced bits go to the front, so that the next one is always the last axis.
        pairs = one.reshape(-1, 2)
        one = np.concatenate([pairs[:, 0] * a + pairs[:, 1] * b for a, b in whole])
        total = np.concatenate([total * (a + b) for a, b in whole])
    accuracy = sum(max(x, t - x) for x, t in zip(one.tolist(), total.tolist(), strict=True))
    return Fraction(accuracy, scale)
