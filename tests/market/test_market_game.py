"""Voting on an announcement as a game for the common audit."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import market, markets, proposals

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    IndividualRationality,
    UniqueEquilibrium,
    WeakBudgetBalance,
    audit,
)
from aboveboard.auditing.verdict import Status
from aboveboard.errors import BudgetExceeded
from aboveboard.games.capabilities import Proof
from aboveboard.market.audit.announcing_game import build_announcing_game
from aboveboard.market.audit.root_audit import audit_market
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_naive_rule, make_rule
from aboveboard.market.model.markets import Outcome
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import enumerate_structures, expect_prices
from aboveboard.market.rules import vcg
from aboveboard.market.rules.announcements import find_best_proposal
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.market.rules.vcg import find_best_allocation
from depth import up_to

SWAP = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)


class Scanned(VotingGame):
    """The same game without its closed form."""

    def proof(self, name: str) -> Proof | None:
        return None


F = Fraction


@given(st.data())
@settings(max_examples=up_to(40), deadline=None)
def test_rows_of_payoffs_are_the_exact_ones(data: st.DataObject) -> None:
    of = data.draw(markets(3, 2, 3))
    structure = data.draw(st.sampled_from(list(enumerate_structures(3))))
    proposal = data.draw(proposals(3, 2, 8))
    game = VotingGame(of, make_rule(of, choose_parameters(of)), proposal, structure)
    profile = [data.draw(st.sampled_from(game.actions(i))) for i in range(len(game.players))]
    row = game.payoff_rows([np.array([action]) for action in profile])[0]
    assert tuple(int(x) * game.unit for x in row) == game.payoffs(profile)


@given(st.data())
@settings(max_examples=up_to(25), deadline=None)
def test_the_closed_form_says_what_a_scan_finds(data: st.DataObject) -> None:
    of = data.draw(markets(3, 1, 3))
    structure = data.draw(st.sampled_from(list(enumerate_structures(3))))
    proposal = data.draw(proposals(3, 1, 7))
    rule = make_rule(of, choose_parameters(of))
    props = [DSIC(), CoalitionProof(2, transfers=True)]
    said = audit(VotingGame(of, rule, proposal, structure), props)
    found = audit(Scanned(of, rule, proposal, structure), props)
    assert [v.status for v in said.values()] == [v.status for v in found.values()]
    assert found["DSIC"].status in (Status.HOLDS, Status.VACUOUS)


def test_the_best_announcement_is_agreed_to_and_nobody_regrets_it() -> None:
    proposal = find_best_proposal(SWAP, find_best_allocation(SWAP))
    game = VotingGame(SWAP, make_rule(SWAP, choose_parameters(SWAP)), proposal)
    verdicts = audit(
        game,
        [DSIC(), UniqueEquilibrium(), IndividualRationality(), WeakBudgetBalance()],
    )
    assert {v.status for v in verdicts.values()} == {Status.HOLDS}
    assert game.describe(1, game.truth(1)) == "b YES, in step 3 YES"
    assert verdicts["DSIC"].how == "closed form"


def test_an_announcement_that_is_not_voted_on_leaves_nothing_to_decide() -> None:
    for proposal in (SWAP.nothing, Outcome((1, 0), (Fraction(-1, 2), Fraction(1, 2)))):
        game = VotingGame(SWAP, make_rule(SWAP, choose_parameters(SWAP)), proposal)
        assert [len(game.actions(i)) for i in range(2)] == [1, 1]
        assert game.payoffs([0, 0]) == ((0, 0) if proposal == SWAP.nothing else (-1, 0))
        assert audit(game, [DSIC()])["DSIC"].status is Status.VACUOUS


def test_twelve_players_are_audited_in_closed_form() -> None:
    values = [[int(g == i) * 5 - int(g == (i + 1) % 12) for g in range(12)] for i in range(12)]
    names = "abcdefghijkl"
    from aboveboard.market.model.bidding import Additive
    from aboveboard.market.model.markets import Market

    of = Market(
        tuple(names),
        tuple(f"g{g}" for g in range(12)),
        tuple((g + 1) % 12 for g in range(12)),
        tuple(Additive(tuple(row)) for row in values),
        4,
    )
    proposal = find_best_proposal(of, tuple(range(12)))
    game = VotingGame(of, make_rule(of, choose_parameters(of)), proposal)
    prop = CoalitionProof(2, transfers=True)
    verdicts = audit(game, [DSIC(), prop])
    assert {(v.status, v.how) for v in verdicts.values()} == {(Status.HOLDS, "closed form")}


def test_positions_of_joint_strategies_count_the_first_voter_foremost() -> None:
    of = market([0], [[0], [1], [0]], 2)
    rule = make_rule(of, choose_parameters(of))
    pair = [frozenset({0}), frozenset({1, 2})]
    game = VotingGame(of, rule, Outcome((1,), (-1, 1, 0)), pair)
    said = [game.describe(1, action) for action in game.actions(1)]
    word = ("NO", "YES")
    assert said == [
        "; ".join(
            f"{name} {word[code & 1]}, in step 3 {word[code >> 1]}"
            for name, code in zip("bc", codes, strict=True)
        )
        for codes in product(range(4), repeat=2)
    ]


def test_values_of_a_hundred_bits_stay_exact() -> None:
    most = 2**99 - 1
    of = market([0], [[-most], [most]], 100)
    rule = make_rule(of, choose_parameters(of))
    game = VotingGame(of, rule, Outcome((1,), (-most, most)))
    row = game.payoff_rows([np.array([0]), np.array([3])])[0]
    assert tuple(int(x) * game.unit for x in row) == game.payoffs([0, 3])
    assert game.truth(1) == 3
    assert audit(game, [DSIC()])["DSIC"].status is Status.HOLDS


def test_games_too_large_to_list_are_refused_without_counting() -> None:
    wide = market([0] * 4, [[0] * 15] * 3, 3)
    with pytest.raises(BudgetExceeded, match="profiles of reported valuations"):
        vcg.build_game(wide)
    with pytest.raises(BudgetExceeded, match="announcements"):
        build_announcing_game(wide, wide.nothing)
    deep = market([0], [[0]] * 3, 4000)
    with pytest.raises(BudgetExceeded, match="announcements"):
        audit_market(deep, make_rule(deep, choose_parameters(deep)))


@given(st.data(), st.sampled_from([0, 2, 3, 4]))
@settings(max_examples=up_to(60), deadline=None)
def test_payments_are_those_of_the_lottery(data: st.DataObject, version: int) -> None:
    of = data.draw(markets(3, 2, 3))
    proposal = data.draw(proposals(3, 2, 1))
    rule = (
        make_naive_rule(version, of, F(1, 20)) if version else make_rule(of, choose_parameters(of))
    )
    said = data.draw(st.tuples(*[st.integers(0, rule.scheme.strategies - 1)] * 2))
    game = VotingGame(of, rule, proposal)
    asked = [0] if len(game.actions(1)) == 1 else [0, *said]
    profile = (*asked, *[0] * (3 - len(asked)))
    cast = Votes(tuple(c & 1 == 1 for c in said), tuple(c & 2 == 2 for c in said))
    played = expect_prices(rule.play(proposal, cast))
    assert game.payments(profile) == played
