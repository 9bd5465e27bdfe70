"""A property of a family holds if it does in every game; counts add up."""

from fractions import Fraction

import numpy as np
import pytest

from aboveboard.auditing import (
    DSIC,
    Budget,
    Efficient,
    ExPostIC,
    IndividualRationality,
    Status,
    StrongBudgetBalance,
    Symmetric,
    WeakBudgetBalance,
    audit,
)
from aboveboard.games.game import TabularGame

HOLDS = TabularGame([[2, 1, 0]])
FAILS = TabularGame([[0, 1, 5]])
WORSE = TabularGame([[0, 7]])
EMPTY = TabularGame([[1]])
CLOSE = TabularGame([[0.3, 0.3 + 1e-13]])
FLOATS = TabularGame([[0.3, 0.2]])
LARGE = TabularGame(np.zeros((1, 500), dtype=int))
SMALL_BUDGET = Budget(rows=400, samples=100)


def verdict(games, prop=None, **options):
    prop = prop or DSIC()
    return audit(games, [prop], **options)[prop.name]


def test_a_family_holds_where_every_game_does():
    found = verdict([HOLDS, HOLDS])
    assert (found.status, found.checked, found.total, found.how) == (
        Status.HOLDS,
        4,
        4,
        "exhaustive",
    )
    assert found.gain == -1
    assert found.statement is None


def test_a_family_fails_with_the_game_in_which_a_lie_gains_most():
    found = verdict([HOLDS, FAILS, WORSE])
    assert (found.status, found.gain, found.checked) == (Status.FAILS, 7, 5)
    assert found.witness.lie == {"1": 1}
    assert found.statement == "game 3 of 3"


def test_fails_is_stronger_than_undecided():
    assert verdict([CLOSE, FAILS]).status is Status.FAILS


def test_undecided_is_stronger_than_holds_and_no_counterexample():
    found = verdict([HOLDS, CLOSE, LARGE], budget=SMALL_BUDGET)
    assert found.status is Status.UNDECIDED
    assert found.statement.startswith("game 2 of 3: ")


def test_no_counterexample_is_stronger_than_holds():
    found = verdict([HOLDS, LARGE, HOLDS], budget=SMALL_BUDGET, seed=4)
    assert (found.status, found.how, found.seed) == (Status.NO_COUNTEREXAMPLE, "sampled", 4)
    assert found.total == 2 + 499 + 2
    assert found.confidence.startswith("in each game, with 95% confidence")
    assert f"{found.draws} uniform draws" in found.confidence


def test_holds_is_stronger_than_vacuous():
    found = verdict([EMPTY, HOLDS])
    assert (found.status, found.checked, found.how) == (Status.HOLDS, 2, "exhaustive")
    assert found.statement == "in 1 of 2 games there was nothing to check"


def test_a_family_is_vacuous_where_every_game_is():
    assert verdict([EMPTY, EMPTY]).status is Status.VACUOUS


def test_one_game_with_floats_makes_the_family_inexact():
    found = verdict([HOLDS, FLOATS, TabularGame([[30.5, 2]])])
    assert found.status is Status.HOLDS
    assert not found.exact
    assert found.tolerance == pytest.approx(30.5e-9)


def test_a_sampled_failure_in_one_game_leaves_the_others_sampled():
    found = verdict([LARGE, FAILS], budget=SMALL_BUDGET)
    assert (found.status, found.how) == (Status.FAILS, "sampled")
    assert found.checked < found.total == 499 + 2


def test_a_family_of_one_is_that_game():
    assert verdict([FAILS]) == verdict(FAILS)


def test_a_family_may_be_a_generator():
    assert verdict(g for g in (HOLDS, FAILS)).status is Status.FAILS


def test_no_game_is_refused():
    with pytest.raises(ValueError, match="no game"):
        audit([], [DSIC()])


def test_what_is_no_game_in_a_family_is_refused():
    with pytest.raises(TypeError, match="int is not a game"):
        audit([HOLDS, 3], [DSIC()])


def test_counts_of_outcome_properties_add_up_past_the_first_failure():
    bad = TabularGame([[0, 0]], payments=[[-1, 0]])
    worse = TabularGame([[0, 0, 0]], payments=[[0, 0, Fraction(-7, 2)]])
    good = TabularGame([[0, 0]], payments=[[1, 1]])
    found = verdict([bad, good, worse], WeakBudgetBalance())
    assert (found.status, found.checked, found.total) == (Status.FAILS, 7, 7)
    assert found.statement.startswith("game ")


def test_every_property_combines():
    games = [
        TabularGame([[3, 0]], payments=[[0, 0]], outside=[1]),
        TabularGame([[0, 1]], payments=[[0, 1]], outside=[1]),
    ]
    props = [Efficient(), StrongBudgetBalance(), IndividualRationality(), Symmetric(), ExPostIC()]
    assert [v.status for v in audit(games, props).values()] == [
        Status.FAILS,
        Status.FAILS,
        Status.FAILS,
        Status.VACUOUS,
        Status.FAILS,
    ]


def test_progress_counts_every_row_once():
    for prop in (DSIC(), ExPostIC(), IndividualRationality("every report")):
        counted = []
        game = TabularGame(np.zeros((2, 9, 300), dtype=int), absent=(0, 8))
        found = audit([game, game], [prop], progress=counted.append)[prop.name]
        assert sum(counted) == found.checked == found.total


def test_progress_counts_sampled_rows():
    counted = []
    found = verdict(LARGE, budget=SMALL_BUDGET, progress=counted.append)
    assert sum(counted) == found.checked
