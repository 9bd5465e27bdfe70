"""Whether better messages are worth more: Lemma 2, Theorem 1, both with another prior."""

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
from papers.curation.hearings import Hearing, draw
from papers.curation.instances import CHANNELS, HALF, Values, functions, pairs, random_functions

F = Fraction


@dataclass(frozen=True)
class Ears:
    """A function of the center's bit and three agents', of which agent 1 hears bit 2 in many ways.

    Parameters
    ----------
    values
        g by bit mask.
    rest
        What agent 1 hears of bits 0 and 3.
    prior
        The chance that a bit is 1.
    """

    values: Values
    rest: tuple[Channel, Channel]
    prior: Fraction

    def worth(self) -> dict[Channel, Fraction]:
        """Give the chance that agent 1 guesses right by what it hears of agent 2's bit."""
        return {heard: self.hearing(heard).right() for heard in CHANNELS}

    def hearing(self, heard: Channel) -> Hearing:
        """Give what agent 1 hears."""
        return Hearing(self.values, 1, {0: self.rest[0], 2: heard, 3: self.rest[1]}, self.prior)


@cache
def _worth(ears: Ears) -> dict[Channel, Fraction]:
    return ears.worth()


def distances(channel: Channel, prior: Fraction, center: Fraction) -> tuple[Fraction, Fraction]:
    """Give how far each message leaves the belief from a number; as before where it never comes."""
    _, after_zero, after_one = channel.posterior(prior)
    return abs(F(after_zero) - center), abs(F(after_one) - center)


Farther = Callable[[Channel, Channel, Fraction], bool]


def message_by_message(first: Channel, second: Channel, prior: Fraction) -> bool:
    """Say whether each message of the first leaves the belief as far from 1/2 as the second's."""
    each = zip(distances(first, prior, HALF), distances(second, prior, HALF), strict=True)
    return all(a >= b for a, b in each)


def any_message(first: Channel, second: Channel, prior: Fraction) -> bool:
    """Say whether every message of the first leaves it as far from the prior as any second."""
    return min(distances(first, prior, prior)) >= max(distances(second, prior, prior))


@cache
def ordered(farther: Farther, prior: Fraction) -> list[tuple[Channel, Channel]]:
    """List the pairs of channels of which the first is farther."""
    return [(a, b) for a, b in product(CHANNELS, repeat=2) if farther(a, b, prior)]


def no_less_if(farther: Farther) -> Callable[[Ears], Trial]:
    """Give the test: what is farther is worth no less."""

    def test(ears: Ears) -> Trial:
        worth, checks = _worth(ears), 0
        for first, second in ordered(farther, ears.prior):
            checks += 1
            if worth[first] < worth[second]:
                return Trial(
                    checks,
                    {
                        **ears.hearing(first).shown(),
                        "or of 2": pairs([second])[0],
                        "right": encode_number(worth[first]),
                        "right then": encode_number(worth[second]),
                    },
                )
        return Trial(checks)

    return test


def _ears(rng: np.random.Generator, prior: Fraction) -> tuple[Family, ...]:
    # The agent's own bit does not matter in these functions: bits 0, 2 and 3 are all there is.
    free = [tuple(v[(m & 1) | (m >> 1 & 6)] for m in range(16)) for v in functions(3)]
    plainly = [Ears(values, (NOISE, NOISE), prior) for values in free]
    drawn = [
        Ears(values, (CLEAR if k % 2 else NOISE, draw(rng, 1)[0]), prior)
        for k, values in enumerate(random_functions(rng, 3, 40))
    ]
    return (
        Family("functions of three bits that agent 1 has not, two of them unheard", plainly),
        Family("functions of three agents' bits and the center's", drawn, sampled=True),
    )


ANY = (
    "If every message in the first protocol leaves the agent at least as far from the prior as any "
    "message in the second, its profit is no less."
)


def lemma_2(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Check Lemma 2 as printed and as corrected."""
    ears = _ears(rng, HALF)
    return (
        search_counterexample(no_less_if(message_by_message), *ears, unit="pairs of channels"),
        search_counterexample(
            no_less_if(any_message), *ears, unit="pairs of channels", correction=ANY
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


def _replies(rng: np.random.Generator, prior: Fraction, farther: Farther) -> tuple[Family, ...]:
    """Give the pairs that satisfy a theorem's condition: one other bit, and drawn at random."""
    free = [tuple(v[(m & 1) | (m >> 1 & 6)] for m in range(16)) for v in functions(3)]
    one = Channel(HALF, F(1)), Channel(F(1), HALF)
    some: Iterable[Replies] = (
        Replies(values, (NOISE, a, NOISE), (NOISE, b, NOISE), prior)
        for values in free
        for a, b in (one, one[::-1])
        if farther(a, b, prior)
    )
    drawn, pairs_of = [], ordered(farther, prior)
    for values in random_functions(rng, 3, 400):
        both = [pairs_of[k] for k in rng.integers(0, len(pairs_of), 3)]
        first, second = zip(*both, strict=True)
        drawn.append(Replies(values, first, second, prior))
    return (
        Family("functions of three bits that agent 1 has not, one of them half heard", some),
        Family("functions with replies about each bit", drawn, sampled=True),
    )


def _no_less(replies: Replies) -> Trial:
    worth = []
    for channels in (replies.first, replies.second):
        heard = dict(zip((0, 2, 3), channels, strict=True))
        worth.append(Hearing(replies.values, 1, heard, replies.prior))
    first, second = (hearing.right() for hearing in worth)
    if first >= second:
        return Trial(1)
    there = worth[1].shown()["hears"]
    return Trial(
        1,
        {
            **worth[0].shown(),
            "or": there,
            "right": encode_number(first),
            "right then": encode_number(second),
        },
    )


def theorem_1(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Check Theorem 1 as printed and as corrected."""
    return (
        search_counterexample(
            _no_less, *_replies(rng, HALF, message_by_message), unit="pairs of replies"
        ),
        search_counterexample(
            _no_less,
            *_replies(rng, HALF, any_message)[1:],
            unit="pairs of replies",
            correction=ANY,
        ),
    )


def footnote_3_comparison(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Check Theorem 1 where a 1 has the chance 1/3."""
    ears = _ears(rng, F(1, 3))
    return (
        search_counterexample(no_less_if(message_by_message), *ears, unit="pairs of channels"),
        search_counterexample(
            no_less_if(any_message), *ears, unit="pairs of channels", correction=ANY
        ),
    )
