"""What reports and audits of markets say: who would have gained, and why a simple rule fails."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from claims import judge_play, play_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import market, markets, proposals, votes

from aboveboard.auditing import audit
from aboveboard.auditing.verdict import Status
from aboveboard.errors import InputError, UndefinedProperty
from aboveboard.games.game import TabularGame
from aboveboard.games.lottery import Lottery
from aboveboard.market import VCG, Naive1, Naive2, Naive3, Naive4, ProposeAndAgree
from aboveboard.market.audit import (
    BestVotes,
    CollusiveDominance,
    FullPrivacy,
    RootSolvability,
    SociallyOptimal,
    VotingRule,
)
from aboveboard.market.audit.exhibits import explain
from aboveboard.market.audit.root_audit import is_tiny
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_naive_rule, make_rule
from aboveboard.market.model.descriptions import describe_outcome, format_outcome
from aboveboard.market.model.markets import DESTROYED, Market, Outcome
from aboveboard.market.model.steps import Ending, Votes
from aboveboard.market.model.utilities import expect_utilities
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.market.rules import vcg
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.market.rules.propose_and_agree import is_regular, play
from aboveboard.mechanisms.consistency import compare_game_with_settle
from depth import up_to

FILE = """
mechanism = "market.propose_and_agree"
bits = 4
{top}
[parties.a]
endowment = ["g1"]
[parties.b]
endowment = ["g2"]
values = [{{goods = ["g1"], value = 5}}]
[parties.c]
values = [{{goods = ["g2"], value = 2}}]
{rest}
"""
CROSSED = """
[proposal]
allocation = {b = ["g1"], c = ["g2"]}
prices = {b = 7, c = 0}
"""


def read(written: str, cls: type = ProposeAndAgree) -> Any:
    file = cls.FILE.model_validate(tomllib.loads(written, parse_float=Decimal))
    return cls.from_file(file), cls.read_reports(file, None)


def likely(written: str, cls: type = ProposeAndAgree) -> Any:
    mechanism, reports = read(written, cls)
    return max(mechanism.settle(reports), key=lambda row: row[1])[0]


def table(written: str, cls: type = ProposeAndAgree) -> dict[str, str]:
    return {str(row[0]): str(row[-1]) for row in likely(written, cls).exhibits[1].rows}


def test_a_vote_that_costs_whoever_casts_it_is_found_in_the_report() -> None:
    found = table(FILE.format(top="", rest='[votes]\nc = "no"'))
    assert found[explain("no better votes")].startswith("fails: c: ")
    assert found[explain("balanced when played rationally")].startswith("fails")
    assert found[explain("total participation")].startswith("fails")


def test_the_report_speaks_of_the_votes_that_a_coalition_of_the_file_casts() -> None:
    alone = table(FILE.format(top="", rest=CROSSED))  # b refuses, and would not with c
    ends = explain("one likely ending")
    assert "step e has probability" in alone[ends]
    together = table(FILE.format(top='coalitions = [["b", "c"]]', rest=CROSSED))
    assert "step d is practically certain" in together[ends]


def test_where_nothing_is_voted_on_the_report_still_compares_announcements() -> None:
    kept = '[proposal]\nallocation = {a = ["g1"], b = ["g2"]}\nprices = {b = 0, c = 0}'
    found = table(FILE.format(top="", rest=kept))
    assert found[explain("no better votes")].startswith("vacuous")
    assert found[explain("no better announcement")].startswith("fails: a")


def test_an_announcement_that_step_a_ends_is_pointed_out_first() -> None:
    odd = '[proposal]\nallocation = {a = ["g1"], b = ["g2"]}\nprices = {a = 1, b = 0, c = 0}'
    assert likely(FILE.format(top="", rest=odd)).headline.startswith("Step a ends the announcement")
    assert likely(FILE.format(top="", rest="")).headline.startswith("Welfare was")


@given(st.data())
@settings(max_examples=up_to(30), deadline=None)
@pytest.mark.deep
def test_a_coalition_that_casts_other_votes_gains_what_no_joint_vote_exceeds(
    data: st.DataObject,
) -> None:
    of = data.draw(markets(3, 1, 2))
    proposal = data.draw(proposals(3, 1, 3).filter(lambda p: is_regular(of, p)))
    cast = Votes(tuple(data.draw(votes(3))), tuple(data.draw(votes(3))))
    parameters = choose_parameters(of)

    def has(said: Votes, members: tuple[int, ...]) -> Fraction:
        each = expect_utilities(of, play(of, parameters, proposal, said))
        return sum((each[i] for i in members), Fraction(0))

    def most(members: tuple[int, ...]) -> Fraction:
        answers = product([True, False], repeat=4)
        said = [Votes((a, b), (c, d)) for a, b, c, d in answers]
        kept = [i for i in (1, 2) if i not in members]
        same = [
            v
            for v in said
            if all(
                v.step_2[i - 1] == cast.step_2[i - 1] and v.step_3[i - 1] == cast.step_3[i - 1]
                for i in kept
            )
        ]
        return max(has(v, members) for v in same)

    pairs = [c for k in (1, 2) for c in combinations(range(3), k)]
    gains = [most(c) - has(cast, c) for c in pairs]
    verdict = judge_play(play_of(of, proposal, 9, cast=cast, size=2))["no better votes"]
    assert (verdict.status is Status.FAILS) == any(gain > 0 for gain in gains)
    if verdict.witness is not None:
        names = tuple(of.players.index(name) for name in verdict.witness.parties)
        assert verdict.witness.gain == gains[pairs.index(names)]


@pytest.mark.parametrize(
    ("cls", "failing"),
    [
        (Naive2, "collusively dominant"),
        (Naive3, "socially optimal"),
        (Naive4, "root-solvable"),
    ],
)
def test_each_simple_mechanism_fails_as_the_paper_says_in_audit_and_report(
    cls: type, failing: str
) -> None:
    """Case audit-exit-0-though-claims-fail: what the rule is made for counts as promised."""
    mechanism, reports = read(cls.STARTING_FILE, cls)
    verdicts = audit(mechanism.game(reports), mechanism.promises(reports))
    verdict = verdicts[f"{failing} (the proposer alone)"]
    assert verdict.status is Status.FAILS
    found = table(cls.STARTING_FILE, cls)[explain(failing)]
    assert found.startswith("fails: ")
    assert " pays " in found  # it says after which announcement


def audited(written: str, cls: type = ProposeAndAgree) -> Any:
    mechanism, reports = read(written, cls)
    return audit(mechanism.game(reports), mechanism.promises(reports))


TINY = """
mechanism = "market.propose_and_agree"
bits = 2
[parties.a]
values = [{goods = ["g"], value = 1}]
[parties.b]
endowment = ["g"]
[parties.c]
"""


@pytest.mark.deep
def test_an_announcement_of_the_file_is_audited_in_a_tiny_market_too() -> None:
    """Case audit-exit-0-though-claims-fail, greedy: c is to pay for nothing."""
    greedy = TINY + '[proposal]\nallocation = {a = ["g"]}\nprices = {a = -1, c = 1}\n'
    assert not audited(TINY).any_fails()
    found = audited(greedy)
    for name in ("no better announcement", "total participation", "one likely ending"):
        assert found[name].status is Status.FAILS
    assert found["root-solvable"].status is Status.HOLDS  # the rule itself is as it was
    witness = found["no better announcement"].witness
    assert witness is not None
    assert "a" in witness.parties


@pytest.mark.parametrize(
    ("written", "voter"), [(TINY, "b"), (FILE.format(top="", rest=""), "c")], ids=["tiny", "larger"]
)
def test_votes_of_the_file_are_audited(written: str, voter: str) -> None:
    """Case audit-ignores-votes: who says NO loses by it."""
    found = audited(f'{written}[votes]\n{voter} = "no"\n')
    for name in ("ex-post IC", "no better votes"):
        assert found[name].status is Status.FAILS
        witness = found[name].witness
        assert witness is not None
        assert witness.parties == (voter,)
    assert not audited(f'{written}[votes]\n{voter} = "yes"\n').any_fails()


def test_a_market_in_which_nothing_is_to_be_had_fails_for_no_misprint() -> None:
    """Case audit-of-M-prints-fails-for-a-paper-misprint: Lemma 10 as printed is false there."""
    found = audited(
        """
        mechanism = "market.propose_and_agree"
        bits = 2
        [parties.a]
        endowment = ["g"]
        [parties.b]
        values = [{goods = ["g"], value = -1}]
        """
    )
    assert not found.any_fails()


def test_where_a_time_limit_proves_nothing_no_optimum_is_promised() -> None:
    mechanism, reports = read(FILE.format(top="", rest=""))
    market = mechanism.setup.build_market(reports)
    found = mechanism.search(market)
    cut = Optimum(found.allocation, found.welfare, None, canonical=False, solver="cut short")
    limited = replace(mechanism, search=replace(mechanism.search, results={market: cut}))
    promised = {prop.name for prop in limited.promises(reports)}
    assert {prop.name for prop in mechanism.promises(reports)} - promised == {
        "no better announcement",
        "one likely ending",
    }
    verdicts = audit(limited.game(reports), limited.examines(reports))
    assert {v.status for v in verdicts.values()} == {Status.UNDECIDED}


class StrangersGame(TabularGame):
    """Any game with a market and a rule takes the claims about the root."""

    def __init__(self, market: Market, rule: VotingRule) -> None:
        super().__init__([[0]])
        self.market, self.rule = market, rule


def test_a_strangers_rule_is_judged_by_how_it_is_played() -> None:
    """M described by its lotteries alone gives the verdicts of our formulas."""
    of = market([0], [[0], [1]], 2)
    ours = make_rule(of, choose_parameters(of))
    strange = VotingRule("a stranger's M", ours.play, ours.limit, ours.mass, votes_twice=True)
    claims = [CollusiveDominance(), RootSolvability(), SociallyOptimal(), FullPrivacy()]
    found = audit(StrangersGame(of, strange), claims)
    expected = audit(StrangersGame(of, ours), claims)
    for name, verdict in expected.items():
        assert (found[name].status, found[name].gain) == (verdict.status, verdict.gain)

    def hold_up(proposal: Outcome, votes: Votes) -> Lottery[Ending]:
        return Lottery.sure(Ending("1", proposal if all(votes.step_2) else of.nothing))

    plain = VotingRule("all must agree", hold_up, of.bound, proposer_limited=True)
    assert audit(StrangersGame(of, plain), claims)["collusively dominant"].status is Status.FAILS


def test_the_claims_mean_nothing_where_the_market_is_not_known() -> None:
    with pytest.raises(UndefinedProperty, match="market"):
        audit(TabularGame([[0, 1]]), [RootSolvability()])
    with pytest.raises(UndefinedProperty, match="announcement"):
        audit(TabularGame([[0, 1]]), [BestVotes()])


@pytest.mark.parametrize(
    "cls", [ProposeAndAgree, Naive1, Naive2, Naive3, Naive4, VCG], ids=lambda cls: cls.NAME
)
def test_the_game_is_the_rule_that_runs_also_for_lies(cls: type) -> None:
    mechanism, reports = read(cls.STARTING_FILE, cls)
    compared = compare_game_with_settle(mechanism, reports)
    assert compared.deviations > 5
    assert not compared.unknown


def test_coalitions_and_another_proposer_do_not_hide_the_rule_from_the_comparison() -> None:
    top = 'coalitions = [["a", "c"]]\nproposer = "b"'
    mechanism, reports = read(FILE.format(top=top, rest='[votes]\nc = "no"'))
    assert compare_game_with_settle(mechanism, reports).deviations > 5
    assert mechanism.game(reports).players == ("a+c", "b")


def test_announcements_of_naive_1_can_differ_by_party() -> None:
    written = """
        mechanism = "market.naive_1"
        bits = 2
        [parties.a]
        endowment = ["g"]
        [parties.b]
        values = [{goods = ["g"], value = 1}]
        [proposal]
        allocation = {b = ["g"]}
        prices = {a = -1, b = 1}
        """
    other = written + '[announcements.b]\nallocation = {b = ["g"]}\nprices = {a = 0, b = 0}\n'
    agreed, differing = (likely(text, Naive1) for text in (written, other))
    assert agreed.details["welfare_reached"] == 1
    assert differing.details["welfare_reached"] == 0
    assert list(differing.details["announcements"]) == ["b"]
    # b's other announcement is what it does here: saying the same as a would not hurt it.
    assert audited(written, Naive1)["ex-post IC"].status is Status.HOLDS
    mechanism, reports = read(other, Naive1)
    assert compare_game_with_settle(mechanism, reports).deviations > 5
    with pytest.raises(InputError, match=r"announcements\.x"):
        read(other.replace("announcements.b", "announcements.x"), Naive1)


def test_many_players_with_few_announcements_are_not_gone_through() -> None:
    """Their collusion structures would take for ever: 16 players have ten thousand million."""
    of = market([0], [[0]] * 16, 1, names="abcdefghijklmnop")
    rule = make_naive_rule(3, of, Fraction(1, 20))
    assert not is_tiny(VotingGame(of, rule, of.nothing))


def test_outcomes_and_reports_are_written_in_words() -> None:
    of = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)
    said = format_outcome(describe_outcome(of, Outcome((1, DESTROYED), (-2, 2))))
    assert said == "g1 to b, g2 destroyed; a receives 2, b pays 2"
    one = market([0], [[0], [1]], 2)
    assert [vcg.build_game(one).describe(1, k) for k in (0, 1, 2)] == [
        "g1 worth -1",
        "nothing worth anything",
        "g1 worth 1",
    ]
