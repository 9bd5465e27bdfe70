"""Accuracy of an agent's best guess for a function that treats agents alike, by counting.

Of the rivals only matters how many of each kind sent which message, and of the other bits how many
are 1. Rivals of a kind are summed out one after the other on an array over (messages 0, ones left),
so that nothing cancels and nothing underflows: O(N^2) for a rival of the last kind, times the
numbers of zeros of the kinds before. N = 1000 of one kind takes tenths of a second. Rivals whose
messages are noise need no axis. Exact input goes to `counting_exactly`, in whole numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import Channel
from aboveboard.curation.counting_exactly import ChannelCounts, compute_accuracy_exactly
from aboveboard.curation.inference import is_exact
from aboveboard.curation.kernels import sum_out_rivals
from aboveboard.curation.social_functions import Bits
from aboveboard.errors import InputError
from aboveboard.formatting import format_rough
from aboveboard.games.numbers import Array, FloatArray, Number

MOST_STATES = 1 << 27
"""The most values of an array: 1 GiB of float64."""


def compute_accuracy_by_count(
    by_count: Bits, center: Channel, rivals: Sequence[Channel], prior: Number
) -> Number:
    """Return the probability that an agent's best guess of g is right.

    Parameters
    ----------
    by_count
        g by the center's bit and the ones among the N agents, shape (2, N + 1).
    center
        The channel of the center's bit: clear or noise.
    rivals
        The channel of each of the N - 1 other agents.
    prior
        The chance that a bit is 1.

    Returns
    -------
    number
        Exact if prior and channels are; else float64.

    Raises
    ------
    InputError
        If the rivals are of so many kinds that there are too many combinations of messages.
    ValueError
        If the center's channel is neither clear nor noise.
    """
    kinds = count_kinds(rivals)
    _refuse_many_states(kinds, len(rivals))
    if not (center.clear or center.noise):
        raise ValueError("the center's channel must be clear or noise")
    if is_exact(prior, [center, *rivals]):
        return compute_accuracy_exactly(by_count, center, kinds, Fraction(prior))
    prior = float(prior)
    rest = 1 - prior
    cases = [(rest, by_count[0]), (prior, by_count[1])]
    if center.noise:
        cases = [(1.0, by_count[0] * rest + by_count[1] * prior)]
    accuracy = 0.0
    for weight, g in cases:
        chance, one = _sum_out_kinds(g, kinds, prior)
        # The last axis is the agent's own bit.
        for bit, mine in ((0, rest), (1, prior)):
            likely = np.maximum(one[..., bit], 1 - one[..., bit])
            accuracy += float(weight * mine * (chance * likely).sum())
    return accuracy


@dataclass(frozen=True)
class CountedBeliefs:
    """An agent's beliefs about g, by how many rivals of each kind sent 0.

    Parameters
    ----------
    kinds
        Channels that are not noise, and which rivals have them.
    one
        P(g = 1 | messages) by the center's bit where it is revealed (else one row), the zeros of
        each kind, and the agent's own bit.
    center_revealed
        Whether the agent gets the center's bit.
    """

    kinds: tuple[tuple[Channel, tuple[int, ...]], ...]
    one: Array
    center_revealed: bool

    def posterior(
        self, center: NDArray[np.int64], own: NDArray[np.int64], messages: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return P(g = 1) in each of m rounds.

        Parameters
        ----------
        center, own
            The center's bit and the agent's, shape (m,).
        messages
            Of the rivals, shape (m, rivals).
        """
        zeros = [(1 - messages[:, list(who)]).sum(axis=1) for _, who in self.kinds]
        row = center if self.center_revealed else center * 0
        posterior: NDArray[np.float64] = self.one[(row, *zeros, own)]
        return posterior


def compute_beliefs_by_count(
    by_count: Bits, center: Channel, kinds: ChannelCounts, prior: float
) -> Array:
    """Return P(g = 1 | messages), as `CountedBeliefs.one`; float64.

    Parameters
    ----------
    by_count, center, prior
        As in `compute_accuracy_by_count`.
    kinds
        From `count_kinds`, of all rivals.
    """
    _refuse_many_states(kinds, by_count.shape[1] - 2)
    shape = [n + 1 for channel, n in kinds if not channel.noise]
    if center.noise:
        cases = [by_count[0] * (1 - prior) + by_count[1] * prior]
    else:
        cases = [by_count[0].astype(np.float64), by_count[1].astype(np.float64)]
    return np.stack([_sum_out_kinds(g, kinds, prior)[1].reshape(*shape, 2) for g in cases])


def match_beliefs(center: Channel, rivals: Sequence[Channel], one: Array) -> CountedBeliefs:
    """Return beliefs that know which rivals are of which kind.

    `one` comes from `compute_beliefs_by_count`.
    """
    kinds = tuple(
        (channel, tuple(j for j, other in enumerate(rivals) if other == channel))
        for channel, _ in count_kinds(rivals)
        if not channel.noise
    )
    return CountedBeliefs(kinds, one, center_revealed=not center.noise)


def count_kinds(rivals: Sequence[Channel]) -> ChannelCounts:
    """Return how many channels there are of each kind, noise first: it makes arrays smaller."""
    counts = Counter(rivals).items()
    return tuple(sorted(counts, key=lambda kind: (not kind[0].noise, -kind[1], kind[0])))


def count_states(kinds: ChannelCounts, rivals: int) -> int:
    """Return the size of the largest array that is needed for so many rivals."""
    left, rows, largest = rivals, 1, 1
    for channel, n in kinds:
        left -= n
        rows *= 1 if channel.noise else n + 1
        largest = max(largest, rows * (left + 2))
    return largest


def _refuse_many_states(kinds: ChannelCounts, rivals: int) -> None:
    states = count_states(kinds, rivals)
    if states > MOST_STATES:
        raise InputError(
            "parties",
            f"{len(kinds)} kinds of commitments among {rivals} rivals give {format_rough(states)} "
            "combinations of messages",
            "round the commitments until there are fewer kinds",
        )


def _sum_out_kinds(g: Array, kinds: ChannelCounts, prior: float) -> tuple[FloatArray, FloatArray]:
    """Return P(messages), and P(g = 1 | messages) by the agent's own bit.

    Shapes (m,) and (m, 2).
    """
    one = np.asarray(g, dtype=np.float64)[None, :]
    chance = np.ones(1)
    for channel, n in kinds:
        if channel.noise:
            one = _average_over_rivals(one, n, prior)
            continue
        zero, after_zero, after_one = (float(x) for x in channel.posterior(prior))
        out = np.empty((one.shape[0], n + 1, one.shape[1] - n))
        sum_out_rivals(np.ascontiguousarray(one), n, after_zero, after_one, out)
        one = out.reshape(-1, out.shape[2])
        chance = (chance[:, None] * _binomial(n, zero)[None, :]).reshape(-1)
    return chance, one


def _average_over_rivals(one: FloatArray, n: int, prior: float) -> FloatArray:
    """Return the average over n rivals whose messages are noise: O(n) products for each value."""
    chances = _binomial(n, prior)
    columns = [(one[:, s : s + n + 1] * chances).sum(axis=1) for s in range(one.shape[1] - n)]
    return np.stack(columns, axis=1)


def _binomial(n: int, p: float) -> FloatArray:
    """Return the chances of 0 to n successes."""
    # Outwards from the mode, so that no power underflows where it matters.
    chances: FloatArray = np.zeros(n + 1)
    if p in (0.0, 1.0):
        chances[round(p) * n] = 1.0
        return chances
    mode = min(n, int((n + 1) * p))
    chances[mode] = 1.0
    odds = p / (1 - p)
    for k in range(mode + 1, n + 1):
        chances[k] = chances[k - 1] * (n - k + 1) / k * odds
    for k in range(mode - 1, -1, -1):
        chances[k] = chances[k + 1] * (k + 1) / (n - k) / odds
    scaled: FloatArray = chances / chances.sum()
    return scaled
