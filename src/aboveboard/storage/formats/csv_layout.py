"""Where the records of a CSV file lie, found in a few passes over its bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layout:
    """Where each record of a CSV file starts and ends, and its number of fields.

    Parameters
    ----------
    starts, ends
        Offsets; an end is that of the line feed.
    fields
        How many each record has.
    blank
        Which records are empty lines.
    misplaced
        Offset of the first quotation mark that does not open or close a whole field; -1: none.
    closed
        Whether every quotation mark has its partner.
    padding
        Offsets of blanks that stand between a separator and a quoted field.
    """

    starts: np.ndarray
    ends: np.ndarray
    fields: np.ndarray
    blank: np.ndarray
    misplaced: int
    closed: bool
    padding: np.ndarray


def find_layout(content: np.ndarray, separator: str, *, quotes: bool = True) -> Layout:
    """Find the records of a CSV file, given as uint8, in a few passes over its bytes."""
    breaks, separators = content == ord("\n"), content == ord(separator)
    marks = np.flatnonzero(content == ord('"')) if quotes else np.zeros(0, np.int64)
    misplaced, closed, padding = -1, True, np.zeros(0, np.int64)
    if marks.size:
        padding = _find_padding(content, marks[::2], separator)
        misplaced = _find_misplaced(content, marks, separator, padding)
        closed = marks.size % 2 == 0
        # After an odd number of quotation marks one is inside a quoted field (a doubled mark
        # leaves it and enters it again). The count wraps at 256, which keeps its parity.
        outside = (np.cumsum(content == ord('"'), dtype=np.uint8) & 1) == 0
        breaks &= outside
        separators &= outside
    ends = np.flatnonzero(breaks)
    if content.size and (ends.size == 0 or ends[-1] != content.size - 1):
        ends = np.append(ends, content.size)
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))[: ends.size]
    before = np.searchsorted(np.flatnonzero(separators), ends)
    length = ends - starts
    length -= (length > 0) & (content[ends - 1] == ord("\r"))
    fields = np.diff(before, prepend=0) + 1
    return Layout(starts, ends, fields, length == 0, misplaced, closed, padding)


def drop_padding(content: bytes, layout: Layout, separator: str) -> tuple[bytes, Layout]:
    """Return the text without the blanks between separators and quoted fields, and its layout."""
    if not layout.padding.size:
        return content, layout
    left = np.delete(np.frombuffer(content, np.uint8), layout.padding)
    return left.tobytes(), find_layout(left, separator)


def _find_padding(content: np.ndarray, opening: np.ndarray, separator: str) -> np.ndarray:
    """Return where one blank stands between a separator and a mark that opens a field."""
    if separator in "\t ":  # in a TSV such marks are plain characters
        return np.zeros(0, np.int64)
    blanks = opening[opening > 1] - 1
    padding = (content[blanks] == ord(" ")) & (content[blanks - 1] == ord(separator))
    return np.compress(padding, blanks)


def _find_misplaced(
    content: np.ndarray, marks: np.ndarray, separator: str, padding: np.ndarray
) -> int:
    """Return the offset of the first mark that is neither a field's end nor doubled; -1: none."""
    borders = np.array([ord(separator), ord("\n"), ord("\r")], np.uint8)
    opening, closing = marks[::2], marks[1::2]
    doubled = np.zeros(opening.size, np.bool_)
    doubled[1:] = opening[1:] == closing[: opening.size - 1] + 1
    good = doubled | (opening == 0) | np.isin(content[opening - 1], borders[:2])
    good[np.searchsorted(opening, padding + 1)] = True
    wrong = opening[~good][:1].tolist()
    after = np.minimum(closing + 1, content.size - 1)
    ends = (closing == content.size - 1) | np.isin(content[after], borders)
    followed = np.zeros(closing.size, np.bool_)
    followed[: opening.size - 1] = opening[1:] == closing[: opening.size - 1] + 1
    wrong += closing[~(ends | followed)][:1].tolist()
    return min(wrong, default=-1)
