"""What is too large is refused before it is read: rows, columns, bytes, memory.

Sizes come from headers and metadata, which cost nothing to look at. What a file would take is held
against the memory that is free, so that a run that would not fit says so and how much it would
take.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from aboveboard.errors import InputError
from aboveboard.formatting import format_bytes, format_count, format_quantity

MOST_ROWS = (1 << 32) - 1
"""Rows are counted with 32 bits."""

MOST_COLUMNS = 16384
"""Columns of a spreadsheet, and the most of a table here: some steps cost time for each column."""

LONGEST_LINE = 1 << 20
"""Bytes of one line, or one field, of a list: what is longer is not an element."""

LONGEST_ROW = 1 << 24
"""Bytes of one row of a text: what is longer is refused before the file is read."""

SHARE_OF_MEMORY = 0.8
"""Part of the free memory that one file may take."""

ROWS_NAMED = 5
"""Rows of which each is a fault of its own; more are counted."""

COPIES = 3
"""Copies of a file's content that are in memory at the peak."""


def find_free_memory() -> int | None:
    """Return the bytes of memory that this process can still take, None where nobody says."""
    free: list[int] = []
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        free.extend(int(line.split()[1]) << 10 for line in lines if line[:13] == "MemAvailable:")
    with suppress(OSError, ValueError):
        most = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        free.append(max(most - used, 0))
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            used = int(Path("/proc/self/statm").read_text().split()[0])
            free.append(max(soft - used * os.sysconf("SC_PAGE_SIZE"), 0))
    return min(free) if free else None


def find_memory() -> int | None:
    """Return the bytes of memory of this machine, or of its share of one; None: nobody says."""
    found: list[int] = []
    with suppress(OSError, ValueError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found) if found else None


def refuse_too_large(
    where: str, *, rows: int = 0, columns: int = 0, memory: int = 0, stated: str = ""
) -> None:
    """Raise `InputError` if a file has too many rows or columns, or would not fit into memory.

    Parameters
    ----------
    where
        What to call the file in messages.
    rows, columns
        As its header or metadata say.
    memory
        Estimate of the bytes that reading it takes.
    stated
        Where the estimate comes from, in words, such as "200,000,000 rows of 3 columns".
    """
    if rows > MOST_ROWS:
        problem = f"it has {format_quantity(rows, 'row')}"
        raise InputError(
            where, problem, f"split it into files of at most {format_count(MOST_ROWS)} rows"
        )
    if columns > MOST_COLUMNS:
        problem = f"it has {format_quantity(columns, 'column')}"
        raise InputError(
            where, problem, f"keep at most {format_count(MOST_COLUMNS)} columns, those you need"
        )
    free = find_free_memory()
    if free is not None and memory > SHARE_OF_MEMORY * free:
        what = f" ({stated})" if stated else ""
        problem = (
            f"reading it would take about {format_bytes(memory)}{what}, and "
            f"{format_bytes(free)} are free"
        )
        raise InputError(where, problem, "split the file, or use a machine with more memory")
