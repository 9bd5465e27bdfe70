"""How a table in text is to be read, and what is read of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.storage.bit_masks import FieldLook
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.formats.csv_comments import Marked


@dataclass(frozen=True)
class TextTable:
    """How a table in text is to be read: what its owner states, and what is asked of it.

    Parameters
    ----------
    delimiter
        As stated; None: that of a `sep=` line, or found.
    default
        The delimiter that the file's name suggests.
    decimal
        As stated; None: found, column by column, where the delimiter is a semicolon.
    key
        A column that the header must have, if a header in a comment line is to be told from rows.
    marked
        What rows are that begin with `#`, in a file without a comment above its header.
    key_alone
        Whether nobody asks for the values of other columns: these may all be null then.
    look
        What tells odd keys, which are looked at where the key alone is read; None: nothing.
    """

    delimiter: str | None = None
    default: str = ","
    decimal: str | None = None
    key: str | None = None
    marked: Marked = "data"
    key_alone: bool = False
    look: FieldLook | None = None


class Rows(NamedTuple):
    """Some rows of a table.

    Parameters
    ----------
    frame
        The rows, every column as text.
    whereabouts
        Says where a row stands: a quoted field may run over several lines.
    comments
        How many lines are comments.
    odd
        The rows whose key is odd, ascending; None: nobody has looked.
    """

    frame: pl.DataFrame
    whereabouts: Whereabouts
    comments: int = 0
    odd: NDArray[np.int64] | None = None
