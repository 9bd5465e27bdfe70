"""One self-contained HTML page of a run or an audit, made from result objects alone.

`words` writes findings in words, `answers` the first screen, `tables` the rest; the page itself is
`templates/page.html.jinja`. The same results give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.report.page import render_page
    from aboveboard.report.pictures import Picture, draw_picture
    from aboveboard.report.statements import STATEMENT_PAGE, render_statements
    from aboveboard.report.words import (
        format_counterexample,
        format_report,
        is_profitable,
        list_notes,
        round_gain,
    )

# Name to module: loaded when first used, since pages that are served need templates alone.
_FACE = {
    "STATEMENT_PAGE": "aboveboard.report.statements",
    "Picture": "aboveboard.report.pictures",
    "draw_picture": "aboveboard.report.pictures",
    "format_counterexample": "aboveboard.report.words",
    "format_report": "aboveboard.report.words",
    "is_profitable": "aboveboard.report.words",
    "list_notes": "aboveboard.report.words",
    "render_page": "aboveboard.report.page",
    "render_statements": "aboveboard.report.statements",
    "round_gain": "aboveboard.report.words",
}

__all__ = [
    "STATEMENT_PAGE",
    "Picture",
    "draw_picture",
    "format_counterexample",
    "format_report",
    "is_profitable",
    "list_notes",
    "render_page",
    "render_statements",
    "round_gain",
]


def __getattr__(name: str) -> Any:
    """Import a name of the face on first use."""
    return load_name(__name__, _FACE, name)
