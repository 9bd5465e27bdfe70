"""What an audit of `learning.payments` adds to its verdicts: true sizes on a grid, and the budget.

Cost: a small audit for each of at most `MOST_GAMES` profiles of true sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

import numpy as np

from aboveboard.auditing import Budget, ExPostIC, IndividualRationality, Status, Verdict, audit
from aboveboard.formatting import encode_number, format_count, format_rounded
from aboveboard.games.numbers import Number
from aboveboard.learning.payments.budget import prove_balance, search_deficit
from aboveboard.learning.payments.game import MarketGame

MOST_GAMES, FEWEST_GAMES = 200, 5
"""Profiles of true sizes that are looked at, each a game of its own."""

WORK = 4000
"""Games times squared parties (times sets of the served, where they are tried): a few seconds."""


def remarks_on(game: MarketGame, budget: Budget, seed: int) -> Mapping[str, Any]:
    """Check IC and IR where the parties' true sizes are others, and say if the budget is kept.

    Parameters
    ----------
    game
        The game at the parties' own sizes; the grid of true sizes is that of its reports.
    budget
        What checking each of these games may cost.
    seed
        For the profiles drawn, where there are too many to look at all.
    """
    games, of = _family(game, _most(game), seed)
    scope = f"{len(games):,} of {format_count(of)} profiles of true sizes, {_sizes(game)}"
    found = audit(games, [ExPostIC(), IndividualRationality()], budget=budget, seed=seed)
    return {
        **{f"{v.property} on a type grid": _said(v, scope) for v in found.values()},
        "budget": _budget(game),
    }


def _most(game: MarketGame) -> int:
    n = game.market.n
    work = n * n * (1 << n if game.market.tries_sets else 8)
    return max(FEWEST_GAMES, min(MOST_GAMES, 8 * WORK // work))


def _family(game: MarketGame, most: int, seed: int) -> tuple[list[MarketGame], int]:
    """Return at most so many games at other true sizes, and how many there are on the grid."""
    counts = [len(sizes) for sizes in game.reports]
    total = prod(counts)
    if total <= most:
        picked = list(product(*(range(count) for count in counts)))
    else:
        generator = np.random.default_rng(seed)
        drawn = generator.integers(0, counts, size=(most, len(counts)))
        picked = [tuple(row) for row in np.unique(drawn, axis=0).tolist()]
    return [_at(game, positions) for positions in picked], total


def _at(game: MarketGame, positions: tuple[int, ...]) -> MarketGame:
    sizes: list[Number] = [s[k] for s, k in zip(game.reports, positions, strict=True)]
    reports = tuple(s[: k + 1] for s, k in zip(game.reports, positions, strict=True))
    return replace(game, sizes=tuple(sizes), reports=reports)


def _sizes(game: MarketGame) -> str:
    return f"each up to its own in {max(len(sizes) for sizes in game.reports) - 1} steps"


def _said(verdict: Verdict, scope: str) -> dict[str, Any]:
    text = f"{verdict.checked:,} checks on {scope}: {verdict.status.value}"
    witness = verdict.witness
    if witness is not None:
        text += f"; gain {encode_number(witness.gain)} by {', '.join(witness.parties)}"
    return {
        "holds": verdict.status in (Status.HOLDS, Status.VACUOUS),
        "checks": verdict.checked,
        "text": text,
        **({"witness": witness.as_dict()} if witness is not None else {}),
    }


def _budget(game: MarketGame) -> dict[str, Any]:
    reason = prove_balance(game.market)
    if reason is not None:
        return {"holds": True, "text": f"payments never sum to less than 0: {reason}"}
    found = search_deficit(game.market, game.sizes)
    at = ", ".join(f"{n} {x:g}" for n, x in zip(game.players, found.sizes, strict=True))
    if found.fails:
        text = f"with the sizes {at} payments sum to {format_rounded(found.revenue)}"
        return {"holds": False, "text": text}
    text = f"not guaranteed in this market; kept at {found.profiles:,} profiles of sizes"
    return {"text": text}
