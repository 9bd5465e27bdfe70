"""What is odd about parties' rows: a column in another unit, rows that are another party's.

A column is odd where its median lies more than `FAR` spreads of the center's rows from theirs, or
its spread is more than `WIDER` times theirs or less than one `WIDER`-th; the spread is the distance
between the quartiles. Rows are near-copies where they agree once each number is rounded to
`ROUNDING` of its standard deviation in the center's rows; chance explains some of them where
features are coarse, see `leaks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from aboveboard.formatting import format_count, format_rounded, join_names
from aboveboard.learning.training import leaks
from aboveboard.learning.training.tables import TrainingRows, TrainingTerms

FAR, WIDER = 3.0, 5.0
"""Spreads that a median, and times that a spread, may be off before a column counts as odd."""

FEWEST_ROWS = 8
"""Rows below which quartiles say nothing."""

ROUNDING = 1e-3
"""Part of a standard deviation: smaller differences do not count."""


@dataclass(frozen=True)
class Ranges:
    """What is usual in the center's rows, by feature.

    Parameters
    ----------
    median, spread
        Of each feature; NaN where it holds text.
    mean, deviation
        The same for rounding; the deviation is 1 where the feature is constant or text.
    """

    median: NDArray[np.float64]
    spread: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def measure_ranges(rows: TrainingRows, terms: TrainingTerms) -> Ranges:
    """Return what is usual in the center's rows."""
    measured = [
        _measure_column(rows.x[:, k], name in terms.texts) for k, name in enumerate(terms.features)
    ]
    median, spread, mean, deviation = np.array(measured).T
    return Ranges(median, spread, mean, deviation)


def _measure_column(
    column: NDArray[np.generic], is_text: bool
) -> tuple[float, float, float, float]:
    numbers = np.empty(0) if is_text else column.astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return np.nan, np.nan, 0.0, 1.0
    low, median, high = np.percentile(numbers, [25, 50, 75])
    deviation = float(numbers.std())
    return float(median), float(high - low), float(numbers.mean()), deviation or 1.0


def find_odd_columns(rows: TrainingRows, terms: TrainingTerms, ranges: Ranges) -> tuple[str, ...]:
    """Return what is odd about a party's columns, one clause each."""
    if len(rows.y) < FEWEST_ROWS:
        return ()
    found = []
    for k, name in enumerate(terms.features):
        spread, center = ranges.spread[k], ranges.median[k]
        if not spread > 0:
            continue
        median, own_spread, _, _ = _measure_column(rows.x[:, k], is_text=False)
        if not np.isfinite(median):
            continue
        far = abs(median - center) > FAR * spread
        ratio = own_spread / spread
        if far or ratio > WIDER or 0 < ratio < 1 / WIDER:
            found.append(
                f"column {name!r} has the median {format_rounded(median, 4)} and the spread "
                f"{format_rounded(own_spread, 4)}, in "
                f"the center's rows {format_rounded(center, 4)} and "
                f"{format_rounded(spread, 4)}: another unit, or another "
                "population"
            )
    return tuple(found)


def compute_fingerprints(
    rows: TrainingRows, terms: TrainingTerms, ranges: Ranges
) -> NDArray[np.uint64]:
    """Return a digest of each row, its numbers rounded, shape (m,)."""
    return round_rows(rows, terms, ranges).compute_digests()


def round_rows(rows: TrainingRows, terms: TrainingTerms, ranges: Ranges) -> TrainingRows:
    """Return rows whose numbers are whole multiples of `ROUNDING` standard deviations."""
    x = rows.x.copy()
    for k, name in enumerate(terms.features):
        if name not in terms.texts:
            z = (rows.x[:, k].astype(np.float64) - ranges.mean[k]) / ranges.deviation[k]
            x[:, k] = np.round(z / ROUNDING)
    return replace(rows, x=x)


def find_near_copies(
    fingerprints: Mapping[str, NDArray[np.uint64]], chance: float, same: Sequence[Sequence[str]]
) -> list[str]:
    """Return which parties hold rows of another, one sentence for each pair.

    Parameters
    ----------
    fingerprints
        By party: of its rows.
    chance
        That two rounded rows coincide.
    same
        Groups of parties whose files are the same: they have a warning of their own.
    """
    distinct = {name: np.unique(found) for name, found in fingerprints.items()}
    warnings = []
    for one, other in combinations(distinct, 2):
        if any(one in group and other in group for group in same):
            continue
        common = len(np.intersect1d(distinct[one], distinct[other]))
        limit = leaks.compute_limit(len(distinct[one]), len(distinct[other]), chance)
        if common > limit:
            warnings.append(
                f"{format_count(common)} rows of {join_names((one, other))} are the same but for "
                f"roundings: together they bring less than their sizes add up to"
            )
    return warnings
