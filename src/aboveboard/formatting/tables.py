"""Tables as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def format_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
) -> str:
    """Return rows set in columns.

    Parameters
    ----------
    head, rows
        The titles of the columns, and the cells of each row.
    right
        Positions of the columns that are aligned right.

    Examples
    --------
    >>> print(format_table(["party", "gains"], [["anna", "5"], ["bert", "1,200"]], right=[1]))
    party  gains
    anna       5
    bert   1,200
    """
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def format_html_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of text as HTML; everything in it is escaped.

    Examples
    --------
    >>> format_html_table(["party"], [["<anna>"]])[45:]
    '<tbody><tr><td>&lt;anna&gt;</td></tr></tbody></table>'
    """
    body = "".join(_make_row(cells, "td") for cells in rows)
    return f"<table><thead>{_make_row(head, 'th')}</thead><tbody>{body}</tbody></table>"


def _make_row(cells: Sequence[object], kind: str) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(str(x))}</{kind}>" for x in cells) + "</tr>"
