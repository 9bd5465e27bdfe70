"""Ports after a host: `bad.example:443` names the host, whatever is asked there.

Lists of servers write them so; a list of hosts without them has the same hosts.
"""

from __future__ import annotations

import re

PORT = r":(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
"""A port as most people write it."""

LARGEST = 65535
"""The last port."""

_hosted = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]/\s]+)):([0-9]{1,5})")


def remove_port(text: str) -> str:
    """Return the host of a text that is one with a port after it, any other text as it stands.

    Examples
    --------
    >>> remove_port("bad.example:443"), remove_port("[2001:db8::1]:443"), remove_port("2001:db8::1")
    ('bad.example', '2001:db8::1', '2001:db8::1')
    """
    found = _hosted.fullmatch(text)
    return (found[1] or found[2]) if found and 0 < int(found[3]) <= LARGEST else text
