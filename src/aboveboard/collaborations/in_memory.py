"""A collaboration without files: reports as dicts, lists, sets or data frames.

It is validated as a file is, by the same models, so that Python refuses what a file refuses.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from pydantic import BaseModel

from aboveboard.collaborations.collaboration import Collaboration, make_collaboration
from aboveboard.collaborations.inputs import Reader
from aboveboard.collaborations.loading import find_rule, read_all
from aboveboard.collaborations.source_file import SourceFile, TrustCode
from aboveboard.collaborations.validation import find_tables
from aboveboard.errors import InputError
from aboveboard.mechanisms.reading import ListSource
from aboveboard.storage.formats.parquet import read_arrow
from aboveboard.storage.party_data import read_frame
from aboveboard.storage.records import Records
from aboveboard.storage.shelf import Shelf

PLACE = Path("collaborate")
"""Stands for the file in messages."""

REPORT_KEYS = ("elements", "interval", "point", "bits", "values")
"""Keys of a party's table that hold its whole report, where it is a list or a set."""

TYPED = (int, float, Decimal, date, time, timedelta, np.number, np.bool_)
"""Elements that are no texts, and are compared by their values as those of a column are."""

POLARS_UNITS = ("[ms]", "[us]", "[ns]")
"""Units of times that polars and NumPy have in common."""

VAGUE = ("timedelta64[M]", "timedelta64[Y]", "timedelta64")
"""Durations of no certain length."""

MOST_WHOLE = 1 << 53
"""Integers below it are floats, too."""

TABLE_LIBRARIES = ("polars", "pandas", "pyarrow", "numpy")


def collaborate(
    mechanism: str,
    reports: Mapping[str, object],
    *,
    trust_code: TrustCode = None,
    **parameters: object,
) -> Collaboration:
    """Return the collaboration that a file with the same content would give.

    Parameters
    ----------
    mechanism
        Its name, such as "exchange.union", or "module:Class".
    reports
        By party: a set, list, iterator, array or column (its elements, interval, point, ..), a dict
        (the keys of the party's table, or columns by name), a list of dicts (rows by column), or a
        frame of polars, pandas or pyarrow. An index of pandas that has a name is a column.
    trust_code
        As in `load`: True if functions and classes that are named here may run.
    parameters
        The other keys of the file. A key of the parties' tables, such as `key`, is one for all.

    Returns
    -------
    Collaboration
        To run and audit; its `parties` are those of its settlement.

    Raises
    ------
    InputError
        As `load` does for a file.

    Examples
    --------
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": ["b.example", "c.example"]}
    >>> collaborate("exchange.union", lists, kind="domain", seed=7).parties["acme"].benefit
    1
    """
    if not hasattr(reports, "items"):
        problem = f"the reports are of type {type(reports).__name__}, which names no parties"
        raise InputError(f"{PLACE}", problem, 'write a dict, such as {"acme": [..], "bolt": [..]}')
    rule = find_rule(SourceFile(PLACE, b"", "", {"mechanism": mechanism}, trust_code))
    fields = rule.FILE.model_fields
    party = _find_party_model(rule.FILE)
    shared = {k: v for k, v in parameters.items() if k not in fields and k in party}
    top = {k: _plain(v) for k, v in parameters.items() if k not in shared}
    frames: dict[str, pl.DataFrame] = {}
    tables = {
        name: {**shared, **_describe_party(name, report, party, frames, parameters.get("key"))}
        for name, report in reports.items()
    }
    table = {"mechanism": mechanism, **top, "parties": tables}
    text = write_toml(table)
    source = SourceFile(PLACE, text.encode(), "", table, trust_code)
    return make_collaboration(source, read_all(source, rule, reader=_FrameReader(frames)))


class _FrameReader(Reader):
    """Serves the parties' frames in place of their files."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        super().__init__(PLACE, allow_outside=True)
        self._frames = frames

    def _measure_file(self, party: str, source: ListSource) -> int:
        return 0 if party in self._frames else super()._measure_file(party, source)

    def _read(
        self, party: str, source: ListSource, hashed: bool, shelf: Shelf | None = None
    ) -> tuple[Records, str]:
        frame = self._frames.get(party)
        if frame is None:
            return super()._read(party, source, hashed, shelf)
        buffer = io.BytesIO()
        frame.write_ipc(buffer)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        place = f"{PLACE}: parties.{party}"
        return read_frame(frame, place=place, options=source.options), digest


def _find_party_model(model: type[BaseModel]) -> Mapping[str, Any]:
    """Return the fields of a party's table."""
    field = model.model_fields.get("parties")
    tables = [] if field is None else list(find_tables(field.annotation))
    return {name: value for table in tables for name, value in table.model_fields.items()}


def _describe_party(
    name: str,
    report: Any,
    party: Mapping[str, Any],
    frames: dict[str, pl.DataFrame],
    key: Any,
) -> dict[str, Any]:
    """Return the party's table; a frame goes into `frames`, its elements under `key`."""
    if report is None:
        return {}
    if isinstance(report, Mapping) and set(report) <= set(party):
        return {str(key): _plain(value) for key, value in report.items()}
    column = _to_column(name, report)
    report = column if column is not None else _to_list(report)
    reported = next((key for key in REPORT_KEYS if key in party), None)
    if isinstance(report, pl.Series):
        if reported == "elements" and report.dtype not in (pl.String, pl.Object):
            frames[name] = report.alias(key or "element").to_frame()
            return {"data": name}
        report = report.to_list()
    if isinstance(report, AbstractSet | list | tuple):
        if reported is None:
            raise InputError(
                f"{PLACE}: parties.{name}",
                "a party of this mechanism does not report a list",
                f"write a dict with some of {', '.join(party)}",
            )
        if reported == "elements" and report and all(isinstance(x, Mapping) for x in report):
            frames[name] = _to_polars(name, {k: [x.get(k) for x in report] for k in _merge(report)})
            return {"data": name}
        if reported == "elements" and any(isinstance(x, TYPED) for x in report):
            frames[name] = _to_polars(name, {key or "element": _unify(name, report)})
            return {"data": name}
        return {reported: _plain(report)}
    frame = _to_polars(name, report)
    if "elements" not in party:
        raise InputError(
            f"{PLACE}: parties.{name}",
            "a party of this mechanism does not report a table",
            f"write {'a list, or ' * (reported is not None)}a dict with some of {', '.join(party)}",
        )
    frames[name] = frame
    return {"data": name}


def _to_column(name: str, report: Any) -> pl.Series | None:
    """Return a column of polars, pandas or pyarrow, or an array of numbers; None: neither."""
    library = type(report).__module__.partition(".")[0]
    if isinstance(report, pl.Series):
        return report
    if (
        library == "pyarrow"
        and hasattr(report, "to_pylist")
        and not hasattr(report, "column_names")
    ):
        import pyarrow as pa

        return _to_polars(name, pa.table({"element": report})).to_series()
    if library == "numpy" and getattr(report, "ndim", 0) == 1 and report.dtype.kind in "biufmM":
        return _from_numpy(name, report)
    levels = hasattr(report, "levels")  # of an index that has several columns
    if library == "pandas" and getattr(report, "ndim", 0) == 1 and not levels:
        pandas = sys.modules[library]  # an array of pandas has no way to a frame of its own
        column = pandas.Series(report, name="element").reset_index(drop=True)
        return _to_polars(name, column.to_frame()).to_series()
    return None


def _from_numpy(name: str, array: Any) -> pl.Series:
    """Return an array of numbers, truth values, times or durations as a column."""
    if array.dtype.kind in "mM" and not array.dtype.name.endswith(POLARS_UNITS):
        try:
            exact = array.astype(f"{array.dtype.kind}8[us]")
            # Held against the first: compared as microseconds, both would overflow alike.
            same = (exact.astype(array.dtype) == array) | np.isnat(array)
        except OverflowError:  # from NumPy 2.5 on; before, other times came out
            same = np.zeros(1, np.bool_)
        if array.dtype.name in VAGUE or not same.all():
            problem = f"its times ({array.dtype}) have no exact value in microseconds"
            raise InputError(f"{PLACE}: parties.{name}", problem, "write them as texts")
        array = exact
    return pl.Series(array)


def _to_list(report: Any) -> Any:
    """Return an array, an iterator or another collection as a list, everything else as it is."""
    library = type(report).__module__.partition(".")[0]
    if library in TABLE_LIBRARIES:
        return report.tolist() if hasattr(report, "tolist") else report
    listed = isinstance(report, Iterator | Collection) and not hasattr(report, "columns")
    kept = isinstance(report, str | bytes | bytearray | Mapping | AbstractSet | list | tuple)
    return list(report) if listed and not kept else report


def _unify(name: str, values: Collection[Any]) -> list[Any]:
    """Return values that are no texts, whole numbers among floats as floats.

    Raises
    ------
    InputError
        They are of several types: as values of one, some would be others.
    """
    if any(isinstance(x, str) for x in values):
        at, other = next((k, x) for k, x in enumerate(values, 1) if not isinstance(x, str))
        problem = f"element {at} is {other!r}, and others are texts"
        raise InputError(f"{PLACE}: parties.{name}", problem, "write them all as texts")
    values = [x.item() if isinstance(x, np.generic) else x for x in values]
    kinds = [_find_kind(x) for x in values]
    if set(kinds) == {int, float}:
        kinds = [
            float if k is int and abs(x) < MOST_WHOLE else k
            for k, x in zip(kinds, values, strict=True)
        ]
        values = [float(x) if k is float else x for k, x in zip(kinds, values, strict=True)]
    first = next(kind for kind in kinds if kind is not None)
    for at, (kind, value) in enumerate(zip(kinds, values, strict=True), 1):
        if kind not in (first, None):
            problem = f"element {at} is {value!r}, and others are of another type"
            raise InputError(f"{PLACE}: parties.{name}", problem, "write them all in one type")
    return list(values)


def _find_kind(value: Any) -> object:
    """Return what a value is compared as: a type, of times also whether they have a zone."""
    if isinstance(value, datetime):
        return datetime, value.tzinfo is None
    found = next((kind for kind in (bool, *TYPED) if isinstance(value, kind)), type(value))
    return None if value is None else found


def _merge(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of rows, each once, in the order in which they appear."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _to_polars(name: str, report: Any) -> pl.DataFrame:
    """Return a frame of polars, pandas or pyarrow, or columns by name, as a polars frame."""
    frame = _convert(name, report)
    place = f"{PLACE}: parties.{name}"
    if not frame.width:
        raise InputError(place, "its frame has no columns", "write [] for no elements")
    for column in frame.get_columns():
        if column.dtype == pl.Object:
            problem = f"the column {column.name!r} holds objects of Python, which have no text"
            raise InputError(place, problem, "write texts, numbers or dates into it")
    return frame


def _convert(name: str, report: Any) -> pl.DataFrame:
    if isinstance(report, pl.DataFrame):
        return report
    if isinstance(report, pl.LazyFrame):
        return report.collect()
    kind = f"{type(report).__module__}.{type(report).__name__}"
    try:
        if isinstance(report, Mapping):
            for key, value in report.items():
                if isinstance(value, str | bytes) or not isinstance(value, Iterable):
                    problem = f"its column {key!r} is {value!r}, and not a list"
                    remedy = "write a list, or a dict with the keys of a party's table"
                    raise InputError(f"{PLACE}: parties.{name}", problem, remedy)
            columns = {str(key): [*map(_write_uuid, value)] for key, value in report.items()}
            for key, values in columns.items():
                if any(isinstance(x, TYPED) for x in values):
                    columns[key] = _unify(f"{name}: column {key!r}", values)
            return pl.DataFrame(columns)
        if kind.startswith("pandas.") and hasattr(report, "reset_index"):
            return pl.from_pandas(_simplify(name, report))
        if kind.startswith("pyarrow."):
            import pyarrow as pa

            batches = [report] if isinstance(report, pa.RecordBatch) else report.to_batches()
            table = pa.Table.from_batches(batches, report.schema)
            return read_arrow(table, f"{PLACE}: parties.{name}", "its table")
    except (
        TypeError,
        ValueError,
        ImportError,
        OverflowError,
        pl.exceptions.PolarsError,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{PLACE}: parties.{name}", f"its frame cannot be read ({reason})", "use plain columns"
        ) from error
    raise InputError(
        f"{PLACE}: parties.{name}",
        f"a report cannot be of type {type(report).__name__}",
        "write a dict, set or list, or a frame or column of polars, pandas or pyarrow",
    )


def _simplify(name: str, frame: Any) -> Any:
    """Return a frame of pandas with an index that has names as columns, and UUIDs as texts."""
    if None not in frame.index.names and not set(frame.index.names) & set(frame.columns):
        frame = frame.reset_index()
    counts = Counter(map(str, frame.columns))
    if twice := [column for column, count in counts.items() if count > 1]:
        problem = f"its frame names the column {twice[0]!r} more than once"
        raise InputError(f"{PLACE}: parties.{name}", problem, "give every column a name of its own")
    frame = frame.set_axis(list(counts), axis=1)
    sparse = [column for column in counts if hasattr(frame[column].dtype, "fill_value")]
    frame = frame.assign(**{column: frame[column].sparse.to_dense() for column in sparse})
    objects = [column for column in counts if frame[column].dtype == object]
    for column in objects:
        values = frame[column].dropna().tolist()
        if any(isinstance(x, TYPED) for x in values):
            _unify(f"{name}: column {column!r}", values)
    return frame.assign(**{column: frame[column].map(_write_uuid) for column in objects})


def _write_uuid(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _plain(value: Any) -> Any:
    """Return a value as a TOML file holds it: fractions as text, floats as their decimals."""
    if isinstance(value, Mapping):
        return {str(key): _plain(x) for key, x in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    if isinstance(value, Fraction | UUID):
        return str(value)
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy
        return _plain(value.tolist())
    return Decimal(repr(value)) if isinstance(value, float) else value


def write_toml(table: Mapping[str, Any]) -> str:
    """Return a table as TOML: keys of the top, then one table per party.

    Examples
    --------
    >>> print(write_toml({"seed": 7, "parties": {"a": {"elements": ["x"]}}}))
    seed = 7
    <BLANKLINE>
    [parties."a"]
    elements = ["x"]
    <BLANKLINE>
    """
    lines = [f"{key} = {_to_toml(x)}" for key, x in table.items() if key != "parties"]
    for name, party in table.get("parties", {}).items():
        lines += ["", f"[parties.{json.dumps(name)}]"]
        lines += [f"{key} = {_to_toml(value)}" for key, value in party.items()]
    return "\n".join(lines) + "\n"


def _to_toml(value: Any) -> str:
    if isinstance(value, Mapping):
        entries = (f"{json.dumps(str(k))} = {_to_toml(v)}" for k, v in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_to_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal) else json.dumps(str(value))
