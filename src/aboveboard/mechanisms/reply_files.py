"""The file in which a party finds its reply: lines of text, CSV, Parquet, JSON, or a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aboveboard.mechanisms.settlement import Reply

ROW_GROUP = 1 << 18
"""Rows that a Parquet file holds together: the same bytes, however many are in memory at a time."""

COMPRESSION = 1
"""Level of zstd: sorted keys come out as small as at higher ones, in half the time."""


def write_reply(reply: Reply, path: Path) -> None:
    """Write one party's reply in the form in which it sent its data.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "reply.json")
    ...     write_reply(Reply("json", data={"price": 3}), path)
    ...     print(path.read_text().split())
    ['{', '"price":', '3', '}']
    """
    if reply.content is not None:
        path.write_bytes(reply.content)
        return
    if reply.rows is None:
        write_json(path, reply.data)
        return
    plan = reply.rows().lazy() if reply.scan is None else reply.scan()
    with path.open("wb") as file:  # polars takes no path that is not UTF-8
        if reply.form == "parquet":
            plan.sink_parquet(file, compression_level=COMPRESSION, row_group_size=ROW_GROUP)
        elif reply.form == "csv":
            plan.sink_csv(file)
        else:
            plan.sink_csv(file, include_header=False, quote_style="never")


def write_json(path: Path, data: Any) -> None:
    """Write plain data for people and programs; the same data give the same bytes."""
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    # A path that is not UTF-8 holds half a surrogate pair, which JSON also writes as \udcff.
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
