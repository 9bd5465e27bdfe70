"""A data file as features and a label, checked when it is read.

The center's test file sets the terms (`TrainingTerms`): which columns are features and whether they
hold numbers or text, which column is the label, which classes there are. Every other file, a
party's or the center's, must fit them. Text and missing values are allowed where the training
prepares its rows (`training.steps`).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.storage.formats.content import Whereabouts
from aboveboard.storage.tabular_files import read_table

LISTED = 8
"""Columns or classes that a message names."""

MISSING = frozenset({"", "na", "n/a", "nan", "null"})
"""What a cell holds, in lower case, where its value is missing."""

PREPARE = "give finite numbers, or prepare text and missing values with training.steps"
"""What helps where a feature holds something else."""


@dataclass(frozen=True)
class TrainingTerms:
    """What all files agree on.

    Parameters
    ----------
    features
        Columns, in the order in which models take them.
    label
        The column that is predicted, in the center's files.
    classes
        Its values as text, in order; None where it is a number to be predicted.
    texts
        The features that hold text; only where rows are prepared.
    prepared
        Whether rows are prepared before they are learned from: text and missing values are allowed.
    """

    features: tuple[str, ...]
    label: str
    classes: tuple[str, ...] | None
    texts: frozenset[str] = frozenset()
    prepared: bool = False

    def decode_labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return what models learn: integers or texts for classes, else numbers."""
        if self.classes is None:
            return y
        integers = all(_is_integer_text(name) for name in self.classes)
        names = np.array([int(name) for name in self.classes] if integers else self.classes)
        return np.asarray(names[y])


def _is_integer_text(name: str) -> bool:
    return name.removeprefix("-").isdecimal() and len(name) < 18 and str(int(name)) == name


@dataclass(frozen=True)
class TrainingRows:
    """Rows of one file.

    Parameters
    ----------
    x
        Shape (m, features): finite float64; where rows are prepared, objects: floats (NaN where
        missing) and texts (None where missing).
    y
        Shape (m,): positions in the classes, or numbers.
    numbers
        Which row of the file each is, from 0.
    at
        Says in words where such a row stands.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    numbers: NDArray[np.intp]
    at: Whereabouts

    def select(self, rows: NDArray[np.intp]) -> TrainingRows:
        """Return some of the rows."""
        return TrainingRows(self.x[rows], self.y[rows], self.numbers[rows], self.at)

    def compute_digests(self) -> NDArray[np.uint64]:
        """Return 64 bits of BLAKE2b of each row, its label included, shape (m,)."""
        if self.x.dtype == object:
            contents = [
                repr((*row, label)).encode()
                for row, label in zip(self.x.tolist(), self.y.tolist(), strict=True)
            ]
        else:
            # Adding zero makes -0.0 the zero that it equals.
            table = np.ascontiguousarray(np.column_stack((self.x, self.y)).astype("<f8") + 0.0)
            contents = [row.tobytes() for row in table]
        digests = [hashlib.blake2b(content, digest_size=8).digest() for content in contents]
        return np.frombuffer(b"".join(digests), dtype="<u8")

    def drop_duplicates(self) -> TrainingRows:
        """Return each row once, the first of its kind, in the order of the file."""
        if self.x.dtype == object:
            _, first = np.unique(self.compute_digests(), return_index=True)
        else:
            table = np.column_stack((self.x, self.y)) + 0.0
            _, first = np.unique(table, axis=0, return_index=True)
        return self.select(np.sort(first))


def read_training_terms(
    path: Path,
    place: str,
    *,
    label: str,
    features: Sequence[str] | None,
    classification: bool,
    prepared: bool = False,
) -> tuple[TrainingTerms, TrainingRows]:
    """Read the center's test file, which sets the terms.

    Raises
    ------
    InputError
        As `read_rows`; also if the label has one class only.
    """
    where = f"{place}: {path.name}"
    frame, at = _read_frame(path, where)
    names = tuple(features or (name for name in frame.columns if name != label))
    _require_column(frame, label, where, "label")
    if not names:
        raise InputError(where, "it has no column but the label", "add the features")
    for name in names:
        _require_column(frame, name, where, "feature")
    classes = None
    if classification:
        values = set(_parse_labels(frame, label, where, at))
        # In the order in which estimators sort them: as numbers where all are integers.
        classes = tuple(sorted(values, key=int if all(map(_is_integer_text, values)) else None))
        if len(classes) < 2:
            shown = f"{classes[0]!r}" if classes else "none"
            raise InputError(
                where, f"its label {label!r} has one class only, {shown}", "add rows of another"
            )
    texts = frozenset(name for name in names if prepared and _holds_text(frame[name]))
    terms = TrainingTerms(names, label, classes, texts, prepared)
    return terms, _parse_rows(frame, at, terms, label, where)


def read_rows(
    path: Path, place: str, terms: TrainingTerms, *, label: str | None = None, whole: bool = False
) -> TrainingRows:
    """Read a file that has to fit the terms.

    A class of the terms may have no row: the center's rows say which classes there are.

    Parameters
    ----------
    path
        CSV, TSV, Parquet or a workbook.
    place
        Where the user named the file, for messages.
    terms
        What the center's test file says.
    label
        The file's own name for the label; by default the terms'.
    whole
        The file has no columns but the features and the label.

    Raises
    ------
    InputError
        If the file is broken or empty, a column is missing or (with `whole`) is one too many, a
        feature is not a finite number, or a label is none of the classes.
    """
    where = f"{place}: {path.name}"
    frame, at = _read_frame(path, where)
    label = terms.label if label is None else label
    _require_column(frame, label, where, "label")
    extra = sorted(set(frame.columns) - {label} - set(terms.features))
    missing = [name for name in terms.features if name not in frame.columns]
    if missing or (whole and extra):
        problem = (
            f"it has no feature {_quote_names(missing)}"
            if missing
            else (f"it has features that the test set has not: {_quote_names(extra)}")
        )
        raise InputError(
            where, problem, "give every file the same columns, or list training.features"
        )
    return _parse_rows(frame, at, terms, label, where)


def digest_file(path: Path) -> str:
    """Return SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def slice_part(rows: int, parts: int, least: int) -> slice:
    """Return the first of so many equal parts of the rows, rounded up, no fewer than `least`."""
    return slice(0, max(-(-rows // parts), least))


def shuffle_rows(rows: TrainingRows, seed: int, classes: int) -> TrainingRows:
    """Return rows in a seeded order, one of each class first, so that every part can be fitted."""
    order = np.random.default_rng(seed).permutation(len(rows.y))
    if classes:
        _, first = np.unique(rows.y[order], return_index=True)
        first = np.sort(first)
        order = np.concatenate((order[first], np.delete(order, first)))
    return rows.select(order)


def _read_frame(path: Path, where: str) -> tuple[pl.DataFrame, Whereabouts]:
    frame, at = read_table(path, where)
    if not len(frame):
        raise InputError(where, "it has no rows", "add some")
    return frame, at


def _require_column(frame: pl.DataFrame, name: str, where: str, called: str) -> None:
    if name in frame.columns:
        return
    near = difflib.get_close_matches(name, frame.columns, n=1)
    guess = (
        f"did you mean {near[0]!r}?" if near else f"its columns are {_quote_names(frame.columns)}"
    )
    raise InputError(where, f"there is no {called} column {name!r}", guess)


def _parse_rows(
    frame: pl.DataFrame, at: Whereabouts, terms: TrainingTerms, label: str, where: str
) -> TrainingRows:
    for name in terms.features:
        _require_column(frame, name, where, "feature")
    columns = [_parse_feature(frame, name, where, at, terms) for name in terms.features]
    if terms.prepared:
        x = np.empty((len(frame), len(columns)), dtype=object)
        for k, column in enumerate(columns):
            x[:, k] = column
    else:
        x = np.column_stack(columns)
    numbers = np.arange(len(frame))
    if terms.classes is None:
        targets = _parse_numbers(frame, label, where, at, "give finite numbers, or leave rows out")
        return TrainingRows(x, targets, numbers, at)
    position = {name: k for k, name in enumerate(terms.classes)}
    texts = _parse_labels(frame, label, where, at)
    for i, text in enumerate(texts):
        if text not in position:
            raise InputError(
                f"{where}, {at(i)}",
                f"the label {label!r} is a class that no row of the test set has",
                f"the classes are {_quote_names(terms.classes)}",
            )
    return TrainingRows(x, np.array([position[text] for text in texts]), numbers, at)


def _parse_feature(
    frame: pl.DataFrame, name: str, where: str, at: Whereabouts, terms: TrainingTerms
) -> NDArray[Any]:
    if not terms.prepared:
        return _parse_numbers(frame, name, where, at)
    texts, missing = _read_cells(frame[name])
    if name in terms.texts:
        return np.array([None if no else text for text, no in zip(texts, missing, strict=True)])
    numbers = np.asarray(
        pl.Series(texts).cast(pl.Float64, strict=False).to_numpy(), dtype=np.float64
    ).copy()
    wrong = np.flatnonzero(~np.isfinite(numbers) & ~missing)
    if wrong.size:
        raise InputError(
            f"{where}, {at(int(wrong[0]))}",
            f"column {name!r} holds text or infinity where the center's rows hold numbers",
            "give finite numbers, or leave the cell empty",
        )
    numbers[missing] = np.nan
    return numbers


def _read_cells(column: pl.Series) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the cells as trimmed texts, and which of them are missing."""
    texts = ["" if x is None else str(x).strip() for x in column.to_list()]
    return texts, np.array([text.lower() in MISSING for text in texts])


def _holds_text(column: pl.Series) -> bool:
    texts, missing = _read_cells(column)
    present = pl.Series([text for text, no in zip(texts, missing, strict=True) if not no])
    return bool(len(present)) and bool(present.cast(pl.Float64, strict=False).is_null().any())


def _parse_numbers(
    frame: pl.DataFrame, name: str, where: str, at: Whereabouts, remedy: str = PREPARE
) -> NDArray[np.float64]:
    column = frame[name]
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    try:
        numbers = column.cast(pl.Float64, strict=False).to_numpy()
    except pl.exceptions.PolarsError:
        raise InputError(
            where, f"column {name!r} holds {column.dtype}", "give numbers, one column each"
        ) from None
    numbers = np.asarray(numbers, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        # The cell itself is not quoted: the message may leave the party, its rows do not.
        raise InputError(
            f"{where}, {at(int(wrong[0]))}",
            f"column {name!r} holds what is not a finite number (text, nothing, NaN or infinity)",
            remedy,
        )
    return numbers


def _parse_labels(frame: pl.DataFrame, label: str, where: str, at: Whereabouts) -> list[str]:
    texts = [("" if x is None else str(x).strip()) for x in frame[label].to_list()]
    if "" in texts:
        raise InputError(
            f"{where}, {at(texts.index(''))}", f"the label {label!r} is empty", "fill it in"
        )
    return texts


def _quote_names(names: Sequence[str]) -> str:
    return join_names((repr(name) for name in names), LISTED)
