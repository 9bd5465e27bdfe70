"""Settlement of numbers: each row is a round of bits for each threshold, answered in intervals.

Messages are drawn bit by bit, with one commitment for all thresholds. An answered agent gets all
bits, the others noise; each then answers every question ("do at least j numbers reach threshold
k?") by its best guess, and so gets an interval for the median or the average. Cost: for each row
and threshold a convolution over the agents. Source: as `number_society`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aboveboard.curation.dependent_numbers import believe
from aboveboard.curation.number_society import NumberSociety, count_votes
from aboveboard.curation.rounds import (
    EVEN,
)
from aboveboard.games.keyed_stream import KeyedStream
from aboveboard.games.numbers import FloatArray, IntArray

if TYPE_CHECKING:
    from aboveboard.curation.channels import Channel
    from aboveboard.curation.settlement import Rounds


@dataclass(frozen=True)
class AgentGuesses:
    """What one agent makes of its replies.

    Parameters
    ----------
    reply
        Bits by row, sender (the center first) and threshold; or noise.
    guess
        Its answers by row, threshold and question, 0 or 1.
    """

    reply: IntArray
    guess: IntArray


@dataclass(frozen=True)
class NumberRounds:
    """Rows of numbers, seen as rounds of bits.

    Parameters
    ----------
    rounds
        The same for every kind of function; its bits are the steps on which numbers are.
    society
        Which thresholds there are, and what is asked.
    """

    rounds: Rounds
    society: NumberSociety

    @property
    def thresholds(self) -> int:
        """How many thresholds there are."""
        return len(self.society.scale.thresholds)

    @cached_property
    def right(self) -> IntArray:
        """The right answers, shape (rows, thresholds, questions)."""
        votes = count_votes(self.society, self.rounds.center, self.rounds.bits)
        return (votes[:, :, None] >= np.array(self.society.counts)).astype(np.int64)

    def spread(self, steps: IntArray) -> IntArray:
        """Return the bits of steps: whether each reaches each threshold, one axis more."""
        return (steps[..., None] > np.arange(self.thresholds)).astype(np.int64)

    @cached_property
    def full_reply(self) -> IntArray:
        """The bits of the center and the messages, shape (rows, N + 1, thresholds)."""
        from aboveboard.curation.rounds import draw_messages, draw_own_messages

        rows, n = self.rounds.bits.shape
        bits = self.spread(self.rounds.bits)  # rows, N, thresholds
        flat = bits.transpose(0, 2, 1).reshape(-1, n)
        rng = KeyedStream(self.rounds.seed, "curation messages")
        sent = draw_messages(flat, self.rounds.profile, rng)
        for i, coins in self.rounds.coins.items():
            own = self.rounds.profile[i]
            sent[:, i] = draw_own_messages(flat[:, i], own, self.rounds.seed, coins)
        messages = sent.reshape(rows, self.thresholds, n).transpose(0, 2, 1)
        return np.concatenate([self.spread(self.rounds.center)[:, None], messages], axis=1)

    def make_noise(self, i: int) -> IntArray:
        """Return the reply of an agent that is not answered, from a stream that saw no number."""
        from aboveboard.curation.rounds import name_noise

        rows, n = self.rounds.bits.shape
        rng = KeyedStream(self.rounds.seed, name_noise(i))
        noise = rng.integers(0, 2, size=(rows, (n + 1) * self.thresholds))
        return noise.reshape(rows, n + 1, self.thresholds)

    def answer(self, i: int, reply: IntArray, channels: Sequence[Channel]) -> AgentGuesses:
        """Return the best answers of agent i by its own number and a reply."""
        likely = self._find_likely(i, reply, channels)
        coin = KeyedStream(self.rounds.seed, f"curation guesses {i}").integers(
            0, 2, size=likely.shape
        )
        guess = np.where(np.abs(likely - 0.5) <= EVEN, coin, (likely > 0.5).astype(np.int64))
        return AgentGuesses(reply, guess)

    def _find_likely(self, i: int, reply: IntArray, channels: Sequence[Channel]) -> FloatArray:
        """Return the chance that each question is answered by yes, as agent i sees it."""
        rows, n = self.rounds.bits.shape
        own, society = self.rounds.bits[:, i], self.society
        if society.step_chances is not None:
            heard = [self._weigh(reply[:, j], channel) for j, channel in enumerate(channels)]
            heard[i + 1] = (own[:, None] == np.arange(self.thresholds + 1)).astype(np.float64)
            return believe(
                society.step_chances,
                self.thresholds + 1,
                heard,
                society.counts,
                society.center_weight,
            )
        chances = np.empty((n + 1, rows, self.thresholds))
        for j, channel in enumerate(channels):
            chances[j] = self._believe(reply[:, j], channel)
        chances[i + 1] = self.spread(own)
        return self._count(chances)

    def _weigh(self, message: IntArray, channel: Channel) -> FloatArray:
        """Return the chance of messages by row, on each step; 1 where they are noise."""
        steps = self.spread(np.arange(self.thresholds + 1))  # steps, thresholds
        if channel.noise:
            return np.ones((len(message), len(steps)))
        zero = np.where(steps == 1, float(channel[1]), float(channel[0]))
        chances: FloatArray = np.where(message[:, None, :] == 1, 1 - zero, zero).prod(axis=2)
        return chances

    def _believe(self, message: IntArray, channel: Channel) -> FloatArray:
        """Return the chance that a number reaches each threshold, by its messages, in each row."""
        prior = np.array([float(x) for x in self.society.distribution])
        steps = self.spread(np.arange(len(prior)))
        chances = self._weigh(message, channel) * prior
        total = chances.sum(axis=1, keepdims=True)
        chances = np.divide(chances, total, out=np.zeros(chances.shape), where=total > 0)
        reached: FloatArray = chances @ steps
        return reached

    def _count(self, chances: FloatArray) -> FloatArray:
        """Return the chance that each question is to be answered by yes."""
        weight = self.society.center_weight
        _, rows, thresholds = chances.shape
        votes = np.zeros((rows, thresholds, self.society.votes + 1))
        votes[:, :, 0] = 1 - chances[0]
        votes[:, :, weight] += chances[0]
        for reached in chances[1:]:
            after = votes * (1 - reached[:, :, None])
            after[:, :, 1:] += votes[:, :, :-1] * reached[:, :, None]
            votes = after
        at_least = votes[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
        likely: FloatArray = at_least[:, :, list(self.society.counts)]
        return likely

    def estimate(self, answers: IntArray) -> FloatArray:
        """Return the median or the average that answers tell, rounded down, by row."""
        scale = self.society.scale
        gaps = np.diff(np.array([float(x) for x in scale.edges]))
        found: FloatArray = float(scale.lowest) + answers.mean(axis=2) @ gaps
        return found

    def bound(self, answers: IntArray) -> FloatArray:
        """Return the upper end of the interval that answers tell, by row."""
        scale = self.society.scale
        gaps = np.diff(np.array([float(x) for x in (*scale.edges, scale.highest)]))
        # A number on step s is below the end of that step: the gaps up to s, and that after.
        above = np.concatenate([np.ones_like(answers[:, :1]), answers], axis=1).mean(axis=2)
        found: FloatArray = float(scale.lowest) + above @ gaps
        return found

    def measure_accuracy(self, answers: AgentGuesses) -> float:
        """Return the share of right answers, each with the weight of its threshold."""
        weights = np.array([float(x) for x in self.society.scale.weights])
        return float((answers.guess == self.right).mean(axis=2).mean(axis=0) @ weights)

    def measure_error(self, answers: AgentGuesses) -> float:
        """Return the mean absolute error, numbers rounded down."""
        return float(np.abs(self.estimate(answers.guess) - self.estimate(self.right)).mean())


def tabulate_answers(
    numbers: NumberRounds, names: Sequence[str], answers: AgentGuesses
) -> pl.DataFrame:
    """Return the table of one agent's reply."""
    texts = [
        ["".join(map(str, row)) for row in answers.reply[:, j].tolist()]
        for j in range(len(names) + 1)
    ]
    return pl.DataFrame(
        {
            "row": np.arange(1, len(answers.guess) + 1),
            "center": texts[0],
            **{f"message of {name}": texts[j + 1] for j, name in enumerate(names)},
            "at least": numbers.estimate(answers.guess),
            "below": numbers.bound(answers.guess),
        }
    )
