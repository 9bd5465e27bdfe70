"""What the proposer's coalition best announces under one collusion structure (Definition 2).

Everybody votes as is dominant. Announcements that step a refuses are not listed: they cost the
proposer 1, and (E, 0) costs nothing. Source: Azar, Chen, Micali (2011), section 4; `docs/theory.md`
says where its lemmas are false.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from aboveboard.games.numbers import Array, IntArray
from aboveboard.market.audit.strict_dominance import decode_votes
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition, Structure
from aboveboard.market.rules.announcements import Announcements

OUT = -1
"""Position that stands for announcing (E, 0), which is not voted on."""


@dataclass(frozen=True)
class Root:
    """What the proposer announces under one collusion structure.

    Parameters
    ----------
    structure
        The coalitions, by index.
    utility
        What the proposer's coalition expects.
    positions
        Of the best announcements in the list of all; `OUT` for (E, 0).
    best
        Every best announcement, (E, 0) first if it is one.
    votes
        How the others vote on each; None on (E, 0).
    """

    structure: Structure
    utility: Fraction
    positions: frozenset[int]
    best: tuple[Outcome, ...]
    votes: tuple[Votes | None, ...]

    @property
    def leading(self) -> Coalition:
        """The proposer's coalition."""
        return next(c for c in self.structure if 0 in c)


def to_fraction(entry: Any) -> Fraction:
    """Return an entry of a table of utilities, a fraction or a whole number of NumPy's, exactly."""
    return entry if isinstance(entry, Fraction) else Fraction(int(entry))


def find_best_announcements(utility: Array) -> tuple[frozenset[int], Fraction]:
    """Return the positions of the best announcements (OUT for (E, 0)) and their utility in units.

    `utility` has what the proposer's coalition expects of each announcement, in units.
    """
    top = to_fraction(utility.max()) if len(utility) else Fraction(-1)
    found = {int(k) for k in np.flatnonzero(utility == max(top, 0))}
    if top <= 0:
        found.add(OUT)
    return frozenset(found), max(top, Fraction(0))


def build_root(
    market: Market,
    announced: Announcements,
    structure: Structure,
    top: frozenset[int],
    value: Fraction,
    codes: IntArray,
) -> Root:
    """Return what is best to announce under one structure, and the votes on it."""
    order = sorted(top)
    return Root(
        structure,
        value,
        top,
        tuple(market.nothing if k == OUT else announced[k] for k in order),
        tuple(None if k == OUT else decode_votes(codes[k]) for k in order),
    )
