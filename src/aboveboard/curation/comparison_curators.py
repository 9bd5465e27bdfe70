"""Curation mechanisms that serve to compare: the truthful alone, everybody, nobody.

Source: "Data Curation from Privacy-Aware Agents", sections 4 and 4.2.
"""

from __future__ import annotations

from aboveboard.curation.curation_file import (
    CurationFileWithoutPrices,
)
from aboveboard.curation.curators import KNOWN_BITS, Curator
from aboveboard.curation.protocols import (
    ALWAYS_ALL,
    ALWAYS_NOISE,
    STRAIGHTFORWARD,
)


class Straightforward(Curator):
    """Section 4: the truthful are answered, nobody else.

    Examples
    --------
    >>> Straightforward.NAME
    'curation.straightforward'
    """

    PROTOCOL = STRAIGHTFORWARD
    NAME = "curation.straightforward"
    SUMMARY = "answers the truthful and nobody else"
    ASSUMES = KNOWN_BITS
    GUARANTEES = "truth is an equilibrium if no agent is fanatic; silence may be another"
    FILE = CurationFileWithoutPrices


class AlwaysAll(Curator):
    """Everybody is answered, so nobody pays for it with its privacy.

    Examples
    --------
    >>> AlwaysAll.NAME
    'curation.always_all'
    """

    PROTOCOL = ALWAYS_ALL
    NAME = "curation.always_all"
    SUMMARY = "answers everybody, whatever they reveal (for comparison)"
    ASSUMES = KNOWN_BITS
    GUARANTEES = "no incentive for the truth: silence is dominant"
    FILE = CurationFileWithoutPrices


class AlwaysNoise(Curator):
    """Nobody is answered.

    Examples
    --------
    >>> AlwaysNoise.NAME
    'curation.always_noise'
    """

    PROTOCOL = ALWAYS_NOISE
    NAME = "curation.always_noise"
    SUMMARY = "answers nobody (for comparison)"
    ASSUMES = KNOWN_BITS
    GUARANTEES = "no incentive for the truth: silence is dominant"
    FILE = CurationFileWithoutPrices
