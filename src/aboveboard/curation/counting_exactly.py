"""Accuracy of an agent's best guess by counting in whole numbers: the exact twin of `counting`.

Every chance stands over the common denominator of its channel, so that no greatest common divisor
is computed until the end: at N = 20 this takes a hundredth of the time of sums of fractions. Cost:
the sums of `counting`, of integers whose length grows with the rivals. Source: Lemma 1.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, lcm

import numpy as np

from aboveboard.curation.channels import Channel
from aboveboard.curation.social_functions import Bits
from aboveboard.games.numbers import Array, as_objects

ChannelCounts = tuple[tuple[Channel, int], ...]
"""Channels of rivals, and how many have each."""


def compute_accuracy_exactly(
    by_count: Bits, center: Channel, kinds: ChannelCounts, prior: Fraction
) -> Fraction:
    """Return the probability that an agent's best guess of g is right.

    Parameters
    ----------
    by_count, center, prior
        As in `counting.compute_accuracy_by_count`; exact.
    kinds
        Channels of the N - 1 other agents, from `counting.count_kinds`; exact.
    """
    unit = prior.denominator
    ones, zeros = prior.numerator, unit - prior.numerator  # chances of a bit, in units of 1 / unit
    without, with_it = by_count.astype(np.int64).astype(object)
    if center.clear:
        cases = [(without * zeros, zeros), (with_it * ones, ones)]
    else:
        cases = [(without * zeros + with_it * ones, unit)]
    # The last axis is the agent's own bit.
    own = as_objects([zeros, ones])
    accuracy, scale = 0, 1
    for one, total in cases:
        by_messages, totals, orders, scale = _sum_out_kinds(one, total, kinds, prior)
        likely = np.maximum(by_messages, totals[:, None] - by_messages)
        accuracy += int(((likely * own).sum(axis=1) * orders).sum())
    return Fraction(accuracy, scale * unit**2)


def _sum_out_kinds(
    one: Array, total: int, kinds: ChannelCounts, prior: Fraction
) -> tuple[Array, Array, Array, int]:
    """Return the chances of the rivals' messages in one order, and how many orders there are.

    Parameters
    ----------
    one
        P(g = 1) by the ones among all agents, in units; `total` is 1 in these units.

    Returns
    -------
    one, total, orders, scale
        P(messages, g = 1) by the agent's own bit, shape (m, 2), and P(messages), shape (m,), both
        in 1 / scale of the units; in how many orders rivals can send these messages, shape (m,).
    """
    by_messages, totals, orders, scale = one[None, :], as_objects([total]), as_objects([1]), 1
    for channel, n in kinds:
        if channel.noise:
            unit = prior.denominator
            by_messages = _average_over_rivals(by_messages, n, prior)
            totals = totals * unit**n
        else:
            joint = channel.joint(prior)
            unit = lcm(*(Fraction(x).denominator for row in joint for x in row))
            zero, one_sent = (tuple(int(x * unit) for x in row) for row in joint)
            by_messages = _sum_out(by_messages, n, zero, one_sent)
            sent = [sum(zero) ** k * sum(one_sent) ** (n - k) for k in range(n + 1)]
            totals = np.outer(totals, as_objects(sent)).reshape(-1)
            orders = np.outer(orders, as_objects([comb(n, k) for k in range(n + 1)])).reshape(-1)
        scale *= unit**n
    return by_messages, totals, orders, scale


def _sum_out(values: Array, n: int, zero: tuple[int, ...], one_sent: tuple[int, ...]) -> Array:
    """Sum n rivals out by their messages; shape (m, R + 1) to (m (n + 1), R - n + 1).

    `zero` and `one_sent` are the chances of the message 0 and 1 with the bit 0 and with the bit 1.
    """
    sums = values[:, None, :]
    for _ in range(n):
        few, more = sums[..., :-1], sums[..., 1:]
        # One more rival: a 0 makes k + 1 zeros of k; after a 1 no zeros are still none.
        none = few[:, :1] * one_sent[0] + more[:, :1] * one_sent[1]
        some = few * zero[0] + more * zero[1]
        sums = np.concatenate([none, some], axis=1)
    return sums.reshape(-1, values.shape[1] - n)


def _average_over_rivals(values: Array, n: int, prior: Fraction) -> Array:
    """Sum n rivals out whose messages are noise."""
    a, b = prior.numerator, prior.denominator - prior.numerator
    chances = as_objects([comb(n, k) * a**k * b ** (n - k) for k in range(n + 1)])
    columns = [(values[:, s : s + n + 1] * chances).sum(axis=1) for s in range(values.shape[1] - n)]
    return np.stack(columns, axis=1)
