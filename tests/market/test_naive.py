"""The simple mechanisms: what they do, and why the paper goes on."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import first_that, market, markets, proposals, sets, thetas, votes

from aboveboard.auditing import DSIC, audit
from aboveboard.auditing.verdict import Status
from aboveboard.errors import InputError
from aboveboard.market.audit.announcing_game import build_announcing_game
from aboveboard.market.audit.expected_utilities import (
    build_naive_scheme,
    find_unit,
    tabulate_utilities,
)
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.steps import Ending, Votes, follow_play
from aboveboard.market.model.utilities import expect_utilities, utilities
from aboveboard.market.rules import naive
from aboveboard.market.rules.announcements import enumerate_announcements, find_best_proposal
from aboveboard.market.rules.vcg import find_best_allocation
from depth import up_to
from oracles import market as oracle
from papers.market import failures

F = Fraction
SWAP = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)


@given(st.data(), st.sampled_from(naive.VOTED_VERSIONS), st.integers(2, 4))
@settings(max_examples=up_to(100), deadline=None)
def test_the_lottery_is_what_the_paper_says(data: st.DataObject, version: int, n: int) -> None:
    of = data.draw(markets(n, 2, 4))
    proposal = data.draw(proposals(n, 2, 2))
    cast = data.draw(votes(n))
    epsilon = naive.choose_epsilon(version, of)
    found = naive.play(version, of, epsilon, proposal, Votes(tuple(cast), tuple(cast)))
    said = oracle.naive(
        version,
        n,
        of.bound,
        sets(of.endowment, n),
        epsilon,
        sets(proposal.allocation, n),
        proposal.prices,
        [None, *cast],
    )
    rows = {(sets(e.outcome.allocation, n), e.outcome.prices): p for e, p in found}
    merged: dict[object, Fraction] = {}
    for p, _, allocation, prices in said:
        merged[allocation, prices] = merged.get((allocation, prices), F(0)) + p
    assert rows == merged
    assert list(expect_utilities(of, found)) == oracle.expected(
        thetas(of), sets(of.endowment, n), said
    )
    for ending, _ in found:
        assert follow_play(naive.prepare_steps(version, of, epsilon, proposal), ending) == ending


@given(st.data(), st.sampled_from(naive.VOTED_VERSIONS))
@settings(max_examples=up_to(30), deadline=None)
def test_expected_utilities_of_all_votes_at_once_are_those_of_the_lotteries(
    data: st.DataObject, version: int
) -> None:
    of = data.draw(markets(3, 1, 2))
    epsilon = naive.choose_epsilon(version, of)
    scheme = build_naive_scheme(version, of, epsilon)
    announced = enumerate_announcements(of, of.bound, proposer_limited=True, most=10**4)
    filled = tabulate_utilities(scheme, of, announced)
    k = data.draw(st.integers(0, len(announced) - 1))
    for one in (False, True):
        for two in (False, True):
            cast = Votes((one, two), (one, two))
            exact = expect_utilities(of, naive.play(version, of, epsilon, announced[k], cast))
            units = filled[:, k, int(one), int(two)].tolist()
            assert tuple(x * find_unit(scheme) for x in units) == exact


def test_naive_1_carries_out_what_all_announce_and_else_nothing() -> None:
    truthful = find_best_proposal(SWAP, (1, 0))
    assert naive.play_naive_1(SWAP, [truthful, truthful]).weights == {Ending("2", truthful): 1}
    other = Outcome((1, 0), (-1, 1))
    assert naive.play_naive_1(SWAP, [truthful, other]).weights == {Ending("2", SWAP.nothing): 1}


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_every_outcome_that_hurts_nobody_is_an_equilibrium_of_naive_1(data: st.DataObject) -> None:
    of = data.draw(markets(2, 1, 2))
    game = build_announcing_game(of, of.nothing)
    for k in game.actions(0):
        each = game.payoffs([k, k])
        best = all(
            game.payoffs([j if i == 0 else k, j if i == 1 else k])[i] <= each[i]
            for i in (0, 1)
            for j in game.actions(i)
        )
        assert best == (min(each) >= 0)


def test_prices_beyond_b_are_refused() -> None:
    with pytest.raises(InputError, match="strictly between -4 and 4"):
        naive.play(2, SWAP, F(1, 10), Outcome((1, 0), (-4, 4)), Votes.from_answer(2, True))
    with pytest.raises(InputError, match="less than 1/6"):
        naive.choose_epsilon(4, SWAP, F(1, 6))


def test_naive_1_is_missed_if_the_parties_expect_different_equilibria() -> None:
    _, shown = first_that(failures.show_two_equilibria, 2, 1, 2)
    assert shown["one"] != shown["another"]
    assert shown["welfare if both are expected"] < shown["best welfare"]


def test_in_naive_2_two_voters_may_leave_the_no_to_each_other() -> None:
    of, shown = first_that(failures.show_no_left_to_others, 3, 1, 2)
    epsilon = naive.choose_epsilon(2, of)
    proposal = outcome_of(of, shown["announcement"])
    agreed = expect_utilities(of, naive.play(2, of, epsilon, proposal, Votes.from_answer(3, True)))
    hurt = [of.players.index(name) for name in shown["hurt, each leaving the NO to another"]]
    assert all(agreed[i] < 0 for i in hurt)
    assert agreed[0] > Fraction(shown["proposer's utility if truthful"])
    game = VotingGame(of, make_naive_rule(2, of, epsilon), proposal)
    assert list(game.payoffs([0, 1, 0])) == list(game.payoffs([0, 0, 0]))  # another says NO


def test_in_naive_3_a_gamble_on_one_yes_pays_more_than_the_truth() -> None:
    of, shown = first_that(failures.show_gamble, 3, 1, 3)
    epsilon = naive.choose_epsilon(3, of)
    proposal = outcome_of(of, shown["announcement"])
    cast = tuple(vote == "YES" for vote in shown["votes"])
    has = expect_utilities(of, naive.play(3, of, epsilon, proposal, Votes(cast, cast)))
    assert has[0] == Fraction(shown["proposer's utility"])
    assert has[0] > Fraction(shown["proposer's utility if truthful"])
    best = social_welfare(of, find_best_allocation(of))
    assert social_welfare(of, proposal.allocation) < best
    game = VotingGame(of, make_naive_rule(3, of, epsilon), proposal)
    assert audit(game, [DSIC()])["DSIC"].status is Status.HOLDS  # the votes are not the problem


def test_in_naive_4_a_wrong_belief_about_a_coalition_costs_the_proposer() -> None:
    of, shown = first_that(failures.show_wrong_belief, 3, 1, 2)
    rule = make_naive_rule(4, of, naive.choose_epsilon(4, of))
    proposal = outcome_of(of, shown["announcement"])
    pair = VotingGame(of, rule, proposal, [frozenset({0}), frozenset({1, 2})])
    alone = VotingGame(of, rule, proposal)
    believed = pair.payoffs([pair.truth(i) for i in range(2)])[0]
    true = alone.payoffs([alone.truth(i) for i in range(3)])[0]
    assert believed == Fraction(shown["proposer's utility if b and c collude"])
    assert true < 0 < believed
    assert true == Fraction(shown["proposer's utility if they do not"])


def outcome_of(of: Market, shown: dict[str, dict[str, object]]) -> Outcome:
    """Read an outcome back from its description."""
    owner = dict.fromkeys(shown["allocation"]["destroyed"], -1)
    for i, name in enumerate(of.players):
        owner |= dict.fromkeys(shown["allocation"][name], i)
    prices = tuple(int(shown["prices"][name]) for name in of.players)
    outcome = Outcome(tuple(owner[g] for g in of.goods), prices)
    assert sum(prices) == 0
    assert len(utilities(of, outcome)) == of.n
    return outcome
