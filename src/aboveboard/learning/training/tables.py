"""A data file as a matrix of features and a label, checked at the door.

The center's test file sets the terms (`Terms`): which columns are features, which the label, which
classes there are. Every other file, a party's or the center's, must fit them.
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
from aboveboard.storage.tabular_files import Whereabouts, read_table

LISTED = 8
"""Columns or classes named in a message before it ends in dots."""


@dataclass(frozen=True)
class Terms:
    """What all files agree on.

    Parameters
    ----------
    features
        Columns, in the order in which models take them.
    label
        The column that is predicted, in the center's files.
    classes
        Its values as text, in order; None where it is a number to be predicted.
    """

    features: tuple[str, ...]
    label: str
    classes: tuple[str, ...] | None

    def decode_labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return what models learn and predict: whole numbers or texts for classes, else numbers."""
        if self.classes is None:
            return y
        whole = all(_whole(name) for name in self.classes)
        names = np.array([int(name) for name in self.classes] if whole else self.classes)
        return np.asarray(names[y])


def _whole(name: str) -> bool:
    return name.removeprefix("-").isdecimal() and len(name) < 18 and str(int(name)) == name


@dataclass(frozen=True)
class Rows:
    """Rows of one file.

    Parameters
    ----------
    x
        Shape (m, features), float64, finite.
    y
        Shape (m,): positions in the classes, or numbers.
    numbers
        Which row of the file each is, from 0.
    at
        Says in words where such a row stands.
    """

    x: NDArray[np.float64]
    y: NDArray[Any]
    numbers: NDArray[np.intp]
    at: Whereabouts

    def select(self, rows: NDArray[np.intp]) -> Rows:
        """Return some of the rows."""
        return Rows(self.x[rows], self.y[rows], self.numbers[rows], self.at)

    def compute_digests(self) -> NDArray[np.uint64]:
        """Return 64 bits of BLAKE2b of each row, its label included, shape (m,)."""
        # Adding zero makes -0.0 the zero that it equals.
        whole = np.ascontiguousarray(np.column_stack((self.x, self.y)).astype("<f8") + 0.0)
        found = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in whole]
        return np.frombuffer(b"".join(found), dtype="<u8")

    def drop_duplicates(self) -> Rows:
        """Return each row once, the first of its kind, in the order of the file."""
        whole = np.column_stack((self.x, self.y)) + 0.0
        _, first = np.unique(whole, axis=0, return_index=True)
        return self.select(np.sort(first))


def read_terms(
    path: Path,
    place: str,
    *,
    label: str,
    features: Sequence[str] | None,
    classification: bool,
) -> tuple[Terms, Rows]:
    """Read the center's test file, which sets the terms.

    Raises
    ------
    InputError
        As `read_rows`; also if the label has one class only.
    """
    where = f"{place}: {path.name}"
    frame, at = _frame(path, where)
    names = tuple(features or (name for name in frame.columns if name != label))
    _column(frame, label, where, "label")
    if not names:
        raise InputError(where, "it has no column but the label", "add the features")
    classes = None
    if classification:
        found = set(_texts(frame, label, where, at))
        # In the order in which estimators sort them: as numbers where all are whole numbers.
        classes = tuple(sorted(found, key=int if all(map(_whole, found)) else None))
        if len(classes) < 2:
            shown = f"{classes[0]!r}" if classes else "none"
            raise InputError(
                where, f"its label {label!r} has one class only, {shown}", "add rows of another"
            )
    terms = Terms(names, label, classes)
    return terms, _rows(frame, at, terms, label, where)


def read_rows(
    path: Path, place: str, terms: Terms, *, label: str | None = None, whole: bool = False
) -> Rows:
    """Read a file that has to fit the terms.

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
        feature is no finite number, a label is none of the classes, or a class has no row.
    """
    where = f"{place}: {path.name}"
    frame, at = _frame(path, where)
    label = terms.label if label is None else label
    _column(frame, label, where, "label")
    odd = sorted(set(frame.columns) - {label} - set(terms.features))
    missing = [name for name in terms.features if name not in frame.columns]
    if missing or (whole and odd):
        problem = f"it has no feature {_listed(missing)}" if missing else (
            f"it has features that the test set has not: {_listed(odd)}"
        )  # fmt: skip
        raise InputError(
            where, problem, "give every file the same columns, or list training.features"
        )
    rows = _rows(frame, at, terms, label, where)
    if terms.classes is not None:
        absent = [name for k, name in enumerate(terms.classes) if not (rows.y == k).any()]
        if absent:
            there = len(terms.classes) - len(absent)
            problem = "one class only" if there == 1 else f"no row of class {_listed(absent)}"
            raise InputError(
                where, f"its label {label!r} has {problem}", f"add rows of {_listed(absent)}"
            )
    return rows


def slice_part(rows: int, parts: int, least: int) -> slice:
    """Return the first of so many equal parts of the rows, rounded up, and no fewer than `least`."""
    return slice(0, max(-(-rows // parts), least))


def shuffle_rows(rows: Rows, seed: int, classes: int) -> Rows:
    """Put rows in a seeded order, one of each class first, so that every part can be fitted."""
    order = np.random.default_rng(seed).permutation(len(rows.y))
    if classes:
        _, first = np.unique(rows.y[order], return_index=True)
        first = np.sort(first)
        order = np.concatenate((order[first], np.delete(order, first)))
    return rows.select(order)


def _frame(path: Path, where: str) -> tuple[pl.DataFrame, Whereabouts]:
    frame, at = read_table(path, where)
    if not len(frame):
        raise InputError(where, "it has no rows", "add some")
    return frame, at


def _column(frame: pl.DataFrame, name: str, where: str, called: str) -> None:
    if name in frame.columns:
        return
    near = difflib.get_close_matches(name, frame.columns, n=1)
    guess = f"did you mean {near[0]!r}?" if near else f"its columns are {_listed(frame.columns)}"
    raise InputError(where, f"there is no {called} column {name!r}", guess)


def _rows(frame: pl.DataFrame, at: Whereabouts, terms: Terms, label: str, where: str) -> Rows:
    for name in terms.features:
        _column(frame, name, where, "feature")
    x = np.column_stack([_numbers(frame, name, where, at) for name in terms.features])
    numbers = np.arange(len(frame))
    if terms.classes is None:
        return Rows(x, _numbers(frame, label, where, at), numbers, at)
    position = {name: k for k, name in enumerate(terms.classes)}
    texts = _texts(frame, label, where, at)
    for i, text in enumerate(texts):
        if text not in position:
            raise InputError(
                f"{where}, {at(i)}",
                f"the label {label!r} is a class that no row of the test set has",
                f"the classes are {_listed(terms.classes)}",
            )
    return Rows(x, np.array([position[text] for text in texts]), numbers, at)


def _numbers(frame: pl.DataFrame, name: str, where: str, at: Whereabouts) -> NDArray[np.float64]:
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
        # The cell itself is not quoted: the message leaves the party's process, its rows do not.
        raise InputError(
            f"{where}, {at(int(wrong[0]))}",
            f"column {name!r} holds what is no finite number (text, nothing, NaN or infinity)",
            "give finite numbers only; code text as columns of 0 and 1",
        )
    return numbers


def _texts(frame: pl.DataFrame, label: str, where: str, at: Whereabouts) -> list[str]:
    texts = [("" if x is None else str(x).strip()) for x in frame[label].to_list()]
    if "" in texts:
        raise InputError(
            f"{where}, {at(texts.index(''))}", f"the label {label!r} is empty", "fill it in"
        )
    return texts


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:LISTED]) + (", .." * (len(names) > LISTED))
