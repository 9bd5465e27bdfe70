"""Protocols are judged by what they do: a stranger's, one of ours by another name, a broken one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Protocol,
    Society,
    TruthAnswered,
    advise,
    best_reply,
    examine_equilibria,
    is_equilibrium,
    regrets,
)
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.protocols import relative_price, says_something
from aboveboard.curation.social_functions import ListedFunction, Mean, Parity, Threshold
from aboveboard.errors import InputError
from depth import up_to

F = Fraction
STEPS = [F(k, 60) for k in range(61)]
LADDER = [Commitment((1 + s * d) / 2, (1 - s * d) / 2) for d in STEPS for s in (1, -1)]


def answer_whoever_speaks(_: Sequence[bool], scores: Sequence[Fraction]) -> list[bool]:
    return [score > 0 for score in scores]


def answer_the_top(_: Sequence[bool], scores: Sequence[Fraction]) -> list[bool]:
    """Answer all at the top, ties too, unless nobody speaks."""
    return [score == max(scores) > 0 for score in scores]


def answer_the_middle(_: Sequence[bool], scores: Sequence[Fraction]) -> list[bool]:
    return [F(37, 100) <= score <= F(38, 100) for score in scores]


QUARTER = F(1, 4)


def two_agents(rule: Protocol, price: Fraction = QUARTER) -> CurationGame:
    return CurationGame(Society(Parity(), (Agent(F(1), price),) * 2, F(1, 2)), rule)


def test_truth_is_no_equilibrium_where_a_whisper_is_answered_too() -> None:
    game = two_agents(Protocol("mine", says_something, answer_whoever_speaks))
    assert is_equilibrium(game, (TRUTH, TRUTH)) is False
    assert min(regrets(game, (TRUTH, TRUTH))) > F(24, 100)
    assert not examine_equilibria(game).unique_truthful
    assert advise(game, "ab").headline.startswith("Telling the truth is not an equilibrium.")


def test_by_rank_the_whisper_of_a_strangers_protocol_is_a_supremum() -> None:
    game = two_agents(Protocol("mine", says_something, answer_whoever_speaks, by_rank=True))
    reply = best_reply(game, 0, (TRUTH, TRUTH))
    assert (reply.utility, reply.attained, reply.proved) == (1, False, True)
    assert reply.how == "outbid by a hair"


def test_what_a_search_does_not_find_is_not_called_an_equilibrium() -> None:
    # Only scores from 37/100 to 38/100 are answered: truth costs 1/4 and brings nothing.
    hidden = Protocol("hidden", relative_price, answer_the_middle)
    game = two_agents(hidden, F(1, 100))
    found = examine_equilibria(game)
    assert is_equilibrium(game, (SILENCE, SILENCE)) is None
    assert found.silence is None
    assert "silence (not proved)" in found.list_names()
    assert not found.complete
    assert not found.unique_truthful


def test_a_strangers_protocol_that_no_search_refutes_is_no_proof() -> None:
    truthful = Protocol("truthful", None, lambda flags, _: list(flags))
    found = advise(two_agents(truthful), "ab")
    assert found.equilibria.truth is None
    assert "no proof" in found.headline
    game = CommitmentsGame(("a", "b"), two_agents(truthful), (TRUTH, SILENCE))
    assert ab.audit(game, [ab.ExPostIC()])["ex-post IC"].status == "no counterexample"


def test_the_name_of_a_protocol_changes_nothing() -> None:
    for protocol in PROTOCOLS.values():
        game = two_agents(protocol)
        renamed = two_agents(replace(protocol, name="always-noise"))
        assert examine_equilibria(game) == examine_equilibria(renamed)


def test_another_rule_by_the_name_of_ours_is_judged_by_its_rule() -> None:
    false_fair = Protocol("fair", relative_price, answer_the_top, by_rank=True)
    found = examine_equilibria(two_agents(false_fair))
    assert found.truth is True  # whoever leaves the top is not answered
    assert not found.complete


def test_a_rule_that_claims_to_be_by_rank_and_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="by_rank"):
        Protocol("middle", relative_price, answer_the_middle, by_rank=True)
    with pytest.raises(InputError, match="by_rank"):
        Protocol("first", None, lambda flags, _: [i == 0 for i in range(len(flags))], by_rank=True)


def test_a_rule_of_the_wrong_length_is_refused() -> None:
    short = Protocol("short", None, lambda flags, _: [True])
    with pytest.raises(InputError, match="1 values for 2 agents"):
        two_agents(short).utilities((TRUTH, TRUTH))


@settings(max_examples=up_to(40), deadline=None)
@given(st.data())
def test_no_commitment_of_a_ladder_beats_a_by_rank_protocols_best_reply(
    data: st.DataObject,
) -> None:
    rule = data.draw(st.sampled_from([answer_whoever_speaks, answer_the_top]))
    score = data.draw(st.sampled_from([says_something, relative_price]))
    table = ListedFunction(tuple(data.draw(st.lists(st.booleans(), min_size=8, max_size=8))))
    price = data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 2)]))
    protocol = Protocol("mine", score, rule, by_rank=True)
    game = CurationGame(Society(table, (Agent(F(1), price),) * 2, F(1, 2)), protocol)
    rival = data.draw(st.sampled_from([TRUTH, SILENCE, *LADDER[::12]]))
    reply = best_reply(game, 0, (SILENCE, rival))
    tried = max(game.utilities((c, rival))[0] for c in [TRUTH, *LADDER])
    assert tried <= reply.utility <= tried + price / 30


def test_truth_is_answered_always_by_the_fair_rule_and_not_by_the_competitive_one() -> None:
    listed = (TRUTH, SILENCE, Commitment(F(0), F(1)))
    for name, status in (("fair", "holds"), ("straightforward", "holds"), ("competitive", "fails")):
        game = CommitmentsGame(("a", "b"), two_agents(PROTOCOLS[name]), listed)
        assert ab.audit(game, [TruthAnswered()])["truth is answered"].status == status
        answered = [
            all(yes for c, yes in zip(p, PROTOCOLS[name].answer(
                game.curation.society.agents, p), strict=True) if c.truthful)
            for p in product(listed, repeat=2)
        ]  # fmt: skip
        assert all(answered) == (status == "holds")


# ------------------------------------------------------- what Python refuses as the file does


@pytest.mark.parametrize("prior", [F(3, 2), 0, 1, F(-1, 2), float("nan")])
def test_a_prior_that_is_no_chance_is_refused(prior: float) -> None:
    with pytest.raises(InputError, match="prior"):
        Society(Parity(), (Agent(1, 1),), prior)


@pytest.mark.parametrize("price", [0, -1, float("inf"), float("nan")])
def test_a_price_that_is_not_above_0_is_refused(price: float) -> None:
    with pytest.raises(InputError, match="price"):
        Agent(1, price)


@pytest.mark.parametrize("value", [0, F(-1, 3)])
def test_a_value_that_is_not_above_0_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="value"):
        Agent(value, 1)


def test_a_commitment_that_is_no_pair_of_chances_is_refused() -> None:
    game = two_agents(PROTOCOLS["always-all"])
    for wrong in (Commitment(F(2), F(0)), Commitment(F(1), F(-1))):
        with pytest.raises(InputError, match="commitment"):
            game.utilities((TRUTH, wrong))
        with pytest.raises(InputError, match="commitment"):
            best_reply(game, 0, (TRUTH, wrong))


def test_a_profile_of_the_wrong_length_is_refused() -> None:
    game = two_agents(PROTOCOLS["fair"])
    for call in (game.utilities, lambda p: regrets(game, p), lambda p: best_reply(game, 0, p)):
        with pytest.raises(InputError, match="1 commitments for 2 agents"):
            call((TRUTH,))


def test_a_function_without_meaning_is_refused() -> None:
    with pytest.raises(InputError, match="center_weight"):
        Threshold(2, -1)
    with pytest.raises(InputError, match="level"):
        Mean(F(3, 2))


def test_a_society_without_agents_is_refused() -> None:
    with pytest.raises(InputError, match="agents"):
        Society(Parity(), (), F(1, 2))
