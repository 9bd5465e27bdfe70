"""quantecon's enumeration of pure equilibria as an independent witness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.auditing import pure_equilibria
from aboveboard.games.game import TabularGame
from oracles.tables import FLOATS, INTEGERS, exact, shape_of, tables


@pytest.fixture(scope="module")
def gt():
    """Import quantecon where it is used: that takes most of a second."""
    return pytest.importorskip(
        "quantecon.game_theory", reason="quantecon (extra: bench) is missing"
    )


@pytest.mark.deep
@settings(deadline=None)
@given(st.sampled_from([INTEGERS, FLOATS]).flatmap(lambda e: tables(e, players=(2, 4))))
def test_pure_equilibria_are_the_same(gt, table):
    array = np.array(table, dtype=float)
    theirs = gt.pure_nash_brute(gt.NormalFormGame(np.moveaxis(array, 0, -1)), tol=0.0)
    ours = pure_equilibria(TabularGame(table))
    assert [tuple(row) for row in ours.tolist()] == [tuple(map(int, p)) for p in theirs]


@settings(deadline=None)
@given(tables(FLOATS, players=(2, 3)), st.sampled_from([0.25, 0.5, 1.0]))
def test_pure_equilibria_within_a_tolerance_are_the_same(gt, table, tolerance):
    # Payoffs are moved to quarters, so that no difference lies at the edge of the tolerance.
    array = np.round(np.array(table) * 4) / 4 + 0.0
    game = gt.NormalFormGame(np.moveaxis(array, 0, -1))
    theirs = gt.pure_nash_brute(game, tol=tolerance)
    ours = pure_equilibria(TabularGame(array), tolerance=tolerance)
    assert [tuple(row) for row in ours.tolist()] == [tuple(map(int, p)) for p in theirs]


def test_the_helpers_read_shapes_as_numpy_does():
    table = [[[1, 2, 3]], [[4, 5, 6]]]
    assert shape_of(table) == np.array(exact(table)).shape[1:]
