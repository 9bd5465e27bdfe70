"""What is asked of an audit is checked at the door, in words."""

from fractions import Fraction

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.auditing import audit

GAME = ab.TabularGame([[3, 5]])
WRONG = (TypeError, ValueError)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ab.CoalitionProof(2.5), "size is 2.5; it must be a whole number"),
        (lambda: ab.CoalitionProof("2"), "size is '2'; it must be a whole number"),
        (lambda: ab.CoalitionProof(size=True), "size is True; it must be a whole number"),
        (lambda: ab.CoalitionProof(0), "size is 0; it must be at least 1"),
        (lambda: ab.CoalitionProof(2, transfers=1), "transfers is 1; it must be True or False"),
        (lambda: ab.Budget(rows=-1), "rows is -1; it must be at least 0"),
        (lambda: ab.Budget(rows=1e6), "rows is 1000000.0; it must be a whole number"),
        (lambda: ab.Budget(memory=0.5), "memory is 0.5; it must be a whole number"),
        (lambda: ab.Budget(samples=0), "samples is 0; it must be at least 1"),
        (lambda: ab.Budget(samples=float("nan")), "samples is nan; it must be a whole number"),
        (lambda: ab.Budget(beyond="stop"), "beyond is 'stop'"),
        (lambda: ab.EpsilonIC(-1), "epsilon is -1; it must be a finite number from 0"),
        (lambda: ab.EpsilonIC(float("nan")), "epsilon is nan"),
        (lambda: ab.EpsilonIC(float("inf")), "epsilon is inf"),
        (lambda: ab.EpsilonIC("1/2"), "epsilon is '1/2'; it must be a number"),
        (lambda: ab.EpsilonIC(1j), "it must be a number"),
        (lambda: ab.EpsilonIC(True), "it must be a number"),
        (lambda: ab.IndividualRationality("lies"), "against is 'lies'"),
    ],
)
def test_a_property_or_a_budget_of_nonsense_is_refused(make, said):
    with pytest.raises(WRONG) as caught:
        make()
    assert said in str(caught.value)


def test_whole_numbers_of_numpy_and_huge_tolerances_will_do():
    assert ab.CoalitionProof(np.int64(2)) == ab.CoalitionProof(2)
    assert ab.Budget(rows=np.int32(5)).rows_for(GAME) == 5
    for epsilon in (10**400, Fraction(10**400, 3), np.float64(0.5)):
        assert audit(GAME, [ab.EpsilonIC(epsilon)])


@pytest.mark.parametrize("ask", [audit, ab.audit])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"properties": ab.DSIC()}, "DSIC() is not a list; write a list, such as [DSIC()]"),
        ({"properties": [ab.DSIC]}, "DSIC is a class; write DSIC()"),
        ({"properties": ["DSIC"]}, "'DSIC' is not a property"),
        ({"properties": "DSIC"}, "properties are 'DSIC'; write a list"),
        ({"properties": [ab.DSIC()], "budget": 5}, "budget is 5; write Budget(rows=..)"),
        ({"properties": [ab.DSIC()], "seed": -1}, "seed is -1; it must be at least 0"),
        ({"properties": [ab.DSIC()], "seed": 0.5}, "seed is 0.5; it must be a whole number"),
    ],
)
def test_an_audit_of_something_else_is_refused(ask, arguments, said):
    with pytest.raises(WRONG) as caught:
        ask(GAME, **arguments)
    assert said in str(caught.value)


@pytest.mark.parametrize("subject", [5, "game", [5], [], None, b"game"])
def test_what_is_no_game_is_refused(subject):
    with pytest.raises(WRONG, match=r"is not a game|no game to audit"):
        audit(subject, [ab.DSIC()])
    with pytest.raises(WRONG, match=r"is not a game|no game to audit"):
        ab.best_lies(subject)


@pytest.mark.parametrize(("name", "value"), [("budget", 5), ("seed", -1), ("seed", 0.5)])
def test_best_lies_check_their_arguments_too(name, value):
    with pytest.raises(WRONG, match=f"{name} is"):
        ab.best_lies(GAME, **{name: value})


def test_best_lies_are_those_of_one_game():
    with pytest.raises(ValueError, match="one game, not of 2"):
        ab.best_lies([GAME, GAME])


def test_a_game_without_players_is_refused():
    class Nobody:
        players = ()

        def actions(self, i):
            return []

        truth = absent = payoffs = actions

    with pytest.raises(ValueError, match="no players"):
        audit(Nobody(), [ab.DSIC()])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"payoffs": [[1 + 2j, 3]]}, "payoffs are complex128"),
        ({"payoffs": [["a", "b"]]}, "payoffs are <U1"),
        ({"payoffs": np.array([["2026-01-01", "2026-01-02"]], dtype="M8")}, "payoffs are datetime"),
        ({"payoffs": np.array([["a", 1]], dtype=object)}, "finite numbers"),
        ({"payoffs": np.array([[1j, 1]], dtype=object)}, "finite numbers"),
        ({"payoffs": [[[1, 2], [3]], [[1, 2], [3, 4]]]}, "payoffs are ragged"),
        ({"payoffs": []}, "payoffs must have the shape"),
        ({"payoffs": np.zeros((0,))}, "payoffs must have the shape"),
        ({"payoffs": [[1, 2]], "truth": 1.5}, "truth is 1.5; it must be a whole number"),
        ({"payoffs": [[1, 2]], "truth": [0.0]}, "truth is 0.0; it must be a whole number"),
        ({"payoffs": [[1, 2]], "truth": True}, "truth is True"),
        ({"payoffs": [[1, 2]], "truth": "0"}, "truth is '0'"),
        ({"payoffs": [[1, 2]], "absent": [1.0]}, "absent is 1.0"),
        ({"payoffs": [[1, 2]], "outside": [float("nan")]}, "finite numbers"),
        ({"payoffs": [[1, 2]], "outside": ["much"]}, "finite numbers"),
        ({"payoffs": [[1, 2]], "payments": [["a", "b"]]}, "payments are <U1"),
        ({"payoffs": [[1, 2]], "quality": [[1, float("nan")]]}, "finite numbers"),
        (
            {"payoffs": np.zeros((2, 1, 1)), "players": ["a", "a"]},
            "a, a; each name may occur once",
        ),
        ({"payoffs": [[0.5, 1]], "unit": 10**400}, "unit is beyond floats"),
        ({"payoffs": [[0.5, 10**400]]}, "beyond 1e308 stands beside a float"),
    ],
)
def test_a_table_of_nonsense_is_refused(arguments, said):
    with pytest.raises(WRONG) as caught:
        ab.TabularGame(**arguments)
    assert said in str(caught.value)
