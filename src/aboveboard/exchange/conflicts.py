"""Which row is handed out for an element that several parties own with different rows.

The row that most owners have is handed out; of several that equally many have, the one whose
SipHash under the seed's key is smallest. Neither the names of the parties nor their order decides,
and who does not know the seed when it reports cannot choose. Parties that send lines of text have
no rows and do not count.

Two rows conflict where they differ in a column that both their owners have. Cost: the rows of
shared elements are compared as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.exchange.columns import as_text, convert, find_common_type
from aboveboard.exchange.handout import hash_elements
from aboveboard.storage.records import ELEMENT, Records

ROW = "\0row"
CONTENT = "\0content"
NULL = "\0"
"""The text of an entry that is null; an owner without the column has no entry."""


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """The row that stands for each element, and how many elements have conflicting rows.

    Parameters
    ----------
    rows
        int64, one for each element: its row where all parties' records are laid end to end in
        the order of their sorted names; -1 where no owner has rows.
    conflicts
        Elements of which two owners' rows differ in a column that both have.
    """

    rows: NDArray[np.int64]
    conflicts: int


def choose_rows(elements: pl.Series, records: Mapping[str, Records], seed: int) -> ChosenRows:
    """Choose the row that is handed out for each element.

    Parameters
    ----------
    elements
        The distinct elements of all parties.
    records
        What each party reports.
    seed
        The collaboration's.
    """
    parts = _number_rows(records)
    if not parts:
        return ChosenRows(np.full(len(elements), -1, dtype=np.int64), 0)
    rows = pl.concat([part.select(ELEMENT, ROW) for part in parts])
    chosen = rows.group_by(ELEMENT).agg(pl.col(ROW).min())
    conflicts = 0
    if len(parts) > 1:
        shared = rows.filter(pl.col(ELEMENT).is_duplicated()).select(pl.col(ELEMENT).unique())
        decided, conflicts = _decide(shared, parts, seed)
        chosen = pl.concat([chosen.join(shared, on=ELEMENT, how="anti"), decided])
    found = (
        elements.rename(ELEMENT)
        .to_frame()
        .join(chosen, on=ELEMENT, how="left", maintain_order="left")
    )
    return ChosenRows(found[ROW].fill_null(-1).to_numpy(), conflicts)


def _number_rows(records: Mapping[str, Records]) -> list[pl.DataFrame]:
    """Return the records that have rows, each row with its number among those of all parties."""
    start, parts = 0, []
    for name in sorted(records):
        frame = records[name].frame
        if records[name].form != "txt":
            numbers = pl.int_range(start, start + frame.height, dtype=pl.Int64, eager=True)
            parts.append(frame.with_columns(numbers.alias(ROW)))
        start += frame.height
    return parts


def _decide(shared: pl.DataFrame, parts: list[pl.DataFrame], seed: int) -> tuple[pl.DataFrame, int]:
    """Return the row of each shared element, and how many of these have conflicting rows."""
    columns = sorted({c for part in parts for c in part.columns} - {ELEMENT, ROW})
    types = {c: find_common_type([part.schema.get(c) for part in parts]) for c in columns}
    texts = pl.concat([_write_as_text(part.join(shared, on=ELEMENT), types) for part in parts])
    differs = pl.any_horizontal(
        pl.lit(value=False), *(pl.col(c).drop_nulls().n_unique() > 1 for c in columns)
    )
    conflicts = texts.group_by(ELEMENT).agg(differs.alias("differs"))["differs"].sum()
    content = pl.concat_str(
        [pl.lit(""), *(pl.col(c).fill_null("\1") for c in columns)], separator="\2"
    )
    kinds = (
        texts.with_columns(content.alias(CONTENT))
        .group_by(ELEMENT, CONTENT)
        .agg(pl.col(ROW).min(), pl.len().alias("owners"))
    )
    order = hash_elements(kinds[ELEMENT] + "\2" + kinds[CONTENT], seed)
    ranked = kinds.with_columns(pl.Series("order", order)).sort(
        "owners", "order", CONTENT, descending=[True, False, False]
    )
    return ranked.unique(ELEMENT, keep="first", maintain_order=True).select(ELEMENT, ROW), int(
        conflicts
    )


def _write_as_text(part: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return element, row number and all columns as text; null where the owner has no such one."""
    converted = part.with_columns(
        convert(c, part.schema[c], wanted) for c, wanted in types.items() if c in part.columns
    )
    return converted.select(
        ELEMENT,
        ROW,
        *(
            as_text(c, wanted).fill_null(NULL).alias(c)
            if c in part.columns
            else pl.lit(None, dtype=pl.String).alias(c)
            for c, wanted in types.items()
        ),
    )
