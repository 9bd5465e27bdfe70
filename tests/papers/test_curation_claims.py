"""The curation claims' findings are as expected; broken code fails them."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from aboveboard.curation import PROTOCOLS, Agent, CurationGame, MixedSearch, Protocol
from aboveboard.curation.channels import Channel
from oracles import curation as plain
from papers import check_claim, find_claim, list_claims
from papers.claims import Standing
from papers.curation import agent_information, existence, instances, mixed, uniqueness
from papers.figures import compute_figure, find_figure

HOLDS, FALSE, CORRECTED = "holds", "false as printed", "holds as corrected"
F = Fraction

EXPECTED = {
    "lemma-1": (HOLDS,),
    "lemma-2": (FALSE, CORRECTED),
    "theorem-1": (FALSE, CORRECTED),
    "lemma-3": (HOLDS,),
    "lemma-4": (HOLDS,),
    "footnote-3": (FALSE, CORRECTED, CORRECTED),
    "footnote-3-comparison": (FALSE, CORRECTED),
    "footnote-4": (HOLDS,),
    "example-1": (HOLDS,),
    "lemma-5-if": (HOLDS,),
    "lemma-5-only-if": (HOLDS,),
    "corollary-1": (HOLDS,),
    "lemma-6": (HOLDS,),
    "corollary-2": (HOLDS,),
    "lemma-7": (HOLDS,),
    "theorem-2": (HOLDS,),
    "natural-assumptions": (FALSE, CORRECTED, CORRECTED),
    "footnote-5": (HOLDS,),
    "footnote-6": (FALSE, CORRECTED),
    "definition-1-one-agent": (FALSE, CORRECTED),
    "definition-1-contrary": (HOLDS,),
    "footnote-7": (HOLDS,),
    "footnote-7-jumps": (FALSE, CORRECTED),
    "lemma-8": (HOLDS,),
    "lemma-9": (HOLDS,),
    "lemma-10": (HOLDS,),
    "corollary-3": (HOLDS,),
    "corollary-4": (HOLDS,),
    "theorem-3": (HOLDS,),
    "corollary-5": (HOLDS,),
    "fourth-case": (HOLDS,),
    "four-cases": (HOLDS,),
    "theorem-4": (HOLDS,),
    "definition-5": (HOLDS,),
    "theorem-2-mixed": (HOLDS,),
    "theorem-4-mixed": (FALSE,),
}


@pytest.fixture(scope="module")
def results(all_results):
    return {claim.id.partition("/")[2]: all_results[claim.id] for claim in list_claims("curation")}


def shown(results, name, k=0):
    """What the k-th finding of a claim shows."""
    return results[name].findings[k].counterexample


def test_every_claim_is_expected_and_only_those(results):
    assert {name: result.verdicts for name, result in results.items()} == EXPECTED


def test_every_finding_rests_on_checks_and_shows_what_refutes(results):
    for name, result in results.items():
        assert result.claim.id == f"curation/{name}"
        for finding in result.findings:
            assert finding.scope.checks > 0
            if finding.verdict == Standing.FALSE:
                assert finding.counterexample is not None
            if finding.verdict == Standing.HOLDS_CORRECTED:
                assert finding.correction
                assert finding.counterexample is None


def test_results_are_plain_data_and_the_same_again(results):
    for name, result in results.items():
        assert json.loads(json.dumps(result.as_dict()))["findings"], name
    assert check_claim(find_claim("curation/lemma-2")) == results["lemma-2"]


# ------------------------------------------------------- counterexamples, by the oracle


def right_of(said, hears):
    """By the tests' oracle, the chance that the agent guesses right."""
    table = [int(x) for x in said["g by bit mask"]]
    channels = {int(j): (F(p), F(q)) for j, (p, q) in hears.items()}
    n = len(table).bit_length() - 2
    profile = [channels.get(j, (F(1), F(0))) for j in range(1, n + 1)]
    center = channels[0] != (F(1, 2), F(1, 2))
    return plain.profit(
        lambda b: table[sum(x << j for j, x in enumerate(b))],
        said["agent"],
        profile,
        F(said["prior"]),
        lambda j: j > 0 or center,
    )


def beliefs(said, pair):
    prior = F(said["prior"])
    _, zero, one = Channel(F(pair[0]), F(pair[1])).posterior(prior)
    return abs(zero - F(1, 2)), abs(one - F(1, 2))


@pytest.mark.parametrize("name", ["lemma-2", "footnote-3-comparison"])
def test_what_is_farther_from_a_half_message_by_message_can_be_worth_less(results, name):
    said = shown(results, name)
    first, second = said["hears"]["2"], said["or of 2"]
    farther = zip(beliefs(said, first), beliefs(said, second), strict=True)
    assert all(a >= b for a, b in farther)
    one, other = (right_of(said, {**said["hears"], "2": pair}) for pair in (first, second))
    assert (one, other) == (F(said["right"]), F(said["right then"]))
    assert one < other


def test_a_fixed_cost_of_joining_has_a_third_equilibrium(results):
    said = shown(results, "footnote-7-jumps")
    assert said["prices"] == ["1/5", "1/5"]
    assert said["g by bit mask"] == "01010110"  # b0 xor (b1 and b2)
    (p, q), silent = said["profile"]
    assert F(p) != F(q)
    assert silent[0] == silent[1]


def test_the_mixed_equilibrium_is_one_by_plain_sums_of_the_competitive_protocol_only(results):
    said = shown(results, "theorem-4-mixed")
    assert said["truthful with chance"] == [1, "16/25", "16/25"]
    setting = instances.Setting(mixed.MAJORITY_OF_4, (F(1, 20), F(1, 5), F(1, 5)))
    assert mixed.is_stable_mixture(setting, instances.answer_competitive, mixed.CHANCES)
    assert not mixed.is_stable_mixture(setting, instances.answer_fair, mixed.CHANCES)


# ------------------------------------------------------------------------ broken code


def verdict(name):
    return check_claim(find_claim(f"curation/{name}")).verdicts[0]


def broken(name, rule):
    """A protocol of that name whose rule is another."""
    return Protocol(name, PROTOCOLS[name].score, rule)


@pytest.fixture(autouse=True, scope="module")
def forgetful(results):
    """What is remembered of the product's numbers is of the product as it is."""
    yield
    instances.get_society.cache_clear()


def test_a_guess_that_is_never_better_than_a_coin_breaks_lemma_1(monkeypatch):
    monkeypatch.setattr(agent_information, "compute_accuracy", lambda *_: F(1, 2))
    assert verdict("lemma-1") == FALSE


def test_a_value_of_the_center_that_is_always_naught_breaks_lemma_5(monkeypatch):
    monkeypatch.setattr(uniqueness, "is_helpless", lambda stakes: True)
    assert verdict("lemma-5-if") == FALSE
    assert verdict("lemma-6") == FALSE


def test_nobody_fanatic_breaks_corollary_4_and_the_four_cases(monkeypatch):
    monkeypatch.setattr(existence, "find_fanatics", lambda setting: [False, False])
    assert verdict("corollary-4") == FALSE
    assert verdict("four-cases") == FALSE


def test_an_equilibrium_that_is_everywhere_breaks_lemma_7_and_theorem_4(monkeypatch):
    monkeypatch.setattr(uniqueness, "is_equilibrium", lambda game, profile: True)
    monkeypatch.setattr(
        existence, "is_equilibrium", lambda game, profile: game.protocol.name == "fair"
    )
    assert verdict("lemma-7") == FALSE
    assert verdict("theorem-4") == FALSE


def test_a_fair_rule_that_answers_the_best_bid_only_breaks_definition_5(monkeypatch):
    monkeypatch.setattr(existence, "FAIR", broken("fair", PROTOCOLS["competitive"].rule))
    assert verdict("definition-5") == FALSE


def test_prices_that_are_forgotten_break_lemma_8(monkeypatch):
    monkeypatch.setattr(Agent, "cost", lambda self, commitment: 0)
    assert verdict("lemma-8") == FALSE


def test_messages_that_are_kept_from_those_answered_break_theorem_2(monkeypatch):
    real = CurationGame.utilities
    monkeypatch.setattr(
        CurationGame, "utilities", lambda self, profile: [x / 2 for x in real(self, profile)]
    )
    assert verdict("theorem-2") == FALSE


def test_coins_that_nobody_finds_break_what_is_said_of_them(monkeypatch):
    monkeypatch.setattr(mixed, "find_mixed_equilibria", lambda game: MixedSearch((), "nothing"))
    assert verdict("theorem-2-mixed") == FALSE


@pytest.mark.deep
def test_a_posterior_that_ignores_the_message_breaks_footnote_3(monkeypatch):
    monkeypatch.setattr(Channel, "posterior", lambda self, prior: (F(1, 2), prior, prior))
    assert check_claim(find_claim("curation/footnote-3")).verdicts[1] == "false as corrected"


# ---------------------------------------------------------------------------- figure


def test_better_replies_cycle_under_competition_and_end_in_the_truth_under_fairness(results):
    drawn = compute_figure(find_figure("curation/dynamics"))
    last = drawn.table.group_by("protocol", maintain_order=True).agg("move", "agent 1")
    moves = dict(zip(last["protocol"], (len(x) for x in last["move"]), strict=True))
    assert moves["straightforward"] == 1
    assert moves["competitive"] > 20
    assert drawn.results["settled"] == {
        "competitive": False,
        "fair": True,
        "straightforward": True,
    }
    end = drawn.table.filter(drawn.table["protocol"] == "fair").row(-1, named=True)
    assert all(end[f"agent {i}"] == 1 for i in range(1, 6))
    first = drawn.table.row(1, named=True)
    assert 0 < sum(first[f"agent {i}"] for i in range(1, 6)) < 0.2
    assert np.all(drawn.table.select("agent 1").to_numpy() <= 1)
