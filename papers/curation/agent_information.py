"""Functions with one agent's information about the other bits, for Lemmas 1 to 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.inference import compute_accuracy
from aboveboard.formatting import encode_number
from papers.claims import Family
from papers.curation.instances import (
    CHANNELS,
    HALF,
    Values,
    draw_functions,
    format_bits,
    list_functions,
)

F = Fraction
PRIORS = (HALF, F(1, 3), F(4, 5))


@dataclass(frozen=True)
class Information:
    """A function, an agent, and its channels from the other bits.

    Parameters
    ----------
    values
        g by bit mask.
    own
        The agent's bit.
    channels
        By bit: the channel from it.
    prior
        The chance that a bit is 1.
    """

    values: Values
    own: int
    channels: Mapping[int, Channel]
    prior: Fraction = HALF

    def accuracy(self) -> Fraction:
        """Return the product's chance of a right guess."""
        return F(compute_accuracy(np.array(self.values), self.own, self.channels, self.prior))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        channels = {
            str(j): [encode_number(p), encode_number(q)]
            for j, (p, q) in sorted(self.channels.items())
        }
        return {
            "g by bit mask": format_bits(self.values),
            "agent": self.own,
            "hears": channels,
            "prior": encode_number(self.prior),
        }


def list_information(rng: np.random.Generator) -> tuple[Family, ...]:
    """Return all information of agent 1 about two bits, and some of agent 2 about three, drawn."""
    some = (NOISE, CLEAR, Channel(F(3, 4), F(1, 4)), Channel(F(1), HALF))
    all_of = [
        Information(values, 1, {0: a, 2: b}, prior)
        for values in list_functions(3)
        for a, b in product((NOISE, CLEAR), some)
        for prior in PRIORS[:2]
    ]
    drawn = [
        Information(
            values, 2, dict(zip((0, 1, 3), draw_channels(rng, 3), strict=True)), PRIORS[k % 3]
        )
        for k, values in enumerate(draw_functions(rng, 3, 30))
    ]
    return (
        Family("functions of two agents' bits and the center's, with what agent 1 hears", all_of),
        Family("functions of three agents' bits and the center's", drawn, sampled=True),
    )


def draw_channels(rng: np.random.Generator, count: int) -> list[Channel]:
    """Draw channels of the list."""
    return [CHANNELS[k] for k in rng.integers(0, len(CHANNELS), count)]
