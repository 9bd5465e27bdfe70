"""Channels: what an agent gets to know of one bit.

A channel is a pair of chances, P(message 0 | bit 0) and P(message 0 | bit 1). A reply of uniform
noise reveals nothing, whatever the message was.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from aboveboard.curation.commitments import Commitment
from aboveboard.games.numbers import Number


class Channel(NamedTuple):
    """P(message 0 | bit 0), P(message 0 | bit 1)."""

    zero_if_zero: Number
    zero_if_one: Number

    @property
    def clear(self) -> bool:
        """Whether the message determines the bit."""
        return {self.zero_if_zero, self.zero_if_one} == {0, 1}

    @property
    def noise(self) -> bool:
        """Whether the message reveals nothing."""
        return bool(self.zero_if_zero == self.zero_if_one)

    def joint(self, prior: Number) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
        """Return P(message, bit): row by message, column by bit; `prior` is the chance of a 1."""
        rest = 1 - prior
        zero = (self.zero_if_zero * rest, self.zero_if_one * prior)
        return zero, (rest - zero[0], prior - zero[1])

    def posterior(self, prior: Number) -> tuple[Number, Number, Number]:
        """Return P(message 0), P(bit 1 | message 0), P(bit 1 | message 1).

        After a message that never comes the bit is as likely as before.
        """
        (zero_zero, zero_one), (one_zero, one_one) = self.joint(prior)
        zero, one = zero_zero + zero_one, one_zero + one_one
        return zero, zero_one / zero if zero else prior, one_one / one if one else prior


CLEAR = Channel(Fraction(1), Fraction(0))
NOISE = Channel(Fraction(1, 2), Fraction(1, 2))


def make_channel(commitment: Commitment) -> Channel:
    """Return the channel of a message that is passed on as it was sent."""
    return Channel(commitment.p, commitment.q)


def as_float_channel(channel: Channel) -> Channel:
    """Return the same channel in float64."""
    return Channel(float(channel.zero_if_zero), float(channel.zero_if_one))
