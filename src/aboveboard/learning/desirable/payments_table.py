"""All payments of a desirable mechanism as one table, a row for each profile of sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from aboveboard.learning.desirable.search import SearchResult


def payments_table(parties: Sequence[str], found: SearchResult) -> pl.DataFrame:
    """Return one row for each profile: every party's size, then every party's payment."""
    m, n = len(found.sizes), len(parties)
    sizes = np.array([float(x) for x in found.sizes])
    columns: dict[str, Any] = {}
    for i, name in enumerate(parties):
        shape = [m if j == i else 1 for j in range(n)]
        columns[f"{name}.size"] = np.broadcast_to(sizes.reshape(shape), (m,) * n).ravel()
    for name, table in zip(parties, found.payments, strict=True):
        payments = np.asarray(table[(slice(None),) * n], np.float64)
        columns[f"{name}.payment"] = payments.ravel() * found.scale
    return pl.DataFrame(columns)
