"""How often an agent's best guess is right, counted in whole numbers: the exact twin of `counting`.

Every chance stands over the common denominator of its channel, so that no greatest common divisor
is looked for until the end: at N = 20 a hundredth of what sums of fractions take. Cost: the sums
of `counting`, of integers whose length grows with the rivals. Source: Lemma 1.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, lcm

import numpy as np

from aboveboard.curation.channels import Channel
from aboveboard.curation.social_functions import Bits
from aboveboard.games.numbers import Array, objects

Kinds = tuple[tuple[Channel, int], ...]
"""Channels of rivals, and how many have each."""


def right_guess_exactly(by_count: Bits, center: Channel, kinds: Kinds, prior: Fraction) -> Fraction:
    """Give the probability that an agent's best guess of g is right.

    Parameters
    ----------
    by_count, center, prior
        As in `counting.right_guess_by_count`; exact.
    kinds
        What is heard of the N - 1 other agents, from `counting.kinds_of`; exact.
    """
    unit = prior.denominator
    ones, zeros = prior.numerator, unit - prior.numerator  # chances of a bit, in units of 1 / unit
    without, with_it = by_count.astype(np.int64).astype(object)
    if center.clear:
        cases = [(without * zeros, zeros), (with_it * ones, ones)]
    else:
        cases = [(without * zeros + with_it * ones, unit)]
    # The last axis is the agent's own bit.
    own = objects([zeros, ones])
    right, scale = 0, 1
    for one, total in cases:
        heard, totals, orders, scale = _heard(one, total, kinds, prior)
        likely = np.maximum(heard, totals[:, None] - heard)
        right += int(((likely * own).sum(axis=1) * orders).sum())
    return Fraction(right, scale * unit**2)


def _heard(
    one: Array, total: int, kinds: Kinds, prior: Fraction
) -> tuple[Array, Array, Array, int]:
    """Give the chances of what is heard from rivals in one order, and how many orders there are.

    Parameters
    ----------
    one
        P(g = 1) by the ones among all agents, in units; `total` is 1 in these units.

    Returns
    -------
    one, total, orders, scale
        P(heard, g = 1) by the agent's own bit, shape (heard, 2), and P(heard), shape (heard,), both
        in 1 / scale of the units; in how many orders rivals can send that, shape (heard,).
    """
    heard, totals, orders, scale = one[None, :], objects([total]), objects([1]), 1
    for channel, n in kinds:
        if channel.noise:
            unit = prior.denominator
            heard = _unheard(heard, n, prior)
            totals = totals * unit**n
        else:
            joint = channel.joint(prior)
            unit = lcm(*(Fraction(x).denominator for row in joint for x in row))
            zero, one_sent = (tuple(int(x * unit) for x in row) for row in joint)
            heard = _summed(heard, n, zero, one_sent)
            sent = [sum(zero) ** k * sum(one_sent) ** (n - k) for k in range(n + 1)]
            totals = np.outer(totals, objects(sent)).reshape(-1)
            orders = np.outer(orders, objects([comb(n, k) for k in range(n + 1)])).reshape(-1)
        scale *= unit**n
    return heard, totals, orders, scale


def _summed(heard: Array, n: int, zero: tuple[int, ...], one_sent: tuple[int, ...]) -> Array:
    """Sum n rivals out by what they sent; shape (m, R + 1) to (m (n + 1), R - n + 1).

    `zero` and `one_sent` are the chances of the message 0 and 1 with the bit 0 and with the bit 1.
    """
    there = heard[:, None, :]
    for _ in range(n):
        few, more = there[..., :-1], there[..., 1:]
        # One more rival: from k zeros to k + 1 by a 0; no zeros stay none by a 1.
        none = few[:, :1] * one_sent[0] + more[:, :1] * one_sent[1]
        some = few * zero[0] + more * zero[1]
        there = np.concatenate([none, some], axis=1)
    return there.reshape(-1, heard.shape[1] - n)


def _unheard(heard: Array, n: int, prior: Fraction) -> Array:
    """Sum n rivals out of whom nothing is heard."""
    a, b = prior.numerator, prior.denominator - prior.numerator
    chances = objects([comb(n, k) * a**k * b ** (n - k) for k in range(n + 1)])
    columns = [(heard[:, s : s + n + 1] * chances).sum(axis=1) for s in range(heard.shape[1] - n)]
    return np.stack(columns, axis=1)
