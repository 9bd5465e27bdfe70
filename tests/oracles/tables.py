"""Random small games for hypothesis: integers, fractions or floats, with 1 to 4 players."""

from fractions import Fraction
from math import prod

import numpy as np
from hypothesis import strategies as st

INTEGERS = st.integers(-4, 4)
FRACTIONS = st.fractions(-2, 2, max_denominator=6)
# Quarters and thirds: thirds are not exact, quarters are, and both tie often.
FLOATS = st.sampled_from([0.0, 0.25, 0.5, 1 / 3, 2 / 3, 1.0, -0.75, -1 / 3])


@st.composite
def shapes(draw, *, players=(1, 4), most=64):
    n = draw(st.integers(*players))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)))
    while prod(shape) > most:
        shape = tuple(max(1, extent - 1) for extent in shape)
    return shape


@st.composite
def tables(draw, entries=None, **limits):
    """Return nested lists of shape (players, actions_1, .., actions_n)."""
    shape = draw(shapes(**limits))
    if entries is None:
        entries = draw(st.sampled_from([INTEGERS, FRACTIONS, FLOATS]))
    return draw(filled((len(shape), *shape), entries))


@st.composite
def filled(draw, shape, entries):
    flat = draw(st.lists(entries, min_size=prod(shape), max_size=prod(shape)))
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(shape).tolist()


def shape_of(table):
    shape, inner = [], table
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0]
    return tuple(shape[1:])


@st.composite
def positions(draw, shape):
    return tuple(draw(st.integers(0, extent - 1)) for extent in shape)


def exact(table):
    """Return nested lists with every number as the fraction that it is."""
    if isinstance(table, list):
        return [exact(row) for row in table]
    return Fraction(table)
