"""Which encoding a text is in: byte order marks, what the file states, and what is refused."""

from __future__ import annotations

import codecs

from aboveboard.errors import InputError

MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, the longer ones first."""


SPOILED_SHOWN = 40
"""Characters shown of a line."""

TWO_BYTES = "\u07ff"
"""Last character of which UTF-8 makes two bytes."""


def decode(data: bytes, where: str, encoding: str | None) -> bytes:
    """Return a text as UTF-8, without a byte order mark.

    Parameters
    ----------
    data
        The bytes of the file.
    where
        What to call the file in messages.
    encoding
        As stated in the collaboration file; None: UTF-8, unless a byte order mark says otherwise.

    Raises
    ------
    InputError
        The bytes are not in this encoding, or they are UTF-8; the message names the line.
    """
    marked = next(((mark, name) for mark, name in MARKS if data.startswith(mark)), None)
    if marked and marked[1] == "utf-8" and encoding in (None, "utf-8", "utf-8-sig"):
        # More than one where tools each put their own in front.
        data, encoding = data[len(marked[0]) :], "utf-8"
        while data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8) :]
    elif marked and encoding is None:
        encoding = marked[1]
    if encoding in (None, "utf-8", "ascii"):
        check_text(data, where, encoding)
        return data
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, UnicodeError) as error:
        at = getattr(error, "start", 0)
        line = data.count(b"\n", 0, at) + 1
        problem = f"this is not {encoding}"
        raise InputError(f"{where}, line {line}", problem, "state the right encoding") from None
    _refuse_utf8(data, text, where, encoding)
    data = text.lstrip("\ufeff").encode("utf-8", "replace")
    _refuse_zeros(data, where)
    return data


def _refuse_utf8(data: bytes, read: str, where: str, encoding: str) -> None:
    """Raise where a text is UTF-8 throughout, though another encoding is stated that takes it too.

    An encoding of one byte a character takes any text, and reads each letter beyond ASCII as two
    others. That a text of such an encoding is UTF-8 by chance is next to impossible. One character
    of two bytes, as GBK has them, often is one of UTF-8; only those of three say that it is meant.
    """
    if data.isascii() or codecs.lookup(encoding).name.startswith("utf"):
        return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    if len(read) < len(data) and max(text) <= TWO_BYTES:
        return
    line = next(line for line in text.splitlines() if not line.isascii())
    shown = line.encode().decode(encoding, "replace")[:SPOILED_SHOWN]
    number = data.count(b"\n", 0, data.index(line.encode())) + 1
    problem = f"this is UTF-8, and as {encoding} {line[:SPOILED_SHOWN]!r} would be {shown!r}"
    raise InputError(f"{where}, line {number}", problem, "leave encoding out")


def check_text(data: bytes, where: str, encoding: str | None, before: int = 0) -> None:
    """Raise where a text is not UTF-8, or not ASCII if that is stated, or a character is zero.

    Parameters
    ----------
    data
        Whole lines.
    where
        What to call the file in messages.
    encoding
        "ascii", or any other.
    before
        How many lines stand above these.

    Raises
    ------
    InputError
        If that is so; the message names the line.
    """
    if not data.isascii():
        _check_utf8(data, where, encoding, before)
    _refuse_zeros(data, where, before)


def _refuse_zeros(data: bytes, where: str, before: int = 0) -> None:
    """Raise where a character is zero: no text has it, but one read in the wrong encoding."""
    if (at := data.find(b"\0")) >= 0:
        line = before + data.count(b"\n", 0, at) + 1
        problem = "a character is zero: this is not text, or UTF-16 without its mark"
        order = "be" if at % 2 == 0 else "le"
        remedy = f'save it as UTF-8, or write encoding = "utf-16-{order}"'
        raise InputError(f"{where}, line {line}", problem, remedy)


def _check_utf8(data: bytes, where: str, encoding: str | None, before: int) -> None:
    try:
        data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = before + data.count(b"\n", 0, error.start) + 1
        problem = "this is not UTF-8" if encoding != "ascii" else "this is not ASCII"
        remedy = 'save the file as UTF-8, or state its encoding, such as encoding = "cp1252"'
        raise InputError(f"{where}, line {line}", problem, remedy) from error
