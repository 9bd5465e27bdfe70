"""Mail addresses: lower case, the domain in its normal form.

The part before the `@` is written small: no provider of note tells mailboxes apart by case. Dots
and `+tags` in it stay, for there providers differ. It is in quotation marks only where it must be
(RFC 5321).
"""

from __future__ import annotations

import re
import unicodedata

from aboveboard.storage.kinds import domain
from aboveboard.storage.kinds.characters import refang, remove_invisible, remove_joiners

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_HOST = domain.NORMAL.removeprefix("^").removesuffix("$")
NORMAL = rf"^{_ATOM}(?:\.{_ATOM})*@{_HOST}$"
"""Mail addresses in normal form."""

LONGEST_LOCAL = 64
"""Octets before the `@` (RFC 5321)."""

_local = re.compile(
    rf"(?:{_ATOM}|[^\x00-\x7f])+(?:\.(?:{_ATOM}|[^\x00-\x7f])+)*".replace("]+", "]")
)

_quoted = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[ -~])+)"')

_named = re.compile(r"[^<>@]*<([^<>\s]+)>")
"""With the name of its owner before it, as mail programs write it."""


def normalize(text: str) -> str | None:
    """Return a mail address's normal form, None where the text is none.

    Examples
    --------
    >>> normalize("Ann@Bad.Example"), normalize("Ann <ann[at]bad[.]example>"), normalize("ann")
    ('ann@bad.example', 'ann@bad.example', None)
    """
    spelling = refang(remove_invisible(text))
    if spelling[:7].lower() == "mailto:":
        spelling = spelling[7:].partition("?")[0]
    if found := _named.fullmatch(spelling):
        spelling = found[1]
    local, at, host = spelling.rpartition("@")
    normal_local, normal_host = _normalize_local(local), domain.normalize(host)
    if not at or ":" in host or normal_local is None or normal_host is None:
        return None
    return f"{normal_local}@{normal_host}"


def _normalize_local(local: str) -> str | None:
    local = remove_joiners(unicodedata.normalize("NFC", local).lower())
    quoted = _quoted.fullmatch(local)
    if quoted:
        local = re.sub(r"\\(.)", r"\1", quoted[1])
    beyond = (unicodedata.category(c)[0] for c in local if not c.isascii())
    if any(category in "CZ" for category in beyond):
        return None
    if not _local.fullmatch(local):
        if not quoted:
            return None
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    return local if len(local.encode()) <= LONGEST_LOCAL else None
