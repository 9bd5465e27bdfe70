"""Accuracy of an agent's best guess where bits depend on one another, or have different priors.

The joint distribution of all bits is a table of 2^(N + 1) chances by bit mask. Each bit of it is
replaced by its message, O(N 2^N) products, as in `inference`; bits with pure noise are summed out.
Source: ours, see docs/theory.md; for independent bits with one prior it is Lemma 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import isclose

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import CLEAR, Channel
from aboveboard.curation.social_functions import Bits
from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, Number, as_objects

MOST_AGENTS = 16
"""The most agents of a joint distribution: 2^17 chances."""


def make_joint(priors: Sequence[Number]) -> tuple[Number, ...]:
    """Return the chances of all sets of independent bits, by bit mask, the center's first.

    Examples
    --------
    >>> make_joint([Fraction(1, 2), Fraction(1, 3)])
    (Fraction(1, 3), Fraction(1, 3), Fraction(1, 6), Fraction(1, 6))
    """
    chances: list[Number] = []
    for bits in product((0, 1), repeat=len(priors)):
        chance: Number = Fraction(1)
        for bit, prior in zip(bits, reversed(priors), strict=True):
            chance = chance * (prior if bit else 1 - prior)
        chances.append(chance)
    return tuple(chances)


def refuse_many_agents(agents: int) -> None:
    """Raise `InputError` if there are too many agents for a table of joint chances."""
    if agents > MOST_AGENTS:
        raise InputError(
            "parties",
            f"there are {agents} agents",
            f"use at most {MOST_AGENTS}, or one prior for all",
        )


def refuse_invalid_joint(joint: Sequence[Number], agents: int) -> None:
    """Raise `InputError` unless these are chances of all sets of bits of so many agents."""
    refuse_many_agents(agents)
    if len(joint) != 2 << agents:
        raise InputError(
            "joint",
            f"there are {len(joint)} chances",
            f"list {2 << agents}, one for each set of bits, by bit mask, the center's bit first",
        )
    if any(x < 0 for x in joint):
        raise InputError("joint", f"there is {min(joint)}", "use chances of 0 or more")
    total = sum(joint)
    exact = not isinstance(total, float)
    if not (total == 1 if exact else isclose(total, 1, abs_tol=1e-9)):
        raise InputError("joint", f"the chances sum to {total}", "let them sum to 1")


def compute_joint_accuracy(
    table: Bits, joint: Sequence[Number], own: int, channels: Mapping[int, Channel]
) -> Number:
    """Return the probability that an agent's best guess of g is right.

    Parameters
    ----------
    table, own, channels
        As in `inference.compute_accuracy`.
    joint
        The chance of every set of bits, by bit mask.

    Returns
    -------
    number
        Exact if the chances and channels are; else a float.
    """
    one, total, _ = contract_joint(table, joint, own, channels)
    accuracy: Number = sum(max(x, t - x) for x, t in zip(one.tolist(), total.tolist(), strict=True))
    return accuracy


def contract_joint(
    table: Bits, joint: Sequence[Number], own: int, channels: Mapping[int, Channel]
) -> tuple[Array, Array, tuple[int, ...]]:
    """Return P(messages, g = 1) and P(messages), and about which bits messages reveal something.

    The masks of messages have the lowest of these bits first.
    """
    size = len(table).bit_length() - 1
    everything = [CLEAR if j == own else channels[j] for j in range(size)]
    chances = as_objects(list(joint))
    both = [_replace_bits(chances * table, everything), _replace_bits(chances, everything)]
    revealed = tuple(j for j, channel in enumerate(everything) if not channel.noise)
    return both[0], both[1], revealed


def _replace_bits(values: Array, channels: Sequence[Channel]) -> Array:
    """Replace each bit by its message; a message goes to the front, the next bit is the last."""
    for p, q in channels:
        pairs = values.reshape(-1, 2)
        zero = pairs[:, 0] * p + pairs[:, 1] * q
        if p == q:
            values = pairs[:, 0] + pairs[:, 1]
        else:
            values = np.concatenate([zero, pairs[:, 0] + pairs[:, 1] - zero])
    return values


def compute_joint_posterior(
    table: Bits,
    joint: Sequence[Number],
    own: int,
    channels: Mapping[int, Channel],
    messages: Mapping[int, NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return P(g = 1) after the messages of each of m rounds; shape (m,).

    After messages that never come both values are taken as equally likely.
    """
    one, total, revealed = contract_joint(table, [float(x) for x in joint], own, channels)
    index = sum(messages[j] << k for k, j in enumerate(revealed))
    ones, totals = one.astype(np.float64)[index], total.astype(np.float64)[index]
    posterior: NDArray[np.float64] = np.divide(
        ones, totals, out=np.full(ones.shape, 0.5), where=totals > 0
    )
    return posterior
