"""How often an agent's best guess is right, for a function that treats agents alike, by counting.

What matters of the rivals is how many of each kind sent which message; of the rest of the bits, how
many are 1. Rivals of a kind are summed out one after the other on an array over (zeros heard, ones
left), so that nothing cancels and nothing underflows: O(N^2) a rival of the last kind, times the
numbers of zeros of the kinds before. N = 1000 of one kind takes tenths of a second. Rivals of whom
nothing is heard need no axis. Where all is exact `counting_exactly` does the same in whole numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import Channel
from aboveboard.curation.counting_exactly import Kinds, right_guess_exactly
from aboveboard.curation.inference import exact
from aboveboard.curation.kernels import heard_of
from aboveboard.curation.social_functions import Bits
from aboveboard.errors import InputError
from aboveboard.games.numbers import Array, Number

FloatArray = NDArray[np.float64]

MOST_STATES = 1 << 27
"""Values of the largest array: 1 GiB of float64."""


def right_guess_by_count(
    by_count: Bits, center: Channel, rivals: Sequence[Channel], prior: Number
) -> Number:
    """Give the probability that an agent's best guess of g is right.

    Parameters
    ----------
    by_count
        g by the center's bit and the ones among the N agents, shape (2, N + 1).
    center
        What the agent hears of the center's bit: all or nothing.
    rivals
        What it hears of each of the N - 1 other agents.
    prior
        The chance that a bit is 1.

    Returns
    -------
    number
        Exact if prior and channels are; else float64.

    Raises
    ------
    InputError
        If the rivals are of so many kinds that there are too many things to hear.
    ValueError
        If the center's bit is heard in part.
    """
    kinds = kinds_of(rivals)
    _refuse_many(kinds, len(rivals))
    if not (center.clear or center.noise):
        raise ValueError("a center passes its bit on or keeps it; it has no channel in between")
    if exact(prior, [center, *rivals]):
        return right_guess_exactly(by_count, center, kinds, Fraction(prior))
    prior = float(prior)
    rest = 1 - prior
    cases = [(rest, by_count[0]), (prior, by_count[1])]
    if center.noise:
        cases = [(1.0, by_count[0] * rest + by_count[1] * prior)]
    right = 0.0
    for weight, g in cases:
        chance, one = _heard(g, kinds, prior)
        # The last axis is the agent's own bit.
        for bit, mine in ((0, rest), (1, prior)):
            likely = np.maximum(one[..., bit], 1 - one[..., bit])
            right += float(weight * mine * (chance * likely).sum())
    return right


@dataclass(frozen=True)
class CountedBeliefs:
    """What an agent thinks of g by how many of each kind sent 0.

    Parameters
    ----------
    kinds
        Channels of the rivals of whom something is heard, and which rivals they are.
    one
        P(g = 1 | heard) by the center's bit where it is heard (else one row), the zeros of each
        kind, and the agent's own bit.
    center_heard
        Whether the center's bit is heard.
    """

    kinds: tuple[tuple[Channel, tuple[int, ...]], ...]
    one: Array
    center_heard: bool

    def posterior(
        self, center: NDArray[np.int64], own: NDArray[np.int64], messages: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Give P(g = 1) in each of m rounds.

        Parameters
        ----------
        center, own
            The center's bit and the agent's, shape (m,).
        messages
            Of the rivals, shape (m, rivals).
        """
        zeros = [(1 - messages[:, list(who)]).sum(axis=1) for _, who in self.kinds]
        row = center if self.center_heard else center * 0
        found: NDArray[np.float64] = self.one[(row, *zeros, own)]
        return found


def beliefs_by_count(by_count: Bits, center: Channel, kinds: Kinds, prior: float) -> Array:
    """Give P(g = 1 | heard), as `CountedBeliefs.one`; float64.

    Parameters
    ----------
    by_count, center, prior
        As in `right_guess_by_count`.
    kinds
        From `kinds_of`, of all rivals.
    """
    _refuse_many(kinds, by_count.shape[1] - 2)
    shape = [n + 1 for channel, n in kinds if not channel.noise]
    if center.noise:
        cases = [by_count[0] * (1 - prior) + by_count[1] * prior]
    else:
        cases = [by_count[0].astype(np.float64), by_count[1].astype(np.float64)]
    return np.stack([_heard(g, kinds, prior)[1].reshape(*shape, 2) for g in cases])


def heard_by_count(center: Channel, rivals: Sequence[Channel], one: Array) -> CountedBeliefs:
    """Say which rivals are of which kind; `one` is from `beliefs_by_count`."""
    kinds = tuple(
        (channel, tuple(j for j, other in enumerate(rivals) if other == channel))
        for channel, _ in kinds_of(rivals)
        if not channel.noise
    )
    return CountedBeliefs(kinds, one, center_heard=not center.noise)


def kinds_of(rivals: Sequence[Channel]) -> Kinds:
    """Count the channels of each kind: those that tell nothing first, they make arrays smaller."""
    counts = Counter(rivals).items()
    return tuple(sorted(counts, key=lambda kind: (not kind[0].noise, -kind[1], kind[0])))


def states_of(kinds: Kinds, rivals: int) -> int:
    """Give the size of the largest array on the way, for so many rivals."""
    left, heard, largest = rivals, 1, 1
    for channel, n in kinds:
        left -= n
        heard *= 1 if channel.noise else n + 1
        largest = max(largest, heard * (left + 2))
    return largest


def _refuse_many(kinds: Kinds, rivals: int) -> None:
    states = states_of(kinds, rivals)
    if states > MOST_STATES:
        raise InputError(
            "parties",
            f"commitments of {len(kinds)} kinds among {rivals} rivals can be heard in "
            f"{states:.1e} ways",
            "round the commitments until there are fewer kinds",
        )


def _heard(g: Array, kinds: Kinds, prior: float) -> tuple[FloatArray, FloatArray]:
    """Give the chance of what is heard, and of g = 1 then by the agent's own bit.

    Shapes (heard,) and (heard, 2).
    """
    one = np.asarray(g, dtype=np.float64)[None, :]
    chance = np.ones(1)
    for channel, n in kinds:
        if channel.noise:
            one = _unheard(one, n, prior)
            continue
        zero, after_zero, after_one = (float(x) for x in channel.posterior(prior))
        out = np.empty((one.shape[0], n + 1, one.shape[1] - n))
        heard_of(np.ascontiguousarray(one), n, after_zero, after_one, out)
        one = out.reshape(-1, out.shape[2])
        chance = (chance[:, None] * _binomial(n, zero)[None, :]).reshape(-1)
    return chance, one


def _unheard(one: FloatArray, n: int, prior: float) -> FloatArray:
    """Average over n rivals of whom nothing is heard: O(n) products for each value that is left."""
    chances = _binomial(n, prior)
    columns = [(one[:, s : s + n + 1] * chances).sum(axis=1) for s in range(one.shape[1] - n)]
    return np.stack(columns, axis=1)


def _binomial(n: int, p: float) -> FloatArray:
    """Give the chances of 0 to n successes."""
    # From the mode outwards: no power underflows before it matters.
    found: FloatArray = np.zeros(n + 1)
    if p in (0.0, 1.0):
        found[round(p) * n] = 1.0
        return found
    mode = min(n, int((n + 1) * p))
    found[mode] = 1.0
    odds = p / (1 - p)
    for k in range(mode + 1, n + 1):
        found[k] = found[k - 1] * (n - k + 1) / k * odds
    for k in range(mode - 1, -1, -1):
        found[k] = found[k + 1] * (k + 1) / (n - k) / odds
    scaled: FloatArray = found / found.sum()
    return scaled
