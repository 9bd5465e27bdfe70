"""The keyed stream: uniform, the same again, and nothing to be learned from what was seen."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest

from aboveboard.games.keyed_stream import BLOCK, KeyedStream


def test_its_bytes_are_those_of_shake_256_by_definition() -> None:
    key = hashlib.shake_256(b"aboveboard stream v1\nnoise\n5\n").digest(64)
    blocks = [hashlib.shake_256(key + k.to_bytes(8, "big")).digest(BLOCK) for k in range(3)]
    stream = KeyedStream(5, "noise")
    parts = [stream.bytes(n) for n in (3, 0, BLOCK, BLOCK + 5)]
    assert b"".join(parts) == b"".join(blocks)[: 2 * BLOCK + 8]


@pytest.mark.deep
@pytest.mark.parametrize(("low", "high"), [(0, 2), (0, 6), (-3, 4), (0, 1), (0, 1000)])
def test_whole_numbers_are_uniform(low: int, high: int) -> None:
    drawn = KeyedStream(1, "test").integers(low, high, size=60_000)
    assert drawn.min() >= low
    assert drawn.max() < high
    expected = len(drawn) / (high - low)
    counts = np.array([Counter(drawn.tolist())[k] for k in range(low, high)])
    assert ((counts - expected) ** 2 / expected).sum() < 3 * (high - low) + 40


def test_large_spans_are_drawn_without_favour() -> None:
    # 2^64 mod (3 * 2^61) is a third of the span: taken modulo it, small numbers come more often.
    span = 3 << 61
    drawn = KeyedStream(2, "test").integers(0, span, size=30_000)
    assert abs((drawn < span // 3).mean() - 1 / 3) < 0.01


def test_fractions_lie_between_0_and_1_and_shapes_are_kept() -> None:
    stream = KeyedStream(3, "test")
    drawn = stream.random((100, 50))
    assert drawn.shape == (100, 50)
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert abs(drawn.mean() - 0.5) < 0.02
    assert stream.integers(0, 2, size=(3, 4)).shape == (3, 4)
    assert stream.integers(0, 10, size=0).shape == (0,)


def test_seeds_and_purposes_of_any_length_differ() -> None:
    seeds = (0, 1, 10, 2**128, 2**255, 2**256 - 1)
    streams = {KeyedStream(s, p).bytes(16) for s in seeds for p in ("a", "a 1", "a 11", "b")}
    assert len(streams) == len(seeds) * 4


@pytest.mark.parametrize(("low", "high"), [(0, 0), (2, 1), (0, (1 << 63) + 1)])
def test_an_empty_or_too_wide_span_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="there is no number"):
        KeyedStream(1, "test").integers(low, high)
