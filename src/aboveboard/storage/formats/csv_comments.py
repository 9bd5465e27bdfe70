"""Lines of a table in text that are no rows: `sep=;`, and comments above and below the header."""

from __future__ import annotations

import csv
import re
from typing import Literal

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_quantity
from aboveboard.storage.formats.csv_layout import Layout, find_layout
from aboveboard.storage.formats.lines import SAMPLES

Marked = Literal["comments", "unclear", "data"]
"""What rows are that begin with `#`, in a file without a comment above its header."""

_above = re.compile(rb"#|!|//|--\s|;\s+[^;]*$")
"""How lines above a header begin that are comments; `;a;b` is a header."""

_mark = re.compile(rb"^(?:#|!|//|--|;)+")
"""How a comment begins, without what it says."""


def take_separator_line(content: bytes) -> tuple[bytes, int, str | None]:
    """Take off a first line such as `sep=;`, which Excel writes and reads."""
    found = re.match(rb'"?sep=([^\r\n"])"?[ \t]*(?:\r\n|\n|\Z)', content, re.IGNORECASE)
    if found is None:
        return content, 0, None
    return content[found.end() :], 1, found[1].decode("latin-1")


def take_comments(content: bytes) -> tuple[bytes, list[bytes], int]:
    """Take off the lines above the header that are comments, and blank ones among them."""
    comments, start, lines, block = list[bytes](), 0, 0, 0
    seen = 0
    while start < len(content):
        end = content.find(b"\n", start)
        stop = len(content) if end < 0 else end
        text = content[start:stop].strip()
        if text and not _above.match(text):
            break
        lines += 1
        start = stop + 1
        if text:
            comments.append(text)
            block, seen = start, lines
    if not comments:
        return content, [], 0
    return content[block:], comments, seen


def _split_plainly(line: bytes, delimiter: str) -> list[str]:
    text = line.decode("utf-8", "replace")
    try:
        # As in the rows, a blank may stand between a separator and a quoted field.
        padded = delimiter not in "\t "
        rows = csv.reader([text], delimiter=delimiter, skipinitialspace=padded)
        return next(rows, []) if text else []
    except csv.Error:
        return []


def take_commented_header(
    body: bytes, comments: list[bytes], delimiter: str, key: str | None, where: str
) -> tuple[bytes | None, int]:
    """Return the header if it stands in the last comment line, and the number of other comments.

    Raises
    ------
    InputError
        If it may stand there or in the first line after it, and no key says which.
    """
    if not comments:
        return None, 0
    candidate = _mark.sub(b"", comments[-1]).strip()
    names = [name.strip() for name in _split_plainly(candidate, delimiter)]
    first = _split_plainly(body.split(b"\n", 1)[0].rstrip(b"\r"), delimiter)
    if not body.strip():
        return (
            (candidate, len(comments) - 1)
            if key in names or len(names) > 1
            else (None, len(comments))
        )
    if len(names) != len(first) or key in [name.strip() for name in first]:
        return None, len(comments)
    if key in names or (key is None and len(names) > 1 and "" not in names):
        if key is None:
            problem = "the header may stand in the last comment line, or in the first line after it"
            raise InputError(
                where, problem, f"set key to the column of the elements, such as {names[0]!r}"
            )
        return ",".join(_quote(name) for name in names).encode() if delimiter == "," else (
            delimiter.join(names).encode()
        ), len(comments) - 1
    return None, len(comments)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if re.search(r'[",]', name) else name


def drop_later_comments(
    body: bytes, layout: Layout, delimiter: str, commented: bool, quotes: bool
) -> tuple[bytes, Layout, int, np.ndarray | None]:
    """Take out comment lines among the rows, in files that have some above the header."""
    if not commented or b"\n#" not in body:
        return body, layout, 0, None
    octets = np.frombuffer(body, np.uint8)
    some = layout.starts < octets.size
    is_comment = np.zeros(layout.starts.size, np.bool_)
    is_comment[some] = octets[layout.starts[some]] == ord("#")
    if not is_comment.any():
        return body, layout, 0, None
    feeds = np.flatnonzero(octets == ord("\n"))
    lines = np.searchsorted(feeds, layout.starts)
    kept = np.ones(octets.size + 1, np.bool_)
    for start, end in zip(layout.starts[is_comment], layout.ends[is_comment], strict=True):
        kept[start : end + 1] = False
    left = octets[kept[:-1]]
    return (
        left.tobytes(),
        find_layout(left, delimiter, quotes=quotes),
        int(is_comment.sum()),
        lines[~is_comment],
    )


def refuse_marked_rows(
    body: bytes, layout: Layout, records: np.ndarray, where: str, before: int
) -> None:
    """Raise `InputError` where rows begin with `#` and nothing says whether they are comments."""
    octets = np.frombuffer(body, np.uint8)
    starts = layout.starts[records[1:]]
    marked = octets[np.minimum(starts, octets.size - 1)] == ord("#")
    if not marked.any() or marked.all():
        return
    shown = []
    for start, end in zip(starts[marked][:SAMPLES], layout.ends[records[1:]][marked], strict=False):
        number = body.count(b"\n", 0, int(start)) + 1 + before
        text = body[int(start) : int(end)].decode("utf-8", "replace").strip()
        shown.append(f"line {number}: {text[:80]!r}")
    total = format_quantity(starts.size, "row")
    problem = f"of {total} {format_count(int(marked.sum()))} begin with # as comments do"
    remedy = 'write kind, or kind = "text" if they are rows, or take them out'
    raise InputError(where, f"{problem} ({'; '.join(shown)})", remedy)
