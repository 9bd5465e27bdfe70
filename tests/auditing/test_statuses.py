"""What a verdict may say: holds, fails, no counterexample, vacuous, undecided; and why."""

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
    StrongDominance,
    Symmetric,
    UniqueEquilibrium,
    WeakBudgetBalance,
    audit,
)
from aboveboard.auditing import search as searching
from aboveboard.games.game import TabularGame
from aboveboard.games.numbers import to_number

TINY = 1e-13  # far below the tolerance of payoffs around 1


class Floats:
    """One player with a list of payoffs, floats; `exactly` settles what they leave open."""

    players = ("a",)

    def __init__(self, payoffs):
        self._payoffs = payoffs

    def actions(self, i):
        return range(len(self._payoffs))

    def truth(self, i):
        return 0

    def absent(self, i):
        return None

    def payoffs(self, profile):
        return [self._payoffs[profile[0]]]


def verdict(game, prop=None, **options):
    prop = prop or DSIC()
    return audit(game, [prop], **options)[prop.name]


def test_a_float_gain_beyond_the_tolerance_fails():
    found = verdict(TabularGame([[0.3, 0.4]]))
    assert found.status is Status.FAILS
    assert not found.exact
    assert found.tolerance == pytest.approx(0.4e-9)


def test_a_float_gain_within_the_tolerance_is_undecided():
    found = verdict(TabularGame([[0.3, 0.3 + TINY]]))
    assert found.status is Status.UNDECIDED
    assert found.witness is None
    assert "within the tolerance" in found.statement
    assert not found.exact
    assert found.tolerance > 0


def test_a_float_tie_holds_and_says_that_it_is_not_exact():
    found = verdict(TabularGame([[0.3, 0.3]]))
    assert found.status is Status.HOLDS
    assert not found.exact
    assert found.tolerance > 0


def test_floats_of_a_game_that_is_called_are_judged_alike():
    assert verdict(Floats([0.3, 0.3 + TINY])).status is Status.UNDECIDED
    assert verdict(Floats([0.3, 0.3 + TINY]), ExPostIC()).status is Status.UNDECIDED


def test_the_tolerance_grows_with_the_payoffs():
    assert verdict(TabularGame([[1e6 + 0.5, 1e6 + 0.5 + 1e-5]])).status is Status.UNDECIDED
    assert verdict(TabularGame([[1.5, 1.5 + 1e-5]])).status is Status.FAILS


def test_whole_number_floats_are_exact():
    found = verdict(TabularGame([[1e15, 1e15 + 1]]))
    assert (found.status, found.exact, found.gain) == (Status.FAILS, True, 1)
    assert isinstance(found.gain, int)


def test_whole_number_floats_of_a_game_that_is_called_are_exact():
    found = verdict(Floats([1e15, 1e15 + 1]))
    assert (found.status, found.exact, found.gain) == (Status.FAILS, True, 1)


def test_fractions_are_exact():
    found = verdict(TabularGame([[Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**15)]]))
    assert (found.status, found.exact) == (Status.FAILS, True)
    assert found.gain == Fraction(1, 10**15)
    assert found.as_dict()["gain"] == "1/1000000000000000"


def test_huge_integers_are_exact():
    found = verdict(TabularGame([[2**200, 2**200 + 1]]))
    assert (found.status, found.exact, found.gain) == (Status.FAILS, True, 1)
    assert verdict(TabularGame([[2**200 + 1, 2**200]])).status is Status.HOLDS


def test_integers_beyond_every_float_are_exact():
    table = [[[10**400, 0], [10**400 + 1, 0]], [[0, 0], [0, 0]]]
    for prop in (DSIC(), ExPostIC(), CoalitionProof(2), Efficient(), UniqueEquilibrium()):
        assert verdict(TabularGame(table), prop).status is Status.FAILS


def test_fractions_below_every_float_are_exact():
    least = Fraction(1, 10**400)
    game = TabularGame([[0, least]], payments=[[-least, 0]])
    assert verdict(game).gain == least
    assert verdict(game, WeakBudgetBalance()).status is Status.FAILS


def test_a_single_action_leaves_nothing_to_check():
    game = TabularGame([[[1]], [[2]]])
    for prop in (ExPostIC(), DSIC(), EpsilonIC(1), CoalitionProof(2)):
        found = verdict(game, prop)
        assert (found.status, found.checked, found.gain) == (Status.VACUOUS, 0, None)


def test_players_with_a_single_action_cannot_lie_but_others_can():
    game = TabularGame([[[1, 1]], [[0, 3]]])
    found = verdict(game)
    assert (found.status, found.checked, found.gainer) == (Status.FAILS, 1, "2")


def test_undecided_floats_in_budget_balance():
    game = TabularGame([[[0]], [[0]]], payments=[[[0.1 + 0.2]], [[-0.3]]])
    found = verdict(game, StrongBudgetBalance())
    assert found.status is Status.UNDECIDED
    assert not found.exact
    assert verdict(game, WeakBudgetBalance()).status is Status.HOLDS


class Paying(Floats):
    """Payments that a stranger's method computes."""

    def __init__(self, *payments):
        super().__init__([0])
        self.taken = payments
        self.players = tuple(f"p{k}" for k in range(len(payments)))

    def payoffs(self, profile):
        return [0] * len(self.players)

    def payments(self, profile):
        return self.taken


def test_undecided_floats_in_payments_that_are_called():
    found = verdict(Paying(0.1 + 0.2, -0.3), StrongBudgetBalance())
    assert (found.status, found.exact) == (Status.UNDECIDED, False)
    assert verdict(Paying(0.3, -0.3), StrongBudgetBalance()).status is Status.HOLDS
    assert verdict(Paying(0.4, -0.3), StrongBudgetBalance()).status is Status.FAILS


def test_payments_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        verdict(Paying(float("nan"), 1.0), WeakBudgetBalance())


def test_undecided_floats_in_symmetry():
    game = TabularGame([[[0.3]], [[0.1 + 0.2]]])
    assert verdict(game, Symmetric()).status is Status.UNDECIDED


def test_undecided_floats_in_strong_dominance():
    game = TabularGame([[[0.1 + 0.2]], [[0.3]]], quality=[[1], [1]])
    found = verdict(game, StrongDominance())
    assert found.status is Status.UNDECIDED
    assert "sent" in found.statement


@pytest.mark.parametrize("prop", [Efficient(), ParetoEfficient()])
def test_undecided_floats_in_efficiency(prop):
    assert verdict(TabularGame([[0.3, 0.3 + TINY]]), prop).status is Status.UNDECIDED
    assert verdict(TabularGame([[0.3, 0.3]]), prop).status is Status.HOLDS
    assert verdict(TabularGame([[0.3, 0.4]]), prop).status is Status.FAILS


def test_undecided_floats_in_equilibria():
    game = TabularGame([[0.3, 0.3 - TINY]])
    assert verdict(game, UniqueEquilibrium()).status is Status.UNDECIDED


def test_truth_that_is_clearly_beaten_fails_whatever_else_ties():
    game = TabularGame([[0.1, 0.3, 0.3 - TINY]])
    found = verdict(game, UniqueEquilibrium())
    assert (found.status, found.witness.note) == (Status.FAILS, "truth is not an equilibrium")


# -- past the budget ---------------------------------------------------------------------------

ZEROS = TabularGame(np.zeros((2, 40, 40), dtype=int), absent=(1, 1), payments=np.zeros((2, 40, 40)))


@pytest.mark.parametrize("prop", [DSIC(), CoalitionProof(2)])
def test_past_the_budget_a_sample_finds_no_counterexample(prop):
    found = verdict(ZEROS, prop, budget=Budget(rows=100, samples=50), seed=7)
    assert found.status is Status.NO_COUNTEREXAMPLE
    assert found.how == "sampled"
    assert found.checked < found.total
    assert found.seed == 7
    assert found.draws <= 50
    assert f"{found.draws} uniform draws" in found.confidence


def test_the_same_seed_draws_the_same_sample():
    table = np.random.default_rng(3).integers(0, 1000, (2, 40, 40))
    budget = Budget(rows=100, samples=20)
    one, two = (verdict(TabularGame(table), budget=budget, seed=5) for _ in range(2))
    assert one == two


def test_within_the_budget_nothing_is_sampled():
    found = verdict(ZEROS, DSIC(), budget=Budget(rows=2 * 39 * 40))
    assert (found.status, found.checked) == (Status.HOLDS, 2 * 39 * 40)


def test_parts_that_are_no_larger_than_the_sample_are_checked_whole():
    found = verdict(ZEROS, ExPostIC(), budget=Budget(rows=10, samples=39))
    assert found.checked == found.total == 78


@pytest.mark.parametrize(
    "prop", [DSIC(), ExPostIC(), CoalitionProof(2), IndividualRationality("every report")]
)
def test_a_refusal_names_rows_memory_and_time(prop):
    with pytest.raises(searching.BudgetExceeded) as refusal:
        verdict(ZEROS, prop, budget=Budget(rows=10, beyond="refuse"))
    message = str(refusal.value)
    assert "checks" in message
    assert "MiB" in message
    assert " s;" in message
    assert "allows 10 checks" in message


def test_equilibria_past_the_budget_are_refused_not_sampled():
    with pytest.raises(searching.BudgetExceeded, match="cannot be sampled"):
        verdict(ZEROS, UniqueEquilibrium(), budget=Budget(rows=10))


class Stranger(Floats):
    """Many profiles of a game that must be called; everything is symmetric and zero."""

    players = ("a", "b")

    def __init__(self):
        super().__init__([0] * 30)

    def payoffs(self, profile):
        return [0, 0]

    def payments(self, profile):
        return [0, 0]

    def benefits(self, profile):
        return [0, 0]

    def inferior(self, profile):
        return np.ones((2, 2), dtype=bool)

    def result_inferior(self, profile):
        return np.ones((2, 2), dtype=bool)


BY_PROFILE = [
    WeakBudgetBalance(),
    StrongBudgetBalance(),
    Symmetric(),
    StrongDominance(),
    Efficient(),
    ParetoEfficient(),
]


@pytest.mark.parametrize("prop", BY_PROFILE)
def test_profiles_past_the_budget_are_sampled(prop):
    found = verdict(Stranger(), prop, budget=Budget(rows=100, samples=50), seed=1)
    assert found.status is Status.NO_COUNTEREXAMPLE
    assert (found.checked, found.total, found.draws) == (51, 900, 50)
    assert "50 uniform draws" in found.confidence


@pytest.mark.parametrize("prop", BY_PROFILE)
def test_profiles_past_the_budget_are_refused_if_asked(prop):
    with pytest.raises(searching.BudgetExceeded, match="900 profiles"):
        verdict(Stranger(), prop, budget=Budget(rows=100, beyond="refuse"))


@pytest.mark.parametrize("prop", BY_PROFILE)
def test_profiles_within_the_budget_are_all_checked(prop):
    found = verdict(Stranger(), prop, budget=Budget(rows=900))
    assert (found.status, found.checked, found.total) == (Status.HOLDS, 900, 900)


@pytest.mark.deep
def test_the_confidence_statement_is_true_as_often_as_it_says():
    """A share p of deviations pays: where the statement is p, at most 5% of samples miss it."""
    actions, draws = 2001, 60
    share = 1 - 0.05 ** (1 / draws)
    paying = round(share * (actions - 1))
    table = np.zeros((1, actions), dtype=int)
    table[0, -paying:] = 1
    budget = Budget(rows=10, samples=draws)
    missed = sum(
        verdict(TabularGame(table), budget=budget, seed=seed).status is Status.NO_COUNTEREXAMPLE
        for seed in range(600)
    )
    # 600 samples at 5%: 30 expected, and more than 50 in less than one run of a thousand.
    assert 12 <= missed <= 50


def test_a_verdict_is_plain_data():
    found = verdict(TabularGame([[Fraction(1, 2), 1]], players=["alpha"])).as_dict()
    assert list(found)[:7] == [
        "property", "status", "promised", "checked", "gain", "counterexample", "basis"
    ]  # fmt: skip
    assert found["status"] == "fails"
    assert found["gain"] == "1/2"
    assert found["counterexample"]["payoffs"] == {"alpha": ["1/2", 1]}


def test_a_verdict_that_stopped_early_does_not_claim_all_checks():
    class Skewed(Stranger):
        def payments(self, profile):
            return [-1, 0]

    found = verdict(Skewed(), WeakBudgetBalance())
    assert (found.status, found.checked) == (Status.FAILS, 1)
    assert found.basis() == "1 check of 900"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.nan, None, "many"])
def test_payoffs_that_are_no_finite_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        verdict(Floats([0, bad]))


def test_numbers_of_numpy_become_numbers_of_python():
    assert type(to_number(np.int64(3))) is int
    assert type(to_number(np.float32(0.5))) is float
    assert type(to_number(np.bool_(True))) is bool
