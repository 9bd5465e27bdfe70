"""Rules that are functions become games: exact, for one profile of types or for all."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.games.tabulation import MOST_ENTRIES

BIDS = {"ann": range(4), "bea": range(4)}
FACE = [ab.DSIC(), ab.Efficient(), ab.UniqueEquilibrium(), ab.StrongBudgetBalance()]


def first_price(bids):
    winner = max(bids, key=bids.get)
    return winner, bids[winner]


def second_price(bids):
    winner = max(bids, key=bids.get)
    return winner, max(bid for bidder, bid in bids.items() if bidder != winner)


def utility(bidder, value, outcome):
    winner, price = outcome
    return value - price if bidder == winner else 0


def price(bidder, outcome):
    return outcome[1] if bidder == outcome[0] else 0


def test_a_second_price_auction_is_truthful_for_all_types_and_a_first_price_auction_is_not():
    found = ab.audit(ab.tabulate_all(second_price, utility, BIDS), [ab.DSIC()])["DSIC"]
    assert (found.status, found.checked) == ("holds", 16 * 2 * 3 * 4)
    assert (
        ab.audit(ab.tabulate_all(first_price, utility, BIDS), [ab.DSIC()])["DSIC"].status == "fails"
    )


def test_a_family_has_one_game_for_each_profile_of_types():
    games = list(ab.tabulate_all(first_price, utility, BIDS))
    truths = [tuple(game.truth(i) for i in range(2)) for game in games]
    assert truths == list(product(range(4), repeat=2))


@given(st.lists(st.fractions(-3, 3), min_size=1, max_size=3, unique=True), st.data())
def test_payoffs_are_what_the_rule_and_the_utility_say(bids, data):
    reports = {"ann": bids, "bea": bids[::-1], "cid": bids[:1]}
    types = {player: data.draw(st.sampled_from(space)) for player, space in reports.items()}
    game = ab.tabulate(second_price, utility, reports, types, payment=price)
    for profile in product(*(range(len(space)) for space in reports.values())):
        sent = {p: space[k] for (p, space), k in zip(reports.items(), profile, strict=True)}
        outcome = second_price(sent)
        assert game.payoffs(profile) == tuple(utility(p, types[p], outcome) for p in reports)
        assert game.payments(profile) == tuple(price(p, outcome) for p in reports)
    assert all(reports[p][game.truth(i)] == types[p] for i, p in enumerate(reports))


def test_one_game_is_the_member_of_the_family_with_these_types():
    games = list(ab.tabulate_all(first_price, utility, BIDS, payment=price))
    alone = ab.tabulate(first_price, utility, BIDS, {"ann": 2, "bea": 3}, payment=price)
    assert ab.audit(alone, FACE).as_dict() == ab.audit(games[2 * 4 + 3], FACE).as_dict()


def test_a_utility_of_thirds_is_exact_beside_a_payment_of_sevenths():
    third, seventh = Fraction(1, 3), Fraction(1, 7)
    game = ab.tabulate(
        lambda reports: reports["ann"],
        lambda player, kind, outcome: third * outcome,
        {"ann": [0, 1]},
        {"ann": 1},
        payment=lambda player, outcome: seventh * outcome,
    )
    assert (game.payoffs((1,)), game.payments((1,))) == ((third,), (seventh,))


def test_absence_is_a_report_that_is_no_type():
    reports = {"ann": ["away", 1, 2], "bea": [1, 2]}

    def rule(sent):
        return first_price({p: 0 if report == "away" else report for p, report in sent.items()})

    games = list(ab.tabulate_all(rule, utility, reports, absent="away"))
    assert len(games) == 4
    assert [games[0].absent(i) for i in range(2)] == [0, None]
    assert ab.audit(games, [ab.IndividualRationality()])["IR"].checked == 4


def test_the_witness_names_the_reports():
    game = ab.tabulate(first_price, utility, BIDS, {"ann": 3, "bea": 0})
    witness = ab.audit(game, [ab.ExPostIC()])["ex-post IC"].witness
    assert (witness.truth, witness.lie) == ({"ann": "reports 3"}, {"ann": "reports 0"})


@pytest.mark.parametrize(
    ("reports", "types", "problem"),
    [
        (BIDS, {"ann": 4, "bea": 0}, "type 4 of player ann is not among its reports"),
        (BIDS, {"ann": 0}, "types are given of ann, reports of ann, bea"),
        (BIDS, {"bea": 0, "ann": 0}, "the same players in the same order"),
        ({}, {}, "there is no player"),
        ({"ann": []}, {"ann": 0}, "type 0 of player ann is not among its reports"),
    ],
)
def test_types_that_do_not_fit_the_reports_are_refused(reports, types, problem):
    with pytest.raises(ValueError, match=problem):
        ab.tabulate(first_price, utility, reports, types)


def test_a_player_without_a_type_is_refused():
    with pytest.raises(ValueError, match="player ann has no type"):
        next(ab.tabulate_all(first_price, utility, {"ann": ["away"]}, absent="away"))


@pytest.mark.parametrize("worth", [float("nan"), float("inf"), None, "much", 1j])
def test_a_utility_that_is_no_finite_number_is_refused(worth):
    with pytest.raises(ValueError, match="finite number"):
        ab.tabulate(first_price, lambda *_: worth, BIDS, {"ann": 0, "bea": 0})


def test_a_table_that_would_take_too_long_is_refused_before_the_rule_is_called():
    reports = {str(k): range(10) for k in range(8)}
    assert MOST_ENTRIES < 10**8
    with pytest.raises(ab.AboveboardError, match="write a `Game` instead"):
        ab.tabulate(None, None, reports, dict.fromkeys(reports, 0))


def test_a_verdict_on_a_family_says_for_which_types_the_rule_fails():
    verdict = ab.audit(ab.tabulate_all(first_price, utility, BIDS), [ab.DSIC()])["DSIC"]
    assert verdict.statement == "game 13 of 16 (truth: ann reports 3, bea reports 0)"
    assert verdict.gain == 3


def test_a_range_that_nobody_could_list_is_refused_at_once():
    with pytest.raises(ab.AboveboardError, match="write a `Game` instead"):
        ab.tabulate(first_price, utility, {"ann": range(10**12)}, {"ann": 0})


def test_a_report_that_is_none_is_no_absence_where_nobody_can_stay_away():
    reports = {"ann": [None, 1], "bea": [None, 1]}
    game = ab.tabulate(lambda _: 0, lambda *_: 0, reports, {"ann": 1, "bea": 1})
    assert [game.absent(i) for i in range(2)] == [None, None]
    assert ab.audit(game, [ab.IndividualRationality()])["IR"].status == "vacuous"


def test_a_rule_may_fill_the_same_array_again():
    seen = [None]

    def rule(bids):
        seen[0] = bids["ann"]
        return seen

    reports = {"ann": range(2), "bea": range(2)}
    game = ab.tabulate(rule, lambda p, t, outcome: outcome[0], reports, {"ann": 0, "bea": 0},
                       payment=lambda p, outcome: outcome[0])  # fmt: skip
    assert [game.payoffs(profile)[1] for profile in product(range(2), repeat=2)] == [0, 0, 1, 1]
    assert [game.payments(profile)[0] for profile in product(range(2), repeat=2)] == [0, 0, 1, 1]
