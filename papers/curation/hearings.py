"""Functions with what one agent hears of the other bits: where Lemmas 1 to 4 are tried."""

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
from papers.curation.instances import CHANNELS, HALF, Values, bits, functions, random_functions

F = Fraction
PRIORS = (HALF, F(1, 3), F(4, 5))


@dataclass(frozen=True)
class Hearing:
    """A function, an agent, and what it hears of the other bits.

    Parameters
    ----------
    values
        g by bit mask.
    own
        The agent's bit.
    channels
        By bit: what it hears of it.
    prior
        The chance that a bit is 1.
    """

    values: Values
    own: int
    channels: Mapping[int, Channel]
    prior: Fraction = HALF

    def right(self) -> Fraction:
        """Give the product's chance of a right guess."""
        return F(compute_accuracy(np.array(self.values), self.own, self.channels, self.prior))

    def shown(self) -> dict[str, Any]:
        """Give plain data."""
        heard = {
            str(j): [encode_number(p), encode_number(q)]
            for j, (p, q) in sorted(self.channels.items())
        }
        return {
            "g by bit mask": bits(self.values),
            "agent": self.own,
            "hears": heard,
            "prior": encode_number(self.prior),
        }


def hearings(rng: np.random.Generator) -> tuple[Family, ...]:
    """Give what agent 1 may hear of two bits, all of it, and what agent 2 may of three, drawn."""
    some = (NOISE, CLEAR, Channel(F(3, 4), F(1, 4)), Channel(F(1), HALF))
    all_of = [
        Hearing(values, 1, {0: a, 2: b}, prior)
        for values in functions(3)
        for a, b in product((NOISE, CLEAR), some)
        for prior in PRIORS[:2]
    ]
    drawn = [
        Hearing(values, 2, dict(zip((0, 1, 3), draw(rng, 3), strict=True)), PRIORS[k % 3])
        for k, values in enumerate(random_functions(rng, 3, 30))
    ]
    return (
        Family("functions of two agents' bits and the center's, with what agent 1 hears", all_of),
        Family("functions of three agents' bits and the center's", drawn, sampled=True),
    )


def draw(rng: np.random.Generator, count: int) -> list[Channel]:
    """Draw channels of the list."""
    return [CHANNELS[k] for k in rng.integers(0, len(CHANNELS), count)]
