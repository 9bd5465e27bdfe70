"""The search for profitable deviations.

All rows are scanned where the budget allows, else a sample. Against every report of the others,
tables of payoffs are scanned by compiled code. What a search finds on its way is `SearchState`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from aboveboard.auditing.budget import (
    Budget,
    CostEstimate,
    Progress,
    measure_seconds,
    predict_seconds,
)
from aboveboard.auditing.payoff_reader import PayoffReader, count_table_bytes
from aboveboard.auditing.rows import (
    DeviationSet,
    are_split,
    count_rows,
    draw_rows,
    iterate_blocks,
)
from aboveboard.auditing.search_state import Scan, SearchState
from aboveboard.auditing.small_parts import join_small
from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import format_count
from aboveboard.games.capabilities import OneOutcome
from aboveboard.games.game import Game, count_profiles

WORTH_THREADS = 1 << 20
"""Entries of a table from which on several threads scan it."""

WORTH_A_GUESS = 100_000
"""Rows from which on a game is asked first where a player is likely to gain."""


def estimate(game: Game, parts: Sequence[DeviationSet]) -> CostEstimate:
    """Return what scanning all rows of these parts would cost."""
    rows = sum(count_rows(game, part) for part in parts)
    return CostEstimate(
        rows, _estimate_memory(game, parts), predict_seconds(rows, measure_seconds(game))
    )


def _estimate_memory(game: Game, parts: Sequence[DeviationSet]) -> int:
    """Bytes of the table, each profile valued once, that serves these parts; 0 if none does."""
    wanted = any(part.others_free and part.outside is None for part in parts)
    return count_table_bytes(game, count_profiles(game)) if wanted else 0


def search(
    game: Game,
    parts: Sequence[DeviationSet],
    *,
    budget: Budget,
    seed: int,
    progress: Progress | None = None,
) -> Scan:
    """Look for the deviation that gains most, through all rows or a sample.

    Where the rows are many and the game itself names one that is a gain, that is enough.

    Raises
    ------
    BudgetExceeded
        If the scan is larger than the budget and the budget says to refuse.
    """
    total = sum(count_rows(game, part) for part in parts)
    sampled = total > budget.rows_for(game) or _estimate_memory(game, parts) > budget.memory
    if sampled and budget.beyond == "refuse":
        raise BudgetExceeded(
            f"an exhaustive audit needs {estimate(game, parts)}; the budget allows "
            f"{format_count(budget.rows_for(game))} checks and {budget.memory // 2**20} MiB"
        )
    valuation = PayoffReader(game)
    found = SearchState(valuation, progress, budget.find_end(sampled=sampled))
    # Where one outcome serves all profiles, the largest gain of all rows is looked for if it can.
    if (sampled or (total > WORTH_A_GUESS and not isinstance(game, OneOutcome))) and (
        found.try_likely_gain(parts)
    ):
        return found.make_scan(total, sampled=True)
    if sampled:
        _sample(found, parts, budget.samples, np.random.default_rng(seed))
    else:
        _scan(found, parts, budget.workers)
    # What the time cut short was no scan of everything.
    cut = found.is_cut
    scan = found.make_scan(total, sampled=sampled or cut)
    return replace(scan, stopped=budget.describe_end(found.checked, total)) if cut else scan


def _scan(found: SearchState, parts: Sequence[DeviationSet], workers: int) -> None:
    free = [part for part in parts if part.others_free and part.outside is None]
    tables = found.valuation.tables() if free else None
    if tables is not None and workers > 1 and tables[0].size >= WORTH_THREADS:
        # Compiled scans let other threads run: the players' parts are scanned side by side.
        with ThreadPoolExecutor(workers) as pool:
            scans = list(pool.map(lambda part: found.find_in_table(part, *tables), free))
    else:
        scans = [found.find_in_table(part, *tables) for part in free] if tables is not None else []
    following = iter(scans)
    for group in join_small(found.valuation, parts):
        part = group[0]
        if tables is not None and part.others_free and part.outside is None:
            found.take_from_table(part, next(following), *tables)
        elif len(part.members) > 1 and found.is_over():
            return  # each player is looked at, but of 100 there are 4,950 pairs
        elif len(group) > 1:
            found.take_together(group)
        else:
            found.value_all(part, iterate_blocks(found.valuation, part))


def _sample(
    found: SearchState, parts: Sequence[DeviationSet], samples: int, generator: np.random.Generator
) -> None:
    """Draw rows of each part; each has its share of the time.

    A player has one batch of each kind at least; coalitions have it while there is time.
    """
    valuation = found.valuation
    for k, part in enumerate(parts):
        if len(part.members) > 1 and found.is_over():
            found.uniform = 0
            return
        found.allot(len(parts) - k)
        if count_rows(valuation.game, part) <= samples:
            found.value_all(part, iterate_blocks(valuation, part))
            continue
        valuation.are_split = are_split(valuation, part, samples)
        found.allot(2 * (len(parts) - k))
        found.value_all(part, draw_rows(valuation, part, samples, generator, extreme=True))
        found.allot(2 * (len(parts) - k) - 1)
        before = found.checked
        found.value_all(part, draw_rows(valuation, part, samples, generator, extreme=False))
        drawn = found.checked - before
        found.uniform = drawn if found.uniform is None else min(found.uniform, drawn)
