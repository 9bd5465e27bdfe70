"""Integers at the edge of 64 bits: sums and differences do not wrap around."""

import json
from fractions import Fraction

import numpy as np
import pytest

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    Efficient,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Status,
    StrongBudgetBalance,
    Symmetric,
    UniqueEquilibrium,
    Verdicts,
    WeakBudgetBalance,
    audit,
    estimate_cost,
)
from aboveboard.auditing.best_lies import best_lies
from aboveboard.formatting import encode_number, format_count
from aboveboard.games.game import TabularGame
from aboveboard.games.numbers import LARGEST_ENTRY, find_common_unit, rescale, sum_along

EDGE = 2**61


def verdict(game, prop):
    return audit(game, [prop])[prop.name]


def test_a_coalitions_gains_add_up_without_overflow():
    table = np.full((5, 2, 2, 2, 2, 2), -EDGE)
    table[:, 1, 1, 1, 1, 1] = EDGE
    found = verdict(TabularGame(table), CoalitionProof(5, transfers=True))
    assert found.gain == 5 * 2 * EDGE
    assert found.status is Status.FAILS


def test_payments_add_up_without_overflow():
    payments = np.full((8, *(1,) * 8), EDGE)
    game = TabularGame(np.zeros_like(payments), payments=payments)
    assert verdict(game, WeakBudgetBalance()).status is Status.HOLDS
    assert verdict(game, StrongBudgetBalance()).witness.gain == 8 * EDGE
    short = TabularGame(np.zeros_like(payments), payments=-payments)
    assert verdict(short, WeakBudgetBalance()).witness.gain == -8 * EDGE


def test_totals_of_payoffs_add_up_without_overflow():
    table = np.full((8, 2, *(1,) * 7), -EDGE)
    table[:, 1] = EDGE
    found = verdict(TabularGame(table), Efficient())
    assert found.witness.gain == 16 * EDGE
    assert verdict(TabularGame(table), ParetoEfficient()).witness.gain == 2 * EDGE


def test_totals_with_payments_add_up_without_overflow():
    table = np.full((3, 2, 1, 1), -EDGE)
    payments = np.full((3, 2, 1, 1), -EDGE)
    payments[:, 1] = EDGE
    game = TabularGame(table, payments=payments)
    assert verdict(game, Efficient()).witness.gain == 6 * EDGE
    assert verdict(game, ParetoEfficient()).witness.payoffs["the center"] == (-3 * EDGE, 3 * EDGE)


def test_unsigned_integers_keep_their_value():
    game = TabularGame(np.array([[2**63 + 1, 2**63 + 3]], dtype=np.uint64))
    assert verdict(game, DSIC()).gain == 2


@pytest.mark.parametrize("entries", [[2**62, -(2**62)], [EDGE + 1, 0]])
def test_integers_beyond_the_edge_are_kept_as_objects(entries):
    game = TabularGame([entries])
    assert game.table.dtype == object
    assert verdict(game, DSIC()).gain == entries[1] - entries[0]


def test_numpy_integers_among_fractions_do_not_wrap_around():
    table = np.empty((1, 2), dtype=object)
    table[0] = [np.int64(2**40), Fraction(1, 2**40)]
    assert verdict(TabularGame(table), DSIC()).gain == Fraction(1, 2**40) - 2**40


def test_sums_move_to_objects_only_where_they_must():
    assert sum_along(np.array([[1, 2]]), axis=1).dtype == np.int64
    wide = sum_along(np.array([[LARGEST_ENTRY, LARGEST_ENTRY]]), axis=1)
    assert wide.dtype == object
    assert wide[0] == 2 * LARGEST_ENTRY


def test_units_have_a_largest_common_one():
    unit = find_common_unit(Fraction(1, 6), Fraction(1, 4))
    assert unit == Fraction(1, 12)
    assert rescale(np.array([5]), Fraction(1, 6), unit).tolist() == [10]
    assert rescale(np.array([LARGEST_ENTRY]), Fraction(1, 6), unit).tolist() == [2 * LARGEST_ENTRY]


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0"),
        (12_345, "12,345"),
        (10**9, "1.0e9"),
        (25 * 10**10, "2.5e11"),
        (1_999_999_999, "2.0e9"),
        (10**12 - 1, "1.0e12"),
        (1_449_999_999, "1.4e9"),
        (10**250, "1.0e250"),
        (7 * 10**5000 + 1, "7.0e5000"),
        (2**40_000, "1.6e12041"),
        (10**5000 - 1, "1.0e5000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_counts_of_any_size_can_be_written(count, written):
    assert format_count(count) == written


def test_an_estimate_cost_a_table_counts_no_new_table():
    game = TabularGame(np.zeros((2, 30, 30), dtype=int))
    found = estimate_cost(DSIC(), game)
    assert (found.rows, found.memory) == (2 * 29 * 30, 0)
    assert verdict(game, DSIC()).status is Status.HOLDS
    assert audit(game, [DSIC()], budget=Budget(memory=0))["DSIC"].status is Status.HOLDS


def test_a_table_that_must_be_made_counts_against_the_memory():
    class Called:
        players = ("a", "b")

        def actions(self, i):
            return range(30)

        def truth(self, i):
            return 0

        def absent(self, i):
            return None

        def payoffs(self, profile):
            return [0, 0]

    assert estimate_cost(DSIC(), Called()).memory == 30 * 30 * 2 * 8
    small = Budget(memory=30 * 30 * 2 * 8 - 1, samples=10)
    assert audit(Called(), [DSIC()], budget=small)["DSIC"].status is Status.NO_COUNTEREXAMPLE


@pytest.mark.parametrize("bad", [{"samples": 0}, {"beyond": "hope"}])
def test_a_budget_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        Budget(**bad)


BEYOND = [10**400, Fraction(10**400, 7), Fraction(1, 10**400), 10**5000, Fraction(10**5000, 3)]
ALL = [
    DSIC(),
    ExPostIC(),
    EpsilonIC(10**400),
    CoalitionProof(2),
    CoalitionProof(2, transfers=True),
    IndividualRationality(),
    IndividualRationality("every report"),
    Efficient(),
    ParetoEfficient(),
    UniqueEquilibrium(),
    Symmetric(),
    WeakBudgetBalance(),
    StrongBudgetBalance(),
]


@pytest.mark.parametrize("amount", BEYOND, ids=["1e400", "1e400/7", "1e-400", "1e5000", "1e5000/3"])
@pytest.mark.parametrize("prop", ALL, ids=lambda prop: prop.name)
def test_payoffs_beyond_floats_are_judged_exactly_and_written(amount, prop):
    table = np.zeros((2, 2, 2), dtype=object)
    table[0, 1, 0], table[1, 0, 1], table[1, 1, 1] = amount, -amount, 1
    found = verdict(TabularGame(table, absent=[1, 1], payments=table), prop)
    assert found.exact
    if prop == ExPostIC():
        assert (found.status, found.gain) == (Status.FAILS, amount)
    json.dumps(found.as_dict())
    str(Verdicts([found]))


@pytest.mark.parametrize("amount", BEYOND, ids=["1e400", "1e400/7", "1e-400", "1e5000", "1e5000/3"])
def test_the_best_lie_may_gain_more_than_a_float_holds(amount):
    (found,) = best_lies(TabularGame([[0, amount]], absent=[1]))
    assert (found.lie, found.absent) == (amount, amount)
    json.dumps(found.as_dict())


def test_an_amount_beyond_floats_outside_a_table_of_floats_is_refused():
    with pytest.raises(ValueError, match="beyond 1e308 stands beside a float"):
        verdict(TabularGame([[0.5, 0]], outside=[10**400]), IndividualRationality())


def test_a_float_outside_a_table_of_amounts_too_small_for_floats_is_taken_exactly():
    exact = TabularGame([[Fraction(1, 10**400), 0]], outside=[0.5])
    assert verdict(exact, IndividualRationality()).status is Status.FAILS


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (10**400, 10**400),
        (Fraction(-(10**30), 7), f"-{10**30}/7"),
        (10**5000, "about 1.0e5000"),
        (-12 * 10**5000, "about -1.2e5001"),
        (Fraction(1, 3 * 10**5000), "about 3.3e-5001"),
        (10**5000 - 1, "about 1.0e5000"),
    ],
    ids=["integer", "fraction", "1e5000", "-1.2e5001", "3.3e-5001", "99..9"],
)
def test_numbers_are_written_in_full_up_to_some_thousand_digits(number, written):
    assert encode_number(number) == written
