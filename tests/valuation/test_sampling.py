"""Shares from a sample of coalitions: right on average, with honest standard errors, in budget."""

from __future__ import annotations

import math
import re
import tomllib
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aboveboard.auditing import Budget, ExPostIC, Status, audit
from aboveboard.errors import InputError
from aboveboard.mechanisms.mechanism import Work
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.valuation import (
    FunctionUtility,
    Payments,
    Sampling,
    divide,
    sample_shares,
    shapley_among_users,
    shapley_with_platform,
)
from aboveboard.valuation.payments_file import PaymentsFile
from aboveboard.valuation.shares.adjustment import adjust_to_sum, shrink_errors
from aboveboard.valuation.shares.sampling import estimate_shares
from aboveboard.valuation.utilities import dp_mean, federated_mean
from aboveboard.valuation.utilities.federated_mean import Population
from depth import up_to

METHODS = ("permutation", "stratified", "svarm", "kernelshap")


def dp(n: int) -> np.ndarray:
    return dp_mean.tabulate(np.random.default_rng(n).random(n) * 8)


def federated(n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    return federated_mean.tabulate(
        Population(1.0, 10.0),
        rng.integers(1, 3, n),
        rng.integers(1, 100, n).astype(float),
        np.ones(n),
    )


def voting(n: int) -> np.ndarray:
    weights = np.random.default_rng(n).random(n)
    members = np.arange(1 << n)[:, None] >> np.arange(n) & 1
    return (members @ weights > weights.sum() / 2).astype(float)


def covering(n: int) -> np.ndarray:
    """A game of data: who has which of forty items; a coalition is worth the items it has."""
    owned = np.random.default_rng(n).random((n, 40)) < 0.25
    members = (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)
    return (members @ owned).sum(axis=1).astype(float)


GAMES = (dp, federated, voting, covering)


class Asked:
    """A game given by its table, which counts the coalitions that it is asked for."""

    def __init__(self, table: np.ndarray) -> None:
        self.table, self.seen = table, []

    def __call__(self, members: tuple[int, ...]) -> float:
        self.seen.append(members)
        return float(self.table[sum(1 << i for i in members)])


def z_scores(table: np.ndarray, method: str, budget: int, seeds: int) -> np.ndarray:
    n = len(table).bit_length() - 1
    exact = shapley_among_users(table).users
    found = [sample_shares(Asked(table), n, method, budget, seed) for seed in range(seeds)]
    return np.array([(np.array(x.shares) - exact) / np.array(x.standard_errors) for x in found])


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.deep
def test_estimates_come_near_the_exact_shares_as_the_budget_grows(method: str, game: Any) -> None:
    table = game(9)
    exact = shapley_among_users(table).users
    error = []
    for budget in (300, 500):
        found = [sample_shares(Asked(table), 9, method, budget, seed) for seed in range(4)]
        gaps = np.array([x.shares for x in found]) - exact
        error.append(float(np.sqrt((gaps**2).mean())))
    few, many = error
    assert many < few
    assert many < 0.2 * float(np.abs(exact).max())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.deep
def test_standard_errors_are_as_large_as_the_errors(method: str) -> None:
    # Over many seeds the errors in standard errors have mean 0 and variance about 1.
    # Stratified ones are smaller (0.87 over 200 seeds, else 1.06): two draws of the most varied
    # user's are added to the five that the budget allows, which other games need.
    z = z_scores(covering(8), method, 220, 40)
    assert 0.8 < float(np.sqrt((z**2).mean())) < 1.3
    assert float(np.abs(z.mean(axis=0)).max()) < 0.5


@pytest.mark.parametrize(
    ("method", "budget"),
    [("permutation", 80), ("stratified", 220), ("svarm", 150), ("kernelshap", 150)],
)
@pytest.mark.parametrize("game", [voting, federated])
@pytest.mark.deep
def test_they_are_honest_where_few_coalitions_matter(game: Any, method: str, budget: int) -> None:
    # A vote that turns on one user; a first user who brings nearly all.
    z = z_scores(game(8), method, budget, 40)
    assert 0.7 < float(np.sqrt((z**2).mean())) < 1.35
    assert float((np.abs(z) <= 2).mean()) > 0.85


@pytest.mark.parametrize(("method", "budget"), [("permutation", 80), ("stratified", 220)])
def test_a_user_whose_draws_are_all_alike_is_not_taken_to_be_known_for_sure(
    method: str, budget: int
) -> None:
    runs = [sample_shares(Asked(voting(8)), 8, method, budget, seed) for seed in range(20)]
    # A vote that was never drawn to matter: 0 before the shares were adjusted to their sum.
    assert any(min(map(abs, run.shares)) < 0.02 for run in runs)
    assert min(min(run.standard_errors) for run in runs) > 0


@settings(max_examples=up_to(25), deadline=None)
@given(st.integers(4, 9), st.sampled_from(METHODS), st.integers(0, 2**62), st.integers(60, 700))
def test_no_more_coalitions_are_evaluated_than_the_budget_and_none_twice(
    n: int, method: str, seed: int, budget: int
) -> None:
    game = Asked(np.random.default_rng(n).random(1 << n))
    try:
        found = sample_shares(game, n, method, budget, seed)
    except InputError as error:
        assert "too few" in str(error)  # noqa: PT017 - a budget may be too small for a method
        assert not game.seen
        return
    assert len(game.seen) == len(set(game.seen)) == found.evaluations <= budget
    assert {(), tuple(range(n))} <= set(game.seen)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_estimates_and_another_other_ones(method: str) -> None:
    one, again, other = (
        sample_shares(Asked(covering(8)), 8, method, 220, seed) for seed in (3, 3, 4)
    )
    assert one == again
    assert one.shares != other.shares


@pytest.mark.parametrize("method", METHODS)
def test_shares_sum_to_the_utility_exactly_whatever_the_method(method: str) -> None:
    table = covering(8) + 3.0
    found = sample_shares(Asked(table), 8, method, 220)
    assert sum(map(Fraction, found.shares)) == Fraction(float(table[-1]) - float(table[0]))
    assert (abs(found.missing) < 1e-6) == found.sums


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("alpha", [1, Fraction(1, 2), Fraction(1, 3)])
@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_what_is_paid_out_is_alpha_times_the_utility(method: Any, alpha: Any, seed: int) -> None:
    utility = FunctionUtility(
        "f", lambda levels: math.sqrt(sum(k * x for k, x in enumerate(levels)))
    )
    found = divide(utility, (Fraction(1),) * 10, "users", alpha, Sampling(method, 600, seed))
    paid = float(alpha * Fraction(found.total))
    assert sum(map(Fraction, found.users)) == Fraction(paid)
    assert sum(found.users) + found.platform == pytest.approx(found.total, abs=1e-15)


@given(
    st.lists(st.tuples(st.floats(-10, 1e3), st.floats(0, 5)), min_size=1, max_size=12),
    st.floats(1e-3, 1e4),
)
def test_shares_that_are_adjusted_sum_exactly_and_leave_sure_ones_alone(
    each: list[tuple[float, float]], target: float
) -> None:
    shares, errors = zip(*each, strict=True)
    adjusted = adjust_to_sum(shares, errors, target)
    assert sum(map(Fraction, adjusted)) == pytest.approx(Fraction(target), rel=1e-15)
    if max(errors) > 1e-3:
        scale = max(target, *map(abs, shares), *map(abs, adjusted))
        for share, error, after in zip(shares, errors, adjusted, strict=True):
            if error == 0:
                assert after == pytest.approx(share, abs=4e-16 * scale)


def test_moving_shares_to_their_sum_shrinks_independent_errors_as_said() -> None:
    rng, errors = np.random.default_rng(5), np.array([0.1, 0.2, 0.4])
    draws = rng.normal(size=(20_000, 3)) * errors
    moved = np.array([adjust_to_sum(x.tolist(), errors.tolist(), 0.0) for x in draws])
    assert moved.std(axis=0) == pytest.approx(shrink_errors(errors.tolist()), rel=0.02)
    assert shrink_errors([0.0, 0.0]) == [0.0, 0.0]
    # A single uncertain share is known for sure, since the others and the sum are.
    assert shrink_errors([0.0, 0.3]) == [0.0, 0.0]


@pytest.mark.parametrize("method", ["svarm", "kernelshap"])
def test_a_budget_for_all_coalitions_gives_exact_shares_without_error(method: str) -> None:
    table = covering(6)
    found = sample_shares(Asked(table), 6, method, 1000)
    assert found.evaluations == 64
    assert found.shares == pytest.approx(shapley_among_users(table).users.tolist(), rel=1e-6)
    assert found.standard_errors == (0.0,) * 6


@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_a_utility_that_adds_up_is_estimated_without_error(method: str) -> None:
    found = sample_shares(lambda members: sum(i + 1.0 for i in members), 7, "permutation", 80)
    assert found.shares == pytest.approx(range(1, 8))
    assert max(found.standard_errors) < 1e-9


@pytest.mark.parametrize(
    "method", [METHODS[0], *(pytest.param(each, marks=pytest.mark.deep) for each in METHODS[1:])]
)
def test_the_platform_as_a_member_is_estimated_too(method: str) -> None:
    table = covering(7) + 2.0
    exact = shapley_with_platform(table)

    def worths(several: list[tuple[bool, ...]]) -> list[float]:
        return [float(table[sum(1 << i for i, x in enumerate(each) if x)]) for each in several]

    runs = [
        estimate_shares(worths, 7, Sampling(method, 120, seed), platform=True) for seed in range(20)
    ]
    assert all(run.evaluations <= 120 for run in runs)
    z = np.array(
        [
            (np.array([*run.shares, run.platform]) - [*exact.users, exact.platform])
            / [*run.standard_errors, run.platform_error]
            for run in runs
        ]
    )
    assert np.abs(z.mean(axis=0)).max() < 0.9
    assert 0.7 < float(np.sqrt((z**2).mean())) < 1.5


def test_auto_takes_svarm_and_where_its_strata_stay_empty_kernelshap() -> None:
    rich = sample_shares(Asked(covering(10)), 10, budget=600)
    poor = sample_shares(Asked(covering(12)), 12, budget=60)
    assert (rich.method, poor.method) == ("svarm", "kernelshap")
    assert "strata" in poor.why


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("permutation", "permutation needs 8 random orders"),
        ("stratified", "stratified needs 4 sweeps"),
        ("svarm", "svarm needs"),
        ("kernelshap", "kernelshap needs 4 coalitions for each user"),
        ("auto", "kernelshap needs 4 coalitions for each user"),
        ("owen", "there is no 'owen'"),
    ],
)
def test_a_budget_that_is_too_small_is_refused_before_anything_is_evaluated(
    method: Any, message: str
) -> None:
    game = Asked(covering(12))
    with pytest.raises(InputError, match=message):
        sample_shares(game, 12, method, 40)
    assert not game.seen


def test_a_value_that_is_no_number_is_refused_with_its_coalition() -> None:
    with pytest.raises(InputError, match=r"coalition \(\).*nan"):
        sample_shares(lambda members: float("nan"), 5, budget=31)


def test_progress_is_told_after_every_evaluation() -> None:
    told: list[tuple[int, int]] = []
    work = Work(progress=lambda done, most: told.append((done, most)))
    found = sample_shares(len, 8, "permutation", 100, work=work)
    assert told == [(k + 1, found.evaluations) for k in range(found.evaluations)]


def settled(text: str) -> Settlement:
    file = PaymentsFile.model_validate(tomllib.loads(text, parse_float=Decimal))
    return Payments.from_file(file).settle(Payments.read_reports(file, None))


def file_of(n: int, more: str) -> str:
    parties = "".join(f"[parties.p{i}]\nepsilon = {1 + i / 7:.3f}\n" for i in range(n))
    return f'mechanism = "valuation.payments"\n{more}\n[utility]\nkind = "dp-mean"\n{parties}'


class TestFromAFile:
    @pytest.mark.deep
    def test_sixty_users_who_all_differ(self) -> None:
        settlement = settled(file_of(60, "[sampling]\nbudget = 1000"))
        details = settlement.details
        assert details["sampling"]["evaluations"] == details["evaluations"] <= 1000
        assert details["method"] == f"sampled: {details['sampling']['method']}"
        shares = [x.more["share"] for x in settlement.parties.values()]
        errors = [x.more["standard_error"] for x in settlement.parties.values()]
        assert min(errors) > 0
        assert sum(map(Fraction, shares)) == Fraction(float(Fraction(str(details["utility"]))))

    @pytest.mark.parametrize("fairness", ["users", "platform"])
    def test_estimates_are_those_of_the_exact_shares(self, fairness: str) -> None:
        more = f'fairness = "{fairness}"\n'
        exact = settled(file_of(9, more))
        near = settled(file_of(9, more + "[sampling]\nbudget = 300"))
        for name, share in near.parties.items():
            gap = abs(share.more["share"] - float(exact.parties[name].more["share"]))
            assert gap < 5 * share.more["standard_error"]
        kept = [float(Fraction(str(x.details["platform"]))) for x in (near, exact)]
        assert kept[0] == pytest.approx(kept[1], abs=0.05)

    def test_alpha_scales_shares_and_standard_errors(self) -> None:
        whole, half = (
            settled(file_of(9, f"seed = 0\nalpha = {alpha}\n[sampling]\nbudget = 300"))
            for alpha in ("1.0", "0.5")
        )
        for name, share in whole.parties.items():
            assert half.parties[name].more == pytest.approx(
                {key: x / 2 for key, x in share.more.items()}
            )

    def test_a_budget_for_all_coalitions_means_exact_shares(self) -> None:
        text = file_of(8, "[sampling]\nbudget = 256")
        assert settled(text).parties == settled(file_of(8, "")).parties
        assert "sampling" not in settled(text).details
        asked_for = settled(file_of(8, '[sampling]\nbudget = 256\nmethod = "permutation"'))
        assert asked_for.details["sampling"]["method"] == "permutation"

    def test_who_stays_away_gets_nothing_for_sure(self) -> None:
        text = file_of(9, "[sampling]\nbudget = 150").replace("epsilon = 1.000", "epsilon = 0")
        assert settled(text).parties["p0"].more == {"share": 0.0, "standard_error": 0.0}

    def test_an_audit_says_that_levels_are_not_compared(self) -> None:
        text = file_of(9, "[sampling]\nbudget = 150")
        file = PaymentsFile.model_validate(tomllib.loads(text, parse_float=Decimal))
        mechanism = Payments.from_file(file)
        game = mechanism.game(Payments.read_reports(file, None))
        assert audit(game, [ExPostIC()])["ex-post IC"].status is Status.VACUOUS
        remarks = mechanism.remarks(game, Budget(), 0)
        assert "not checked: shares are sampled" in remarks["axioms"]["text"]

    def test_an_offer_is_refused(self) -> None:
        text = file_of(9, "[sampling]\nbudget = 150\n[design]\nlevels = [0, 1]\ncost = 0.5")
        text = re.sub(r"epsilon = .*", "epsilon = 1", text)
        file = PaymentsFile.model_validate(tomllib.loads(text, parse_float=Decimal))
        with pytest.raises(InputError, match="an offer needs the exact shares"):
            Payments.from_file(file).offer()

    @pytest.mark.parametrize(
        "bad", ["budget = 15", "budget = 2.5", 'method = "owen"', "budget = 2000000", "seed = 1"]
    )
    def test_a_table_that_makes_no_sense_is_refused(self, bad: str) -> None:
        with pytest.raises(ValidationError):
            settled(file_of(9, f"[sampling]\n{bad}"))
