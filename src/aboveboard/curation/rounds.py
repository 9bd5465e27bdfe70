"""Rounds of real bits: messages are drawn, replies handed out, guesses made.

In each round every agent has a bit; it sends a message drawn by its commitment. An answered agent
gets the center's bit and all messages; the others get noise that is drawn without looking at any
bit. Each agent then guesses g from its own bit and its reply, as if the bits were independent with
the prior of the model. Source: "Data Curation from Privacy-Aware Agents", section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import CLEAR, Channel, as_float_channel, make_channel
from aboveboard.curation.commitments import Commitment
from aboveboard.curation.counting import compute_beliefs_by_count, count_kinds, match_beliefs
from aboveboard.curation.curation_game import Society
from aboveboard.curation.inference import compute_beliefs
from aboveboard.curation.joint import compute_joint_posterior
from aboveboard.games.keyed_stream import Draws, KeyedStream
from aboveboard.games.numbers import IntArray, Number

ReplyContent = Literal["messages", "two-bits"]
"""What the answered get: all messages, or two guesses in each round (footnote 4)."""

MOST_AGENTS_BY_TABLE = 20
"""The most agents for whom a table of all sets of bits is small."""

EVEN = 1e-12
"""Probabilities that differ less from 1/2 are taken as even: the guess is then drawn."""


@dataclass(frozen=True)
class Guesses:
    """One agent's replies, and what it makes of them.

    Parameters
    ----------
    reply
        Shape (rounds, N + 1): the center's bit and all messages, or noise; shape (rounds, 2) where
        two bits are the reply: the best guess if its own bit is 0, and if it is 1.
    probability
        P(g = 1) as the agent sees it, shape (rounds,).
    guess
        Its best guess, shape (rounds,).
    """

    reply: IntArray
    probability: NDArray[np.float64]
    guess: IntArray


def draw_messages(bits: IntArray, profile: Sequence[Commitment], rng: Draws) -> IntArray:
    """Return the messages of the agents, shape (rounds, N).

    Parameters
    ----------
    bits
        Of the agents, shape (rounds, N).
    profile
        What they have committed to.
    rng
        Draws the messages.
    """
    draws = rng.random(bits.shape)
    zero_if_zero = np.array([float(commitment.p) for commitment in profile])
    zero_if_one = np.array([float(commitment.q) for commitment in profile])
    zero = draws < np.where(bits == 0, zero_if_zero, zero_if_one)
    return 1 - zero.astype(np.int64)


def draw_own_messages(bits: IntArray, commitment: Commitment, seed: int, coins: str) -> IntArray:
    """Return the messages of one agent with coins of its own, shape (rounds,).

    Who knows the seed but not the coins learns from a message what the commitment tells, no more.

    Parameters
    ----------
    bits
        The agent's, shape (rounds,).
    commitment
        What it has committed to.
    seed
        Of the run.
    coins
        The agent's secret.
    """
    rng = KeyedStream(seed, f"curation messages with {coins}")
    return draw_messages(bits[:, None], [commitment], rng)[:, 0]


def name_noise(i: int) -> str:
    """Return the name of the stream of an agent that is not answered."""
    return f"curation noise {i}"


def draw_answered(chances: Sequence[Number], seed: int) -> tuple[bool, ...]:
    """Return who is answered, by the chances of the protocol and the seed of the run."""
    draws = KeyedStream(seed, "curation lot").random((len(chances), 1))[:, 0]
    return tuple(
        bool(chance) if chance in (0, 1) else bool(draw < float(chance))
        for chance, draw in zip(chances, draws, strict=True)
    )


def draw_noise(rounds: int, agents: int, rng: Draws) -> IntArray:
    """Return a reply that reveals nothing, shape (rounds, N + 1)."""
    return rng.integers(0, 2, size=(rounds, agents + 1))


def message_channels(profile: Sequence[Commitment]) -> tuple[Channel, ...]:
    """Return the channels of the center's bit and all messages, in float64."""
    channels = [CLEAR, *(make_channel(commitment) for commitment in profile)]
    return tuple(as_float_channel(channel) for channel in channels)


def noise_channels(agents: int) -> tuple[Channel, ...]:
    """Return the channels of a reply of noise, in float64."""
    return (Channel(0.5, 0.5),) * (agents + 1)


def guess(
    society: Society,
    i: int,
    own: IntArray,
    reply: IntArray,
    channels: Sequence[Channel],
    rng: Draws,
) -> Guesses:
    """Return the best guesses of agent i.

    Parameters
    ----------
    society
        Whose function it is.
    i
        The agent, from 0.
    own
        Its bits, shape (rounds,).
    reply
        Its replies, shape (rounds, N + 1).
    channels
        What a reply reveals of the center's bit and of each agent's (`message_channels` or
        `noise_channels`); all agents know what all have committed to.
    rng
        Draws the guess where both values are equally likely.
    """
    probability = compute_posterior(society, i, own, reply, channels)
    coin = rng.integers(0, 2, size=len(own))
    likelier = (probability > 0.5).astype(np.int64)
    return Guesses(reply, probability, np.where(np.abs(probability - 0.5) <= EVEN, coin, likelier))


def guess_for_both(
    society: Society,
    i: int,
    own: IntArray,
    reply: IntArray,
    channels: Sequence[Channel],
    rng: Draws,
) -> Guesses:
    """Return the two guesses that the center sends in place of all messages (footnote 4).

    Arguments as in `guess`. The agent takes the one for its own bit: it is what the agent would
    have guessed, and a tie is drawn by the center.
    """
    coin = rng.integers(0, 2, size=len(own))
    two = []
    for bit in (0, 1):
        chance = compute_posterior(society, i, np.full_like(own, bit), reply, channels)
        two.append(np.where(np.abs(chance - 0.5) <= EVEN, coin, (chance > 0.5).astype(np.int64)))
    probability = compute_posterior(society, i, own, reply, channels)
    return Guesses(np.column_stack(two), probability, np.where(own == 1, two[1], two[0]))


def compute_posterior(
    society: Society, i: int, own: IntArray, reply: IntArray, channels: Sequence[Channel]
) -> NDArray[np.float64]:
    """Return P(g = 1) as agent i sees it in each round; arguments as in `guess`."""
    prior, by_count = float(society.prior), society.by_count
    rivals = [j for j in range(len(society.agents)) if j != i]
    if by_count is not None and len(society.agents) > MOST_AGENTS_BY_TABLE:
        rival_channels = [channels[j + 1] for j in rivals]
        kinds, center = count_kinds(rival_channels), channels[0]
        # Agents who are alike have the same beliefs: they are computed once.
        one = society.cache_beliefs(
            (center, kinds), lambda: compute_beliefs_by_count(by_count, center, kinds, prior)
        )
        beliefs = match_beliefs(center, rival_channels, one)
        return beliefs.posterior(reply[:, 0], own, reply[:, [j + 1 for j in rivals]])
    others = {j: channel for j, channel in enumerate(channels) if j != i + 1}
    messages = {j: reply[:, j] for j in others} | {i + 1: own}
    if society.joint is not None:
        return compute_joint_posterior(society.table, society.joint, i + 1, others, messages)
    return compute_beliefs(society.table, i + 1, others, prior).posterior(messages)


def evaluate_function(society: Society, center: IntArray, bits: IntArray) -> IntArray:
    """Return g in each round, from bits of shapes (rounds,) and (rounds, N)."""
    if society.by_count is not None:
        values = society.by_count[center, bits.sum(axis=1)]
    else:
        values = society.table[center + (bits << np.arange(1, bits.shape[1] + 1)).sum(axis=1)]
    return np.asarray(values, dtype=np.int64)


def mean_correlation(bits: IntArray) -> float | None:
    """Return the mean correlation between the bits of two parties; None where none varies.

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
