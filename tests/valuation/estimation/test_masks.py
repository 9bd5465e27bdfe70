"""Numbers as fixed-point integers, and the masks that hide them."""

from __future__ import annotations

import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.masks import (
    FRACTION_BITS,
    LARGEST,
    MODULUS,
    KeyPair,
    add,
    decode,
    draw_mask,
    encode,
    open_letter,
    require_cryptography,
    seal,
    subtract,
)

numbers = st.floats(-LARGEST, LARGEST)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30))
def test_sums_are_exact_on_the_grid(rows: list[tuple[float, float]]) -> None:
    total = (0, 0)
    for row in rows:
        total = add(total, encode(row))
    grid = 1 << FRACTION_BITS
    expected = tuple(
        sum(Fraction(round(Fraction(row[k]) * grid), grid) for row in rows) for k in (0, 1)
    )
    assert decode(total) == expected


@pytest.mark.parametrize("x", [2 * LARGEST, -2 * LARGEST, float("nan"), float("inf")])
def test_a_number_whose_sums_could_wrap_is_refused(x: float) -> None:
    with pytest.raises(ValueError, match="larger unit"):
        encode([x])


@given(st.binary(min_size=32, max_size=32), st.integers(0, MODULUS - 1))
def test_a_mask_comes_off_as_it_went_on(seed: bytes, x: int) -> None:
    hidden = add((x, x), draw_mask(seed, 2))
    assert subtract(hidden, draw_mask(seed, 2)) == (x, x)


def test_two_users_agree_and_a_third_does_not() -> None:
    a, b, c = KeyPair(), KeyPair(), KeyPair()
    assert a.agree(b.public, b"x") == b.agree(a.public, b"x")
    assert len({a.agree(b.public, b"x"), a.agree(b.public, b"y"), a.agree(c.public, b"x")}) == 3
    assert KeyPair(a.secret).public == a.public


def test_a_letter_that_was_changed_is_not_opened() -> None:
    key = KeyPair().agree(KeyPair().public, b"letter")
    letter = seal(key, b"to whom it may concern")
    assert open_letter(key, letter) == b"to whom it may concern"
    assert seal(key, b"to whom it may concern") != letter
    for changed in (letter[:-1] + bytes([letter[-1] ^ 1]), bytes([letter[0] ^ 1]) + letter[1:]):
        with pytest.raises(ValueError, match="changed"):
            open_letter(key, changed)


def test_without_cryptography_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(InputError, match=r'pip install "aboveboard\[private\]"'):
        require_cryptography()
