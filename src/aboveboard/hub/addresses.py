"""Addresses of hubs, webhooks and mail: which texts are one, so that no later step fails."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

MAIL = re.compile(r"[^@\s<>()\[\],;:\"\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,120}")
"""One plain address: nothing that a mail server could read as two, or as a remark."""


def split_address(text: str) -> SplitResult | None:
    """Return the parts of an address of HTTP; None if it is none, or names a user.

    Examples
    --------
    >>> split_address("https://hub.example:8443").port
    8443
    >>> [split_address(x) for x in ("http://[::1", "http://a..b", "http://a:99999", "ftp://a")]
    [None, None, None, None]
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        host.encode("idna")
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:  # also what no name server could be asked for
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return None
    return parts if port_is_one and host.isprintable() and " " not in host else None
