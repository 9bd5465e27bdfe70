"""No text makes a pattern look at it again and again: cost grows with the length, not its square.

Each text is one that took quadratic or exponential time before. Times are of the processor, and
compared with a text of half the length in the same run.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_json
from aboveboard.market.model import bids_table
from aboveboard.storage.formats import stix_patterns
from aboveboard.storage.formats.json_paths import parse_path
from aboveboard.storage.formats.stix_patterns import read_pattern


def match_stix(text: str) -> object:
    return read_pattern(text) or stix_patterns._comparisons.findall(text)


def split_goods(text: str) -> object:
    return bids_table.SEPARATORS.split(text)


def decode(text: str) -> object:
    return decode_json(text.encode(), "text")


TEXTS: dict[str, tuple[Callable[[str], Any], Callable[[int], str], int]] = {
    # By name: what reads it, the text of a size, and a size that was slow.
    "properties in quotes": (match_stix, lambda n: "[a:" + "w.'a'='a' OR a:" * n + "!", 500),
    "values that do not end": (match_stix, lambda n: "[a:w IN (" + "'a'," * n + "!", 20_000),
    "groups": (match_stix, lambda n: "(" * n + "[a:w='b']" + ")" * n, 20_000),
    "lists in lists": (match_stix, lambda n: "IN ('a'," * n, 20_000),
    "quotes that are none": (read_pattern, lambda n: "'" + "\\'" * n, 20_000),
    "spaces between goods": (split_goods, lambda n: "a" + " " * n + "b", 50_000),
    "quotes outside of text": (decode, lambda n: "[" * 200 + '\\"' * n, 50_000),
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_takes_quadratic_time(name: str) -> None:
    read, make, size = TEXTS[name]
    with fail_in_time():
        small, large = (min(measure(read, make(n)) for _ in range(3)) for n in (size, 8 * size))
    assert large < 24 * small + 0.02


@contextmanager
def fail_in_time() -> Iterator[None]:
    """Fail after 30 seconds of the processor, where a text would take hours."""

    def fail(*_: object) -> None:
        raise AssertionError("it takes too long")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, 30)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def measure(read: Callable[[str], Any], text: str) -> float:
    started = time.process_time()
    with suppress(InputError):
        read(text)
    return time.process_time() - started


@pytest.mark.parametrize("path", ["a." * 10_000, "[" + "9" * 5000 + "]", '["\\q"]', "[" + " " * 99])
def test_an_odd_path_into_json_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        parse_path(path, str(tmp_path))


def test_a_pattern_with_quoted_properties_is_read_as_before() -> None:
    text = "[file:hashes.'SHA-256' = 'ab' OR domain-name:value IN ('a.example', 'b.example')]"
    assert read_pattern(text) == [
        ("file", "hashes.'SHA-256'", "ab"),
        ("domain-name", "value", "a.example"),
        ("domain-name", "value", "b.example"),
    ]
