"""Numbers that depend on one another: shares of right answers by enumeration.

All combinations of steps are listed with their chances, and for each all messages that can come;
they are grouped by what the agent hears. Cost: combinations times messages, at most `MOST_WORLDS`.
Source: ours; that the four cases hold for dependent numbers too is proved in docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.curation.channels import Channel
from aboveboard.errors import InputError
from aboveboard.games.numbers import Number

MOST_WORLDS = 1 << 16
"""Combinations of steps and messages that are listed."""


def make_joint_steps(distributions: Sequence[Sequence[Number]]) -> tuple[Number, ...]:
    """Return the chances of all combinations of steps of independent numbers, the center's first.

    Examples
    --------
    >>> make_joint_steps([(Fraction(1, 2),) * 2, (Fraction(1, 3), Fraction(2, 3))])
    (Fraction(1, 6), Fraction(1, 6), Fraction(1, 3), Fraction(1, 3))
    """
    refuse_many_worlds(prod(map(len, distributions)))
    chances: list[Number] = [Fraction(1)]
    for own in distributions:
        chances = [x * y for y in own for x in chances]
    return tuple(chances)


def refuse_many_worlds(count: int) -> None:
    """Raise `InputError` if there are too many combinations to list."""
    if count > MOST_WORLDS:
        raise InputError(
            "function.thresholds",
            f"there would be {count} combinations of steps and messages",
            "use fewer thresholds or agents, or one distribution for all numbers",
        )


def list_worlds(joint: Sequence[Number], steps: int) -> Iterator[tuple[tuple[int, ...], Number]]:
    """Yield the step of each number, the center's first, with the chance of all together."""
    size = 0
    while steps**size < len(joint):
        size += 1
    for index, chance in enumerate(joint):
        if chance:
            yield tuple(index // steps**j % steps for j in range(size)), chance


def share_of_right(
    joint: Sequence[Number],
    own: int,
    channels: Sequence[Channel],
    weights: Sequence[Number],
    counts: Sequence[int],
    center_weight: int,
) -> Number:
    """Return the expected share of right answers of the number `own`, the center's being 0.

    Parameters
    ----------
    joint
        The chance of every combination of steps.
    own
        Whose answers, from 1.
    channels
        What is heard of each number, the center's first; that of `own` is ignored.
    weights, counts
        By threshold how much it counts; how many votes each question asks for.
    center_weight
        How often the center's number counts.
    """
    steps = len(weights) + 1
    told = [_list_messages(channel, steps) for channel in channels]
    told[own] = [[(step, Fraction(1))] for step in range(steps)]
    messages = prod(max(map(len, options)) for options in told)
    refuse_many_worlds(len(joint) * messages)
    heard: dict[Any, list[Number]] = {}
    for world, chance in list_worlds(joint, steps):
        votes = [
            center_weight * (world[0] > k) + sum(x > k for x in world[1:])
            for k in range(len(weights))
        ]
        for each in product(*(options[x] for options, x in zip(told, world, strict=True))):
            likely: Number = chance
            for _, factor in each:
                likely = likely * factor
            message = tuple(m for m, _ in each)
            for k, reached in enumerate(votes):
                for j in counts:
                    pair = heard.setdefault((message, k, j), [Fraction(0), Fraction(0)])
                    pair[reached >= j] += likely
    share: Number = Fraction(0)
    for (_, k, _), pair in heard.items():
        share = share + weights[k] * max(pair) / Fraction(len(counts))
    return share


def _list_messages(channel: Channel, steps: int) -> list[list[tuple[Any, Number]]]:
    """Return by step the messages that can come, each with its chance."""
    if channel.noise:
        return [[(None, Fraction(1))]] * steps
    if channel.clear:
        return [[(step, Fraction(1))] for step in range(steps)]
    found = []
    for step in range(steps):
        options: list[tuple[Any, Number]] = []
        for message in product((0, 1), repeat=steps - 1):
            chance = weigh(message, step, channel)
            if chance:
                options.append((message, chance))
        found.append(options)
    return found


def weigh(message: Sequence[int], step: int, channel: Channel) -> Number:
    """Return the chance of the messages about all thresholds of a number on some step."""
    chance: Number = Fraction(1)
    for k, bit in enumerate(message):
        zero = channel.zero_if_one if step > k else channel.zero_if_zero
        chance = chance * ((1 - zero) if bit else zero)
    return chance


def believe(
    joint: Sequence[Number],
    steps: int,
    likelihoods: Sequence[NDArray[np.float64]],
    counts: Sequence[int],
    center_weight: int,
) -> NDArray[np.float64]:
    """Return the chance that each question is answered by yes, by row, threshold and question.

    Parameters
    ----------
    joint, counts, center_weight
        As for `share_of_right`.
    steps
        How many steps there are.
    likelihoods
        By number, the center's first: the chance of what is heard by row and step.
    """
    listed = list(list_worlds(joint, steps))
    worlds = np.array([world for world, _ in listed])
    chances = np.array([float(chance) for _, chance in listed])
    weights = np.broadcast_to(chances, (len(likelihoods[0]), len(chances))).copy()
    for j, likelihood in enumerate(likelihoods):
        weights *= likelihood[:, worlds[:, j]]
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    reached = worlds[:, :, None] > np.arange(steps - 1)
    votes = center_weight * reached[:, 0] + reached[:, 1:].sum(axis=1)
    yes = votes[:, :, None] >= np.array(list(counts))
    found: NDArray[np.float64] = np.tensordot(weights, yes.astype(np.float64), axes=(1, 0))
    return found
