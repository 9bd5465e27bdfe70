"""Internet addresses, networks and ranges: each in one spelling, and as what it is.

IPv6 in the short form of RFC 5952; an IPv4-mapped address is the IPv4 one; `/32` and `/128` are the
address; a network has no host bits; a range that is exactly one network is that network, and
another one stays a range, `first-last`. A port at the end is no part of it. What could mean two
addresses (`010.1.1.1`) is none.
"""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aboveboard.storage.kinds.characters import refang, remove_invisible
from aboveboard.storage.kinds.ports import remove_port

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
NORMAL = rf"^(?:{OCTET}\.){{3}}{OCTET}$"
"""IPv4 addresses in normal form."""

_dash = re.compile(r"\s*[-\u2013]\s*")
_short_range = re.compile(r"((?:[0-9]{1,3}\.){3})([0-9]{1,3})-([0-9]{1,3})")
LONGEST = 100
"""Characters: two IPv6 addresses with a dash; what is longer is not an address."""


def normalize(text: str) -> str | None:
    """Return the normal form of an address, network or range, None where the text is none.

    Examples
    --------
    >>> normalize("2001:0DB8:0::1"), normalize("198.51.100.17/24"), normalize("::ffff:192.0.2.1")
    ('2001:db8::1', '198.51.100.0/24', '192.0.2.1')
    >>> normalize("192.0.2.0 - 192.0.2.127"), normalize("192.0.2.3-9")
    ('192.0.2.0/25', '192.0.2.3-192.0.2.9')
    """
    spelling = remove_invisible(text)
    if len(spelling) > LONGEST:
        return None
    if spelling.startswith("[") and spelling.endswith("]") and ":" in spelling:
        spelling = spelling[1:-1]
    spelling = refang(spelling)
    if "-" not in spelling:  # of a range nobody knows to which end a port belongs
        spelling = remove_port(spelling)
    try:
        if found := _short_range.fullmatch(spelling):
            return _normalize_range(found[1] + found[2], found[1] + found[3])
        # A zone's name may hold a dash: `fe80::1%br-lan`.
        if "%" not in spelling and len(ends := _dash.split(spelling)) == 2:
            return _normalize_range(*ends)
        if "/" in spelling:
            return _normalize_network(spelling)
        return str(_unmap(ipaddress.ip_address(spelling)))
    except ValueError:
        return None


def _unmap(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _normalize_network(spelling: str) -> str:
    return _write_network(ipaddress.ip_network(spelling.replace(" ", ""), strict=False))


def _write_network(network: IPv4Network | IPv6Network) -> str:
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            network = IPv4Network((mapped, network.prefixlen - 96))
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)


def _normalize_range(first: str, last: str) -> str | None:
    low, high = _unmap(ipaddress.ip_address(first)), _unmap(ipaddress.ip_address(last))
    if isinstance(low, IPv4Address) and isinstance(high, IPv4Address) and low <= high:
        networks: list[IPv4Network | IPv6Network] = [*_summarize(low, high)]
    elif isinstance(low, IPv6Address) and isinstance(high, IPv6Address) and low <= high:
        networks = [*_summarize(low, high)]
    else:
        return None
    return _write_network(networks[0]) if len(networks) == 1 else f"{low}-{high}"


def _summarize(
    low: IPv4Address | IPv6Address, high: IPv4Address | IPv6Address
) -> list[IPv4Network | IPv6Network]:
    # The library's own types ask for two addresses of one version, which the caller has seen to.
    return list(ipaddress.summarize_address_range(low, high))
