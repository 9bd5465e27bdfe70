"""Sentences and tables that fit the terminal: wrapped, or with one line for each entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from textwrap import fill

from aboveboard.formatting import format_table

WIDTH_IN_A_PIPE, NARROWEST = 100, 40
"""Columns to which sentences are wrapped: where there is no terminal, and at least."""


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


def _stack(head: Sequence[str], row: Sequence[str]) -> str:
    """Return one row over several lines: its first cell, then what stands in the others."""
    entries = [(name, cell) for name, cell in zip(head[1:], row[1:], strict=True) if cell]
    label = max((len(name) for name, _ in entries), default=0)
    return "\n".join([row[0], *(wrap(cell, "  ", f"{n:<{label}}  ") for n, cell in entries)])
