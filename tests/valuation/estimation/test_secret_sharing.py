"""A secret in pieces."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.valuation.estimation.secret_sharing import PRIME, join, split


@given(st.integers(0, 2**256 - 1), st.data())
def test_as_many_pieces_as_the_threshold_give_the_secret_whichever_they_are(
    secret: int, data: st.DataObject
) -> None:
    points = data.draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True))
    threshold = data.draw(st.integers(1, len(points)))
    pieces = split(secret, points, threshold)
    for chosen in combinations(points, threshold):
        assert join({x: pieces[x] for x in chosen}) == secret
    assert join(pieces) == secret


def test_one_piece_fewer_fits_every_secret() -> None:
    # Whatever the secret, a piece exists at the third point that makes it come out.
    pieces = split(42, [1, 2, 3], 3)
    held = {x: pieces[x] for x in (1, 2)}
    at_zero = Fraction(2 * 3, 1 * 2), Fraction(1 * 3, (1 - 2) * (3 - 2)), Fraction(1 * 2, 2 * 1)
    for other in (0, 7, 2**255):
        rest = other - sum(int(c) * held[x] for c, x in zip(at_zero[:2], (1, 2), strict=True))
        third = rest * pow(int(at_zero[2]), -1, PRIME) % PRIME
        assert join({**held, 3: third}) == other


@pytest.mark.parametrize(
    ("secret", "points", "threshold"),
    [(PRIME, [1], 1), (-1, [1], 1), (1, [0], 1), (1, [1, 1], 1), (1, [1], 2), (1, [1], 0)],
)
def test_what_cannot_be_cut_is_refused(secret: int, points: list[int], threshold: int) -> None:
    with pytest.raises(ValueError, match=r"secret|points|threshold"):
        split(secret, points, threshold)
