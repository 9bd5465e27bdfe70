"""Rules that leave something open: one deviator has its best case, a coalition one outcome."""

from fractions import Fraction

import numpy as np
import pytest

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    Efficient,
    ExPostIC,
    ParetoEfficient,
    Status,
    UniqueEquilibrium,
    audit,
)
from aboveboard.errors import UndefinedProperty
from aboveboard.games.capabilities import HasAlternatives, HasBounds, Refinable


class Toss:
    """Two players share a prize once one of them asks; a coin that nobody sees splits it.

    With k who ask, the prize is `prizes[k]`; the first gets between 0 and all of it, the other
    the rest. Without it each has 1.
    """

    players = ("a", "b")
    unit = Fraction(1)

    def __init__(self, prizes, ones=1):
        self.prizes, self.ones = np.array(prizes), ones

    def actions(self, i):
        return range(2)

    def truth(self, i):
        return 0

    def absent(self, i):
        return None

    def payoff_bounds(self, columns):
        asked = np.broadcast_arrays(*columns)
        prize = self.prizes[asked[0] + asked[1]]
        low = np.where(prize > 0, 0, self.ones)
        high = np.where(prize > 0, prize, self.ones)
        return np.stack([low, low], axis=1), np.stack([high, high], axis=1)

    def payoff_rows(self, columns):
        return self.payoff_bounds(columns)[1]

    def payoffs(self, profile):
        return self.payoff_rows([np.array([a]) for a in profile])[0]

    def attainable(self, columns, members, floors):
        high = self.payoff_bounds(columns)[1][:, 0]
        if len(members) == 1:
            return high > floors[:, 0]
        needed = (floors + 1).sum(axis=1)
        return (needed <= high) & (high > 1) | ((high == self.ones) & (floors < 1).all(axis=1))


def verdict(game, prop):
    return audit(game, [prop])[prop.name]


def test_the_toss_is_open():
    assert isinstance(Toss([0, 0, 0]), HasBounds)


@pytest.mark.parametrize("prop", [ExPostIC(), DSIC()])
def test_a_deviation_is_judged_by_the_best_case(prop):
    found = verdict(Toss([0, 3, 3]), prop)
    assert found.status is Status.FAILS
    assert found.witness.gain == 2
    assert found.witness.payoffs == {"a": (1, 3)}


def test_the_truth_is_judged_by_the_worst_case():
    # With the other asking, the truth may bring 0: then nothing gained by joining in is surely 0.
    found = verdict(Toss([0, 1, 0]), DSIC())
    assert found.gain == 1


def test_a_coalition_needs_one_outcome_for_all_its_members():
    # Each alone could have all 3 of the prize, and gain 2; together only one of them gains.
    found = verdict(Toss([0, 0, 3]), CoalitionProof(2))
    assert (found.status, found.gain) == (Status.HOLDS, 0)


def test_what_a_coalition_gains_is_what_one_outcome_grants_each():
    # A prize of 10 is 5 for each, not the 10 that each could have.
    found = verdict(Toss([0, 0, 10]), CoalitionProof(2))
    assert (found.status, found.gain, found.witness.gain) == (Status.FAILS, 4, 4)


def test_with_transfers_separate_best_cases_prove_nothing():
    found = verdict(Toss([0, 0, 3]), CoalitionProof(2, transfers=True))
    assert found.status is Status.UNDECIDED
    assert "one outcome" in found.statement


def test_with_transfers_an_outcome_that_lifts_all_is_proof():
    assert verdict(Toss([0, 0, 10]), CoalitionProof(2, transfers=True)).status is Status.FAILS


def test_an_equilibrium_of_an_open_rule_does_not_settle_best_cases(monkeypatch):
    monkeypatch.setattr("aboveboard.auditing.families.WORTH_SKIPPING", 0)

    class Kind(Toss):
        def payoff_rows(self, columns):
            asked = np.broadcast_arrays(*columns)
            return -np.stack(asked, axis=1)

    found = audit(Kind([0, 3, 3]), [UniqueEquilibrium(), ExPostIC()])
    assert found["unique equilibrium"].status is Status.HOLDS
    assert found["ex-post IC"].status is Status.FAILS


class Classes:
    """Reports that are alike for one deviator; the refinement tells them apart."""

    players = ("a", "b")

    def __init__(self, refinement=None, actions=2):
        self.refinement, self.count = refinement, actions

    def actions(self, i):
        return range(self.count)

    def truth(self, i):
        return 0

    def absent(self, i):
        return None

    def payoffs(self, profile):
        return [1, 1] if self.count > 2 and tuple(profile) == (2, 1) else [0, 0]

    def refine(self):
        return self.refinement


def test_several_deviators_are_looked_at_in_the_refinement():
    game = Classes(Classes(actions=3))
    assert isinstance(game, Refinable)
    found = verdict(game, CoalitionProof(2))
    assert (found.status, found.witness.lie) == (Status.FAILS, {"a": 2, "b": 1})


def test_one_deviator_needs_no_refinement():
    found = verdict(Classes(Classes(actions=3)), ExPostIC())
    assert (found.status, found.total) == (Status.HOLDS, 2)


def test_classes_alone_say_no_more_than_no_counterexample():
    game, budget = Classes(Classes(actions=3)), Budget(rows=6)
    found = audit(game, [CoalitionProof(2)], budget=budget)["coalition-proof (size 2)"]
    assert (found.status, found.how) == (Status.NO_COUNTEREXAMPLE, "exhaustive")
    assert "not looked at" in found.statement


def test_a_game_that_is_itself_too_large_is_not_refined():
    class Costly(Classes):
        calls = 0

        def refine(self):
            Costly.calls += 1
            return self.refinement

    game = Costly(Costly(actions=3), actions=50)
    audit(game, [DSIC()], budget=Budget(rows=10, samples=5))
    assert Costly.calls <= 1  # only to say whether the sample was of all there is


class Center(Toss):
    """Outcomes are given by the game itself."""

    def __init__(self, rows):
        super().__init__([0, 0, 0])
        self.rows = np.array(rows)

    def outcomes(self, profile, *, giving_no_less):
        return self.rows[1:] if giving_no_less else self.rows


def test_alternatives_are_what_the_game_says():
    game = Center([[2, 2], [1, 1]])
    assert isinstance(game, HasAlternatives)
    found = audit(game, [Efficient(), ParetoEfficient(), ParetoEfficient(giving_no_less=True)])
    assert found["efficient"].witness.gain == 2
    assert found["Pareto efficient"].witness.parties == ("a", "b")
    assert found["Pareto efficient"].witness.row == "Pareto efficient/outcome 0"
    assert found["Pareto efficient (giving no less)"].status is Status.HOLDS


class PaidCenter(Center):
    def payments(self, profile):
        return [1, 0]


def test_alternatives_of_a_game_with_payments_name_what_the_center_takes_in():
    # Everybody has 1 and the center 1; the other outcome gives 3 to one party at its cost.
    assert verdict(PaidCenter([[2, 1, 0]]), Efficient()).status is Status.HOLDS
    assert verdict(PaidCenter([[2, 1, 1]]), Efficient()).witness.gain == 1


def test_alternatives_that_forget_the_center_are_undefined():
    with pytest.raises(UndefinedProperty, match="takes in"):
        audit(PaidCenter([[2, 1]]), [Efficient()])


class Graded:
    """Two players who report 0 or 1 and are sent amounts; k's result is never inferior."""

    players = ("a", "b")

    def __init__(self, amounts, comparable=True):
        self.amounts, self.comparable = amounts, comparable

    def actions(self, i):
        return range(2)

    def truth(self, i):
        return 1

    def absent(self, i):
        return 0

    def payoffs(self, profile):
        return [0, 0]

    def benefits(self, profile):
        return self.amounts(*profile)

    def inferior(self, profile):
        a, b = profile
        return np.array([[True, a <= b], [b <= a, True]]) & self.comparable

    def result_inferior(self, profile):
        x, y = self.amounts(*profile)
        return np.array([[True, x <= y], [y <= x, True]])


def test_a_graded_game_is_symmetric_where_equal_reports_are_sent_the_same():
    from aboveboard.auditing import StrongDominance, Symmetric

    found = audit(Graded(lambda a, b: (a, b)), [Symmetric(), StrongDominance()])
    assert [v.status for v in found.values()] == [Status.HOLDS] * 2
    found = audit(Graded(lambda a, b: (1, 2)), [Symmetric(), StrongDominance()])
    assert found["symmetric"].witness.note == "a reports the same as b and is sent 1 against 2"
    assert found["strong dominance"].witness.parties == ("b", "a")
    found = audit(Graded(lambda a, b: (0.3, 0.1 + 0.2)), [Symmetric()])
    assert (found["symmetric"].status, found["symmetric"].exact) == (Status.UNDECIDED, False)


def test_a_graded_game_without_comparable_reports_is_vacuous():
    from aboveboard.auditing import StrongDominance, Symmetric

    found = audit(Graded(lambda a, b: (1, 2), comparable=False), [Symmetric(), StrongDominance()])
    assert [v.status for v in found.values()] == [Status.VACUOUS] * 2
