"""Comparison of messages: Lemma 2, Theorem 1, both with another prior."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.formatting import encode_number
from papers.claims import Family, Finding, Trial, search_counterexample
from papers.curation.agent_information import Information, draw_channels
from papers.curation.instances import (
    CHANNELS,
    HALF,
    Values,
    draw_functions,
    format_pairs,
    list_functions,
)

F = Fraction


@dataclass(frozen=True)
class BitTwo:
    """A function of the center's bit and three agents', with many channels from bit 2 to agent 1.

    Parameters
    ----------
    values
        g by bit mask.
    rest
        The channels from bits 0 and 3 to agent 1.
    prior
        The chance that a bit is 1.
    """

    values: Values
    rest: tuple[Channel, Channel]
    prior: Fraction

    def accuracies(self) -> dict[Channel, Fraction]:
        """Return the chance that agent 1 guesses right by its channel from agent 2's bit."""
        return {channel: self.information(channel).accuracy() for channel in CHANNELS}

    def information(self, channel: Channel) -> Information:
        """Return agent 1's information."""
        channels = {0: self.rest[0], 2: channel, 3: self.rest[1]}
        return Information(self.values, 1, channels, self.prior)


@cache
def _accuracies(instance: BitTwo) -> dict[Channel, Fraction]:
    return instance.accuracies()


def distances(channel: Channel, prior: Fraction, center: Fraction) -> tuple[Fraction, Fraction]:
    """Return how far each message leaves the belief from a number.

    A message that never comes leaves it as it was.
    """
    _, after_zero, after_one = channel.posterior(prior)
    return abs(F(after_zero) - center), abs(F(after_one) - center)


Farther = Callable[[Channel, Channel, Fraction], bool]


def message_by_message(first: Channel, second: Channel, prior: Fraction) -> bool:
    """Return whether each message of the first moves the belief as far from 1/2 as the second's."""
    each = zip(distances(first, prior, HALF), distances(second, prior, HALF), strict=True)
    return all(a >= b for a, b in each)


def any_message(first: Channel, second: Channel, prior: Fraction) -> bool:
    """Return whether every message of the first leaves it as far from the prior as any second."""
    return min(distances(first, prior, prior)) >= max(distances(second, prior, prior))


@cache
def order_channels(farther: Farther, prior: Fraction) -> list[tuple[Channel, Channel]]:
    """Return the pairs of channels of which the first is farther."""
    return [(a, b) for a, b in product(CHANNELS, repeat=2) if farther(a, b, prior)]


def make_test(farther: Farther) -> Callable[[BitTwo], Trial]:
    """Return the test: what is farther is worth no less."""

    def test(instance: BitTwo) -> Trial:
        worth, checks = _accuracies(instance), 0
        for first, second in order_channels(farther, instance.prior):
            checks += 1
            if worth[first] < worth[second]:
                return Trial(
                    checks,
                    {
                        **instance.information(first).as_dict(),
                        "or of 2": format_pairs([second])[0],
                        "right": encode_number(worth[first]),
                        "right then": encode_number(worth[second]),
                    },
                )
        return Trial(checks)

    return test


def _make_bit_two(rng: np.random.Generator, prior: Fraction) -> tuple[Family, ...]:
    # The agent's own bit does not matter in these functions: bits 0, 2 and 3 are all there is.
    free = [tuple(v[(m & 1) | (m >> 1 & 6)] for m in range(16)) for v in list_functions(3)]
    plainly = [BitTwo(values, (NOISE, NOISE), prior) for values in free]
    drawn = [
        BitTwo(values, (CLEAR if k % 2 else NOISE, draw_channels(rng, 1)[0]), prior)
        for k, values in enumerate(draw_functions(rng, 3, 40))
    ]
    return (
        Family("functions of three bits that agent 1 has not, two of them unheard", plainly),
        Family("functions of three agents' bits and the center's", drawn, sampled=True),
    )


ANY = (
    "If every message in the first protocol leaves the agent at least as far from the prior as any "
    "message in the second, its profit is no less."
)


def check_lemma_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Check Lemma 2 as printed and as corrected."""
    instance = _make_bit_two(rng, HALF)
    return (
        search_counterexample(make_test(message_by_message), *instance, unit="pairs of channels"),
        search_counterexample(
            make_test(any_message), *instance, unit="pairs of channels", correction=ANY
        ),
    )


@dataclass(frozen=True)
class Replies:
    """A function and two protocols' channels of the three bits that agent 1 has not.

    Parameters
    ----------
    values
        g by bit mask.
    first, second
        What agent 1 hears of bits 0, 2 and 3 in each protocol.
    prior
        The chance that a bit is 1.
    """

    values: Values
    first: tuple[Channel, ...]
    second: tuple[Channel, ...]
    prior: Fraction


def _make_replies(
    rng: np.random.Generator, prior: Fraction, farther: Farther
) -> tuple[Family, ...]:
    """Return the pairs that satisfy a theorem's condition: one other bit, and drawn at random."""
    free = [tuple(v[(m & 1) | (m >> 1 & 6)] for m in range(16)) for v in list_functions(3)]
    one = Channel(HALF, F(1)), Channel(F(1), HALF)
    some: Iterable[Replies] = (
        Replies(values, (NOISE, a, NOISE), (NOISE, b, NOISE), prior)
        for values in free
        for a, b in (one, one[::-1])
        if farther(a, b, prior)
    )
    drawn, pairs_of = [], order_channels(farther, prior)
    for values in draw_functions(rng, 3, 400):
        both = [pairs_of[k] for k in rng.integers(0, len(pairs_of), 3)]
        first, second = zip(*both, strict=True)
        drawn.append(Replies(values, first, second, prior))
    return (
        Family("functions of three bits that agent 1 has not, one of them half heard", some),
        Family("functions with replies about each bit", drawn, sampled=True),
    )


def _compare_replies(replies: Replies) -> Trial:
    worth = []
    for channels in (replies.first, replies.second):
        channel = dict(zip((0, 2, 3), channels, strict=True))
        worth.append(Information(replies.values, 1, channel, replies.prior))
    first, second = (hearing.accuracy() for hearing in worth)
    if first >= second:
        return Trial(1)
    there = worth[1].as_dict()["hears"]
    return Trial(
        1,
        {
            **worth[0].as_dict(),
            "or": there,
            "right": encode_number(first),
            "right then": encode_number(second),
        },
    )


def check_theorem_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Check Theorem 1 as printed and as corrected."""
    return (
        search_counterexample(
            _compare_replies, *_make_replies(rng, HALF, message_by_message), unit="pairs of replies"
        ),
        search_counterexample(
            _compare_replies,
            *_make_replies(rng, HALF, any_message)[1:],
            unit="pairs of replies",
            correction=ANY,
        ),
    )


def check_footnote_3(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Check Theorem 1 where a 1 has the chance 1/3."""
    instance = _make_bit_two(rng, F(1, 3))
    return (
        search_counterexample(make_test(message_by_message), *instance, unit="pairs of channels"),
        search_counterexample(
            make_test(any_message), *instance, unit="pairs of channels", correction=ANY
        ),
    )
