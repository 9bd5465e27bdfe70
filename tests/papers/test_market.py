"""Counterexamples to the market paper's claims hold by an independent oracle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from oracles import market as oracle
from papers.claims import Finding, check_claim
from papers.market import CLAIMS

F = Fraction
GOOD = frozenset({0})
PLAYERS = ("a", "b", "c")


def findings(name: str) -> tuple[Finding, ...]:
    claim = next(c for c in CLAIMS if c.id == f"market/{name}")
    return check_claim(claim).findings


class Example:
    """A counterexample with one good, as the oracle needs it."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        market = data.get("market", data)
        self.n = len(market["values"])
        self.big_b = 2 ** (market["bits"] - 1)
        owner = PLAYERS.index(market["brought"]["g1"])
        self.endowment = tuple(GOOD if i == owner else oracle.NOTHING for i in range(self.n))
        worth = [market["values"][name]["g1"] for name in PLAYERS[: self.n]]
        self.theta = [lambda held, w=w: w if held else 0 for w in worth]
        self.best = max(oracle.welfare(self.theta, a) for a in oracle.allocations([0], self.n))

    def outcome(self, shown: dict[str, Any]) -> tuple[Any, tuple[int, ...]]:
        players = PLAYERS[: self.n]
        held = tuple(GOOD if shown["allocation"][p] else oracle.NOTHING for p in players)
        return held, tuple(shown["prices"][p] for p in players)

    def play(self, outcome: Any, yes: bool = True) -> Any:
        epsilon, delta = F(self.data["epsilon"]), F(self.data["delta"])
        votes = [yes] * self.n
        allocation, prices = outcome
        return oracle.mechanism_m(
            self.n, self.big_b, self.endowment, epsilon, delta, allocation, prices, votes, votes
        )


def test_ids_are_unique_and_each_claim_names_its_place() -> None:
    assert len({c.id for c in CLAIMS}) == len(CLAIMS)
    assert all(c.paper == "market" and c.id.startswith("market/") and c.place for c in CLAIMS)


def test_lemma_10_fails_where_everybody_colludes_and_nothing_is_worth_anything() -> None:
    printed = findings("lemma-10")[0].counterexample
    example = Example(printed)
    assert sorted(map(sorted, printed["others"]["coalitions"])) == [sorted(PLAYERS[: example.n])]
    outcome = example.outcome(printed["lie"]["a"])
    assert outcome != (example.endowment, (0,) * example.n)
    together = sum(oracle.expected(example.theta, example.endowment, example.play(outcome)))
    assert together == 0 == oracle.welfare(example.theta, example.endowment) == example.best


def test_a_rational_play_can_leave_a_player_with_less_than_it_brought() -> None:
    printed = findings("participation")[0].counterexample
    example = Example(printed)
    player = PLAYERS.index(printed["player"])
    told = []
    for outcome in oracle.truthful(example.theta, example.endowment, example.big_b, [0], {0}):
        for _, _, allocation, prices in example.play(outcome):
            told.append(oracle.utilities(example.theta, example.endowment, allocation, prices))
    assert F(printed["utility"]) in [u[player] for u in told]
    assert F(printed["utility"]) < 0


def test_a_player_who_brings_a_burden_expects_more_than_two_epsilon() -> None:
    printed = findings("others-utility")[0].counterexample
    example = Example(printed)
    player = PLAYERS.index(printed["player"])
    expects = [
        oracle.expected(example.theta, example.endowment, example.play(outcome))[player]
        for outcome in oracle.truthful(example.theta, example.endowment, example.big_b, [0], {0})
    ]
    assert F(printed["expects"]) in expects
    assert F(printed["expects"]) > 2 * F(printed["epsilon"])


def test_without_anything_to_gain_nobody_votes() -> None:
    printed = findings("overhead")[0].counterexample
    example = Example(printed)
    assert oracle.welfare(example.theta, example.endowment) == example.best
    ((_, node, *_),) = example.play((example.endowment, (0,) * example.n))
    assert (node, printed["overhead"]) == ("b", 0)


def test_the_truthful_price_may_be_beyond_naive_1s_domain() -> None:
    printed = findings("naive-1-optimum")[0].counterexample
    example = Example(printed)
    outcomes = list(oracle.truthful(example.theta, example.endowment, example.big_b, [0], {0}))
    assert outcomes
    assert all(max(map(abs, prices)) >= example.big_b for _, prices in outcomes)


def test_naive_4_can_miss_the_optimum_for_the_same_reason() -> None:
    printed = findings("naive-4-independent")[0].counterexample
    example = Example(printed)
    allocation, _ = example.outcome(printed["announced"])
    assert oracle.welfare(example.theta, allocation) < example.best


@pytest.mark.parametrize(
    "name", ["naive-1-belief", "naive-2-belief", "naive-3-gain", "naive-4-collusion"]
)
def test_the_simple_mechanisms_failures_are_on_small_markets(name: str) -> None:
    (found,) = findings(name)
    example = Example(found.counterexample)
    assert found.scope.checks <= 10
    assert example.n <= 3
    if "announcement" in found.counterexample:
        _, prices = example.outcome(found.counterexample["announcement"])
        assert sum(prices) == 0


def test_vcg_pays_out_what_the_example_says() -> None:
    (found,) = findings("vcg-deficit")
    example = Example(found.counterexample)
    _, payments = oracle.clarke(example.theta, example.endowment, [0])
    assert -sum(payments) == found.counterexample["the center pays"] > 0


def test_two_who_collude_against_vcg_gain_what_the_example_says() -> None:
    (found,) = findings("vcg-collusion")
    example = Example(found.counterexample)

    def together(values: list[int]) -> int:
        reported = [lambda held, w=w: w if held else 0 for w in values]
        allocation, payments = oracle.clarke(reported, example.endowment, [0])
        return sum(oracle.utilities(example.theta, example.endowment, allocation, payments))

    said = {
        k: [int(v.strip("(),")) for v in found.counterexample[k].values()] for k in ("truth", "lie")
    }
    assert (
        together(said["lie"]) - together(said["truth"]) == found.counterexample["gained together"]
    )
