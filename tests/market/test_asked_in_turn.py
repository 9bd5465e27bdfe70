"""Voters who are asked in turn: backward induction over the whole tree says the same."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.market.audit import AskedInTurn, make_voting_game
from aboveboard.market.audit.asked_in_turn import find_gains_of_agreement
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.model.bidding import Additive
from aboveboard.market.model.markets import Market, Outcome
from aboveboard.market.model.utilities import enumerate_structures

NAMES = ("a", "b", "c", "d")


@st.composite
def games(draw: st.DrawFn) -> VotingGame:
    """Naive-2 after any announcement, with any collusion."""
    n = draw(st.integers(2, 4))
    worth = [draw(st.integers(-3, 3)) for _ in range(n)]
    market = Market(NAMES[:n], ("g",), (0,), tuple(Additive((x,)) for x in worth), 4)
    prices = [draw(st.integers(-3, 3)) for _ in range(n - 1)]
    proposal = Outcome((draw(st.integers(0, n - 1)),), (-sum(prices), *prices))
    if abs(sum(prices)) >= market.bound:
        proposal = Outcome((n - 1,), (0,) * n)
    structure = draw(st.sampled_from(list(enumerate_structures(n))))
    rule = make_naive_rule(2, market, Fraction(draw(st.integers(1, 3)), 4 * n))
    return VotingGame(market, rule, proposal, structure)


def subgame_perfect_outcomes(game: VotingGame) -> set[bool]:
    """By the whole tree: whether all agree, in every subgame-perfect equilibrium."""
    play, n = game.play, game.market.n
    gains = find_gains_of_agreement(play)
    worth = {i: gain for c, gain in gains.items() for i in c}

    def solve(said: tuple[bool, ...]) -> set[bool]:
        if len(said) == n - 1:
            return {all(said)}
        voter, after = len(said) + 1, {}
        for answer in (False, True):
            after[answer] = solve((*said, answer))
        found = set()
        for no, yes in product(after[False], after[True]):  # one equilibrium of each subgame
            value = {False: worth[voter] * no, True: worth[voter] * yes}
            best = max(value.values())
            found |= {(no, yes)[answer] for answer in (False, True) if value[answer] == best}
        return found

    return solve(())


@given(games())
def test_all_agree_exactly_where_backward_induction_says_so(game: VotingGame) -> None:
    if game.proposal == game.market.nothing:
        return
    verdict = ab.audit(game, [AskedInTurn()])["agreed if asked in turn"]
    assert (verdict.status is ab.Status.HOLDS) == (subgame_perfect_outcomes(game) == {True})
    least = min(find_gains_of_agreement(game.play).values())
    if least < 0:
        assert subgame_perfect_outcomes(game) == {False}
    if least == 0:
        assert subgame_perfect_outcomes(game) == {False, True}


@given(games())
def test_the_equilibria_in_which_it_fails_at_once_are_counted(game: VotingGame) -> None:
    verdict = ab.audit(game, [AskedInTurn()])["agreed if asked in turn"]
    if verdict.status is not ab.Status.HOLDS:
        return
    gains = find_gains_of_agreement(game.play)
    voters = [sorted(c - {0}) for c in gains]
    failures = 0
    for votes in product(*(list(product((False, True), repeat=len(v))) for v in voters)):
        refusing = sum(not all(each) for each in votes)
        failures += refusing >= 2  # fewer: the only one who refuses would rather agree
    assert verdict.statement is not None
    assert (f" {failures:,} equilibria" in verdict.statement) == (failures > 0)


def test_a_rule_that_a_no_does_not_undo_is_not_judged() -> None:
    values = Additive((1,)), Additive((3,)), Additive((0,))
    market = Market(("a", "b", "c"), ("g",), (0,), values, 3)
    game = make_voting_game(market)
    simple = VotingGame(market, make_naive_rule(3, market, Fraction(1, 4)), game.proposal)
    for each in (game, simple):
        verdict = ab.audit(each, [AskedInTurn()])["agreed if asked in turn"]
        assert verdict.status is ab.Status.UNDECIDED
