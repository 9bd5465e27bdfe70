"""Every property in a game where it fails, with the exact witness, and in one where it holds."""

from fractions import Fraction

import numpy as np
import pytest

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    Efficient,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Status,
    StrongBudgetBalance,
    StrongDominance,
    Symmetric,
    UniqueEquilibrium,
    WeakBudgetBalance,
    audit,
    pure_equilibria,
)
from aboveboard.errors import UndefinedProperty
from aboveboard.games.game import TabularGame

# Cooperate or defect.
DILEMMA = [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]
NAMED = {"players": ["row", "column"], "labels": [["stay silent", "confess"]] * 2}
SILENT = TabularGame(DILEMMA, truth=0, **NAMED)
CONFESS = TabularGame(DILEMMA, truth=1, **NAMED)
# Both gain by meeting; neither can move alone.
COORDINATION = [[[1, 0], [0, 2]], [[1, 0], [0, 2]]]


def verdict(game, prop):
    return audit(game, [prop])[prop.name]


def witness(game, prop):
    found = verdict(game, prop)
    assert found.status is Status.FAILS
    return found.witness


def holds(game, prop):
    return verdict(game, prop).status is Status.HOLDS


def test_ex_post_ic_fails_where_one_lie_pays_against_truth():
    found = witness(SILENT, ExPostIC())
    assert found.parties == ("row",)
    assert found.truth == {"row": "stay silent"}
    assert found.lie == {"row": "confess"}
    assert found.others == {"column": "truth"}
    assert found.gain == 2
    assert found.payoffs == {"row": (3, 5)}
    assert found.row == "ex-post IC/row/(1,0)"


def test_ex_post_ic_holds_where_no_lie_pays_against_truth():
    assert holds(CONFESS, ExPostIC())


def test_ex_post_ic_ignores_lies_that_pay_only_against_lies():
    assert holds(TabularGame(COORDINATION), ExPostIC())


def test_dsic_fails_where_a_lie_pays_against_some_report():
    found = witness(TabularGame(COORDINATION), DSIC())
    assert found.parties == ("1",)
    assert found.lie == {"1": 1}
    assert found.others == {"2": 1}
    assert found.gain == 2
    assert found.row == "DSIC/1/(1,1)"


def test_dsic_holds_where_truth_is_dominant():
    found = verdict(CONFESS, DSIC())
    assert found.status is Status.HOLDS
    assert (found.checked, found.total, found.how) == (4, 4, "exhaustive")
    assert found.gain == -1


def test_epsilon_ic_fails_above_epsilon():
    found = verdict(SILENT, EpsilonIC(Fraction(3, 2)))
    assert found.status is Status.FAILS
    assert (found.gain, found.gainer) == (2, "row")


def test_epsilon_ic_holds_at_the_largest_gain():
    found = verdict(SILENT, EpsilonIC(2))
    assert found.status is Status.HOLDS
    assert (found.gain, found.gainer) == (2, "row")


def test_epsilon_ic_compares_a_float_epsilon_exactly():
    tenth = TabularGame([[0, Fraction(1, 10)]])
    assert Fraction(0.1) > Fraction(1, 10)
    assert holds(tenth, EpsilonIC(0.1))
    barely = TabularGame([[0, Fraction(0.1) + Fraction(1, 10**30)]])
    assert verdict(barely, EpsilonIC(0.1)).status is Status.FAILS


def test_epsilon_must_be_finite():
    with pytest.raises(ValueError, match="finite"):
        EpsilonIC(float("nan"))


def test_ir_fails_where_staying_away_is_better():
    game = TabularGame(
        [[[-1, 4], [0, 0]], [[2, 0], [2, 0]]], absent=(1, 1), players=["alpha", "beta"]
    )
    found = witness(game, IndividualRationality())
    assert found.parties == ("alpha",)
    assert found.lie == {"alpha": 1}
    assert found.gain == 1
    assert found.row == "IR/alpha/(1,0)"


def test_ir_holds_where_joining_is_no_worse():
    game = TabularGame([[[0, -4], [0, 0]], [[2, 0], [2, 0]]], absent=(1, 1))
    assert holds(game, IndividualRationality())


def test_ir_against_every_report_looks_at_the_others_lies_too():
    game = TabularGame([[[0, -4], [0, 0]], [[2, 0], [2, 0]]], absent=(1, 1))
    found = witness(game, IndividualRationality("every report"))
    assert found.parties == ("1",)
    assert found.others == {"2": 1}
    assert found.gain == 4


def test_ir_reads_the_payoff_of_staying_away_where_that_is_no_action():
    game = TabularGame(DILEMMA, truth=0, outside=(Fraction(7, 2), 3), **NAMED)
    found = witness(game, IndividualRationality())
    assert found.parties == ("row",)
    assert found.lie == {"row": "stays away"}
    assert found.gain == Fraction(1, 2)
    assert found.payoffs == {"row": (3, Fraction(7, 2))}
    assert found.row == "IR/row/(away,0)"


def test_ir_with_outside_against_every_report_counts_the_others_reports():
    game = TabularGame(DILEMMA, truth=0, outside=(1, 0))
    found = verdict(game, IndividualRationality("every report"))
    assert (found.status, found.gain, found.checked) == (Status.FAILS, 1, 4)
    assert found.witness.others == {"2": 1}


def test_ir_asks_both_those_who_have_an_action_for_it_and_those_who_have_a_payoff():
    game = TabularGame(DILEMMA, truth=0, absent=(1, None), outside=(None, 10))
    found = verdict(game, IndividualRationality())
    assert (found.checked, found.gain, found.gainer) == (2, 7, "2")


def test_ir_takes_outside_in_payoffs_not_in_units():
    game = TabularGame([[4]], outside=[1], unit=Fraction(1, 4))
    assert holds(game, IndividualRationality())


@pytest.mark.parametrize("against", ["truth", "every report"])
def test_ir_is_vacuous_where_nobody_can_stay_away(against):
    found = verdict(SILENT, IndividualRationality(against))
    assert (found.status, found.checked) == (Status.VACUOUS, 0)
    assert "nobody can stay away" in found.statement


def test_ir_of_a_family_counts_the_games_in_which_somebody_can_stay_away():
    found = verdict([SILENT, TabularGame([[3, 5]], absent=[1])], IndividualRationality())
    assert (found.status, found.gain) == (Status.FAILS, 2)
    assert "in 1 of 2 games there was nothing to check" in found.statement


def test_ir_is_vacuous_where_truth_is_to_stay_away():
    game = TabularGame([[3, 5]], truth=1, absent=[1])
    assert verdict(game, IndividualRationality()).status is Status.VACUOUS


def test_coalition_proofness_fails_where_two_gain_together():
    found = witness(TabularGame(COORDINATION, players=["a", "b"]), CoalitionProof(2))
    assert found.parties == ("a", "b")
    assert found.lie == {"a": 1, "b": 1}
    assert found.gain == 1
    assert found.payoffs == {"a": (1, 2), "b": (1, 2)}
    assert found.row == "coalition-proof (size 2)/a+b/(1,1)"


def test_coalition_proofness_of_size_one_ignores_pairs():
    assert holds(TabularGame(COORDINATION), CoalitionProof(1))


def test_a_coalition_with_transfers_shares_one_members_gain():
    game = TabularGame([[[2, 0], [0, 1]], [[2, 0], [0, 4]]])
    assert holds(game, CoalitionProof(2))
    found = witness(game, CoalitionProof(2, transfers=True))
    assert found.parties == ("1", "2")
    assert found.gain == 1


def test_a_coalition_has_at_least_one_member():
    with pytest.raises(ValueError, match="size is 0; it must be at least 1"):
        CoalitionProof(0)


def test_weak_budget_balance_fails_where_the_center_pays_out_more_than_it_takes_in():
    game = TabularGame([[0, 0]], payments=[[1, Fraction(-3, 2)]], players=["alpha"])
    found = witness(game, WeakBudgetBalance())
    assert found.others == {"alpha": 1}
    assert found.gain == Fraction(-3, 2)
    assert found.note == "payments sum to -3/2"
    assert found.row == "weak budget balance/(1)"


def test_weak_budget_balance_holds_with_a_surplus():
    assert holds(TabularGame([[0, 0]], payments=[[1, 0]]), WeakBudgetBalance())


def test_strong_budget_balance_fails_with_a_surplus():
    found = witness(TabularGame([[0, 0]], payments=[[1, 0]]), StrongBudgetBalance())
    assert found.gain == 1
    assert found.others == {"1": "truth"}


def test_strong_budget_balance_holds_where_payments_cancel():
    payments = [[[1, 0], [2, 0]], [[-1, 0], [-2, 0]]]
    assert holds(TabularGame(DILEMMA, payments=payments), StrongBudgetBalance())


@pytest.mark.parametrize("prop", [WeakBudgetBalance(), StrongBudgetBalance()])
def test_budget_balance_is_vacuous_where_no_money_moves(prop):
    assert verdict(SILENT, prop).status is Status.VACUOUS


def test_efficient_fails_where_another_outcome_has_a_larger_total():
    found = witness(CONFESS, Efficient())
    assert found.gain == 4
    assert found.others == {"row": "stay silent", "column": "stay silent"}
    assert found.payoffs == {"row": (1, 3), "column": (1, 3)}
    assert found.row == "efficient/(0,0)"


def test_efficient_holds_at_the_largest_total():
    assert holds(SILENT, Efficient())


def test_efficient_counts_what_the_center_takes_in():
    # Truth brings 3 and the center 2; the lie brings 4 and the center nothing.
    game = TabularGame([[3, 4]], payments=[[2, 0]])
    assert holds(game, Efficient())
    assert not holds(TabularGame([[3, 4]], payments=[[0, 0]]), Efficient())


def test_efficient_adds_payoffs_and_payments_of_different_units():
    game = TabularGame([[Fraction(1, 2), 1]], payments=[[Fraction(1, 3), 0]])
    found = witness(game, Efficient())
    assert found.gain == Fraction(1, 6)
    assert found.payoffs["the center"] == (Fraction(1, 3), 0)


def test_pareto_efficient_fails_where_another_outcome_is_better_for_all():
    found = witness(CONFESS, ParetoEfficient())
    assert found.parties == ("row", "column")
    assert found.payoffs == {"row": (1, 3), "column": (1, 3)}
    assert "row 2 more" in found.note


def test_pareto_efficient_holds_where_every_other_outcome_hurts_somebody():
    assert holds(SILENT, ParetoEfficient())


def test_the_center_counts_as_a_party_in_pareto_efficiency():
    # The lie is better for the party but costs the center.
    assert holds(TabularGame([[3, 4]], payments=[[2, 0]]), ParetoEfficient())


def test_giving_no_less_is_undefined_where_nobody_knows_what_is_given():
    with pytest.raises(UndefinedProperty, match="hand out"):
        audit(SILENT, [ParetoEfficient(giving_no_less=True)])


def test_symmetric_fails_where_equal_reports_are_sent_different_amounts():
    game = TabularGame([[[3, 0], [5, 1]], [[2, 5], [0, 1]]], players=["a", "b"])
    found = witness(game, Symmetric())
    assert found.others == {"a": "truth", "b": "truth"}
    assert found.gain == 1
    assert found.note == "a reports the same as b and is sent 3 against 2"


def test_symmetric_holds_where_equal_reports_are_sent_the_same():
    assert holds(SILENT, Symmetric())


def test_symmetric_compares_labels_not_positions():
    # Player 2 lists its actions the other way round, and is treated alike.
    game = TabularGame(
        [[[0, 3], [1, 5]], [[5, 3], [1, 0]]], labels=[["silent", "confess"], ["confess", "silent"]]
    )
    assert holds(game, Symmetric())


def test_symmetric_takes_different_numbers_of_actions():
    game = TabularGame(np.zeros((2, 2, 3), dtype=int), labels=[["a", "b"], ["b", "c", "d"]])
    assert holds(game, Symmetric())


def test_symmetric_is_vacuous_where_no_two_reports_are_equal():
    game = TabularGame(DILEMMA, labels=[["a", "b"], ["c", "d"]])
    assert verdict(game, Symmetric()).status is Status.VACUOUS


def test_symmetric_compares_labels_that_are_tuples():
    labels = [[(0, 1), (1, 0)], [(1, 0), (0, 1)]]
    assert not holds(TabularGame(DILEMMA, labels=labels), Symmetric())


def test_strong_dominance_fails_where_the_lesser_report_is_sent_more():
    game = TabularGame(DILEMMA, quality=[[2, 1], [2, 1]], players=["a", "b"])
    found = witness(game, StrongDominance())
    assert found.parties == ("a", "b")
    assert found.others == {"a": 1, "b": "truth"}
    assert found.gain == 5
    assert found.note == "a reports no more than b and is sent 5 against 0"


def test_strong_dominance_holds_where_more_reported_is_more_sent():
    assert holds(TabularGame(DILEMMA, quality=[[1, 2], [1, 2]]), StrongDominance())


def test_strong_dominance_is_undefined_without_quality():
    with pytest.raises(UndefinedProperty, match="quality"):
        audit(SILENT, [StrongDominance()])


def test_strong_dominance_of_one_player_is_vacuous():
    assert verdict(TabularGame([[1]], quality=[[1]]), StrongDominance()).status is Status.VACUOUS


def test_unique_equilibrium_fails_with_the_other_equilibrium():
    game = TabularGame(COORDINATION, players=["a", "b"])
    found = witness(game, UniqueEquilibrium())
    assert found.others == {"a": 1, "b": 1}
    assert found.note == "another equilibrium, one of 2 in all: a 1; b 1"
    assert found.row == "unique equilibrium/(1,1)"


def test_unique_equilibrium_fails_where_truth_is_none():
    assert witness(SILENT, UniqueEquilibrium()).note == "truth is not an equilibrium"


def test_unique_equilibrium_holds_where_truth_is_the_only_one():
    assert holds(CONFESS, UniqueEquilibrium())


def test_pure_equilibria_come_in_lexicographic_order():
    assert pure_equilibria(TabularGame(COORDINATION)).tolist() == [[0, 0], [1, 1]]


def test_matching_pennies_has_no_pure_equilibrium():
    assert pure_equilibria(TabularGame([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])).shape == (0, 2)


@pytest.mark.parametrize("table", [[[0, Fraction(1, 3)]], [[0, 2**70]], [[0.0, 0.3]], [[0, 1]]])
def test_a_tolerance_counts_as_best_what_is_short_by_no_more(table):
    top = Fraction(table[0][1])
    game = TabularGame(table)
    assert pure_equilibria(game, tolerance=top).tolist() == [[0], [1]]
    assert pure_equilibria(game, tolerance=top / 2).tolist() == [[1]]


def test_a_tolerance_is_not_negative():
    with pytest.raises(ValueError, match="negative"):
        pure_equilibria(SILENT, tolerance=-1)
