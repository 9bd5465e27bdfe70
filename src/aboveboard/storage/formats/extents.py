"""How large a file is, found before it is parsed: its lines, what it unpacks to, its sheets.

Each check reads bytes in steps and keeps none of them. A file of a kilobyte can name a cell in the
last row and column of a sheet, and a reader then takes half a terabyte for what lies between.
"""

from __future__ import annotations

import io
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count, format_quantity
from aboveboard.storage.limits import LONGEST_ROW, refuse_too_large

SCAN_STEP = 1 << 20
"""Bytes that are looked at together."""

UNPACKED = 1 << 24
"""Bytes to which every packed file may unpack: in the shortest lines they take 800 MiB."""

MOST_TIMES = 100
"""How many times its size a packed file may unpack to, beyond that. Texts reach ten to thirty."""

CELL = 48
"""Bytes of a cell in memory, without what it says."""

SPARSE = 1 << 24
"""Cells that a sheet may span whatever it holds; beyond, each must take a byte of the sheet."""

TAIL = 64
"""Bytes in which the name of a cell stands, once blanks around it are one."""

_REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{0,8})([0-9]{1,12})[\"']")
_ROW_START = re.compile(rb"<(?:\w+:)?row\b")
_CELL_START = re.compile(rb"<(?:\w+:)?c[\s/>]")
_blanks = re.compile(rb"\s+")
_REMEDY = "save the one sheet that you need as CSV"


def refuse_long_lines(file: BinaryIO, size: int, where: str) -> None:
    """Raise `InputError` if a line of an open text file is too long, before any of it is read.

    Cost: one look at the end of each stretch of `LONGEST_ROW` bytes.
    """
    if size <= LONGEST_ROW:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = 0
        while start + LONGEST_ROW < size:
            end = start + LONGEST_ROW
            last = max(data.rfind(b"\n", start, end), data.rfind(b"\r", start, end))
            if last < 0:
                lines = sum(
                    data[at : min(at + SCAN_STEP, start)].count(b"\n")
                    for at in range(0, start, SCAN_STEP)
                )
                problem = f"the line is longer than {format_count(LONGEST_ROW)} bytes"
                raise InputError(f"{where}, line {lines + 1}", problem, "write one row on a line")
            start = last + 1


def count_feeds(data: bytes, start: int, end: int) -> int:
    """Return how many line feeds stand in a part of a text."""
    octets = np.frombuffer(data, np.uint8)  # `bytes.count` takes five times as long
    return sum(
        int(np.count_nonzero(octets[at : min(at + SCAN_STEP, end)] == ord("\n")))
        for at in range(start, end, SCAN_STEP)
    )


def count_lines(data: bytes) -> int:
    r"""Return how many lines a text has: line feeds, and a last line without one.

    Examples
    --------
    >>> count_lines(b"a\nb\n"), count_lines(b"a\nb"), count_lines(b"")
    (2, 2, 0)
    """
    return count_feeds(data, 0, len(data)) + (bool(data) and not data.endswith(b"\n"))


def refuse_unpacking(
    where: str, *, packed: int, unpacked: int, by: str, remedy: str = "unpack it"
) -> None:
    """Raise `InputError` if a packed file unpacks to far more than files of people do."""
    if unpacked > max(UNPACKED, MOST_TIMES * packed):
        size = format_quantity(unpacked, "byte")
        problem = f"{by} unpacks its {format_count(packed)} bytes to {size} or more"
        raise InputError(where, problem, remedy)


def refuse_large_sheets(data: bytes, where: str) -> None:
    """Raise `InputError` if the sheets of a workbook span more than can be read.

    Parameters
    ----------
    data
        The workbook, a ZIP archive.
    where
        What to call it in messages.

    Raises
    ------
    InputError
        If a sheet spans too many rows or columns, would not fit into memory, or names cells that
        lie far apart.
    zipfile.BadZipFile, expat.ExpatError
        If it is broken.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(member.file_size for member in archive.infolist())
        refuse_unpacking(where, packed=len(data), unpacked=size, by="the workbook", remedy=_REMEDY)
        for member in archive.infolist():
            name = member.filename.lower()
            if name.endswith("workbook.bin"):
                raise InputError(where, "this is a workbook of binary form", "save it as .xlsx")
            # Any part may be the sheet: a workbook says which.
            measure = _measure_ods if name == "content.xml" else _measure_xlsx
            _refuse_extent(where, *measure(read_steps(archive, member)))


def read_steps(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part of an archive holds, some of it at a time."""
    with archive.open(member) as file:
        while piece := file.read(SCAN_STEP):
            yield piece


def _refuse_extent(where: str, rows: int, columns: int, unpacked: int) -> None:
    stated = f"{format_quantity(rows, 'row')} of {format_quantity(columns, 'column')}"
    if rows * columns > max(SPARSE, unpacked):
        problem = f"its cells lie far apart: a sheet spans {stated}, and holds little"
        raise InputError(where, problem, _REMEDY)
    refuse_too_large(where, rows=rows, columns=columns, memory=rows * columns * CELL, stated=stated)


def _measure_xlsx(pieces: Iterator[bytes]) -> tuple[int, int, int]:
    """Return the last row, the last column and the bytes of a sheet of .xlsx."""
    found, total, rest = _XlsxExtent(), 0, b""
    for piece in pieces:
        total += len(piece)
        text = rest + piece
        cut = max(text.rfind(b"<"), 0)
        if not cut and len(text) >= 2 * SCAN_STEP:
            # A tag without end: what it names may stand across two pieces, and blanks in between.
            found.look(text)
            text = _blanks.sub(b" ", text)[-TAIL:]
        found.look(text[:cut])
        rest = text[cut:]
    found.look(rest)
    columns = max(found.columns, found.widest if found.is_sheet else 0)
    return max(found.rows, found.counted), columns or 1, total


class _XlsxExtent:
    """Counts the rows and columns that the cells of a sheet name, or take without a name."""

    def __init__(self) -> None:
        self.rows = self.columns = self.counted = 0
        self.cells = self.widest = 0
        self.is_sheet = False
        """Whether cells are counted: other parts list cells outside of rows."""

    def look(self, text: bytes) -> None:
        """Look at the next tags."""
        found = _REFERENCE.findall(text)
        for letters in {letters for letters, _ in found}:
            self.columns = max(self.columns, read_column(letters))
        self.rows = max([self.rows, *(int(row) for row in {row for _, row in found})])
        self.is_sheet |= b"sheetData" in text
        first, *others = _ROW_START.split(text)
        self.counted += len(others)
        self.cells += len(_CELL_START.findall(first))
        self.widest = max(self.widest, self.cells)
        for row in others:
            self.cells = len(_CELL_START.findall(row))
            self.widest = max(self.widest, self.cells)


def read_column(letters: bytes) -> int:
    """Return the number of a column: A is 1, AA is 27.

    Examples
    --------
    >>> read_column(b"A"), read_column(b"AA"), read_column(b"XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


class _OdsExtent:
    """Counts the rows and columns of a sheet of .ods, repeated ones as often as they are."""

    def __init__(self) -> None:
        self.rows = self.columns = self.height = 0
        self.row_times = 1
        self.column = self.last = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self.height = 0
        elif name == "table:table-row":
            self.row_times = read_times(attributes.get("table:number-rows-repeated", "1"))
            self.column = self.last = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self.column += read_times(attributes.get("table:number-columns-repeated", "1"))
            if any(key.startswith("office:") or key == "table:formula" for key in attributes):
                self.last = self.column
        elif name == "text:p" and self.column:
            self.last = self.column

    def end(self, name: str) -> None:
        if name == "table:table-row":
            self.height += self.row_times
            if self.last:  # rows that hold nothing count only where one follows that does
                self.rows = max(self.rows, self.height)
                self.columns = max(self.columns, self.last)


def read_times(text: str) -> int:
    """Return how many cells or rows of .ods a tag stands for, 1 where that is not a number."""
    return int(text) if text.isdecimal() and len(text) < 12 else 1


def _measure_ods(pieces: Iterator[bytes]) -> tuple[int, int, int]:
    """Return the most rows, the most columns and the bytes of the sheets of an .ods."""
    parser: Any = expat.ParserCreate()
    found, total = _OdsExtent(), 0
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    for piece in pieces:
        total += len(piece)
        parser.Parse(piece, False)
    parser.Parse(b"", True)
    return found.rows, found.columns or 1, total


BROKEN = (
    zipfile.BadZipFile,
    expat.ExpatError,
    LookupError,  # an encoding that nobody knows
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
)
"""What `refuse_large_sheets` may raise for a broken workbook, besides `InputError`."""
