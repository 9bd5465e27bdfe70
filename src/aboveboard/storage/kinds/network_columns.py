"""Columns of addresses and networks: those in usual shapes are normalized all at once."""

from __future__ import annotations

import polars as pl

from aboveboard.storage.kinds import address
from aboveboard.storage.kinds.ports import PORT

_OCTET = "(" + address.OCTET.removeprefix("(?:")
NETWORK = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}/(3[0-2]|[12][0-9]|[0-9])$"
"""A network as most people write it: four octets and a length."""

BITS = 32
"""Of an address."""

GROUPS, GROUP_BITS = 8, 16
"""Groups of an IPv6 address, and the bits of each."""

_SHORT_ADDRESS = rf"((?:{address.OCTET}\.){{3}}{address.OCTET})"
MAPPED_ADDRESS = (
    rf"^(?:::ffff:{_SHORT_ADDRESS}|{_SHORT_ADDRESS}{PORT}|\[::ffff:{_SHORT_ADDRESS}\](?:{PORT})?)$"
)
"""IPv4 addresses, mapped to IPv6 or with a port, of which each may be one of three groups."""

_N, _G = "[1-9a-f][0-9a-f]{0,3}", "(?:0|[1-9a-f][0-9a-f]{0,3})"
_SHORT = "|".join(
    rf"{':'.join([_G] * first)}::(?:{_G}(?::{_G}){{0,{GROUPS - 3 - first}}})?"
    for first in range(GROUPS - 2)
)
LONG = rf"^(?:{_G}(?::{_G}){{7}}|{_SHORT}|{_G}(?::{_G}){{5}}::)$"
"""IPv6 addresses as RFC 5952 writes them, if no zeros stand as `NOT_SHORTEST` has them."""
NOT_SHORTEST = r"(?:^|:)0:0(?::|$)|(?:^|:)0::|::0(?::|$)|^::ffff:"
LONG_NETWORK = "|".join(
    rf"^{_G}(?::{_G}){{{first - 2}}}:{_N}::/(?:"
    + "|".join(map(str, range(first * GROUP_BITS, GROUPS * GROUP_BITS)))
    + ")$"
    for first in range(2, GROUPS - 1)
)
"""IPv6 networks whose host bits are all in the zeros that are left out."""
_WHOLE = rf"^[0-9a-f]+(?::[0-9a-f]+){{{GROUPS - 1}}}(?:/|$)"
_ZEROS = r"(?:^|:)0(?::0)+(?::|$)"
_GROUPED = r"^[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:/[0-9]{1,3})?$"


def normalize_long(texts: pl.Series) -> pl.Series:
    """Return IPv6 addresses and networks in normal form, null where a text is not plainly one.

    Parameters
    ----------
    texts
        In lower case.

    Examples
    --------
    >>> normalize_long(pl.Series(["2001:0db8::1", "2001:db8::/32", "2001:db8:0:0::1"])).to_list()
    ['2001:db8::1', '2001:db8::/32', None]
    """
    grouped = texts.set(~texts.str.contains(_GROUPED), None)
    if grouped.null_count() == texts.len():
        return grouped
    plain = grouped.str.replace_all(r"(^|:)0+([0-9a-f])", "${1}${2}").str.strip_suffix("/128")
    # All eight groups written out, of which one run is zero.
    whole = plain.str.contains(_WHOLE) & (plain.str.count_matches(_ZEROS) == 1)
    plain = plain.str.replace(_ZEROS, "::").zip_with(whole, plain)
    fits = plain.str.contains(LONG) | plain.str.contains(LONG_NETWORK)
    return plain.set(~(fits & ~plain.str.contains(NOT_SHORTEST)), None)


def normalize_networks(texts: pl.Series) -> pl.Series:
    """Return networks of IPv4 in normal form, null where a text is none that is plainly written.

    Examples
    --------
    >>> normalize_networks(pl.Series(["198.51.100.17/24", "192.0.2.7/32", "192.0.2.7"])).to_list()
    ['198.51.100.0/24', '192.0.2.7', None]
    """
    parts = texts.str.extract_groups(NETWORK).struct.unnest().cast(pl.Int64)
    if parts.to_series(-1).null_count() == texts.len():
        return pl.Series(texts.name, [None], dtype=pl.String).new_from_index(0, texts.len())
    *octets, length = parts.get_columns()
    number = octets[0]
    for octet in octets[1:]:
        number = number * 256 + octet
    # So many addresses a network has; its first is a multiple of that.
    size = pl.Series([1 << BITS - bits for bits in range(BITS + 1)]).gather(length)
    first = number // size * size
    written = [(first // 256**place % 256).cast(pl.String) for place in (3, 2, 1, 0)]
    found = written[0]
    for octet in written[1:]:
        found = found + "." + octet
    return found.zip_with(length == BITS, found + "/" + length.cast(pl.String))
