"""Hashes of files: hexadecimal digits in lower case, as many as a known function gives."""

from __future__ import annotations

import re

from aboveboard.storage.kinds.characters import remove_invisible

LENGTHS = {
    32: ("md5",),
    40: ("sha1", "ripemd160"),
    56: ("sha224", "sha3224", "sha512224"),
    64: ("sha256", "sha3256", "sha512256", "blake2s", "blake3"),
    96: ("sha384", "sha3384"),
    128: ("sha512", "sha3512", "blake2b", "whirlpool"),
}
"""Digits, and the functions that give so many, their names without signs."""

NORMAL = r"^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$"
_named = re.compile(r"(?:([A-Za-z][A-Za-z0-9_/-]*)\s?[:=]\s?)?(?:0[xX])?([0-9A-Fa-f]+)")
_pairs = re.compile(r"[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2})+")
"""As certificates' fingerprints are written: `D4:1D:8C:..`."""


def normalize(text: str) -> str | None:
    """Return a hash's normal form, None where the text is none.

    Examples
    --------
    >>> normalize("MD5:D41D8CD98F00B204E9800998ECF8427E"), normalize("d41d8cd9")
    ('d41d8cd98f00b204e9800998ecf8427e', None)
    """
    spelling = remove_invisible(text)
    if pairs := _pairs.fullmatch(spelling):
        spelling = spelling.replace(pairs[1], "")
    found = _named.fullmatch(spelling)
    if found is None or len(found[2]) not in LENGTHS:
        return None
    if found[1]:
        name = re.sub("[-_/]", "", found[1].lower())
        if name not in LENGTHS[len(found[2])]:
            return None
    return found[2].lower()
