"""Hashes of files: hexadecimal digits in lower case, as many as a known function gives."""

from __future__ import annotations

import re

from aboveboard.storage.kinds.characters import remove_invisible

LENGTHS = {
    32: ("md5",),
    40: ("sha1",),
    56: ("sha224", "sha3-224"),
    64: ("sha256", "sha3-256", "blake2s", "blake3"),
    96: ("sha384", "sha3-384"),
    128: ("sha512", "sha3-512", "blake2b", "whirlpool"),
}
"""Digits, and the functions that give so many."""

NORMAL = r"^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$"
_named = re.compile(r"(?:([A-Za-z][A-Za-z0-9-]*)[:=])?(?:0[xX])?([0-9A-Fa-f]+)")


def normalize(text: str) -> str | None:
    """Return a hash's normal form, None where the text is none.

    Examples
    --------
    >>> normalize("MD5:D41D8CD98F00B204E9800998ECF8427E"), normalize("d41d8cd9")
    ('d41d8cd98f00b204e9800998ecf8427e', None)
    """
    found = _named.fullmatch(remove_invisible(text))
    if found is None or len(found[2]) not in LENGTHS:
        return None
    if found[1]:
        name = found[1].lower().replace("sha-", "sha")
        if name not in LENGTHS[len(found[2])]:
            return None
    return found[2].lower()
