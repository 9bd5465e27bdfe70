"""Elements that several rows of one party name: one row of them is kept."""

from __future__ import annotations

import numpy as np
import polars as pl

from aboveboard.storage.records import ELEMENT


def has_repeated(elements: pl.Series) -> bool:
    """Return whether an element comes twice; two whose hashes agree may pass for one."""
    hashes = np.sort(elements.hash().to_numpy())
    return bool((hashes[1:] == hashes[:-1]).any())


def keep_once(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep one row for each element: the smallest by content, so that their order is nothing.

    Costs one sort of hashes where no element comes twice, and otherwise one pass to find those
    that do, and a sort of their rows alone.
    """
    elements = frame[ELEMENT]
    if not has_repeated(elements):
        return frame
    if frame.width == 1:
        return frame.unique(maintain_order=True)
    repeated = elements.is_duplicated()
    columns = [ELEMENT, *sorted(column for column in frame.columns if column != ELEMENT)]
    # The codes of a categorical depend on which value came first: compare what they say.
    by_content = [
        pl.col(column).cast(pl.String) if frame[column].dtype == pl.Categorical else pl.col(column)
        for column in columns
    ]
    smallest = frame.filter(repeated).sort(by_content)
    smallest = smallest.unique(ELEMENT, keep="first", maintain_order=True)
    return pl.concat([frame.filter(~repeated), smallest])
