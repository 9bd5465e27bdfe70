"""Names of parties: each is a folder on any system, and none is taken for another."""

from __future__ import annotations

import re

PARTY_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")
"""Names of parties and of all who sign: they are also names of folders."""

RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(10))]
)
"""Names of devices on Windows, whatever follows a dot."""

ALIKE = str.maketrans({"I": "l", "1": "l", "0": "o", "O": "o"})
"""Letters and digits that look the same in many fonts."""


def is_party_name(name: str) -> bool:
    """Return whether a name can be a party's folder on every system.

    Examples
    --------
    >>> is_party_name("acme"), is_party_name("../acme"), is_party_name("con.txt")
    (True, False, False)
    """
    return PARTY_NAME.fullmatch(name) is not None and name.partition(".")[0].lower() not in RESERVED


def simplify_name(name: str) -> str:
    """Return what people see of a name: two of the same are taken for each other.

    Examples
    --------
    >>> simplify_name("Bank 1") == simplify_name("bank  l")
    True
    """
    return " ".join(name.translate(ALIKE).casefold().split())


def find_twin(name: str, names: dict[str, str]) -> str | None:
    """Return an earlier name that looks the same; else remember this one in `names`."""
    earlier = names.setdefault(simplify_name(name), name)
    return None if earlier == name else earlier
