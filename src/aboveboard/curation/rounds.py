"""A run over real bits: messages are drawn, replies handed out, guesses made.

Each round every agent has a bit; it sends a message drawn by its commitment. Who is answered gets
the center's bit and all messages; the others get noise that is drawn without looking at any bit.
Each agent then guesses g from its own bit and what it got, as if the bits were independent with the
prior that the model says. Source: "Data Curation from Privacy-Aware Agents", section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import CLEAR, Channel, channel_of
from aboveboard.curation.commitments import Commitment
from aboveboard.curation.counting import beliefs_by_count, heard_by_count, kinds_of
from aboveboard.curation.curated import Society
from aboveboard.curation.inference import beliefs_of

Ints = NDArray[np.int64]

BY_TABLE = 20
"""Agents up to whom a table of all sets of bits is no trouble."""

EVEN = 1e-12
"""Probabilities that differ less from 1/2 are taken as even: the guess is a coin's."""


@dataclass(frozen=True)
class Heard:
    """What one agent gets, and what it makes of it.

    Parameters
    ----------
    reply
        Shape (rounds, N + 1): the center's bit and all messages, or noise.
    probability
        P(g = 1) as the agent sees it, shape (rounds,).
    guess
        Its best guess, shape (rounds,).
    """

    reply: Ints
    probability: NDArray[np.float64]
    guess: Ints


def messages_of(bits: Ints, profile: Sequence[Commitment], rng: np.random.Generator) -> Ints:
    """Draw what the agents send, shape (rounds, N).

    Parameters
    ----------
    bits
        Of the agents, shape (rounds, N).
    profile
        What they have committed to.
    rng
        The draws.
    """
    draws = rng.random(bits.shape)
    zero_if_zero = np.array([float(commitment.p) for commitment in profile])
    zero_if_one = np.array([float(commitment.q) for commitment in profile])
    zero = draws < np.where(bits == 0, zero_if_zero, zero_if_one)
    return 1 - zero.astype(np.int64)


def noise(rounds: int, agents: int, rng: np.random.Generator) -> Ints:
    """Draw a reply that says nothing, shape (rounds, N + 1)."""
    return rng.integers(0, 2, size=(rounds, agents + 1))


def told(profile: Sequence[Commitment]) -> tuple[Channel, ...]:
    """Give what the center's bit and all messages tell, in float64."""
    channels = [CLEAR, *(channel_of(commitment) for commitment in profile)]
    return tuple(Channel(float(c.zero_if_zero), float(c.zero_if_one)) for c in channels)


def nothing(agents: int) -> tuple[Channel, ...]:
    """Give what noise tells, in float64."""
    return (Channel(0.5, 0.5),) * (agents + 1)


def heard(
    society: Society,
    i: int,
    own: Ints,
    reply: Ints,
    channels: Sequence[Channel],
    rng: np.random.Generator,
) -> Heard:
    """Let agent i make its guesses.

    Parameters
    ----------
    society
        Whose function it is.
    i
        The agent, from 0.
    own
        Its bits, shape (rounds,).
    reply
        What it got, shape (rounds, N + 1).
    channels
        What the reply tells of the center's bit and of each agent's (`told` or `nothing`); all know
        what all have committed to.
    rng
        Tosses the coin where both values are as likely.
    """
    probability = _posterior(society, i, own, reply, channels)
    coin = rng.integers(0, 2, size=len(own))
    guess = np.where(np.abs(probability - 0.5) <= EVEN, coin, (probability > 0.5).astype(np.int64))
    return Heard(reply, probability, guess)


def _posterior(
    society: Society, i: int, own: Ints, reply: Ints, channels: Sequence[Channel]
) -> NDArray[np.float64]:
    prior, by_count = float(society.prior), society.by_count
    rivals = [j for j in range(len(society.agents)) if j != i]
    if by_count is not None and len(society.agents) > BY_TABLE:
        heard_of = [channels[j + 1] for j in rivals]
        kinds = kinds_of(heard_of)
        # Agents who are alike hear alike: their beliefs are computed once.
        if (channels[0], kinds) not in society.thought:
            found = beliefs_by_count(by_count, channels[0], kinds, prior)
            society.thought[channels[0], kinds] = found
        beliefs = heard_by_count(channels[0], heard_of, society.thought[channels[0], kinds])
        return beliefs.posterior(reply[:, 0], own, reply[:, [j + 1 for j in rivals]])
    others = {j: channel for j, channel in enumerate(channels) if j != i + 1}
    messages = {j: reply[:, j] for j in others} | {i + 1: own}
    return beliefs_of(society.table, i + 1, others, prior).posterior(messages)


def values(society: Society, center: Ints, bits: Ints) -> Ints:
    """Give g in each round; shapes (rounds,), (rounds,) and (rounds, N)."""
    if society.by_count is not None:
        found = society.by_count[center, bits.sum(axis=1)]
    else:
        found = society.table[center + (bits << np.arange(1, bits.shape[1] + 1)).sum(axis=1)]
    return np.asarray(found, dtype=np.int64)


def correlation(bits: Ints) -> float | None:
    """Give the mean correlation between the bits of two parties; None where none varies.

    Parameters
    ----------
    bits
        Shape (rounds, parties).
    """
    varying = bits[:, bits.min(axis=0) != bits.max(axis=0)]
    if varying.shape[1] < 2:
        return None
    matrix = np.asarray(np.corrcoef(varying, rowvar=False))
    upper = matrix[np.triu_indices(len(matrix), 1)]
    return float(upper.mean())
