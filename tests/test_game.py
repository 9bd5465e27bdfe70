"""Games given by arrays, grids of actions, and columns of codes."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.games.actions import (
    Grid,
    count_actions,
    decode,
    draw,
    encode,
    encode_positions,
    find_position,
    unravel,
)
from aboveboard.games.capabilities import HasOutsideOption, HasPayments
from aboveboard.games.game import Game, TabularGame, count_profiles
from aboveboard.games.numbers import from_units, to_number

SIZES = st.lists(st.integers(0, 4), max_size=4)


def test_a_tabular_game_is_a_game():
    assert isinstance(TabularGame([[1, 2]]), Game)
    assert isinstance(TabularGame([[1, 2]]), HasPayments)
    assert isinstance(TabularGame([[1, 2]]), HasOutsideOption)


def test_a_tabular_game_numbers_its_players_and_tells_the_first_action():
    game = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    assert game.players == ("1", "2")
    assert [game.truth(i) for i in range(2)] == [0, 0]
    assert game.payoffs((1, 0)) == (5, 0)
    assert game.payments((1, 0)) == (0, 0)
    assert game.describe(0, 1) == 1
    assert count_profiles(game) == 4


@pytest.mark.parametrize("truth", [1, np.int64(1), [1, 1], np.array([1, 1])])
def test_truth_may_be_one_position_for_all(truth):
    game = TabularGame(np.zeros((2, 2, 2)), truth=truth)
    assert [game.truth(i) for i in range(2)] == [1, 1]


def test_fractions_are_kept_over_a_common_denominator():
    game = TabularGame([[Fraction(1, 6), Fraction(1, 4)]])
    assert game.table.dtype == np.int64
    assert game.unit == Fraction(1, 12)
    assert game.payoffs((0,)) == (Fraction(1, 6),)


def test_a_unit_multiplies_what_integers_are_worth():
    game = TabularGame([[3, 4]], unit=Fraction(1, 2), payments=[[1, 2]])
    assert game.payoffs((0,)) == (Fraction(3, 2),)
    assert game.payoffs((1,)) == (2,)
    assert game.payments((0,)) == (Fraction(1, 2),)


def test_whole_floats_become_integers_and_others_stay():
    assert TabularGame([[1.0, 2.0]]).table.dtype == np.int64
    assert TabularGame([[1.0, 2.5]]).table.dtype == np.float64
    assert TabularGame([[1.0, 2.0**53]]).table.dtype == np.float64


def test_the_table_cannot_be_changed():
    for entries in ([[1, 2]], [[0.5, 1]], [[2**100, 1]]):
        game = TabularGame(entries)
        with pytest.raises(ValueError, match="read-only"):
            game.table[0, 0] = 5


def test_changing_the_array_afterwards_does_not_change_the_game():
    table = np.array([[1, 2]])
    game = TabularGame(table)
    table[0, 0] = 9
    assert game.payoffs((0,)) == (1,)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"payoffs": [1, 2]}, "shape"),
        ({"payoffs": [[1, 2], [3, 4]]}, "shape"),
        ({"payoffs": np.zeros((2, 2, 0))}, "at least"),
        ({"payoffs": 3}, "shape"),
        ({"payoffs": [[1, float("nan")]]}, "finite"),
        ({"payoffs": [[1, float("inf")]]}, "finite"),
        ({"payoffs": [[1, None]]}, "finite"),
        ({"payoffs": [[1, 2]], "truth": 2}, "actions are 0 to 1"),
        ({"payoffs": [[1, 2]], "truth": -1}, "actions are 0 to 1"),
        ({"payoffs": [[1, 2]], "truth": [0, 0]}, "one entry for each"),
        ({"payoffs": [[1, 2]], "absent": [2]}, "absent of player 1"),
        ({"payoffs": [[1, 2]], "players": ["a", "b"]}, "players"),
        ({"payoffs": [[1, 2]], "outside": [1, 2]}, "outside"),
        ({"payoffs": [[1, 2]], "payments": [[1]]}, "payments must have the shape"),
        ({"payoffs": [[1, 2]], "labels": [["a"]]}, "labels"),
        ({"payoffs": [[1, 2]], "quality": [[1, 2, 3]]}, "quality"),
        ({"payoffs": [[1, 2]], "unit": 0}, "unit"),
        ({"payoffs": [[1, 2]], "unit": -1}, "unit"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        TabularGame(**arguments)


@settings(deadline=None)
@given(st.lists(st.fractions(), min_size=1, max_size=6))
def test_payoffs_are_what_was_given(entries):
    game = TabularGame([entries])
    assert [game.payoffs((k,))[0] for k in range(len(entries))] == entries


@settings(deadline=None)
@given(st.lists(st.integers() | st.fractions(), min_size=1, max_size=6))
def test_rows_in_units_are_worth_the_payoffs(entries):
    game = TabularGame([entries])
    rows = game.payoff_rows([np.arange(len(entries))])
    assert [from_units(x, game.unit) for x in rows[:, 0]] == entries


@settings(deadline=None)
@given(SIZES)
def test_a_grid_lists_all_vectors_in_order(sizes):
    grid = Grid(sizes)
    assert list(grid) == list(np.ndindex(*grid.shape))
    assert len(grid) == grid.size == count_actions(grid)
    assert [grid[k] for k in range(grid.size)] == list(grid)
    assert [grid.index(vector) for vector in grid] == list(range(grid.size))
    assert grid[-1] == tuple(sizes)
    assert list(grid[: grid.size]) == list(grid)


def test_a_grid_without_entries_has_one_vector():
    assert list(Grid(())) == [()]


@pytest.mark.parametrize("k", [9, -10])
def test_positions_outside_a_grid_are_refused(k):
    with pytest.raises(IndexError):
        Grid((2, 2))[k]


def test_a_grid_knows_its_members_without_a_search():
    grid = Grid((2**40, 2**40))
    assert grid.size > 2**63
    assert (2**40, 5) in grid
    assert (2**40 + 1, 5) not in grid
    assert (1,) not in grid
    assert "ab" not in grid
    assert grid[grid.index((3, 2**39))] == (3, 2**39)
    with pytest.raises(ValueError, match="not among"):
        grid.index((-1, 0))


def test_a_grid_refuses_negative_sizes():
    with pytest.raises(ValueError, match="runs from 0"):
        Grid((2, -1))


@settings(deadline=None)
@given(SIZES)
def test_codes_of_a_grid_turn_back_into_vectors(sizes):
    grid = Grid(sizes)
    codes = encode_positions(grid, np.arange(grid.size))
    assert codes.shape == (grid.size, len(sizes))
    assert [decode(grid, code) for code in codes] == list(grid)
    assert all((encode(grid, v)[0] == c).all() for v, c in zip(grid, codes, strict=True))


@settings(deadline=None)
@given(SIZES, st.integers(0, 5))
def test_draws_from_a_grid_are_vectors_of_it(sizes, m):
    grid = Grid(sizes)
    codes = draw(grid, m, np.random.default_rng(0))
    assert codes.shape == (m, len(sizes))
    assert all(decode(grid, code) in grid for code in codes)


def test_blocks_of_a_grid_beyond_64_bits_can_be_taken():
    grid = Grid((2**62, 2**62, 3))
    codes = encode_positions(grid, np.array([0, 5, 2**62]))
    assert [decode(grid, code) for code in codes] == [grid[k] for k in (0, 5, 2**62)]


def test_digits_of_extents_beyond_64_bits():
    columns = unravel(np.array([0, 7, 11]), [5, 2**70, 4])
    assert [c.tolist() for c in columns] == [[0, 0, 0], [0, 1, 2], [0, 3, 3]]


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_digits_are_those_of_numpy(extents):
    positions = np.arange(int(np.prod(extents)))
    ours = unravel(positions, extents)
    theirs = np.unravel_index(positions, extents)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_actions_in_a_list_are_coded_by_position():
    actions = ["truth", "lie"]
    assert encode(actions, "lie").tolist() == [1]
    assert decode(actions, np.int64(1)) == "lie"
    assert find_position(range(10**12), 10**11) == 10**11
    with pytest.raises(ValueError, match="'theft' is not among"):
        encode(actions, "theft")


@pytest.mark.parametrize(
    ("entry", "unit", "value"),
    [
        (np.int64(6), Fraction(1, 4), Fraction(3, 2)),
        (np.int64(8), Fraction(1, 4), 2),
        (Fraction(1, 3), Fraction(3), 1),
        (2**100, Fraction(1), 2**100),
        (np.float64(0.5), Fraction(1, 2), 0.25),
        (0.1, Fraction(1), 0.1),
    ],
)
def test_entries_are_worth_exact_numbers_where_they_are_exact(entry, unit, value):
    found = from_units(entry, unit)
    assert found == value
    assert type(found) is type(value)


def test_numbers_must_be_finite():
    assert to_number(np.array(3)) == 3
    with pytest.raises(ValueError, match="finite"):
        to_number(np.float32("inf"))
