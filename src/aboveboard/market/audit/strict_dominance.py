"""Which joint votes of a coalition are strictly dominant once an outcome is announced.

Definition 1, with s' other than s (`docs/theory.md`): a joint strategy must beat every other one
against all strategies of everybody else. `find_dominance` looks at all of them, on many
announcements at once; `predict_votes` says what Lemmas 1, 2 and 7 to 9 predict. Cost:
announcements times strategies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Protocol

import numpy as np

from aboveboard.games.numbers import Array, IntArray
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import Coalition
from aboveboard.market.rules.announcements import Announcements


class HasStrategies(Protocol):
    """A rule, or its expected utilities: what is known of a voter's strategies."""

    @property
    def strategies(self) -> int:
        """How many pure strategies a voter has: 2, or 4 where it votes twice."""
        ...


@dataclass(frozen=True)
class Dominance:
    """The only candidate for a coalition's dominant joint strategy, on many announcements.

    Parameters
    ----------
    voters
        The members that vote, in order; nobody if the proposer is alone.
    codes
        Shape (announcements, voters): each voter's strategy; bit 0 step 2, bit 1 step 3.
    margin
        By announcement, in units: by how much it beats the next best one at least. It is strictly
        dominant where this is positive; nothing is, where it is not.
    checks
        How many comparisons this rests on.
    """

    voters: tuple[int, ...]
    codes: IntArray
    margin: Array
    checks: int


def find_dominance(filled: Array, scheme: HasStrategies, members: Coalition) -> Dominance:
    """Return a coalition's candidate and its margin.

    Parameters
    ----------
    filled
        `tabulate_utilities` of the announcements.
    scheme
        The scheme that it is of.
    members
        The coalition; it may hold the proposer.
    """
    voters = tuple(sorted(members - {0}))
    rows, strategies = filled.shape[1], scheme.strategies
    if not voters:
        return Dominance((), np.zeros((rows, 0), dtype=np.int64), np.ones(rows, dtype=np.int64), 0)
    together = reduce(add, (filled[i] for i in sorted(members)))
    last = range(together.ndim - len(voters), together.ndim)
    moved = np.moveaxis(together, list(voters), list(last))  # axis i is player i's strategy
    own = strategies ** len(voters)
    utility = moved.reshape(rows, -1, own)
    best = utility[:, 0, :].argmax(axis=1)
    where = best[:, None, None]
    top = np.take_along_axis(utility, where, axis=2)[:, :, 0]
    others = utility.copy()
    np.put_along_axis(others, where, utility.min() - 1, axis=2)
    margin = (top - others.max(axis=2)).min(axis=1)
    codes = np.stack(np.unravel_index(best, (strategies,) * len(voters)), axis=1)
    return Dominance(voters, codes.astype(np.int64), margin, rows * utility.shape[1] * (own - 1))


def predict_votes(announced: Announcements, scheme: HasStrategies, members: Coalition) -> IntArray:
    """Return the votes of the lemmas as codes, shape (announcements, voters)."""
    voters = sorted(members - {0})
    if 0 in members:
        return np.full((len(announced), len(voters)), scheme.strategies - 1, dtype=np.int64)
    together = announced.net_gain[voters].sum(axis=0) >= 0
    alone = announced.net_gain[voters].T >= 0
    codes = np.repeat(together[:, None], len(voters), axis=1).astype(np.int64)
    if scheme.strategies > 2:
        codes += 2 * alone
    return codes


def decode_votes(codes: Iterable[int]) -> Votes:
    """Return the votes that codes of players 1 to n - 1 stand for."""
    listed = [int(code) for code in codes]
    return Votes(tuple(c & 1 == 1 for c in listed), tuple(c & 2 == 2 for c in listed))


def combine_coalitions(filled: Array, by_coalition: Iterable[Dominance]) -> tuple[Array, IntArray]:
    """Return all players' expected utilities if every coalition votes as found, and the votes.

    Returns
    -------
    array
        Shape (players, announcements), in units.
    codes
        Shape (announcements, n - 1).
    """
    n, rows = filled.shape[:2]
    codes = np.zeros((rows, n - 1), dtype=np.int64)
    for found in by_coalition:
        for column, voter in enumerate(found.voters):
            codes[:, voter - 1] = found.codes[:, column]
    where: tuple[Any, ...] = (slice(None), np.arange(rows), *codes.T)
    return filled[where], codes
