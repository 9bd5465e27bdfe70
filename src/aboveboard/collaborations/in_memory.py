"""A collaboration without files: reports as dicts, lists, sets or data frames.

It is validated as a file is, by the same models, so that Python refuses what a file refuses.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel

from aboveboard.collaborations.collaboration import Collaboration, make_collaboration
from aboveboard.collaborations.inputs import Reader
from aboveboard.collaborations.loading import find_rule, read_all
from aboveboard.collaborations.source_file import SourceFile, TrustCode
from aboveboard.collaborations.validation import find_tables
from aboveboard.errors import InputError
from aboveboard.mechanisms.reading import ListSource
from aboveboard.storage.party_data import read_frame
from aboveboard.storage.records import Records

PLACE = Path("collaborate")
"""Stands for the file in messages."""

REPORT_KEYS = ("elements", "interval", "point", "bits", "values")
"""Keys of a party's table that hold its whole report, where it is a list or a set."""


def collaborate(
    mechanism: str,
    reports: Mapping[str, Any],
    *,
    trust_code: TrustCode = None,
    **parameters: Any,
) -> Collaboration:
    """Return the collaboration that a file with the same content would give.

    Parameters
    ----------
    mechanism
        Its name, such as "exchange.union", or "module:Class".
    reports
        By party: a set, list, iterator, array or column (its elements, interval, point, ..), a dict
        (the keys of the party's table, or columns by name), a list of dicts (rows by column), or a
        frame of polars, pandas or pyarrow.
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
    rule = find_rule(SourceFile(PLACE, b"", "", {"mechanism": mechanism}, trust_code))
    fields = rule.FILE.model_fields
    party = _find_party_model(rule.FILE)
    shared = {k: v for k, v in parameters.items() if k not in fields and k in party}
    top = {k: _plain(v) for k, v in parameters.items() if k not in shared}
    frames: dict[str, pl.DataFrame] = {}
    tables = {
        name: {**shared, **_describe_party(name, report, party, frames)}
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

    def _read(self, party: str, source: ListSource, hashed: bool) -> tuple[Records, str]:
        frame = self._frames.get(party)
        if frame is None:
            return super()._read(party, source, hashed)
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
    name: str, report: Any, party: Mapping[str, Any], frames: dict[str, pl.DataFrame]
) -> dict[str, Any]:
    """Return the party's table; a frame goes into `frames`."""
    if report is None:
        return {}
    if isinstance(report, Mapping) and set(report) <= set(party):
        return {str(key): _plain(value) for key, value in report.items()}
    report = _to_list(report)
    if isinstance(report, AbstractSet | list | tuple):
        key = next((key for key in REPORT_KEYS if key in party), None)
        if key is None:
            raise InputError(
                f"{PLACE}: parties.{name}",
                "a party of this mechanism does not report a list",
                f"write a dict with some of {', '.join(party)}",
            )
        if key == "elements" and report and all(isinstance(x, Mapping) for x in report):
            frames[name] = _to_polars(name, {k: [x.get(k) for x in report] for k in _merge(report)})
            return {"data": name}
        return {key: sorted(report) if isinstance(report, AbstractSet) else _plain(report)}
    frames[name] = _to_polars(name, report)
    return {"data": name}


def _to_list(report: Any) -> Any:
    """Return a column, an array or an iterator as a list, everything else as it is."""
    if isinstance(report, pl.Series):
        return report.to_list()
    if isinstance(report, Iterator):
        return list(report)
    if hasattr(report, "to_pylist") and not hasattr(report, "column_names"):
        return report.to_pylist()  # an array of pyarrow
    # An array of NumPy, a column or an index of pandas.
    return report.tolist() if hasattr(report, "tolist") else report


def _merge(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of rows, each once, in the order in which they appear."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _to_polars(name: str, report: Any) -> pl.DataFrame:
    """Return a frame of polars, pandas or pyarrow, or columns by name, as a polars frame."""
    if isinstance(report, pl.DataFrame):
        return report
    if isinstance(report, pl.LazyFrame):
        return report.collect()
    kind = f"{type(report).__module__}.{type(report).__name__}"
    try:
        if isinstance(report, Mapping):
            return pl.DataFrame({str(key): list(value) for key, value in report.items()})
        if kind.startswith("pandas."):
            return pl.from_pandas(report)
        if kind.startswith("pyarrow."):
            found = pl.from_arrow(report)
            return found if isinstance(found, pl.DataFrame) else found.to_frame()
    except (TypeError, ValueError, ImportError, pl.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{PLACE}: parties.{name}", f"its frame cannot be read ({reason})", "use plain columns"
        ) from error
    raise InputError(
        f"{PLACE}: parties.{name}",
        f"a report cannot be of type {type(report).__name__}",
        "write a dict, set or list, or a frame or column of polars, pandas or pyarrow",
    )


def _plain(value: Any) -> Any:
    """Return a value as a TOML file holds it: fractions as text, floats as their decimals."""
    if isinstance(value, Mapping):
        return {str(key): _plain(x) for key, x in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    if isinstance(value, Fraction):
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
