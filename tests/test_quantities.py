"""Sizes as text."""

from __future__ import annotations

import pytest

from aboveboard.formatting import format_bytes


@pytest.mark.parametrize(
    ("size", "written"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1,023 bytes"), (1024, "1.0 KiB"),
     (2**20 - 1, "1.0 MiB"), (2**20 - 60, "1023.9 KiB"), (2**30 - 1, "1.0 GiB"),
     (972 << 10, "972.0 KiB"), (1500 << 30, "1500.0 GiB")],
)  # fmt: skip
def test_a_size_has_the_largest_unit_of_which_there_is_one(size: int, written: str) -> None:
    assert format_bytes(size) == written
