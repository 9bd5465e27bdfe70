"""What reports and audits of markets say: who would have gained, and why a simple rule fails."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_markets import market, markets, proposals, votes

from aboveboard.auditing import Budget
from aboveboard.auditing.verdict import Status
from aboveboard.market import Naive2, Naive3, Naive4, ProposeAndAgree
from aboveboard.market.audit.play_audit import audit_announcement
from aboveboard.market.audit.remarks import in_plain_words, is_tiny
from aboveboard.market.audit.voting_game import VotingGame
from aboveboard.market.audit.voting_rules import make_naive_rule
from aboveboard.market.model.descriptions import describe_outcome, format_outcome
from aboveboard.market.model.markets import DESTROYED, Outcome
from aboveboard.market.model.steps import Votes
from aboveboard.market.model.utilities import expected_utilities
from aboveboard.market.rules import vcg
from aboveboard.market.rules.parameters import choose_parameters
from aboveboard.market.rules.propose_and_agree import is_regular, play

VOTING, PAIRS = (
    "no coalition of up to 3 gains by voting otherwise",
    "no coalition of up to 2 gains by voting otherwise",
)

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
    assert found[VOTING].startswith("fails: c: ")
    assert found[in_plain_words("the budget balances on the path of play")] == "fails"
    assert found[in_plain_words("participation is total in expectation")].startswith("fails")


def test_the_report_speaks_of_the_votes_that_a_coalition_of_the_file_casts() -> None:
    alone = table(FILE.format(top="", rest=CROSSED))  # b refuses, and would not with c
    ends = "with probability 999/1000 or more the play ends in one and the same way (Lemma 5)"
    assert "step e has probability" in alone[ends]
    together = table(FILE.format(top='coalitions = [["b", "c"]]', rest=CROSSED))
    assert "step d has probability 999/1000" in together[ends]


def test_where_nothing_is_voted_on_the_report_still_compares_announcements() -> None:
    kept = '[proposal]\nallocation = {a = ["g1"], b = ["g2"]}\nprices = {b = 0, c = 0}'
    found = table(FILE.format(top="", rest=kept))
    assert found[VOTING].startswith("vacuous")
    assert found["no coalition of up to 3 gains by another announcement"].startswith("fails: a")


def test_an_announcement_that_step_a_ends_is_pointed_out_first() -> None:
    odd = '[proposal]\nallocation = {a = ["g1"], b = ["g2"]}\nprices = {a = 1, b = 0, c = 0}'
    assert likely(FILE.format(top="", rest=odd)).headline.startswith("Step a ends the announcement")
    assert likely(FILE.format(top="", rest="")).headline.startswith("Welfare was")


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_coalition_that_casts_other_votes_gains_what_no_joint_vote_exceeds(
    data: st.DataObject,
) -> None:
    of = data.draw(markets(3, 1, 2))
    proposal = data.draw(proposals(3, 1, 3).filter(lambda p: is_regular(of, p)))
    cast = Votes(tuple(data.draw(votes(3))), tuple(data.draw(votes(3))))
    parameters = choose_parameters(of)

    def has(said: Votes, members: tuple[int, ...]) -> Fraction:
        each = expected_utilities(of, play(of, parameters, proposal, said))
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
    verdict = audit_announcement(of, parameters, proposal, 9, cast=cast, size=2)[PAIRS]
    assert (verdict.status is Status.FAILS) == any(gain > 0 for gain in gains)
    if verdict.witness is not None:
        names = tuple(of.players.index(name) for name in verdict.witness.parties)
        assert verdict.witness.gain == gains[pairs.index(names)]


@pytest.mark.parametrize(
    ("cls", "failing"),
    [
        (Naive2, "votes are collusively dominant"),
        (Naive3, "best announcements are socially optimal"),
        (Naive4, "root-solvable: the best announcements do not depend on who else colludes"),
    ],
)
def test_each_simple_mechanism_fails_as_the_paper_says_in_audit_and_report(
    cls: type, failing: str
) -> None:
    mechanism, reports = read(cls.STARTING_FILE, cls)
    remarks = mechanism.remarks(mechanism.game(reports), Budget(), 0)
    found = remarks[in_plain_words(failing)]
    assert not found["holds"]
    assert found["text"].startswith("fails: ")
    assert " pays " in found["text"]  # it says after which announcement
    assert table(cls.STARTING_FILE, cls)[in_plain_words(failing)] == found["text"]


@pytest.mark.parametrize("cls", [ProposeAndAgree, Naive2])
def test_no_claim_of_an_audit_is_in_the_papers_words_alone(cls: type) -> None:
    mechanism, reports = read(cls.STARTING_FILE, cls)
    found = " ".join(mechanism.remarks(mechanism.game(reports), Budget(), 0))
    assert not [word for word in ("node", "as printed", "root-solvable") if word in found]
    assert "(Definition 1)" in found


def test_many_players_with_few_announcements_are_not_gone_through() -> None:
    """Their collusion structures would take for ever: 16 players have ten thousand million."""
    of = market([0], [[0]] * 16, 1, names="abcdefghijklmnop")
    rule = make_naive_rule(3, of, Fraction(1, 20))
    assert not is_tiny(VotingGame(of, rule, of.nothing))


def test_outcomes_and_reports_are_written_in_words() -> None:
    of = market([0, 1], [[0, 3, 3], [2, 0, 2]], 3)
    said = format_outcome(describe_outcome(of, Outcome((1, DESTROYED), (-2, 2))))
    assert said == "g1 to b, g2 destroyed; a pays -2, b pays 2"
    one = market([0], [[0], [1]], 2)
    assert [vcg.build_game(one).describe(1, k) for k in (0, 1, 2)] == [
        "g1 worth -1",
        "nothing worth anything",
        "g1 worth 1",
    ]
