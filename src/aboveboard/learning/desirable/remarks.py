"""What an audit of `learning.desirable` adds: whether it exists, and IC and IR at other true sizes.

Cost: a small game for each of at most `MOST_GAMES` profiles of true sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from aboveboard.auditing import Budget, ExPostIC, IndividualRationality, Status, audit
from aboveboard.formatting import format_rounded
from aboveboard.games.game import Game
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.desirable.game import make_game
from aboveboard.learning.desirable.search import SearchResult

MOST_GAMES = 100
"""Profiles of true sizes that are looked at, each a game of its own."""

MOST_PROFILES = 10**6
"""Profiles of reports in all those games: a second or two."""


def remarks_on(
    parties: Sequence[str], found: SearchResult, budget: Budget, seed: int
) -> Mapping[str, Any]:
    """Return whether the mechanism exists and, where it does, check it at other true sizes.

    Parameters
    ----------
    parties
        Their names.
    found
        What the search found.
    budget
        What checking one of the games may cost.
    seed
        For the profiles of true sizes drawn, where there are more than can be looked at.
    """
    m, n = len(found.sizes), len(parties)
    if found.violated is not None:
        at = ", ".join(
            f"{name} {size_as_number(found.sizes[t])}"
            for name, t in zip(parties, found.violated, strict=True)
        )
        text = f"none exists on this grid: with the sizes {at} all such payments sum to a loss"
        return {"desirable mechanism": {"holds": False, "text": text}}
    text = (
        f"exists: at all {m**n:,} profiles of the grid payments sum to {format_rounded(found.smallest)} "
        "or more"
    )
    if found.answer == "undecided":
        text += f"; sums within {found.tolerance * found.scale:.1g} of 0 are not told from it"
    games: list[Game] = []
    profiles = 0
    for truth in _truths(m, n, seed):
        profiles += prod(top + 1 for top in truth)
        if games and profiles > MOST_PROFILES:
            break
        games.append(make_game(parties, found, truth))
    verdicts = audit(games, [ExPostIC(), IndividualRationality()], budget=budget, seed=seed)
    scope = f"{len(games):,} of {m**n:,} profiles of true sizes"
    return {
        "desirable mechanism": {"holds": True, "text": text},
        **{
            f"{verdict.property} on a type grid": {
                "holds": verdict.status is Status.HOLDS,
                "checks": verdict.checked,
                "text": f"{verdict.checked:,} checks on {scope}: {verdict.status.value}",
            }
            for verdict in verdicts.values()
        },
    }


def _truths(m: int, n: int, seed: int) -> list[tuple[int, ...]]:
    """Return positions of true sizes: all of them where they are few, else some drawn."""
    if m**n <= MOST_GAMES:
        return [tuple(int(t) for t in row) for row in np.ndindex((m,) * n)]
    drawn = np.random.default_rng(seed).integers(0, m, size=(MOST_GAMES, n))
    return [tuple(row) for row in np.unique(drawn, axis=0).tolist()]
