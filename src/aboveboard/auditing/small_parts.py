"""Many small coalitions at once: the rows of several are valued in one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import DeviationSet, count_rows, list_lies
from aboveboard.games.actions import Action, Codes, count_actions
from aboveboard.games.capabilities import HasBatches, HasBounds, HasEntries, OneOutcome
from aboveboard.games.numbers import sum_along

SMALL, ROWS_TOGETHER = 64, 4096
"""Rows of a part that is valued together with others, and of all of these."""

ENTRIES_TOGETHER = 256
"""The same of a game that values single players, but no batches: between two looks at the clock."""


def join_small(
    valuation: PayoffReader, parts: Sequence[DeviationSet]
) -> Iterator[list[DeviationSet]]:
    """Yield parts in their order: small ones that are valued in one batch together, others alone.

    A batch of one row takes as long as one of hundreds: of 100 players there are 4,950 pairs.
    Where only single players are valued for less one row may take seconds: groups begin with one
    part, and grow.
    """
    game, group, rows = valuation.game, list[DeviationSet](), 0
    batched, entries = (
        isinstance(game, HasBatches),
        isinstance(game, HasEntries) and game.values_entries,
    )
    plain = (
        (batched or entries)
        and not isinstance(game, HasBounds | OneOutcome)
        and all(code.ndim == 1 for code in valuation.truth)
    )
    most, limit = (ROWS_TOGETHER, ROWS_TOGETHER) if batched else (1, ENTRIES_TOGETHER)
    for part in parts:
        alone = not plain or part.others_free or part.outside is not None
        own = 0 if alone else count_rows(game, part)
        alone |= own == 0
        if group and (alone or own > SMALL or rows + own > most):
            yield group
            group, rows, most = [], 0, min(2 * most, limit)
        if alone or own > SMALL:
            yield [part]
        else:
            group.append(part)
            rows += own
    if group:
        yield group


@dataclass(frozen=True)
class BestOfPart:
    """The best row of one part.

    Parameters
    ----------
    part
        The part.
    rows
        How many rows it has.
    gain
        What its best row gains, in units.
    honest, lying
        What the deviators do in truth and in that row; `lying` is the truth where an earlier part
        of the batch gains no less.
    """

    part: DeviationSet
    rows: int
    gain: Any
    honest: tuple[Action, ...]
    lying: tuple[Action, ...]


def value_together(valuation: PayoffReader, parts: Sequence[DeviationSet]) -> Iterator[BestOfPart]:
    """Value all rows of several small parts against the others' truth; yield the best of each."""
    blocks = _list_all_lies(valuation, parts)
    sizes = [len(columns[0]) for columns in blocks]
    truth = np.array([int(code[0]) for code in valuation.truth], dtype=np.int64)
    codes = np.tile(truth, (sum(sizes), 1))
    ends = np.cumsum(sizes).tolist()
    for part, columns, m, end in zip(parts, blocks, sizes, ends, strict=True):
        for i, column in zip(part.members, columns, strict=True):
            codes[end - m : end, i] = column
    honest = valuation.payoffs(valuation.truth)[0]
    players = [part.members for part in parts]
    who = np.concatenate([np.tile(own, m) for own, m in zip(players, sizes, strict=True)])
    rows = np.repeat(np.arange(len(codes)), np.repeat([len(own) for own in players], sizes))
    gains = valuation.entries(list(codes.T), rows, who) - honest[who]
    told, start, top = valuation.actions(valuation.truth), 0, None
    for part, m, end in zip(parts, sizes, ends, strict=True):
        if not m:
            continue
        own = gains[start : start + m * len(part.members)].reshape(m, -1)
        start += own.size
        joint = sum_along(own, axis=1) if part.transfers else own.min(axis=1)
        k = int(np.argmax(joint))
        lying = told
        if top is None or joint[k] > top:  # only such a row can be the best of all
            top = joint[k]
            lying = valuation.actions([codes[end - m + k, j : j + 1] for j in range(len(truth))])
        yield BestOfPart(part, m, joint[k], told, lying)


def _list_all_lies(valuation: PayoffReader, parts: Sequence[DeviationSet]) -> list[list[Codes]]:
    """Return each part's lies; those of members with as many actions each are listed once."""
    known: dict[tuple[tuple[int, int], ...], list[Codes]] = {}
    blocks = []
    for part in parts:
        sizes = [count_actions(actions) for actions in part.lies]
        if sizes != [count_actions(valuation.spaces[i]) for i in part.members]:
            blocks.append(list_lies(valuation, part))
            continue
        truths = [int(valuation.truth[i][0]) for i in part.members]
        alike = tuple(zip(sizes, truths, strict=True))
        if alike not in known:
            known[alike] = list_lies(valuation, part)
        blocks.append(known[alike])
    return blocks
