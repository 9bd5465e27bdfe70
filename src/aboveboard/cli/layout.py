"""Sentences and tables that fit the terminal: wrapped, or with one line for each entry.

Everything that a command says goes through `print_text`, whoever wrote it: no text of a stranger
moves the cursor, and no line breaks within a word on a terminal. A pipe or a file gets the lines as
they are, so that programs can count them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

import typer

from aboveboard.errors import escape_unprintable
from aboveboard.formatting import format_table

WIDTH_IN_A_PIPE, NARROWEST = 100, 40
"""Columns to which sentences are wrapped: where there is no terminal, and at least."""


def print_text(text: str, *, error: bool = False) -> None:
    """Print a text, its lines wrapped where they go to a terminal that is narrower.

    Parameters
    ----------
    text
        What is said, whoever wrote it.
    error
        Whether it goes to standard error.
    """
    stream = sys.stderr if error else sys.stdout
    lines = [escape_unprintable(line) for line in text.split("\n")]
    width = _find_width(stream)
    if width is not None:
        lines = [_hang(line, width) for line in lines]
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = "\n".join(lines).encode(encoding, "backslashreplace").decode(encoding)
    typer.echo(shown, err=error)


def _find_width(stream: Any) -> int | None:
    """Return the columns of a stream's terminal; None where it is not one."""
    try:
        if not stream.isatty():
            return None
        stated = os.environ.get("COLUMNS", "")
        columns = int(stated) if stated.isdecimal() else os.get_terminal_size(stream.fileno())[0]
    except (AttributeError, OSError, ValueError):  # there is no stream, or it is closed
        return None
    return max(columns, NARROWEST) if columns else None


def _hang(line: str, width: int) -> str:
    """Return a line wrapped to a width, with what follows under its first words."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")))
    return fill(
        line.lstrip(" "),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap(text: str, indent: str = "", label: str = "") -> str:
    """Return a sentence wrapped to the terminal, behind a label; in a pipe to 100 columns."""
    width = get_terminal_size((WIDTH_IN_A_PIPE, 24)).columns
    start = indent + label
    after = " " * len(start) if indent or not label else "  "
    return fill(
        text,
        max(width, NARROWEST),
        initial_indent=start,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )


def fit_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[int] = (),
    notes: Sequence[Sequence[str]] = (),
) -> str:
    """Return a table set in columns, or stacked where the terminal is narrower than the table.

    In a pipe it is always set in columns, so that programs find them.

    Parameters
    ----------
    head, rows, right
        As for `format_table`.
    notes
        For each row, sentences that stand below it; empty: none.
    """
    listed = [list(row) for row in rows]
    below = [[wrap(note, "    ") for note in each] for each in notes or [()] * len(listed)]
    lines = format_table(head, listed, right).splitlines()
    width = get_terminal_size((0, 24)).columns  # 0: there is no terminal
    if width and max(map(len, lines)) > max(width, NARROWEST):
        return "\n".join(
            "\n".join([_stack(head, row), *each]) for row, each in zip(listed, below, strict=True)
        )
    shown = lines[:1]
    for line, each in zip(lines[1:], below, strict=True):
        shown += [line, *each]
    return "\n".join(shown)


def label_rows(rows: Sequence[tuple[str, str]]) -> str:
    """Return values beside their labels; below them where the terminal is narrower than a row."""
    longest = max(len(label) for label, _ in rows)
    lines = [f"{label.ljust(longest)}  {value}".rstrip() for label, value in rows]
    width = _find_width(sys.stdout)
    if width is None or max(map(len, lines)) <= width:
        return "\n".join(lines)
    stacked = []
    for label, value in rows:
        indent = " " * (len(label) - len(label.lstrip(" ")))
        stacked.append(wrap(label.lstrip(" "), indent))
        stacked += [wrap(value, f"{indent}    ")] if value else []
    return "\n".join(stacked)


def _stack(head: Sequence[str], row: Sequence[str]) -> str:
    """Return one row over several lines: its first cell, then what stands in the others."""
    entries = [(name, cell) for name, cell in zip(head[1:], row[1:], strict=True) if cell]
    label = max((len(name) for name, _ in entries), default=0)
    return "\n".join([row[0], *(wrap(cell, "  ", f"{n:<{label}}  ") for n, cell in entries)])
