"""URLs: scheme and host in normal form, no default port, percent signs as RFC 3986 says.

What decides where a URL leads stands as it is: the path's case, the query, the fragment. A URL
without a scheme (`bad.example/x`, as many lists write them) stays one without a scheme.
"""

from __future__ import annotations

import re

from aboveboard.storage.kinds import address, domain
from aboveboard.storage.kinds.characters import refang, remove_invisible

_HOST = domain.NORMAL.removeprefix("^").removesuffix("$")
_ADDRESS = address.NORMAL.removeprefix("^").removesuffix("$")
_PORT = (
    r":(?:[1-9]|1[0-9]|2[02-9]|[3-7][0-9]|8[1-9]|9[0-9]|[1-35-9][0-9]{2}|4[0-35-9][0-9]|44[0-24-9]"
    r"|[1-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
"""Ports that no scheme here is usually at."""
_OCTET = "%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])"
"""Octets that must be written with a percent sign, in normal form."""
_SIGN = "[!$&-.0-;=@-_a-~]"
_SEGMENT = rf"(?:[!$&-\-0-;=@-_a-~]|{_OCTET})(?:{_SIGN}|{_OCTET})*"
"""Between two slashes; one that begins with a dot may lead elsewhere."""
NORMAL = (
    rf"^(?:https?|ftp)://(?:{_HOST}|{_ADDRESS})(?:{_PORT})?(?:/(?:{_SEGMENT})?)+"
    rf"(?:\?(?:[/?]|{_SIGN}|{_OCTET})*)?(?:#(?:[/?#]|{_SIGN}|{_OCTET})*)?$"
)
"""URLs in normal form of ASCII, if their host is no longer than one label may be."""

PORTS = {"http": "80", "https": "443", "ftp": "21", "ws": "80", "wss": "443"}
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_parts = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:([^/?#@\s]*)@)?([^/?#\s]+?)(?::([0-9]*))?"
    r"(/[^?#]*)?(\?[^#]*)?(#.*)?"
)
_percent = re.compile(r"%([0-9A-Fa-f]{2})")
_forbidden = re.compile(r"[\s<>\"`]")
_leading = re.compile(r"(?:[^/?#]*//[\])}]?)?[^/?#]*")
_single = re.compile(r"(?=.*[a-z])(?!0x)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
"""A host of one label, such as `localhost`; not a number, which could be an address."""


def normalize(text: str) -> str | None:
    """Return a URL's normal form, None where the text is not an URL.

    Examples
    --------
    >>> normalize("hxxp://Mal[.]Example:80/a%7eb"), normalize("HTTPS://mal.example")
    ('http://mal.example/a~b', 'https://mal.example/')
    """
    spelling = remove_invisible(text)
    if spelling.startswith("<") and spelling.endswith(">"):
        spelling = spelling[1:-1]
    spelling = _refang(spelling)
    found = _parts.fullmatch(spelling)
    if found is None or _forbidden.search(spelling):
        return None
    scheme, user, host, port, path, query, fragment = found.groups()
    scheme = scheme.lower() if scheme else None
    normal_host = _normalize_host(host)
    if normal_host is None and scheme and _single.fullmatch(host.lower()):
        normal_host = host.lower()
    if normal_host is None or (port and int(port) > 65535):
        return None
    # Without a scheme a name alone is a name; with a user it would be a mail address.
    if scheme is None and user is not None:
        return None
    start = f"{scheme}://" if scheme else ""
    usual_port = PORTS.get(scheme or "http")
    shown_port = f":{int(port)}" if port and str(int(port)) != usual_port else ""
    shown_user = f"{user}@" if user else ""
    path = _normalize_path(path or "/")
    if scheme is None and path == "/" and not query and not fragment:
        path = ""
    rest = _encode(query or "") + _encode(fragment or "")
    return f"{start}{shown_user}{normal_host}{shown_port}{path}{rest}"


def _refang(spelling: str) -> str:
    """Return a URL refanged: brackets in its path are its own, unless its host has them too."""
    leading = _leading.match(spelling)
    end = leading.end() if leading else 0
    before, rest = spelling[:end], spelling[end:]
    start = refang(before)
    return start + (rest.replace("[.]", ".") if start != before else rest)


def _normalize_host(host: str) -> str | None:
    if host.startswith("["):
        # The percent sign before a zone is itself encoded (RFC 6874).
        bare, encoded, zone = host[1:-1].partition("%25")
        normal = address.normalize(f"{bare}%{zone}" if encoded else bare)
        if not host.endswith("]") or normal is None or "/" in normal:
            return None
        if "-" in normal and not encoded:
            return None
        return f"[{normal.replace('%', '%25')}]" if ":" in normal else normal
    if ":" in host:  # a second port
        return None
    named = domain.normalize(host)
    if named is not None:
        return named
    numbered = address.normalize(host)
    if numbered is None or "/" in numbered or "-" in numbered:
        return None
    return numbered


def _normalize_path(path: str) -> str:
    """Return the path without `.` and `..`, and with its percent signs in one spelling."""
    encoded = _encode(path)
    if "/." not in encoded:
        return encoded
    kept: list[str] = []
    segments = encoded.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


def _encode(part: str) -> str:
    """Return a part with non-ASCII characters encoded, and nothing encoded that need not be."""
    if "%" in part:
        part = _percent.sub(_write_octet, part)
    if not part.isascii():
        part = "".join(
            c if c.isascii() else "".join(f"%{octet:02X}" for octet in c.encode()) for c in part
        )
    return part


def _write_octet(found: re.Match[str]) -> str:
    octet = int(found[1], 16)
    return chr(octet) if octet in UNRESERVED else f"%{octet:02X}"
