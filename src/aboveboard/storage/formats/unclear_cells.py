"""Cells of a workbook that a reader would find empty: those that are merged, and those in error.

Of merged cells the first has the value: a person sees it beside every row that it spans, a reader
finds empty cells, or what was in them before, and nobody knows which is meant. A cell that shows
`#N/A` has no value at all. Cost: one more pass over the sheet's part.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from xml.parsers import expat

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity
from aboveboard.storage.formats.extents import BROKEN, read_column, read_steps, read_times

_merged = re.compile(  # no tag runs on into the next: what is long is looked at once
    rb"<(?:\w{1,64}:)?mergeCell\s[^<>]*?\bref\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
_error = re.compile(
    rb"<(?:\w{1,64}:)?c\s(?=[^<>]*?\bt\s*=\s*[\"']e[\"'])"
    rb"[^<>]*?\br\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7})[\"']"
)
RELATIONS = "xl/_rels/workbook.xml.rels"
LONGEST_TAG = 1 << 10
"""Bytes of a tag that names merged cells."""


class Area(NamedTuple):
    """Merged cells: their first and last row and column, counted from 1."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        """Return it as a spreadsheet does: A2:A4."""
        return f"{name_column(self.left)}{self.top}:{name_column(self.right)}{self.bottom}"


class ErrorCell(NamedTuple):
    """A cell that shows an error: its row and column, counted from 1."""

    row: int
    column: int

    def __str__(self) -> str:
        """Return it as a spreadsheet does: B2."""
        return f"{name_column(self.column)}{self.row}"


def refuse_unclear_cells(
    data: bytes,
    sheet: str,
    where: str,
    first_row: int,
    unread: Collection[int] = (),
    optional: Collection[int] = (),
) -> None:
    """Raise `InputError` if cells of a sheet are merged or show an error, from a row on.

    Parameters
    ----------
    data
        The workbook.
    sheet
        The sheet's name.
    where
        What to call the file in messages.
    first_row
        The row of the header, counted from 1: what is merged above it is a title.
    unread
        The columns, counted from 1, whose values nobody asks for: errors there are left alone.
    optional
        The columns that the collaboration file could have left unread.
    """
    areas, errors = list[Area](), list[ErrorCell]()
    with suppress(*BROKEN, ValueError):  # what is broken has been read nevertheless
        for found in _find_unclear(data, sheet):
            if isinstance(found, ErrorCell):
                if found.row >= first_row and found.column not in unread:
                    errors.append(found)
            elif found.bottom >= first_row:
                areas.append(found)
    place = f"{where}, sheet {sheet!r}, row"
    if areas:
        others = f", and {format_quantity(len(areas) - 1, 'more area')}" if areas[1:] else ""
        problem = f"cells are merged, of which only the first shows its value ({areas[0]}{others})"
        remedy = "undo the merge, and write the value into each row and column that it is meant for"
        raise InputError(f"{place} {areas[0].top}", problem, remedy)
    if errors:
        others = f", as do {format_quantity(len(errors) - 1, 'more')}" if errors[1:] else ""
        problem = f"the cell {errors[0]} shows an error and no value{others}"
        remedy = "correct the formula, or empty the cell"
        if all(error.column in optional for error in errors):
            remedy += ", or set columns to those that may leave their owner but this one"
        raise InputError(f"{place} {errors[0].row}", problem, remedy)


def name_column(number: int) -> str:
    """Return the letters of a column: 1 is A, 27 is AA.

    Examples
    --------
    >>> name_column(1), name_column(27), name_column(16384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def _find_unclear(data: bytes, sheet: str) -> Iterator[Area | ErrorCell]:
    """Yield the merged cells and those in error of a sheet, as its file lists them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # What makes calamine take it for an .xlsx, whatever else is in it.
        if any(name.lower() == RELATIONS for name in archive.namelist()):
            part = _get_part(archive, _find_part(archive, sheet))
            yield from find_in_xlsx(read_steps(archive, part))
        else:
            yield from _find_in_ods(read_steps(archive, _get_part(archive, "content.xml")), sheet)


def _get_part(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return a part, whose name may be in other letters as calamine has it; `KeyError` if none."""
    for part in archive.infolist():
        if part.filename.lower() == name.lower():
            return part
    raise KeyError(name)


def _find_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part of an .xlsx that holds a sheet."""
    book = _find_tag(archive, "xl/workbook.xml", "sheet", "name", sheet)
    relation = next((value for name, value in book.items() if name.endswith(":id")), "")
    found = _find_tag(archive, RELATIONS, "Relationship", "Id", relation)
    return posixpath.normpath(posixpath.join("/xl", found["Target"])).lstrip("/")


def _find_tag(
    archive: zipfile.ZipFile, part: str, tag: str, key: str, value: str
) -> dict[str, str]:
    """Return the attributes of the tag of which one attribute has a value; `KeyError` if none."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == tag and attributes.get(key) == value:
            found.update(attributes)

    parser: Any = expat.ParserCreate()
    parser.StartElementHandler = start
    for piece in read_steps(archive, _get_part(archive, part)):
        parser.Parse(piece, False)
    if not found:
        raise KeyError(value)
    return found


def find_in_xlsx(pieces: Iterator[bytes]) -> Iterator[Area | ErrorCell]:
    """Yield the merged cells of a sheet of .xlsx that comes in pieces, and those in error."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = max(text.rfind(b"<"), len(text) - LONGEST_TAG, 0)
        yield from _list_unclear(text[:cut])
        rest = text[cut:]
    yield from _list_unclear(rest)


def _list_unclear(text: bytes) -> Iterator[Area | ErrorCell]:
    if b'"e"' in text or b"'e'" in text:  # in most sheets none is in error
        for column, row in _error.findall(text):
            yield ErrorCell(int(row), read_column(column))
    for left, top, right, bottom in _merged.findall(text):
        if (left, top) != (right, bottom):
            yield Area(int(top), read_column(left), int(bottom), read_column(right))


def _find_in_ods(pieces: Iterator[bytes], sheet: str) -> Iterator[Area | ErrorCell]:
    parser: Any = expat.ParserCreate()
    found = _OdsCells(sheet)
    parser.StartElementHandler = found.start
    for piece in pieces:
        parser.Parse(piece, False)
        yield from found.cells
        found.cells.clear()


class _OdsCells:
    """Finds the cells of a sheet of .ods that span others, or show an error."""

    def __init__(self, sheet: str) -> None:
        self.sheet, self.inside = sheet, False
        self.row = self.next_row = self.column = 0
        self.cells: list[Area | ErrorCell] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self.inside = attributes.get("table:name") == self.sheet
            self.next_row = 0
        elif name == "table:table-row":
            self.row = self.next_row + 1
            self.next_row += read_times(attributes.get("table:number-rows-repeated", "1"))
            self.column = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            first = self.column + 1
            self.column += read_times(attributes.get("table:number-columns-repeated", "1"))
            if self.inside and attributes.get("calcext:value-type") == "error":
                self.cells.append(ErrorCell(self.row, first))
            rows, columns = (
                read_times(attributes.get(f"table:number-{side}-spanned", "1"))
                for side in ("rows", "columns")
            )
            if self.inside and rows * columns > 1:
                self.cells.append(Area(self.row, first, self.row + rows - 1, first + columns - 1))
