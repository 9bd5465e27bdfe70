"""Verdicts over all commitments, against search on grids and against closed forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Society,
    advise,
    best_reply,
    compute_stake,
    examine_equilibria,
    find_mixed_equilibria,
    is_equilibrium,
    is_helpless,
    simulate_better_replies,
)
from aboveboard.curation.commitments import CustomShape, Indicator, Plateau, QuadraticPrice
from aboveboard.curation.social_functions import (
    Conjunction,
    Disjunction,
    ListedFunction,
    Mean,
    Parity,
    SocialFunction,
    Threshold,
)
from depth import up_to
from oracles import curation as plain

F = Fraction
GRID = [Commitment(F(a, 4), F(b, 4)) for a in range(5) for b in range(5)]
COARSE = [Commitment(F(a, 2), F(b, 2)) for a in range(3) for b in range(3)]
XOR_AND = ListedFunction(tuple(bool((m & 1) ^ (m >> 1 & m >> 2 & 1)) for m in range(8)))
EXAMPLE_1 = ListedFunction(tuple(bool((m & 1) ^ (m >> 1 & 1) ^ (m >> 2 & 1)) for m in range(8)))


def society(function: SocialFunction, prices: list[Fraction]) -> Society:
    return Society(function, tuple(Agent(F(1), k) for k in prices), F(1, 2))


@st.composite
def games(draw: st.DrawFn) -> CurationGame:
    n = draw(st.integers(2, 3))
    table = ListedFunction(tuple(draw(st.lists(st.booleans(), min_size=2 << n, max_size=2 << n))))
    prices = [draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 3), F(3, 4)])) for _ in range(n)]
    shapes = [
        draw(st.sampled_from([QuadraticPrice(), Plateau(), Agent(1, 1).shape])) for _ in range(n)
    ]
    agents = tuple(Agent(F(1), k, shape) for k, shape in zip(prices, shapes, strict=True))
    prior = draw(st.sampled_from([F(1, 2), F(1, 3)]))
    return CurationGame(
        Society(table, agents, prior), PROTOCOLS[draw(st.sampled_from(sorted(PROTOCOLS)))]
    )


@settings(max_examples=up_to(40), deadline=None)
@given(st.data())
def test_utilities_are_those_of_the_definitions(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 3))
    bits = data.draw(st.lists(st.booleans(), min_size=2 << n, max_size=2 << n))
    profile = [data.draw(st.sampled_from(COARSE)) for _ in range(n)]
    prices = [F(k + 1, 10) for k in range(n)]
    game = society(ListedFunction(tuple(bits)), prices)
    rules = {"competitive": plain.competitive, "fair": plain.fair}
    for name, rule in rules.items():
        pairs = [(c.p, c.q) for c in profile]
        expected = plain.utilities(
            lambda b: int(bits[sum(x << j for j, x in enumerate(b))]),
            pairs,
            F(1, 2),
            prices,
            rule(pairs, lambda pair: abs(pair[0] - pair[1])),
        )
        assert CurationGame(game, PROTOCOLS[name]).utilities(profile) == expected


@settings(max_examples=up_to(60), deadline=None)
@given(games(), st.data())
def test_no_commitment_of_a_fine_grid_beats_the_best_reply(
    game: CurationGame, data: st.DataObject
) -> None:
    n = len(game.society.agents)
    profile = tuple(data.draw(st.sampled_from(COARSE)) for _ in range(n))
    i = data.draw(st.integers(0, n - 1))
    reply = best_reply(game, i, profile)
    tried = [game.utilities((*profile[:i], c, *profile[i + 1 :]))[i] for c in GRID]
    assert max(tried) <= reply.utility


@settings(max_examples=up_to(60), deadline=None)
@given(games(), st.data())
@pytest.mark.deep
def test_the_supremum_is_approached_as_close_as_one_likes(
    game: CurationGame, data: st.DataObject
) -> None:
    n = len(game.society.agents)
    profile = tuple(data.draw(st.sampled_from(COARSE)) for _ in range(n))
    i = data.draw(st.integers(0, n - 1))
    reply = best_reply(game, i, profile)
    near = [Commitment(F(1, 2) + F(k, 2000), F(1, 2) - F(k, 2000)) for k in range(0, 1001)]
    options = [TRUTH, SILENCE, *near[:: 1 if n == 2 else 10]]
    tried = max(game.utilities((*profile[:i], c, *profile[i + 1 :]))[i] for c in options)
    assert reply.utility - tried <= game.society.agents[i].price * (
        F(1, 50) if n == 2 else F(1, 10)
    )


@pytest.mark.deep
@pytest.mark.parametrize("protocol", ["competitive", "fair", "indicator", "fair-indicator"])
@pytest.mark.parametrize(
    ("function", "prices", "found"),
    [
        (XOR_AND, [F(1, 10), F(1, 10)], {"truth"}),
        (XOR_AND, [F(1, 10), F(9, 10)], set()),
        (EXAMPLE_1, [F(1, 10), F(1, 10)], {"truth", "silence"}),
        (EXAMPLE_1, [F(9, 10), F(1, 10)], {"silence"}),
    ],
)
def test_the_four_cells_are_all_that_a_search_finds(
    protocol: str, function: ListedFunction, prices: list[Fraction], found: set[str]
) -> None:
    game = CurationGame(society(function, prices), PROTOCOLS[protocol])
    kinds = set()
    for profile in product(GRID, repeat=2):
        if is_equilibrium(game, profile):
            truth = all(c.truthful for c in profile)
            silent = all(c.silent for c in profile)
            kinds.add("truth" if truth else "silence" if silent else "other")
    assert kinds == found
    assert set(examine_equilibria(game).list_names()) == (found or {"none"})


@pytest.mark.parametrize("n", range(1, 9))
def test_what_the_truth_brings_has_the_closed_forms(n: int) -> None:
    def bearable(function: SocialFunction) -> Fraction:
        return Fraction(compute_stake(society(function, [F(1)] * n), 0).bearable_price)

    assert bearable(Parity()) == F(1, 2)
    assert bearable(Conjunction()) == bearable(Disjunction()) == F(1, 2 ** (n + 1))
    assert bearable(Mean()) == F(1, 2) - F(comb(n, n // 2), 2 ** (n + 1))


@pytest.mark.parametrize("n", range(2, 9))
def test_a_threshold_has_a_center_that_matters_for_two_k_of_an_odd_number(n: int) -> None:
    def matters(k: int, weight: int) -> bool:
        game = society(Threshold(k, weight), [F(1)] * n)
        return not is_helpless([compute_stake(game, i) for i in range(n)])

    once = [k for k in range(1, n + 2) if matters(k, 1)]
    assert once == ([(n + 1) // 2, (n + 3) // 2] if n % 2 else [])
    assert len([k for k in range(1, n + 3) if matters(k, 2)]) in (2, 3)


def test_a_cure_is_proposed_for_a_helpless_center() -> None:
    said = advise(CurationGame(society(Mean(), [F(1, 10)] * 4), PROTOCOLS["fair"]), list("abcd"))
    assert said.helpless
    assert said.cure is not None
    assert (said.cure.center_weight, said.cure.k) == (2, (3, 4))


def test_equality_of_price_and_what_truth_brings_is_not_fanatic() -> None:
    game = society(Parity(), [F(1, 2), F(1, 2)])
    assert not compute_stake(game, 0).fanatic
    assert examine_equilibria(CurationGame(game, PROTOCOLS["fair"])).truth


def test_prices_that_jump_break_lemma_7() -> None:
    agents = (Agent(F(1), F(1, 5), Indicator()),) * 2
    game = CurationGame(Society(XOR_AND, agents, F(1, 2)), PROTOCOLS["indicator"])
    assert is_equilibrium(game, (Commitment(F(7, 10), F(1, 5)), SILENCE))
    assert not examine_equilibria(game).complete


def fixed_and_linear(p: float, q: float) -> float:
    return 0.5 * (p != q) + 0.5 * abs(p - q)


def test_a_function_that_jumps_at_silence_is_found_out() -> None:
    shape = CustomShape("prices:fixed", lambda p, q: float(p != q))
    assert not shape.continuous
    assert shape.outbid(0) == Indicator().outbid(0)
    least = CustomShape("prices:fixed_and_linear", fixed_and_linear).outbid(0)
    assert least is not None
    assert (least.value, least.attained) == (pytest.approx(0.5), False)
    agents = (Agent(F(1), F(1, 5), shape),) * 2
    game = CurationGame(Society(XOR_AND, agents, F(1, 2)), PROTOCOLS["indicator"])
    assert is_equilibrium(game, (Commitment(F(7, 10), F(1, 5)), SILENCE))
    assert not examine_equilibria(game).complete


@pytest.mark.parametrize("power", [0.05, 0.5, 1, 2, 10])
def test_a_price_that_vanishes_slowly_or_fast_is_no_jump(power: float) -> None:
    shape = CustomShape("prices:power", lambda p, q: abs(p - q) ** power)
    assert shape.continuous
    assert shape.outbid(0) == (0, False)


def test_with_a_fixed_cost_no_commitment_beats_the_best_reply_and_some_come_close() -> None:
    shape = CustomShape("prices:fixed_and_linear", fixed_and_linear)
    agents = (Agent(F(1), F(1, 10), shape),) * 2
    game = CurationGame(Society(XOR_AND, agents, F(1, 2)), PROTOCOLS["competitive"])
    reply = best_reply(game, 0, (SILENCE, SILENCE))
    near = [Commitment(F(1, 2) + F(k, 2000), F(1, 2) - F(k, 2000)) for k in range(1001)]
    tried = max(game.utilities((c, SILENCE))[0] for c in near)
    assert tried <= reply.utility <= tried + F(1, 1000)


def test_the_competitive_protocol_has_a_mixed_equilibrium_that_the_fair_one_has_not() -> None:
    three = society(Mean(), [F(1, 20), F(1, 5), F(1, 5)])
    (found,) = find_mixed_equilibria(CurationGame(three, PROTOCOLS["competitive"])).equilibria
    assert found.chances == (1, F(16, 25), F(16, 25))
    assert find_mixed_equilibria(CurationGame(three, PROTOCOLS["fair"])).equilibria == ()


def test_one_agent_is_answered_for_the_truth_only() -> None:
    game = CurationGame(society(Parity(), [F(1, 10)]), PROTOCOLS["competitive"])
    assert examine_equilibria(game).list_names() == ("truth",)
    assert game.utilities([Commitment(F(0), F(1))]) == [F(1, 2) - F(1, 10)]


def test_better_replies_settle_at_once_where_truth_is_all_that_is_answered() -> None:
    game = CurationGame(society(XOR_AND, [F(1, 10)] * 2), PROTOCOLS["straightforward"])
    path = simulate_better_replies(game, (TRUTH, TRUTH), 50, np.random.default_rng(0))
    assert path.at_equilibrium
    assert len(path.profiles) == 1


def test_bids_creep_up_and_never_settle_where_somebody_is_fanatic_and_the_center_matters() -> None:
    game = CurationGame(society(XOR_AND, [F(1, 10), F(9, 10)]), PROTOCOLS["competitive"])
    path = simulate_better_replies(game, (SILENCE, SILENCE), 60, np.random.default_rng(0))
    assert not path.at_equilibrium
    assert path.disclosed[1] != path.disclosed[0]


def test_better_replies_that_stop_short_of_an_equilibrium_do_not_say_that_they_settled() -> None:
    # Whoever alone says anything is answered: agent 1 bids 1/20 and would gain by bidding less.
    game = CurationGame(society(XOR_AND, [F(9, 10)] * 2), PROTOCOLS["indicator"])
    path = simulate_better_replies(game, (SILENCE, SILENCE), 60, np.random.default_rng(0))
    assert not path.moving
    assert not is_equilibrium(game, path.profiles[-1])
    assert not path.at_equilibrium
