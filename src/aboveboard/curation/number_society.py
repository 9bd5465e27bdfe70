"""Numbers as rounds of thresholds: agents who want to know a median or an average.

Each number is measured by whether it reaches each of some thresholds: a round of bits for each
threshold, with one commitment for all of them. A question is "do at least j of the numbers reach
threshold k", the center's number counted w times. The median asks one for each threshold, the
average all j: an average is the mean of the numbers in order, so it is a sum of such questions.
A right answer counts as much as the step that ends at its threshold. Then the expected share of
wrong answers is the expected absolute error of the median over the range, and no less than that of
the average, numbers rounded down to a threshold.

Cost: one count of the agents for each question where all are truthful or silent; else one sum over
all messages of the agents who are neither. Source: "Data Curation from Privacy-Aware Agents",
introduction and Lemma 1; the reading is ours, with proofs in docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, product
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import Channel
from aboveboard.curation.commitments import Agent
from aboveboard.curation.curation_game import Messages, Society
from aboveboard.curation.dependent_numbers import refuse_many_worlds, share_of_right
from aboveboard.curation.social_functions import Bits, Threshold
from aboveboard.errors import InputError
from aboveboard.games.numbers import Number

Statistic = Literal["median", "average"]

Heard = list[tuple[Number, Number]]
"""Chances of what is heard of one number, with it below a threshold, and not below."""

MOST_COMBINATIONS = 1 << 14
"""Combinations of messages that are summed for each question."""


@dataclass(frozen=True)
class Scale:
    """How numbers are measured.

    Parameters
    ----------
    lowest, highest
        Between them all numbers lie; the highest itself is allowed.
    thresholds
        In ascending order, all between the two.

    Raises
    ------
    InputError
        If they are not in ascending order.

    Examples
    --------
    >>> scale = Scale(Fraction(0), Fraction(10), (Fraction(2), Fraction(5)))
    >>> scale.edges, scale.weights
    ((Fraction(0, 1), Fraction(2, 1), Fraction(5, 1)), (Fraction(2, 5), Fraction(3, 5)))
    """

    lowest: Fraction
    highest: Fraction
    thresholds: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        ends = (self.lowest, *self.thresholds, self.highest)
        if not self.thresholds or any(a >= b for a, b in pairwise(ends)):
            raise InputError(
                "function.thresholds",
                "they are not in ascending order between the ends of the range",
                "list at least one, each above the one before, inside the range",
            )

    @cached_property
    def edges(self) -> tuple[Fraction, ...]:
        """The lowest number and the thresholds: where each step begins."""
        return (self.lowest, *self.thresholds)

    @cached_property
    def weights(self) -> tuple[Fraction, ...]:
        """By threshold: its share of the way from the lowest number to the last threshold."""
        whole = self.thresholds[-1] - self.lowest
        pairs = zip(self.thresholds, self.edges, strict=False)
        return tuple((upper - lower) / whole for upper, lower in pairs)

    @property
    def resolution(self) -> Fraction:
        """The widest step: an answer is no more exact than that."""
        ends = (*self.edges, self.highest)
        return max(b - a for a, b in pairwise(ends))


@dataclass(frozen=True)
class NumberSociety(Society):
    """Agents who want to know the median or the average of their numbers and the center's.

    Numbers are independent, with one distribution, unless `step_chances` says otherwise.

    Parameters
    ----------
    function, agents, prior, joint
        As of a `Society`; only the agents matter. Use `make_number_society`.
    statistic
        "median" (of an even number of votes the lower one) or "average".
    scale
        How numbers are measured.
    distribution
        The chance of each step of the scale, from the lowest.
    center_weight
        How often the center's number counts.
    step_chances
        The chance of every combination of steps, the center's number first and fastest, where
        numbers depend on one another or have different distributions; then `distribution` is
        ignored.

    Examples
    --------
    >>> from aboveboard.curation import Agent
    >>> scale = Scale(Fraction(0), Fraction(2), (Fraction(1),))
    >>> agents = (Agent(value=1, price=Fraction(1, 5)),) * 2
    >>> society = make_number_society("median", agents, scale)
    >>> society.votes, society.counts
    (3, (2,))
    """

    statistic: Statistic = "median"
    scale: Scale = Scale(Fraction(0), Fraction(2), (Fraction(1),))
    distribution: tuple[Number, ...] = (Fraction(1, 2), Fraction(1, 2))
    center_weight: int = 1
    step_chances: tuple[Number, ...] | None = None

    @property
    def votes(self) -> int:
        """How many numbers there are, the center's counted as often as it weighs."""
        return len(self.agents) + self.center_weight

    @property
    def counts(self) -> tuple[int, ...]:
        """How many numbers the questions ask for: do at least j of them reach a threshold."""
        if self.statistic == "median":
            return (self.votes // 2 + 1,)
        return tuple(range(1, self.votes + 1))

    @cached_property
    def by_count(self) -> Bits | None:
        """None: there is not one function of bits."""
        return None

    def chance_to_reach(self, k: int) -> Number:
        """Return the chance that a number reaches threshold k, from 0."""
        return sum(self.distribution[k + 1 :])

    def accuracy(self, i: int, center: Channel, messages: Messages) -> Number:
        """Return the expected share of right answers of agent i, each with its weight."""
        rivals = messages.kinds_without(i)
        if center.clear and all(channel.clear for channel, _ in rivals):
            return 1
        if self.step_chances is not None:
            return self._enumerate(self.step_chances, i, center, messages)
        key = ("numbers", center, rivals)
        if key not in self._cache:
            others = [c for c, n in sorted(rivals) for _ in range(n)]
            self._cache[key] = sum(
                weight * self._answer_threshold(k, center, others)
                for k, weight in enumerate(self.scale.weights)
            )
        return self._cache[key]

    def _enumerate(
        self, joint: tuple[Number, ...], i: int, center: Channel, messages: Messages
    ) -> Number:
        key = ("dependent numbers", i, center, messages.without(i))
        if key not in self._cache:
            channels = (center, *messages.channels)
            self._cache[key] = share_of_right(
                joint, i + 1, channels, self.scale.weights, self.counts, self.center_weight
            )
        return self._cache[key]

    def _answer_threshold(self, k: int, center: Channel, others: Sequence[Channel]) -> Number:
        """Return the share of right answers about threshold k, all its questions alike."""
        chance = self.chance_to_reach(k)
        if chance in (0, 1):
            return 1
        if all(c.clear or c.noise for c in others):
            bare = Messages((Channel(1, 0), *others))
            found = [
                Society(Threshold(j, self.center_weight), self.agents, chance).accuracy(
                    0, center, bare
                )
                for j in self.counts
            ]
        else:
            found = self._sum_over_messages(k, center, others)
        return sum(found) / Fraction(len(found)) if found else 1

    def _sum_over_messages(
        self, k: int, center: Channel, others: Sequence[Channel]
    ) -> list[Number]:
        """Return the accuracy of each question of threshold k, by all that can be heard."""
        chance = self.chance_to_reach(k)
        plain: Heard = [(1 - chance, 0), (0, chance)]
        nothing: Heard = [(1 - chance, chance)]
        heard = [plain, plain if center.clear else nothing]
        heard += [plain if c.clear else nothing if c.noise else self.merge(k, c) for c in others]
        refuse_many_combinations(prod(map(len, heard)))
        right: list[Number] = [Fraction(0)] * len(self.counts)
        for own, of_center, *rest in product(*heard):
            votes = convolve([own, *rest], of_center, self.center_weight)
            total = sum(votes)
            for q, j in enumerate(self.counts):
                reached = sum(votes[j:])
                right[q] += max(reached, total - reached)
        return right

    def merge(self, k: int, channel: Channel) -> list[tuple[Number, Number]]:
        """Return the chances of what messages tell of threshold k, with the number below and not.

        All messages of one number tell of each threshold. Those with the same odds are one.
        """
        found: dict[Any, list[Number]] = {}
        for message in product((0, 1), repeat=len(self.scale.thresholds)):
            below, above = self.weigh_message(message, channel, k)
            if below + above == 0:
                continue
            pair = found.setdefault(below / (below + above), [Fraction(0), Fraction(0)])
            pair[0] += below
            pair[1] += above
        return [(below, above) for below, above in found.values()]

    def weigh_message(
        self, message: Sequence[int], channel: Channel, k: int
    ) -> tuple[Number, Number]:
        """Return the chance of a message and a number below threshold k, and of one not below."""
        sums: list[Number] = [Fraction(0), Fraction(0)]
        for step, chance in enumerate(self.distribution):
            for t, bit in enumerate(message):
                zero = channel[1] if step > t else channel[0]
                chance = chance * ((1 - zero) if bit else zero)
            sums[step > k] += chance
        return sums[0], sums[1]


def refuse_many_combinations(count: int) -> None:
    """Raise `InputError` if too many combinations of messages would have to be summed."""
    if count > MOST_COMBINATIONS:
        raise InputError(
            "commitments",
            f"with these there are {count} combinations of messages about each threshold",
            "let more agents be truthful or silent, or use fewer thresholds",
        )


def convolve(
    pairs: Sequence[tuple[Number, Number]], center: tuple[Number, Number], weight: int
) -> list[Number]:
    """Return the chances of how many votes reach a threshold, each with its two chances."""
    votes: list[Number] = [center[0], *[Fraction(0)] * weight]
    votes[weight] = votes[weight] + center[1]
    for below, above in pairs:
        padded = [*votes, Fraction(0)]
        votes = [x * below + (padded[t - 1] * above if t else 0) for t, x in enumerate(padded)]
    return votes


@dataclass(frozen=True)
class NumberFunction:
    """What stands for the function of a society of numbers: it has no table."""

    KIND: ClassVar[str] = "numbers"

    def by_count(self, agents: int) -> Bits | None:
        """Return None."""
        return None

    def table(self, agents: int) -> Bits:
        """Raise `InputError`."""
        raise InputError("function", "a median or an average has no table of bits", "use a bit")


def make_number_society(
    statistic: Statistic,
    agents: tuple[Agent, ...],
    scale: Scale,
    distribution: Sequence[Number] | None = None,
    center_weight: int = 1,
    step_chances: Sequence[Number] | None = None,
) -> NumberSociety:
    """Return the society of agents who want to know a median or an average.

    Parameters
    ----------
    statistic, agents, scale, center_weight, step_chances
        As of a `NumberSociety`.
    distribution
        The chance of each step of the scale; None: all steps are as likely.

    Raises
    ------
    InputError
        If there is not one chance for each step, or they do not sum to 1.

    Examples
    --------
    >>> scale = Scale(Fraction(0), Fraction(40), (Fraction(10), Fraction(20), Fraction(30)))
    >>> agents = (Agent(1, Fraction(1, 10)),) * 2
    >>> society = make_number_society("median", agents, scale)
    >>> society.profit_alone(0), society.profit_with_center(0)
    (Fraction(13, 16), Fraction(41, 48))
    """
    steps = len(scale.thresholds) + 1
    chances: tuple[Any, ...] = tuple(distribution or (Fraction(1, steps),) * steps)
    if len(chances) != steps or any(x < 0 for x in chances) or abs(sum(chances) - 1) > 1e-12:
        raise InputError(
            "function.distribution",
            f"it has {len(chances)} chances that sum to {sum(chances)}",
            f"list {steps}, one for each step from the lowest number to the highest; they sum to 1",
        )
    if step_chances is not None:
        refuse_invalid_joint_steps(step_chances, steps, len(agents))
    if center_weight < 0:
        raise InputError("center_weight", f"it is {center_weight}", "use 0 or more")
    return NumberSociety(
        NumberFunction(),
        agents,
        Fraction(1, 2),
        statistic=statistic,
        scale=scale,
        distribution=chances,
        center_weight=center_weight,
        step_chances=None if step_chances is None else tuple(step_chances),
    )


def refuse_invalid_joint_steps(joint: Sequence[Number], steps: int, agents: int) -> None:
    """Raise `InputError` unless these are chances of all combinations of steps."""
    size = steps ** (agents + 1)
    refuse_many_worlds(size)
    total: Any = sum(joint)
    if len(joint) != size or any(x < 0 for x in joint) or abs(total - 1) > 1e-9:
        raise InputError(
            "function.joint",
            f"it has {len(joint)} chances that sum to {total}",
            f"list {size}, one for each combination of steps, the center's number first; they "
            "sum to 1",
        )


def count_votes(society: NumberSociety, center: NDArray[Any], steps: NDArray[Any]) -> NDArray[Any]:
    """Return how many votes reach each threshold, shape (rows, thresholds).

    Parameters
    ----------
    society
        Whose numbers these are.
    center, steps
        On which step each number is, shapes (rows,) and (rows, agents).
    """
    thresholds = np.arange(len(society.scale.thresholds))
    reached = (steps[:, :, None] > thresholds).sum(axis=1)
    votes: NDArray[Any] = reached + society.center_weight * (center[:, None] > thresholds)
    return votes
