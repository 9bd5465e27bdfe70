"""Each compiled scan against its plain twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aboveboard.auditing import kernels

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
WHOLE = st.integers(-3, 3)
HALVES = WHOLE.map(lambda x: x / 2)


@st.composite
def payoffs(draw, count=1):
    shape = draw(SHAPES)
    dtype, entries = draw(st.sampled_from([(np.int64, WHOLE), (np.float64, HALVES)]))
    return [draw(arrays(dtype, shape, elements=entries)) for _ in range(count)]


@st.composite
def spans(draw, actions):
    truth = draw(st.integers(0, actions - 1))
    first = draw(st.integers(0, actions - 1))
    return truth, first, draw(st.integers(first, actions))


def plain_largest_gain(low, high, truth, first, last):
    best, where = None, (-1, -1, -1)
    for o in range(low.shape[0]):
        for a in range(first, last):
            for k in range(low.shape[2]):
                gain = high[o, a, k] - low[o, truth, k]
                if a != truth and (best is None or gain > best):
                    best, where = gain, (o, a, k)
    return best, where


@settings(deadline=None)
@given(st.data())
def test_largest_gain_is_the_first_of_the_largest(data):
    (table,) = data.draw(payoffs())
    span = data.draw(spans(table.shape[1]))
    best, *where = kernels.largest_gain(table, *span)
    expected, place = plain_largest_gain(table, table, *span)
    assert tuple(where) == place
    if expected is not None:
        assert best == expected


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize("shape", [(1, 3, 64), (2, 2, 131), (3, 4, 1), (5, 33, 1), (2, 3, 67)])
def test_long_rows_and_the_last_player_have_the_first_of_the_largest(dtype, shape):
    """Rows that are read four places at a time, and rows of one payoff for each action."""
    generator = np.random.default_rng(6)
    for top in (1, 3, 40):
        table = generator.integers(0, top, shape).astype(dtype)
        spans = [(0, 0, shape[1]), (1, 0, shape[1]), (1, 1, 2), (0, 1, shape[1]), (1, 0, 1)]
        for truth, first, last in [*spans, (shape[1] - 1, 0, 1)]:
            expected, place = plain_largest_gain(table, table, truth, first, last)
            for scan in (kernels.largest_gain.compiled, kernels.largest_gain.run_plainly):
                best, *where = scan(table, truth, first, last)
                assert tuple(where) == place
                assert expected is None or best == expected


@settings(deadline=None)
@given(st.data())
def test_largest_gain_between_values_truth_low_and_lies_high(data):
    low, high = data.draw(payoffs(2))
    span = data.draw(spans(low.shape[1]))
    best, *where = kernels.largest_gain_between(low, high, *span)
    expected, place = plain_largest_gain(low, high, *span)
    assert tuple(where) == place
    if expected is not None:
        assert best == expected


@settings(deadline=None)
@given(st.data(), st.sampled_from([0, 1, 2]))
def test_clear_unless_best_keeps_best_replies(data, slack):
    (table,) = data.draw(payoffs())
    alive = data.draw(arrays(np.bool_, table.shape))
    expected = alive & (table >= table.max(axis=1, keepdims=True) - slack)
    kernels.clear_unless_best(
        table, table.dtype.type(slack), alive, np.empty(table.shape[2], dtype=table.dtype)
    )
    assert (alive == expected).all()


@pytest.mark.parametrize("edge", [2**61, -(2**61)])
def test_the_largest_entries_do_not_overflow(edge):
    table = np.array([[[edge], [-edge]]], dtype=np.int64)
    assert kernels.largest_gain(table, 0, 0, 2)[0] == -2 * edge
