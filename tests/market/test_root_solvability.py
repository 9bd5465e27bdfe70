"""The audit of a market: is its play decided at the root?"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from claims import judge_play, judge_root, play_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import market, markets, proposals, sets, thetas

from aboveboard.auditing.verdict import Status
from aboveboard.errors import BudgetExceeded
from aboveboard.market.audit.best_announcement import leading_utility
from aboveboard.market.audit.expected_utilities import (
    build_naive_scheme,
    build_scheme,
    find_margin,
    find_unit,
    tabulate_utilities,
)
from aboveboard.market.audit.root_audit import audit_market
from aboveboard.market.audit.strict_dominance import decode_votes, find_dominance, predict_votes
from aboveboard.market.audit.voting_game import as_announcements
from aboveboard.market.audit.voting_rules import make_naive_rule, make_rule
from aboveboard.market.model.markets import Market, Outcome, social_welfare
from aboveboard.market.model.utilities import enumerate_structures
from aboveboard.market.rules.announcements import enumerate_announcements, find_best_proposal
from aboveboard.market.rules.dominant_votes import find_dominant_votes
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.market.rules.propose_and_agree import is_regular
from aboveboard.market.rules.vcg import find_best_allocation
from depth import up_to
from oracles import market as oracle

F = Fraction
SWAP = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)
TINY = [
    market([0], [[0], [1], [-1]], 2),  # b would take a's good
    market([1], [[1], [1], [0]], 2),  # the owner keeps it, or a has it: both are best
    market([2], [[0], [-1], [-1]], 2),  # c is rid of a burden
    market([1], [[0], [0], [0]], 2),  # nothing is worth anything
]


def rows(of: Market) -> tuple[object, object, object, object]:
    parameters = choose_parameters(of)
    scheme = build_scheme(of, parameters)
    announced = enumerate_announcements(of, scheme.limit, proposer_limited=False, most=10**5)
    return parameters, scheme, announced, tabulate_utilities(scheme, of, announced)


@pytest.mark.parametrize("of", TINY[:3])
@pytest.mark.deep
def test_votes_and_best_announcements_are_those_of_the_definitions(of: Market) -> None:
    """Plain loops over Definitions 1 and 2 with the oracle's lotteries, one player's word each."""
    parameters = choose_parameters(of)
    theta, endowment = thetas(of), sets(of.endowment, 3)
    found = {root.structure: root for root in audit_market(of, make_rule(of, parameters)).roots}
    announced = [
        Outcome((owner,), (-p - q, p, q))
        for owner in (-1, 0, 1, 2)
        for p, q in product(range(-3, 4), repeat=2)
    ]
    expected = {}
    for outcome in announced:
        values = {}
        for codes in product(product((False, True), repeat=2), repeat=2):
            lottery = oracle.mechanism_m(
                3, 2, endowment, parameters.epsilon, parameters.delta,
                sets(outcome.allocation, 3), outcome.prices,
                [None, codes[0][0], codes[1][0]], [None, codes[0][1], codes[1][1]],
            )  # fmt: skip
            values[codes] = oracle.expected(theta, endowment, lottery)
        expected[outcome] = values
    for structure in enumerate_structures(3):
        leading = next(c for c in structure if 0 in c)
        best = {}
        for outcome in announced:
            cast = {}
            if outcome != of.nothing:
                for members in structure:

                    def utility(
                        said: dict[int, tuple[bool, bool]],
                        members: frozenset[int] = members,
                        outcome: Outcome = outcome,
                    ) -> Fraction:
                        return sum(expected[outcome][said[1], said[2]][i] for i in members)

                    strategy = oracle.dominant(3, members, utility)
                    assert strategy is not None
                    cast |= strategy
            codes = (cast.get(1, (True, True)), cast.get(2, (True, True)))
            best[outcome] = sum(expected[outcome][codes][i] for i in leading)
        top = max(best.values())
        assert found[structure].utility == top
        assert set(found[structure].best) == {o for o, u in best.items() if u == top}


@pytest.mark.parametrize("of", [*TINY, SWAP])
def test_every_claim_holds(of: Market) -> None:
    """The printed Lemma 10 is no claim about a market: its misprint is in papers/ alone."""
    verdicts = judge_root(audit_market(of, make_rule(of, choose_parameters(of))))
    assert {v.status for v in verdicts.values()} == {Status.HOLDS}


@given(st.data())
@settings(max_examples=up_to(25), deadline=None)
def test_the_best_announcements_are_the_semi_truthful_ones(data: st.DataObject) -> None:
    of = data.draw(markets(3, 1, 2))
    found = audit_market(of, make_rule(of, choose_parameters(of)))
    if found.welfare_best == found.welfare_before:
        return
    for root in found.roots:
        said = oracle.truthful(thetas(of), sets(of.endowment, 3), 2, [0], root.leading)
        assert {(sets(o.allocation, 3), o.prices) for o in root.best} == set(said)
        assert root.utility == leading_utility(
            of, choose_parameters(of), found.welfare_best, root.leading
        )


@given(st.data())
@settings(max_examples=up_to(25), deadline=None)
def test_margins_at_any_size_are_those_of_the_exhaustive_search(data: st.DataObject) -> None:
    of = data.draw(markets(3, 1, 2))
    _, scheme, announced, filled = rows(of)
    for structure in enumerate_structures(3):
        for members in structure:
            found = find_dominance(filled, scheme, members)
            if not found.voters:
                continue
            for k in range(0, len(announced), 7):
                exact = find_margin(scheme, of, announced[k], members)
                assert exact == int(found.margin[k]) * find_unit(scheme)


@given(st.data(), st.sampled_from([3, 4]))
@settings(max_examples=10, deadline=None)
def test_margins_in_the_naive_versions_too(data: st.DataObject, version: int) -> None:
    of = data.draw(markets(3, 1, 2))
    scheme = build_naive_scheme(version, of, F(1, 10))
    announced = enumerate_announcements(of, 2, proposer_limited=True, most=10**4)
    filled = tabulate_utilities(scheme, of, announced)
    for members in (frozenset({1}), frozenset({1, 2})):
        found = find_dominance(filled, scheme, members)
        for k in range(len(announced)):
            exact = find_margin(scheme, of, announced[k], members)
            assert exact == int(found.margin[k]) * find_unit(scheme)


@given(st.data())
@settings(max_examples=up_to(40), deadline=None)
def test_dominant_votes_in_closed_form_are_those_of_the_arrays(data: st.DataObject) -> None:
    of = data.draw(markets(4, 2, 3))
    proposal = data.draw(proposals(4, 2, 7))
    structure = data.draw(st.sampled_from(list(enumerate_structures(4))))
    if not is_regular(of, proposal):
        return
    scheme = build_scheme(of, choose_parameters(of))
    codes = [3, 3, 3, 3]
    for members in structure:
        found = predict_votes(as_announcements(of, proposal), scheme, members)[0]
        for voter, code in zip(sorted(members - {0}), found, strict=True):
            codes[voter] = int(code)
    assert decode_votes(codes[1:]) == find_dominant_votes(of, proposal, structure)


def test_without_the_discounts_no_vote_is_strictly_dominant() -> None:
    """The audit can fail: epsilon is what makes up a voter's mind when it is on the fence."""
    rule = make_rule(SWAP, choose_parameters(SWAP))
    scheme = rule.scheme
    assert scheme is not None
    assert scheme.destruction is not None
    flat = replace(
        scheme,
        others=(F(0),) * 2,
        proposer=tuple(min(x, F(0)) for x in scheme.proposer),
        destruction=replace(scheme.destruction, epsilon=F(0)),
    )
    verdict = judge_root(audit_market(SWAP, replace(rule, scheme=flat)))["collusively dominant"]
    assert verdict.status is Status.FAILS
    assert verdict.witness is not None
    assert verdict.witness.parties == ("b",)
    assert verdict.gain == 0


def test_without_the_fine_it_pays_to_announce_what_others_refuse() -> None:
    of = TINY[3]
    rule = make_rule(of, choose_parameters(of))
    assert rule.scheme is not None
    assert rule.scheme.destruction is not None
    drawn = replace(rule.scheme.destruction, fine=F(0))
    free = replace(rule.scheme, proposer=(F(0),) * 3, destruction=drawn)
    alone = tuple(frozenset({i}) for i in range(3))
    found = audit_market(of, replace(rule, scheme=free), [alone])
    assert set(found.roots[0].best) - {of.nothing}
    # In M as it is, nothing but (E, 0) is best here: announcing what is refused would cost a fine.
    fined = audit_market(of, rule, [alone])
    assert set(fined.roots[0].best) == {of.nothing}


def test_too_many_announcements_are_refused() -> None:
    with pytest.raises(BudgetExceeded, match="announcements"):
        audit_market(SWAP, make_rule(SWAP, choose_parameters(SWAP)), most=100)


@given(st.data(), st.integers(2, 5), st.integers(1, 3))
@settings(max_examples=up_to(40), deadline=None)
def test_at_any_size_the_best_proposal_passes_every_check(
    data: st.DataObject, n: int, m: int
) -> None:
    of = data.draw(markets(n, m, 4))
    best = find_best_allocation(of)
    proposal = find_best_proposal(of, best)
    verdicts = judge_play(play_of(of, proposal, social_welfare(of, best)))
    statuses = {v.status for v in verdicts.values()}
    assert statuses <= {Status.HOLDS, Status.VACUOUS}


def test_at_any_size_a_worse_proposal_and_an_unproven_one_are_found() -> None:
    name = "no better announcement"
    worse = Outcome((1, 0), (-1, 1))
    found = judge_play(play_of(SWAP, worse, 5, size=2))[name]
    assert found.status is Status.FAILS
    assert found.gainer == "a"
    truthful = find_best_proposal(SWAP, (1, 0))
    unproven = judge_play(play_of(SWAP, truthful, 5, proven=False, size=2))[name]
    assert unproven.status is Status.UNDECIDED


def test_colluding_voters_who_vote_otherwise_together_are_found() -> None:
    of = market([0], [[0], [3], [0]], 3)
    proposal = Outcome((1,), (-3, 4, -1))  # b would lose 1, c gains 1
    verdict = judge_play(play_of(of, proposal, 3, size=2, cast=None))["no better votes"]
    assert verdict.status is Status.FAILS
    assert verdict.witness is not None
    assert verdict.witness.parties == ("a", "b")


def test_step_a_is_played_too_and_what_it_brings_is_reported() -> None:
    verdicts = judge_root(audit_market(SWAP, make_rule(SWAP, choose_parameters(SWAP))))
    assert "step a brings 1;" in str(verdicts["never a deficit"].statement)


def test_coalitions_must_be_a_partition() -> None:
    overlapping = (frozenset({0, 1}), frozenset({1}))
    with pytest.raises(ValueError, match="not a partition"):
        audit_market(SWAP, make_rule(SWAP, choose_parameters(SWAP)), [overlapping])


def test_a_market_without_goods_and_prices_has_nothing_to_audit() -> None:
    empty = market([], [[], []], 1)
    found = audit_market(empty, make_naive_rule(2, empty, F(1, 2)))
    assert [v.status for v in judge_root(found).values()] == [Status.VACUOUS]


@pytest.mark.deep
def test_three_players_two_goods_and_b_4_are_audited_to_the_end() -> None:
    of = market([0, 1], [[0, 3, 3], [2, 0, 2], [1, 1, 1]], 3)
    verdicts = judge_root(audit_market(of, make_rule(of, choose_parameters(of))))
    assert {v.status for v in verdicts.values()} == {Status.HOLDS}
    assert all(v.checked == v.total for v in verdicts.values())
    # 16 allocations and 15^2 prices, but for (E, 0), after which nobody votes.
    alone, together = 4 * (4 - 1), 4**2 - 1  # comparisons of b or c; of b and c as one
    with_the_proposer_or_without = 2
    checked = 3599 * with_the_proposer_or_without * (2 * alone + together)
    assert verdicts["collusively dominant"].checked == checked


def test_eight_players_are_refused_before_anything_is_listed() -> None:
    of = market([0], [[0]] * 8, 1, "abcdefgh")
    with pytest.raises(BudgetExceeded, match="utilities of coalitions"):
        audit_market(of, make_rule(of, choose_parameters(of)))
