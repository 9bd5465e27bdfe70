"""Patterns of STIX 2.1 that say only that a value is one of some: `OR`, `=`, `IN`, and groups."""

from __future__ import annotations

import re

# No text is read in two ways: each loop keeps what it took.
_value = r"'(?:[^'\\]++|\\.)*+'"
_comparison = (
    r"([a-z0-9-]++):((?:[\w.\[\]*-]++|'[^']+')++)\s*+(==?|IN)\s*+"
    rf"({_value}|\(\s*{_value}(?:\s*,\s*{_value})*+\s*\))"
)
_pattern = re.compile(
    rf"\s*\[\s*{_comparison}(?:\s+OR\s+{_comparison})*+\s*\]"
    rf"(?:\s+OR\s+\[\s*{_comparison}(?:\s+OR\s+{_comparison})*\s*\])*\s*"
)
_piece = rf"\bIN\s*+\(\s*+{_value}(?:\s*+,\s*+{_value})*+\s*+\)|{_value}|[()]|[^'()]"
_pieces = re.compile(_piece, re.DOTALL)
_whole = re.compile(f"(?:{_piece})*+", re.DOTALL)
"""Looked for first: it stops at the first quotation mark that is not closed."""
_comparisons = re.compile(_comparison)
_values = re.compile(_value)


def read_pattern(pattern: str) -> list[tuple[str, str, str]] | None:
    """Return what a pattern compares: object, property and value; None if it says more.

    Examples
    --------
    >>> read_pattern("[domain-name:value = 'a.example' OR (url:value = 'http://b.example/')]")
    [('domain-name', 'value', 'a.example'), ('url', 'value', 'http://b.example/')]
    >>> read_pattern("[domain-name:value = 'a.example' AND url:value = 'http://b.example/']")
    """
    plain = _ungroup(pattern)
    if not _pattern.fullmatch(plain):
        return None
    return [
        (object_, property_, re.sub(r"\\(.)", r"\1", quoted[1:-1]))
        for object_, property_, _, values in _comparisons.findall(plain)
        for quoted in _values.findall(values)
    ]


def _ungroup(pattern: str) -> str:
    """Return a pattern without parentheses that group: between `OR` alone they change nothing.

    With `AND` or `NOT` they do; such a pattern is none of ours with or without them.
    """
    if not _whole.fullmatch(pattern):
        return pattern
    pieces = _pieces.findall(pattern)
    if pieces.count("(") != pieces.count(")"):
        return pattern
    return "".join(piece for piece in pieces if piece not in ("(", ")"))
