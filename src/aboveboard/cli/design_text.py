"""The result of `design` as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from aboveboard.cli.layout import fit_table, label_rows, wrap
from aboveboard.formatting import LEGIBLE, format_rounded
from aboveboard.mechanisms.mechanism import DesignResult


def offer_text(offer: Any) -> str:
    """Return the result of `design`: its own summary where it has one, else its plain data.

    Parameters
    ----------
    offer
        A `DesignResult`, or an object with `as_dict`, or plain data. Curves are left to plots and
        JSON.
    """
    if not isinstance(offer, DesignResult):
        return _data_text(offer if isinstance(offer, Mapping) else offer.as_dict())
    tables = [
        (f"{each.title}:\n" if each.title else "")
        + fit_table(each.columns, [list(map(str, row)) for row in each.rows])
        for each in offer.tables()
    ]
    return "\n\n".join([wrap(offer.headline), label_rows(offer.summary_rows()), *tables])


def _data_text(offer: Mapping[str, Any]) -> str:
    """Return plain data of a mechanism that has no summary."""
    rows, tables = [], []
    for key, value in offer.items():
        if key == "curve" or value is None:
            continue
        if isinstance(value, Mapping) and all(isinstance(x, Mapping) for x in value.values()):
            tables.append(_party_table(key, value))
            continue
        rows.append((key.replace("_", " "), _format_entries(value)))
    return "\n\n".join([*([label_rows(rows)] if rows else []), *tables])


def _format_entries(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_shorten(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_shorten(v) for v in value) or "none"
    return _shorten(value)


def _party_table(name: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one row per party."""
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    cells = [[party, *(_shorten(row.get(key, "")) for key in keys)] for party, row in rows.items()]
    return fit_table([name, *(key.replace("_", " ") for key in keys)], cells)


def _shorten(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) > LEGIBLE and re.fullmatch(r"-?\d+/\d+", value):
        value = float(Fraction(value))  # JSON has it exactly
    return f"{format_rounded(value)}" if isinstance(value, float) else str(value)
