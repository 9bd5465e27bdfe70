"""Domain names: lower case, IDNA 2008 as ASCII, no dot and no port at the end; `www.` is kept.

Source: RFC 5890 to 5893 and UTS 46, by the library `idna`. Underscores are allowed, for DNS carries
them; a name needs two labels, and its last label is not a number (that is an address).
"""

from __future__ import annotations

import re
from functools import lru_cache

import idna

from aboveboard.storage.kinds.characters import (
    is_visible,
    refang,
    remove_invisible,
    remove_joiners,
)
from aboveboard.storage.kinds.ports import remove_port

LONGEST, LONGEST_LABEL = 253, 63
"""Octets of a name and of a label (RFC 1035)."""

_RUNS = r"[a-z0-9_]+(?:-[a-z0-9_]+)*"
NORMAL = rf"^(?:{_RUNS}\.)+[a-z][a-z0-9]*(?:-[a-z0-9]+)*$"
"""Names in normal form, if they are no longer than one label may be. Those with `--` are looked at
one by one, for they may be A-labels."""

_label = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_last = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?|xn--[a-z0-9-]+")


def normalize(text: str) -> str | None:
    """Return a domain name's normal form, None where the text is not a domain name.

    Examples
    --------
    >>> normalize("WWW.Bücher.Example."), normalize("bad[.]example"), normalize("192.0.2.1")
    ('www.xn--bcher-kva.example', 'bad.example', None)
    """
    name = remove_port(refang(remove_invisible(text)))
    if not name.isascii():
        name = re.sub("[\u3002\uff0e\uff61]", ".", name)
    labels = name.removesuffix(".").split(".")
    if len(labels) < 2:
        return None
    # In a label beyond ASCII the mapping of UTS 46 decides: `str.lower` knows another sigma.
    ascii_labels = [
        # A joiner that IDNA does not allow at its place is no part of the name.
        _to_ascii(label.lower()) if label.isascii() else _to_ascii(label) or _join(label)
        for label in labels
    ]
    if None in ascii_labels:
        return None
    name = ".".join(label for label in ascii_labels if label is not None)
    if len(name) > LONGEST or not _last.fullmatch(name.rpartition(".")[2]):
        return None
    return name


def _join(label: str) -> str | None:
    """Return one label in ASCII without its joiners, None where it has none or is not a label."""
    bare = remove_joiners(label)
    return None if bare == label else _to_ascii(bare.lower() if bare.isascii() else bare)


@lru_cache(maxsize=1 << 16)
def _to_ascii(label: str) -> str | None:
    """Return one label in ASCII, None where it is not a label."""
    if label.isascii() and not label.startswith("xn--"):
        return label if _label.fullmatch(label) else None
    if len(label) > LONGEST:
        return None
    if label.isascii():
        return _from_a_label(label)
    try:
        return idna.encode(label, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        return _to_ascii_leniently(label)


def _from_a_label(label: str) -> str | None:
    """Return an A-label that is the only spelling of its Unicode label, else None."""
    try:
        unicode_label = label[4:].encode().decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return None
    if unicode_label.isascii() or len(label) > LONGEST_LABEL or not _label.fullmatch(label):
        return None
    return _to_ascii(unicode_label)


def _to_ascii_leniently(label: str) -> str | None:
    """Encode labels that IDNA 2008 leaves out and registries sell all the same, such as emoji."""
    try:
        mapped = idna.uts46_remap(label, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        return None
    if not mapped or mapped.startswith("xn--"):
        return None
    if not all(c == "-" or is_visible(c) for c in mapped):
        return None
    encoded = mapped if mapped.isascii() else "xn--" + mapped.encode("punycode").decode()
    return encoded if _label.fullmatch(encoded) else None
