"""What an agent gets to know of one bit: the chance of each message given the bit, and back.

A channel is a pair of rows, P(message | bit): messages 0 and 1 by bits 0 and 1. A reply of uniform
noise tells nothing, whatever the message was.
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
        """Whether the message tells the bit for sure."""
        return {self.zero_if_zero, self.zero_if_one} == {0, 1}

    @property
    def noise(self) -> bool:
        """Whether the message tells nothing."""
        return bool(self.zero_if_zero == self.zero_if_one)

    def joint(self, prior: Number) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
        """Give P(message, bit): row by message, column by bit; `prior` is the chance of a 1."""
        rest = 1 - prior
        zero = (self.zero_if_zero * rest, self.zero_if_one * prior)
        return zero, (rest - zero[0], prior - zero[1])

    def posterior(self, prior: Number) -> tuple[Number, Number, Number]:
        """Give P(message 0), P(bit 1 | message 0), P(bit 1 | message 1).

        After a message that never comes the bit is as likely as before.
        """
        (zero_zero, zero_one), (one_zero, one_one) = self.joint(prior)
        zero, one = zero_zero + zero_one, one_zero + one_one
        return zero, zero_one / zero if zero else prior, one_one / one if one else prior


CLEAR = Channel(Fraction(1), Fraction(0))
NOISE = Channel(Fraction(1, 2), Fraction(1, 2))


def channel_of(commitment: Commitment) -> Channel:
    """Give the channel of a message that is passed on as it was sent."""
    return Channel(commitment.p, commitment.q)
