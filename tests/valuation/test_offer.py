"""The platform's best offer."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import comb, inf

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.valuation import (
    AlikeUsers,
    DpMean,
    FederatedMean,
    Offer,
    Population,
    PureProfiles,
    TableUtility,
    TwoUsers,
    make_alike_users,
    potential,
    propose_offer,
    reply_in_turn,
    shapley_among_users,
)
from aboveboard.valuation.offers.alike_users import binomial_probabilities
from aboveboard.valuation.offers.best_replies import follow_best_replies
from aboveboard.valuation.payments_file import Design
from depth import up_to
from oracles import valuation as oracle

F = Fraction

ZERO = F(0)
SELECTIONS = ("optimistic", "pessimistic")


def offered(utility, costs, low=ZERO, high=inf, selection="optimistic", fairness="users") -> Offer:
    names = tuple(f"u{i}" for i in range(len(costs)))
    costs = tuple(F(str(c)) for c in costs)
    return propose_offer(utility, names, Design.from_numbers(low, high, costs, selection), fairness)


class TestTwoUsersOfThePaper:
    game = make_alike_users(DpMean(), 2, F(0), inf)

    def test_the_regimes_part_at_one_third_and_two_thirds(self) -> None:
        assert self.game.c_th == pytest.approx(1 / 3)
        assert self.game.gamma_max == pytest.approx(2 / 3)

    @pytest.mark.parametrize("c", [0.34, 0.4, 0.5, 0.6, 0.66])
    def test_in_between_p_is_3c_minus_1_and_alpha_6c_over_3c_plus_2(self, c: float) -> None:
        best = self.game.best(c)
        assert 1 - best.q == pytest.approx(3 * c - 1, abs=1e-9)
        assert best.alpha == pytest.approx(6 * c / (3 * c + 2), abs=1e-9)

    @pytest.mark.parametrize("c", [0.05, 0.2, 1 / 3])
    def test_up_to_one_third_everybody_shares_for_2c(self, c: float) -> None:
        offer = offered(DpMean(), [c, c])
        assert offer.regime == "everybody shares"
        assert offer.alpha == pytest.approx(2 * c)
        assert offer.verdict.status == "holds"

    @pytest.mark.parametrize("c", [0.67, 1.0, 5.0])
    def test_from_two_thirds_on_nobody_shares(self, c: float) -> None:
        offer = offered(DpMean(), [c, c])
        assert (offer.regime, offer.alpha, offer.platform) == ("nobody shares", 0, 0)

    def test_the_smallest_alpha_of_regime_2_as_printed_would_leave_nothing(self) -> None:
        # c/gamma_max is the least alpha with an equilibrium on the curve: nobody shares there.
        c = 0.5
        assert self.game.equilibria(c / self.game.gamma_max, c) == [0.0]

    def test_the_curve_is_the_offer_at_each_cost(self) -> None:
        costs = np.linspace(0, 1, 11)
        curve = self.game.curve(costs.tolist())
        for k, c in enumerate(costs.tolist()):
            best = self.game.best(c)
            assert curve.platform[k] == pytest.approx(best.value)
            assert curve.alpha[k] == best.alpha
        assert curve.platform + curve.users == pytest.approx(curve.utility)

    def test_plain_data_has_what_the_contract_names(self) -> None:
        data = offered(DpMean(), [0.5, 0.5]).as_dict()
        for key in ("alpha", "probability_private", "utility", "platform", "users", "regime"):
            assert key in data
        assert data["utility"] == pytest.approx(data["platform"] + data["users"])
        assert data["regime"] == "some share"


class TestTheOfferInWords:
    def test_it_begins_with_who_shares_for_what_and_what_is_left(self) -> None:
        assert offered(DpMean(), [0.2, 0.2]).headline == (
            "Pay users 40% of what their data are worth: u0 and u1 share, the platform keeps 0.6."
        )

    def test_users_who_toss_coins_are_not_said_to_share_or_not_to(self) -> None:
        pure = offered(DpMean(), [0.1] * 3)
        offer = replace(pure, levels=None, private=(0.5,) * 3, verdict=None)
        assert offer.equilibrium == "symmetric mixed"
        assert "each of 3 users shares with probability" in offer.headline
        assert "each of 3 users with probability" in dict(offer.summary_rows())["who shares"]
        assert "toss" in dict(offer.summary_rows())["audit: nobody gains by changing its mind"]

    def test_it_says_which_equilibria_are_counted(self) -> None:
        counted = "equilibria at this offer"
        assert "act alike" in dict(offered(DpMean(), [0.1] * 3).summary_rows())[counted]
        assert "tossed coins" in dict(offered(DpMean(), [0.2, 0.3]).summary_rows())[counted]
        assert counted not in dict(offered(DpMean(), [0.02, 0.03, 0.5]).summary_rows())

    def test_users_who_differ_have_a_row_each(self) -> None:
        (table,) = offered(DpMean(), [0.45, 0.4]).tables()
        assert table.rows == (("u0", "no", "0"), ("u1", "yes", "0.4"))
        assert not offered(DpMean(), [0.2, 0.2]).tables()

    def test_a_platform_that_had_better_offer_nothing_is_told_so(self) -> None:
        offer = offered(DpMean(), [0.9, 0.9])
        assert offer.headline.startswith("No offer is worth making")
        assert dict(offer.summary_rows())["who shares"] == "nobody"

    def test_free_sharing_is_not_called_a_payment(self) -> None:
        assert offered(DpMean(), [0, 0]).headline.startswith("Pay nothing: u0 and u1 share")

    def test_a_best_that_is_only_approached_is_said_to_be(self) -> None:
        growing = TableUtility(tuple(map(F, [0, 1, 1, 10])))
        offer = offered(growing, [0.2, 0.2], high=F(1), selection="pessimistic")
        assert not offer.attained
        assert " close to " in offer.headline


CONCAVE = st.lists(st.integers(1, 30), min_size=2, max_size=6).map(
    lambda steps: np.cumsum([0, *sorted(steps, reverse=True)]) / sum(steps)
)
ANY = (
    st.lists(st.integers(0, 30), min_size=2, max_size=5)
    .filter(sum)
    .map(lambda steps: np.cumsum([0, *steps]) / sum(steps))
)


def game_of(worth: np.ndarray) -> AlikeUsers:
    return AlikeUsers(worth[1:] / np.arange(1, len(worth)), worth)


class TestAlikeUsers:
    @settings(max_examples=up_to(25, few=6))
    @given(CONCAVE, st.floats(0.01, 1))
    def test_with_diminishing_returns_the_marginal_gain_meets_the_cost(
        self, worth: np.ndarray, cost: float
    ) -> None:
        game, n = game_of(worth), len(worth) - 1
        best = game.best(cost)
        assert game.gamma_max == pytest.approx(worth[1])
        assert game.c_th == pytest.approx(worth[-1] - worth[-2], abs=1e-6)
        if 1e-6 < best.q < 1 - 1e-6:
            rise = float((binomial_probabilities(np.array([best.q]), n - 1) @ np.diff(worth))[0])
            assert rise == pytest.approx(cost, abs=1e-8)
            expected = float(game.compute_expected_utility(np.array([best.q]))[0])
            assert best.alpha == pytest.approx(n * best.q * cost / expected)

    @settings(max_examples=up_to(25))
    @given(ANY, st.floats(0.02, 0.9), st.booleans())
    def test_the_offer_is_the_best_on_a_grid(
        self, worth: np.ndarray, cost: float, worst: bool
    ) -> None:
        found = game_of(worth).best(cost, SELECTIONS[worst])
        slow = oracle.best_alike(worth.tolist(), cost, worst, alphas=801, points=801)
        assert found.value >= slow - 1e-9
        assert found.value <= slow + 0.02

    @settings(max_examples=up_to(25))
    @example(np.array([0, 1 / 3, 2 / 3, 1]), 1 / 3)
    @given(ANY, st.floats(0.02, 0.9))
    def test_the_worst_equilibrium_gives_no_more_than_the_best(
        self, worth: np.ndarray, cost: float
    ) -> None:
        game = game_of(worth)
        best, worst = (game.best(cost, s) for s in SELECTIONS)
        assert worst.value <= best.value + 1e-9
        if best.attained and best.alpha:
            # By its definition: users who are indifferent at every q have no end of equilibria.
            others = binomial_probabilities(np.array([best.q]), len(worth) - 2)[0]
            shared = worth[1:] / np.arange(1, len(worth))
            gain = best.alpha * float(others @ shared) - cost
            assert gain <= 1e-6 or best.q == 1
            assert gain >= -1e-6 or best.q == 0

    def test_growing_returns_have_several_equilibria(self) -> None:
        game = game_of(np.array([0, 0.1, 1.0]))  # gamma rises from 0.1 to 0.5
        assert len(game.equilibria(0.6, 0.2)) == 3
        best, worst = (game.best(0.2, s) for s in SELECTIONS)
        assert best.alpha == pytest.approx(0.4)
        assert best.q == 1
        # Whoever fears the worst must pay the first one: 0.2 / 0.1 is more than everything.
        assert (worst.alpha, worst.value) == (0, 0)
        cheap = game.best(0.02, "pessimistic")
        assert not cheap.attained
        assert cheap.alpha == pytest.approx(0.2)

    def test_free_sharing_needs_no_offer(self) -> None:
        assert offered(DpMean(), [0, 0]).platform == 1

    def test_hundreds_of_users(self) -> None:
        game = make_alike_users(DpMean(), 500, F(0), inf)
        c = 2 * game.c_th
        best = game.best(c)
        assert 0 < best.q < 1
        rise = float((binomial_probabilities(np.array([best.q]), 499) @ np.diff(game.worth))[0])
        assert rise == pytest.approx(c, rel=1e-6)

    def test_a_private_level_above_nothing_is_shared_too(self) -> None:
        offer = offered(DpMean(), [0.05] * 3, low=F(1))
        game = make_alike_users(DpMean(), 3, F(1), inf)
        full = shapley_among_users(DpMean().table([inf] * 3)).users[0]
        one = shapley_among_users(DpMean().table([inf, inf, F(1)])).users[2]
        assert game.gain[2] == pytest.approx(float(full - one))
        assert offer.regret < 1e-9

    def test_a_falling_utility_has_no_pessimistic_offer(self) -> None:
        with pytest.raises(InputError, match="optimistic"):
            offered(
                TableUtility(tuple(map(F, [0, 2, 2, 3, 2, 3, 3, 1]))),
                [0.1] * 3,
                high=F(1),
                selection="pessimistic",
            )

    def test_a_utility_of_no_data_stays_with_the_platform(self) -> None:
        offer = offered(TableUtility(tuple(map(F, [1, 3, 3, 4]))), [0.1, 0.1], high=F(1))
        assert offer.utility == 4
        assert offer.platform == pytest.approx(4 - 0.2)

    def test_users_who_differ_are_no_alike_users(self) -> None:
        with pytest.raises(ValueError, match="differ"):
            make_alike_users(TableUtility(tuple(map(F, [0, 1, 2, 3]))), 2, F(0), F(1))

    @given(st.integers(1, 40), st.floats(0, 1))
    def test_binomial_probabilities(self, n: int, q: float) -> None:
        expected = [comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]
        assert binomial_probabilities(np.array([q]), n)[0] == pytest.approx(expected, abs=1e-12)


MATRIX = st.lists(st.integers(-4, 4), min_size=4, max_size=4).map(
    lambda x: np.array(x, dtype=float).reshape(2, 2) / 4
)


class TestTwoUsers:
    @given(MATRIX, st.lists(st.integers(0, 16), min_size=4, max_size=4), st.floats(0, 1))
    def test_equilibria_are_equilibria_and_none_is_missing(
        self, rises: np.ndarray, worth: list[int], alpha: float
    ) -> None:
        game = TwoUsers(rises, np.array(worth, dtype=float).reshape(2, 2), (0.25, 0.5))
        net = alpha * rises - np.array([[0.25], [0.5]])
        payoffs = [[[0, 0], [net[0, 0], net[0, 1]]], [[0, net[1, 0]], [0, net[1, 1]]]]
        found = game.equilibria(alpha)
        assert found
        assert all(oracle.is_equilibrium(payoffs, x, y) for x, y in found)
        for x, y in [(0, 0), (0, 1), (1, 0), (1, 1)]:
            if oracle.is_equilibrium(payoffs, x, y, 0):
                assert (x, y) in found

    @settings(max_examples=up_to(40))
    @given(MATRIX, st.lists(st.integers(0, 8), min_size=4, max_size=4), st.booleans())
    def test_no_alpha_on_a_grid_is_better(
        self, rises: np.ndarray, worth: list[int], worst: bool
    ) -> None:
        game = TwoUsers(rises, np.array(worth, dtype=float).reshape(2, 2), (0.125, 0.25))
        best, answer = game.best(SELECTIONS[worst])
        pick = min if worst else max
        for alpha in np.linspace(0, 1, 201).tolist():
            value = pick(
                (1 - alpha) * game.compute_expected_utility(a) for a in game.equilibria(alpha)
            )
            assert value <= best.value + 1e-7
        near = [best.alpha] if best.attained else [best.alpha + 1e-7, best.alpha - 1e-7]
        kept = [
            pick((1 - a) * game.compute_expected_utility(e) for e in game.equilibria(a))
            for a in near
        ]
        assert max(kept) == pytest.approx(best.value, abs=1e-5)
        assert (1 - best.alpha) * game.compute_expected_utility(answer) == pytest.approx(best.value)

    def test_above_one_third_only_the_cheaper_user_is_engaged(self) -> None:
        offer = offered(DpMean(), [0.45, 0.4])
        assert offer.sharing == ("u1",)
        assert offer.alpha == pytest.approx(0.6)
        assert offer.verdict.status == "holds"

    def test_close_and_cheap_both_are(self) -> None:
        assert offered(DpMean(), [0.2, 0.21]).sharing == ("u0", "u1")

    def test_far_apart_one_is_though_both_are_cheap(self) -> None:
        assert offered(DpMean(), [0.05, 0.3]).sharing == ("u0",)

    def test_users_who_differ_at_one_cost_are_two_users(self) -> None:
        offer = offered(TableUtility(tuple(map(F, [0, 2, 1, 3]))), [0.1, 0.1], high=F(1))
        assert offer.method.startswith("equation 25")
        assert offer.alpha == pytest.approx(0.1)


class TestManyUsers:
    @settings(max_examples=up_to(40))
    @given(
        st.lists(st.integers(0, 40), min_size=8, max_size=8),
        st.lists(st.sampled_from([F(1, 4), F(1), F(2), F(5)]), min_size=3, max_size=3),
        st.fractions(0, 1, max_denominator=16),
    )
    def test_intervals_say_where_a_profile_is_an_equilibrium(
        self, values: list[int], costs: list[F], alpha: F
    ) -> None:
        values[0] = 0
        game = PureProfiles(
            potential(np.array(values, dtype=float)),
            np.array(values, dtype=float),
            np.array([float(c) for c in costs]),
        )
        low, high = game.intervals()

        def shares_of(mask: int) -> list[F]:
            return oracle.theorem_2([values[m & mask] for m in range(8)])

        slow = oracle.pure_equilibria(shares_of, costs, alpha)
        fast = [m for m in range(8) if low[m] - 1e-9 <= alpha <= high[m] + 1e-9]
        assert slow
        assert set(slow) <= set(fast)
        assert all(
            min(abs(low[m] - alpha), abs(high[m] - alpha)) < 1e-6 for m in fast if m not in slow
        )

    @settings(max_examples=up_to(30))
    @given(
        st.lists(st.integers(0, 40), min_size=8, max_size=8),
        st.lists(st.sampled_from([0.5, 1.0, 2.0, 5.0]), min_size=3, max_size=3),
        st.booleans(),
    )
    def test_no_alpha_on_a_grid_is_better(
        self, values: list[int], costs: list[float], worst: bool
    ) -> None:
        worth = np.array([0, *values[1:]], dtype=float)
        game = PureProfiles(potential(worth), worth, np.array(costs))
        best, _ = game.best(SELECTIONS[worst])
        low, high = game.intervals()
        for alpha in np.linspace(0.0003, 0.9993, 173):
            there = (low <= alpha) & (alpha <= high)
            kept = (1 - alpha) * (worth[there].min() if worst else worth[there].max())
            assert kept <= best.value + 1e-9

    @given(
        st.lists(st.integers(-20, 40), min_size=16, max_size=16),
        st.lists(st.floats(0, 6), min_size=4, max_size=4),
        st.floats(0, 1),
        st.integers(0, 15),
    )
    def test_best_replies_end_in_an_equilibrium_and_raise_the_potential(
        self, values: list[int], costs: list[float], alpha: float, start: int
    ) -> None:
        worth = np.array([0, *values[1:]], dtype=float)
        p = potential(worth)

        def gain(others: int, i: int) -> float:
            return float(p[others | 1 << i] - p[others])

        mask = reply_in_turn(gain, costs, alpha, start)
        for i, c in enumerate(costs):
            net = alpha * gain(mask & ~(1 << i), i) - c
            assert net >= -1e-9 if mask >> i & 1 else net <= 1e-9

        def height(m: int) -> float:
            return alpha * float(p[m]) - sum(c for i, c in enumerate(costs) if m >> i & 1)

        assert height(mask) >= height(start) - 1e-9

    def test_three_users_of_different_costs(self) -> None:
        offer = offered(DpMean(), [0.02, 0.03, 0.5])
        assert offer.sharing == ("u0", "u1")
        assert "two or three toss coins" in offer.method
        assert offer.verdict.status == "holds"
        assert offer.regret < 1e-12

    @pytest.mark.parametrize("selection", SELECTIONS)
    def test_dynamics_and_all_profiles_agree_on_the_papers_utility(self, selection: str) -> None:
        costs = [0.01, 0.02, 0.05, 0.1]
        table = np.array([float(x) for x in DpMean().table([inf] * 4)])
        p = potential(table)
        best, _ = PureProfiles(p, table, np.array(costs)).best(selection)
        found, mask = follow_best_replies(
            lambda others, i: float(p[others | 1 << i] - p[others]),
            lambda m: float(table[m]),
            costs,
            selection,
        )
        assert found.value <= best.value + 1e-9
        assert found.value >= best.value - 0.05
        assert mask

    def test_a_private_level_above_nothing(self) -> None:
        offer = offered(DpMean(), [0.01, 0.02, 0.5], low=F(1))
        assert offer.sharing == ("u0", "u1")
        assert offer.regret < 1e-9
        assert offer.verdict.status == "holds"

    def test_thirty_users_of_two_types_are_searched_by_numbers_of_each_type(self) -> None:
        ones = (F(1),) * 30
        utility = FederatedMean(
            Population(F(1), F(10)), tuple(F(100 if i % 2 else 10) for i in range(30)), ones
        )
        costs = [0.1 + 0.01 * i for i in range(30)]
        offer = offered(utility, costs, high=F(2))
        assert offer.method.startswith("all 256 pure profiles")
        assert offer.sharing
        assert offer.regret < 1e-9

    def test_too_many_users_are_refused(self) -> None:
        values = FederatedMean(
            Population(F(1), F(10)), tuple(F(i + 1) for i in range(40)), (F(1),) * 40
        )
        with pytest.raises(InputError, match="too many"):
            offered(values, [0.1 * i for i in range(40)], high=F(2))


@pytest.mark.deep
def test_costs_only_lower_what_the_platform_keeps() -> None:
    kept = [offered(DpMean(), [c, c, c]).platform for c in (0, 0.05, 0.1, 0.2, 0.4, 0.8)]
    assert all(a >= b - 1e-12 for a, b in pairwise(kept))


def test_a_design_is_needed() -> None:
    with pytest.raises(InputError, match="design"):
        propose_offer(DpMean(), ("a", "b"), None)
