"""What every refusal must be."""

from __future__ import annotations

import aboveboard as ab

LINE = 2_000
"""Characters of a message that somebody still reads."""


def plain(error: ab.AboveboardError) -> str:
    """Give the message of an error, which must be one plain line with all its parts."""
    line = str(error)
    assert line.isprintable()
    assert 0 < len(line) < LINE
    if isinstance(error, ab.InputError):
        assert all((error.place, error.problem, error.remedy))
    return line
