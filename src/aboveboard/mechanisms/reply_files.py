"""The file in which a party finds its reply: lines of text, CSV, Parquet, JSON, or a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aboveboard.mechanisms.settlement import Reply


def write_reply(reply: Reply, path: Path) -> None:
    """Write one party's reply in the form in which it sent its data."""
    if reply.content is not None:
        path.write_bytes(reply.content)
        return
    if reply.rows is None:
        write_json(path, reply.data)
        return
    frame = reply.rows()
    with path.open("wb") as file:  # polars takes no path that is not UTF-8
        if reply.form == "parquet":
            frame.write_parquet(file)
        elif reply.form == "csv":
            frame.write_csv(file)
        else:
            frame.write_csv(file, include_header=False, quote_style="never")


def write_json(path: Path, data: Any) -> None:
    """Write plain data for people and programs; the same data give the same bytes."""
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    # A path that is not UTF-8 holds half a surrogate pair, which JSON also writes as \udcff.
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
