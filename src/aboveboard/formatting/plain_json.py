"""JSON that can be shown: what a terminal or a page would obey is escaped, as JSON does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""Plain data that JSON can hold."""

LARGEST_JSON = 2**53
"""Integers from here on are text in JSON: other programs would round them."""


def format_json(data: object, *, indent: int | None = None) -> str:
    r"""Return plain data as JSON, in which every sign can be shown; it reads as what was given.

    Parameters
    ----------
    data
        What is written.
    indent
        Blanks by which what lies deeper is moved; None: all stands in one line.

    Examples
    --------
    >>> print(format_json("M\u00fcller\u202e"))
    "Müller\u202e"
    """
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    # A line's end is only between values: within a text JSON escapes it.
    return "\n".join(map(_escape, text.split("\n")))


def _escape(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
