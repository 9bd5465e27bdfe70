"""What every refusal must be."""

from __future__ import annotations

import aboveboard as ab

LINE = 2_000
"""Characters of a message that somebody still reads."""


def plain(error: ab.AboveboardError) -> str:
    """Return the message of an error: for each fault one plain line with all its parts."""
    faults = getattr(error, "faults", (error,))
    for fault in faults:
        line = str(fault)
        assert line.isprintable()
        assert 0 < len(line) < LINE
        if isinstance(fault, ab.InputError):
            assert all((fault.place, fault.problem, fault.remedy))
    assert str(error) == "\n".join(map(str, faults))
    return str(error)
