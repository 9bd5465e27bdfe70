"""M: steps 1 and a to k, as an exact lottery and as a play with coins."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import market, markets, proposals, sets, thetas, votes

from aboveboard.errors import InputError
from aboveboard.games.lottery import Lottery
from aboveboard.market.audit.expected_utilities import build_scheme, find_unit, tabulate_utilities
from aboveboard.market.model.markets import DESTROYED, Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import expect_utilities, surplus, utilities
from aboveboard.market.rules.announcements import enumerate_announcements, find_best_proposal
from aboveboard.market.rules.communication import count_bits, count_outcome_bits
from aboveboard.market.rules.parameters import RuleParameters, choose_parameters
from aboveboard.market.rules.propose_and_agree import play, verify_transcript
from depth import up_to
from oracles import market as oracle

F = Fraction
SWAP = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)
"""Each of two players wants the other's good: a gains 3, b gains 2."""
THREE = market([0, 1, 2], [[0, 3, 3, 1, 1, 3, 3], [2, 0, 2, 0, 2, 0, 2], [1] * 7], 3)


Rows = dict[tuple[object, object, object], Fraction]


def rows_of(of: Market, lottery: Lottery[Ending]) -> Rows:
    """Endings as the oracle names them: the step, in M' with the player drawn."""
    rows: Rows = {}
    for ending, weight in lottery:
        drawn = dict(ending.tosses).get("w")
        node = ending.step if drawn is None else (ending.step, of.players.index(drawn))
        outcome = ending.outcome
        rows[node, sets(outcome.allocation, of.n), outcome.prices] = weight
    return rows


@given(st.data(), st.integers(2, 4), st.integers(0, 3), st.integers(1, 4))
@settings(max_examples=up_to(150), deadline=None)
def test_the_lottery_is_what_the_steps_say(data: st.DataObject, n: int, m: int, bits: int) -> None:
    of = data.draw(markets(n, m, bits))
    proposal = data.draw(proposals(n, m, 2 * of.bound + 1))
    step_2, step_3 = data.draw(votes(n)), data.draw(votes(n))
    parameters = choose_parameters(of)
    found = play(of, parameters, proposal, Votes(tuple(step_2), tuple(step_3)))
    said = oracle.mechanism_m(
        n,
        of.bound,
        sets(of.endowment, n),
        parameters.epsilon,
        parameters.delta,
        sets(proposal.allocation, n),
        proposal.prices,
        [None, *step_2],
        [None, *step_3],
    )
    assert rows_of(of, found) == {(node, a, prices): p for p, node, a, prices in said}
    theta = thetas(of)
    assert list(expect_utilities(of, found)) == oracle.expected(theta, sets(of.endowment, n), said)


@pytest.mark.parametrize("prices", [(-8, 8), (F(-1, 2), F(1, 2)), (1, 0), (0, F(5, 2))], ids=str)
def test_a_price_out_of_the_domain_or_unbalanced_ends_in_step_a(prices: tuple[F, F]) -> None:
    lottery = play(
        SWAP, choose_parameters(SWAP), Outcome((1, 0), prices), Votes.from_answer(2, True)
    )
    assert [(e.step, e.outcome) for e, _ in lottery] == [("a", Outcome((0, 1), (1, 0)))]


def test_the_proposers_own_price_may_leave_the_domain() -> None:
    lottery = play(
        THREE, choose_parameters(THREE), Outcome((0, 1, 2), (-14, 7, 7)), Votes.from_answer(3, True)
    )
    assert {e.step for e, _ in lottery} == {"d", "i", "j"}


def test_the_endowment_at_no_price_ends_in_step_b_with_certainty() -> None:
    lottery = play(SWAP, choose_parameters(SWAP), SWAP.nothing, Votes.from_answer(2, False))
    assert lottery == Lottery.sure(Ending("b", SWAP.nothing))


def test_a_truthful_swap_by_hand() -> None:
    parameters = RuleParameters(F(1, 100), F(1, 2000))
    lottery = play(SWAP, parameters, Outcome((1, 0), (-2, 2)), Votes.from_answer(2, True))
    by_step = {(e.step, dict(e.tosses).get("w")): (p, e.outcome) for e, p in lottery}
    assert by_step == {
        ("d", None): (F(1999, 2000), Outcome((1, 0), (F(-198, 100), F(198, 100)))),
        ("i", "a"): (F(1, 4000), Outcome((DESTROYED, 0), (F(1, 100), F(-1, 100)))),
        ("j", "b"): (F(1, 4000), Outcome((1, DESTROYED), (F(-198, 100), F(198, 100)))),
    }
    assert sum(utilities(SWAP, Outcome((1, 0), (-2, 2)))) == 5


@given(st.data())
@settings(max_examples=up_to(30), deadline=None)
def test_expected_utilities_of_all_votes_at_once_are_those_of_the_lotteries(
    data: st.DataObject,
) -> None:
    of = data.draw(markets(3, 1, 2))
    parameters = choose_parameters(of)
    scheme = build_scheme(of, parameters)
    announced = enumerate_announcements(of, scheme.limit, proposer_limited=False, most=10**4)
    utilities_of = tabulate_utilities(scheme, of, announced)
    k = data.draw(st.integers(0, len(announced) - 1))
    for one in range(4):
        for two in range(4):
            cast = Votes((bool(one & 1), bool(two & 1)), (one > 1, two > 1))
            exact = expect_utilities(of, play(of, parameters, announced[k], cast))
            units = utilities_of[:, k, one, two].tolist()
            assert tuple(x * find_unit(scheme) for x in units) == exact


def test_where_64_bits_could_overflow_the_table_is_of_python_integers() -> None:
    of = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)
    parameters = choose_parameters(of, F(1, 10**9), F(1, 10**12))
    scheme = build_scheme(of, parameters)
    announced = enumerate_announcements(of, 2, proposer_limited=False, most=10**4)
    filled = tabulate_utilities(scheme, of, announced)
    assert filled.dtype == object
    exact = expect_utilities(of, play(of, parameters, announced[5], Votes((True,), (False,))))
    assert tuple(x * find_unit(scheme) for x in filled[:, 5, 1]) == exact


@given(st.data(), st.integers(0, 2**32))
@settings(max_examples=up_to(60), deadline=None)
def test_every_ending_that_can_be_drawn_can_be_followed_again(
    data: st.DataObject, seed: int
) -> None:
    of = data.draw(markets(3, 2, 2))
    proposal = data.draw(proposals(3, 2, 4))
    cast = Votes(tuple(data.draw(votes(3))), tuple(data.draw(votes(3))))
    parameters = RuleParameters(F(1, 16), F(1, 33))  # coins that fall on both sides now and then
    ending = play(of, parameters, proposal, cast).draw(np.random.default_rng(seed))
    assert verify_transcript(of, parameters, proposal, ending) == ending


def test_a_forged_record_is_refused() -> None:
    parameters = choose_parameters(SWAP)
    proposal = Outcome((1, 0), (-2, 2))
    agreed, no = (
        next(e for e, _ in play(SWAP, parameters, proposal, v) if e.step == s)
        for s, v in (("d", Votes.from_answer(2, True)), ("e", Votes.from_answer(2, False)))
    )
    for forged, word in (
        (Ending("d", no.outcome, agreed.tosses, agreed.votes), "do not end"),
        (Ending("d", agreed.outcome, agreed.tosses, ()), "missing"),
        (Ending("e", no.outcome, (*no.tosses[:1], ("c1", "edge")), no.votes), "does not fall"),
        (Ending("e", no.outcome, no.tosses[:1], no.votes), "is missing"),
    ):
        with pytest.raises(InputError, match=word):
            verify_transcript(SWAP, parameters, proposal, forged)


def test_every_step_but_a_e_and_k_balances_the_budget() -> None:
    parameters = choose_parameters(THREE)
    seen: dict[str, set[Fraction]] = {"a": set()}
    for mask in range(16):
        yes = [bool(mask >> b & 1) for b in range(4)]
        cast = Votes((yes[0], yes[1]), (yes[2], yes[3]))
        for ending, _ in play(THREE, parameters, Outcome((1, 0, 2), (-3, 2, 1)), cast):
            seen.setdefault(ending.step, set()).add(surplus(ending.outcome))
    fine = 9 * 4 / parameters.delta
    assert seen == {
        "a": set(),
        "d": {0},
        "e": {F(2 * 3 * (3 - yes) * 4) for yes in (0, 1)},
        "f": {0},
        "g": {0},
        "i": {0},
        "j": {0},
        "k": {fine},
    }


def test_parameters_left_out_are_the_middles_of_their_ranges() -> None:
    assert choose_parameters(SWAP) == RuleParameters(F(1, 20), F(1, 1000))
    wide = market([0, 1], [[0, 3, 3], [2, 0, 2]], 20)
    assert choose_parameters(wide).delta == F(1, 20) / 2**19 / 2
    given_delta = choose_parameters(SWAP, delta=F(1, 50))
    assert given_delta.delta == F(1, 50)
    assert F(4, 50) < given_delta.epsilon < F(1, 10)


@pytest.mark.parametrize(
    ("epsilon", "delta", "place"),
    [
        (F(1, 10), None, "epsilon"),
        (F(0), None, "epsilon"),
        (F(-1, 100), None, "epsilon"),
        (F(1, 100), F(1, 400), "delta"),
        (None, F(1, 40), "delta"),
        (None, F(0), "delta"),
    ],
)
def test_parameters_out_of_their_ranges_are_refused(
    epsilon: Fraction | None, delta: Fraction | None, place: str
) -> None:
    with pytest.raises(InputError) as refused:
        choose_parameters(SWAP, epsilon, delta)
    assert refused.value.place == place


def test_votes_of_strangers_and_outcomes_of_other_markets_are_refused() -> None:
    with pytest.raises(InputError, match="give 1: one for every player but the proposer"):
        play(SWAP, choose_parameters(SWAP), Outcome((1, 0), (-2, 2)), Votes.from_answer(3, True))
    with pytest.raises(InputError, match="one for each of the 2 players"):
        play(SWAP, choose_parameters(SWAP), Outcome((1, 0), (-2, 2, 0)), Votes.from_answer(2, True))
    with pytest.raises(InputError, match="not an allocation"):
        play(SWAP, choose_parameters(SWAP), Outcome((1, 2), (-2, 2)), Votes.from_answer(2, True))


def test_a_rational_play_exchanges_n_minus_1_bits_beside_the_outcome() -> None:
    proposal = find_best_proposal(THREE, (1, 0, 2))
    lottery = play(THREE, choose_parameters(THREE), proposal, Votes.from_answer(3, True))
    bits = {e.step: count_bits(THREE, e) for e, _ in lottery}
    assert bits["d"].overhead == 2
    assert bits["j"].overhead == 1
    assert bits["i"].overhead == 0
    outcomes = 4**3 * 15**2
    assert 2 ** (count_outcome_bits(THREE) - 1) < outcomes <= 2 ** count_outcome_bits(THREE)


def test_the_proposers_best_announcement_charges_each_what_it_gains() -> None:
    proposal = find_best_proposal(SWAP, (1, 0))
    assert proposal == Outcome((1, 0), (-2, 2))
    assert utilities(SWAP, proposal) == (5, 0)
    settled = market([0, 1], [[3, 0, 3], [0, 2, 2]], 3)
    assert find_best_proposal(settled, (0, 1)) == settled.nothing
