"""Columns of IPv4 networks: each without host bits, computed for all at once."""

from __future__ import annotations

import polars as pl

from aboveboard.storage.kinds import address

_OCTET = "(" + address.OCTET.removeprefix("(?:")
NETWORK = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}/(3[0-2]|[12][0-9]|[0-9])$"
"""A network as most people write it: four octets and a length."""

BITS = 32
"""Of an address."""


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
