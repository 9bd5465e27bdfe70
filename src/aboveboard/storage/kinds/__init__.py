"""What elements are: each kind has one normal form, so that one thing is one element.

Each kind's module has `normalize`, exact and one element at a time, and `NORMAL`, a pattern of
texts that are in normal form already. A column is first held against the pattern, as a whole; the
elements that do not fit are brought into the usual shape by polars; only what is left then goes
through `normalize`. The three ways give the same, which the tests check.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.storage.bit_masks import FieldLook
from aboveboard.storage.kinds import address, domain, email, hashes, text, url
from aboveboard.storage.kinds.characters import INVISIBLE, LINE_BREAKS
from aboveboard.storage.kinds.domain_columns import find_normal_names, mark_odd_names
from aboveboard.storage.kinds.network_columns import (
    MAPPED_ADDRESS,
    normalize_long,
    normalize_networks,
)
from aboveboard.storage.kinds.ports import PORT

__all__ = [
    "INVISIBLE",
    "KINDS",
    "LINE_BREAKS",
    "Kind",
    "describe_kind",
    "normalize",
    "normalize_column",
]

Kind = Literal["domain", "address", "url", "email", "hash", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NORMALIZERS: dict[Kind, Callable[[str], str | None]] = {
    "domain": domain.normalize,
    "address": address.normalize,
    "url": url.normalize,
    "email": email.normalize,
    "hash": hashes.normalize,
    "text": text.normalize,
}
PATTERNS: dict[Kind, str] = {
    "domain": domain.NORMAL,
    "address": address.NORMAL,
    "url": url.NORMAL,
    "email": email.NORMAL,
    "hash": hashes.NORMAL,
}
FIELD_LOOKS: dict[Kind, FieldLook] = {"domain": mark_odd_names}
"""Kinds whose pattern is held against fields of a text while it is read."""

_COMPILED = {kind: re.compile(rf"{text[:-1]}\Z") for kind, text in PATTERNS.items()}
"""The same for Python, whose `$` takes a line break for an end."""

FEW = 1_000
"""Elements that Python matches one by one: polars takes a millisecond to begin."""

LONGEST_DIGEST = 128
"""Hexadecimal digits of the longest hash."""

SHORT = domain.LONGEST_LABEL
"""Bytes: in so short a text no label is too long."""


def normalize(element: str, kind: Kind) -> str | None:
    """Return the normal form of one element, None where it is not of this kind.

    Examples
    --------
    >>> normalize("Bad.Example.", "domain"), normalize("bad example", "domain")
    ('bad.example', None)
    """
    return NORMALIZERS[kind](element)


def find_normal(elements: pl.Series, kind: Kind) -> pl.Series:
    """Return which elements of a column the pattern shows to be in normal form: Boolean, no null.

    False says nothing: the element may be in normal form all the same.
    """
    if elements.len() <= FEW:
        found = [text is not None and _fits(text, kind) for text in elements.to_list()]
        return pl.Series("element", found, dtype=pl.Boolean)
    if kind == "domain":
        return _add_long_names(elements, find_normal_names(elements))
    # Lazily, for then polars works on all cores.
    plan = elements.alias("element").to_frame().lazy()
    fits = plan.select(
        pl.col("element").str.contains(PATTERNS[kind]).fill_null(value=False)
    ).collect()["element"]
    if kind in ("address", "hash"):
        return fits
    return _check_lengths(elements, fits, kind)


def _check_lengths(elements: pl.Series, fits: pl.Series, kind: Kind) -> pl.Series:
    """Return which of the elements that fit have no part that is too long."""
    sizes = elements.str.len_bytes()
    long = (fits & (sizes > SHORT)).fill_null(value=False)
    if not long.any():
        return fits
    texts = elements.filter(long)
    if kind == "url":
        host = texts.str.extract(r"://([^/:]*)")
        good = host.str.len_bytes() <= SHORT
    else:
        good = (texts.str.extract(r"^(.*)@").str.len_bytes() <= email.LONGEST_LOCAL) & (
            texts.str.extract(r"@(.*)$").str.len_bytes() <= SHORT
        )
    return fits.scatter(long.arg_true(), good)


def _add_long_names(elements: pl.Series, fits: pl.Series) -> pl.Series:
    """Return which names are in normal form, those with a look at their labels that are long."""
    long = (elements.str.len_bytes() > SHORT).fill_null(value=False)
    if not long.any():
        return fits
    names = elements.filter(long)
    good = names.str.contains(PATTERNS["domain"]) & ~names.str.contains(rf"[^.]{{{SHORT + 1}}}")
    return fits.scatter(long.arg_true(), good & (names.str.len_bytes() <= domain.LONGEST))


def _take_odd_names(elements: pl.Series, odd: NDArray[np.int64]) -> pl.Series:
    """Return which names are in normal form, where these rows are those that break the pattern."""
    fits = np.ones(elements.len(), np.bool_)
    fits[odd] = False
    return _add_long_names(elements, pl.Series("element", fits))


def _fits(text: str, kind: Kind) -> bool:
    """Return whether the pattern shows a text to be in normal form."""
    # The length first: then no text makes the search for a match long.
    if len(text) > (LONGEST_DIGEST if kind == "hash" else SHORT):
        return False
    return _COMPILED[kind].match(text) is not None


def normalize_column(
    elements: pl.Series, kind: Kind, odd: NDArray[np.int64] | None = None
) -> pl.Series:
    """Return elements in normal form, null where one is not of this kind or was null.

    Parameters
    ----------
    elements
        String.
    kind
        What they are.
    odd
        The rows, ascending, that its look at fields has found odd; None: none was taken.

    Returns
    -------
    String, as long as `elements` and under the same name.

    Notes
    -----
    About 20 nanoseconds an element in normal form, and some microseconds for an odd one.

    Examples
    --------
    >>> normalize_column(pl.Series(["B.Example", "not a name"]), "domain").to_list()
    ['b.example', None]
    """
    if kind == "text":
        if elements.str.contains("\ufeff", literal=True).any():
            elements = elements.str.replace_all("\ufeff", "", literal=True)
        blank = ~elements.str.contains(r"\S").fill_null(value=False)
        return elements.set(blank, None) if blank.any() else elements
    fits = find_normal(elements, kind) if odd is None else _take_odd_names(elements, odd)
    if fits.all():
        return elements
    # `scatter` writes into the series itself.
    normal = _normalize_odd(elements.filter(~fits), kind)
    return elements.clone().scatter((~fits).arg_true(), normal)


def _normalize_odd(elements: pl.Series, kind: Kind) -> pl.Series:
    """Return elements in normal form that the pattern does not show to be so."""
    shaped = elements.str.strip_chars()
    if kind != "url":
        shaped = shaped.str.to_lowercase()
    if kind == "domain":
        shaped = shaped.str.replace_all("[.]", ".", literal=True)
        shaped = shaped.str.replace(rf"^([^:]+){PORT}$", "$1").str.strip_suffix(".")
    if kind == "address":
        shaped = shaped.str.replace(MAPPED_ADDRESS, "${1}${2}${3}")
    if kind == "url":
        shaped = _shape_urls(shaped)
    fits = find_normal(shaped, kind)
    if kind == "address":
        for networks in (normalize_networks(shaped), normalize_long(shaped)):
            shaped = shaped.zip_with(networks.is_null(), networks)
            fits |= networks.is_not_null()
    # Lower case in Unicode maps some other letters to ASCII ones: the slow way knows all rules.
    ascii_only = elements.str.len_bytes() == elements.str.len_chars()
    fits &= ascii_only.fill_null(value=False)
    if fits.all():
        return shaped
    rest = elements.filter(~fits)
    one_by_one = rest.unique().drop_nulls()
    normal = [NORMALIZERS[kind](element) for element in one_by_one.to_list()]
    found = rest.replace_strict(
        one_by_one, pl.Series(normal, dtype=pl.String), default=None, return_dtype=pl.String
    )
    return shaped.clone().scatter((~fits).arg_true(), found)


def _shape_urls(urls: pl.Series) -> pl.Series:
    """Return URLs refanged, with a small host, no usual port, and a slash after it."""
    defanged = urls.str.contains(r"^(?:hxxps?://|https?://[^/?#]*\[\.\])")
    plain = urls.str.replace(r"^hxxp(s?)://", "http$1://")
    plain = plain.str.replace_all("[.]", ".", literal=True)
    shaped = plain.zip_with(defanged, urls)
    start = shaped.str.extract(r"^([A-Za-z]+://[^/?#]*)")
    rest = shaped.str.replace(r"^[A-Za-z]+://[^/?#]*", "")
    start = start.str.to_lowercase().str.replace(r"^(http://[^:]*):80$", "$1")
    start = start.str.replace(r"^(https://[^:]*):443$", "$1")
    rest = rest.str.replace(r"^(?:$|\?|#)", "/$0")
    return (start + rest).zip_with(start.is_not_null(), shaped)


def describe_kind(kind: Kind) -> str:
    """Return what elements of a kind are called: "domain names", "URLs", ..

    Examples
    --------
    >>> describe_kind("url"), describe_kind("email")
    ('URLs', 'mail addresses')
    """
    return {
        "domain": "domain names",
        "address": "addresses or networks",
        "url": "URLs",
        "email": "mail addresses",
        "hash": "hashes",
        "text": "text",
    }[kind]
