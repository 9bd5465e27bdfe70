"""Advice to the curator: who is fanatic, whether the center matters, and what would cure it."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    CurationGame,
    Society,
    advise,
    examine_equilibria,
    is_equilibrium,
    simulate_better_replies,
)
from aboveboard.curation.social_functions import ListedFunction, Mean, Parity, Threshold
from depth import up_to
from oracles import curation as plain
from oracles.curation_files import draw_bits, write_file

F = Fraction
EXAMPLE = Path(__file__).parents[2] / "examples" / "curation" / "airlines"


# ------------------------------------------------------------------------------- advice


def test_a_fanatic_is_named_with_how_far_its_price_is_too_high(tmp_path: Path) -> None:
    center, bits = draw_bits(4, "abc")
    path = write_file(tmp_path, bits, center=center, more={"b": "price = 0.5"})
    said = ab.load(path).mechanism.offer().as_dict()
    assert said["equilibria"] == ["none"]
    assert said["parties"]["b"]["fanatic"]
    assert said["parties"]["b"]["excess"] == "3/16"


@pytest.mark.parametrize(
    ("prices", "function", "said"),
    [
        ((1, 1, 1), Threshold(2), "Telling the truth is the only pure equilibrium."),
        ((50, 1, 1), Threshold(2), "There is no pure equilibrium: somebody always gains by a "
         "change. Obstacle: a, whose price exceeds the gain from truth."),
        ((1, 1, 1), Parity(), "Telling the truth is an equilibrium, but so is silence. "
         "Obstacle: the center's bit alone has no value to anybody."),
        ((60, 70, 1), Parity(), "Telling the truth is not an equilibrium. Equilibria: silence. "
         "Obstacle: a and b, whose price exceeds the gain from truth."),
    ],
)  # fmt: skip
def test_the_advice_begins_with_whether_truth_is_the_only_equilibrium(
    prices: tuple[int, ...], function: Any, said: str
) -> None:
    agents = tuple(Agent(F(1), F(k, 100)) for k in prices)
    society = Society(function, agents, F(1, 2))
    assert advise(CurationGame(society, PROTOCOLS["fair"]), "abc").headline == said


def test_the_advice_has_a_row_for_each_agent_and_its_chances() -> None:
    agents = tuple(Agent(F(1), k) for k in (F(1, 20), F(1, 5), F(1, 5)))
    society = Society(Mean(), agents, F(1, 2))
    advice = advise(CurationGame(society, PROTOCOLS["competitive"]), ["anna", "bert", "cleo"])
    each, mixed = advice.tables()
    assert each.rows[0] == ("anna", "1/20", "5/16", "1/8", "no")
    assert mixed.rows == (("anna", "1"), ("bert", "16/25"), ("cleo", "16/25"))


def test_the_advice_on_a_thousand_agents_takes_a_few_lines() -> None:
    agents = tuple(Agent(F(1), F(1 + k % 2, 100)) for k in range(1000))
    names = [f"agent {i}" for i in range(1000)]
    advice = advise(CurationGame(Society(Mean(), agents, F(1, 2)), PROTOCOLS["fair"]), names)
    assert advice.tables() == []
    said = dict(advice.summary_rows())
    assert said["price of the truth"] == "from 1/100 to 1/50"
    assert said["to make it matter, with a threshold"].endswith("k = 501 or 502")


def test_epsilon_is_what_the_centers_bit_is_worth_to_whom_it_is_worth_most() -> None:
    agents = tuple(Agent(F(c), F(1, 100)) for c in (1, 3, 2))
    said = advise(CurationGame(Society(Threshold(2), agents, F(1, 2)), PROTOCOLS["fair"]), "abc")
    assert said.epsilon == 3 * F(1, 8) == max(stake.center_value for stake in said.stakes)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("prior", [F(1, 2), F(1, 3)])
def test_the_cure_is_what_trying_every_threshold_finds(n: int, prior: Fraction) -> None:
    from aboveboard.curation import compute_stake
    from aboveboard.curation.advice import find_cure

    society = Society(Mean(), (Agent(F(1), F(1, 10)),) * n, prior)
    cure = find_cure(society)
    assert cure is not None
    for weight in range(2, cure.center_weight + 1):
        tried = tuple(
            k
            for k in range(1, n + weight + 1)
            if compute_stake(Society(Threshold(k, weight), society.agents, prior), 0).center_value
            > 0
        )
        assert tried == (cure.k if weight == cure.center_weight else ())


def test_a_thousand_agents_are_advised_with_a_cure() -> None:
    agents = (Agent(F(1), F(1, 100)),) * 1000
    names = [str(i) for i in range(1000)]
    said = advise(CurationGame(Society(Mean(), agents, F(1, 2)), PROTOCOLS["fair"]), names)
    assert said.equilibria.list_names() == ("truth", "silence")
    assert said.cure is not None
    assert (said.cure.center_weight, said.cure.k) == (2, (501, 502))
    assert said.mixed.searched == "nothing: there are more than 8 agents"


@pytest.mark.deep
@settings(max_examples=up_to(40), deadline=None)
@given(st.data())
def test_the_straightforward_protocols_verdict_is_what_a_search_finds(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 3))
    table = ListedFunction(
        tuple(data.draw(st.lists(st.booleans(), min_size=2 << n, max_size=2 << n)))
    )
    prices = [data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 4), F(1, 2)])) for _ in range(n)]
    game = CurationGame(
        Society(table, tuple(Agent(F(1), k) for k in prices), F(1, 2)), PROTOCOLS["straightforward"]
    )
    found = {p for p in product((TRUTH, SILENCE), repeat=n) if is_equilibrium(game, p)}
    said = examine_equilibria(game)
    assert said.unique_truthful == (found == {(TRUTH,) * n})
    assert said.truth == ((TRUTH,) * n in found)
    assert said.silence == ((SILENCE,) * n in found)
    if said.complete:
        assert len(found) == 1
    assert {tuple(TRUTH if there else SILENCE for there in who) for who in said.others} <= found


def test_an_equilibrium_of_some_is_named_by_who_is_truthful_in_it() -> None:
    values = [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1]
    agents = tuple(Agent(F(1), k) for k in (F(1, 2), F(1, 8), F(1, 2)))
    society = Society(ListedFunction(tuple(map(bool, values))), agents, F(1, 2))
    said = advise(CurationGame(society, PROTOCOLS["straightforward"]), ["anna", "bert", "cleo"])
    assert said.as_dict()["equilibria"] == ["silence", "only bert truthful"]


def test_under_the_fair_protocol_better_replies_from_silence_end_in_the_truth() -> None:
    agents = tuple(Agent(F(1), F(k, 50)) for k in (6, 7, 8))
    game = CurationGame(Society(Threshold(2), agents, F(1, 2)), PROTOCOLS["fair"])
    path = simulate_better_replies(game, (SILENCE,) * 3, 200, np.random.default_rng(1))
    assert path.at_equilibrium
    assert path.profiles[-1] == (TRUTH,) * 3


@pytest.mark.deep
@settings(max_examples=up_to(25), deadline=None)
@given(st.data())
def test_the_agents_to_leave_out_are_those_in_no_group_without_a_fanatic(
    data: st.DataObject,
) -> None:
    """By the plain definitions, over all groups: the truth of a group, all others silent."""
    n = 3
    bits = data.draw(st.lists(st.booleans(), min_size=2 << n, max_size=2 << n))
    prices = [data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 4), F(3, 8)])) for _ in range(n)]
    prior = data.draw(st.sampled_from([F(1, 2), F(1, 3)]))

    def value(i: int, group: tuple[int, ...] | None) -> Fraction:
        truthful = [(F(1), F(0)) if group and j in group else (F(1, 2),) * 2 for j in range(n)]
        return plain.profit(
            lambda b: int(bits[sum(x << k for k, x in enumerate(b))]),
            i + 1,
            truthful,
            prior,
            lambda _: group is not None,
        )

    alone = [value(i, None) for i in range(n)]
    groups = [g for size in range(n + 1) for g in combinations(range(n), size)]
    bearable = [g for g in groups if all(prices[i] <= value(i, g) - alone[i] for i in g)]
    largest = max(bearable, key=len)
    assert all(set(g) <= set(largest) for g in bearable)
    agents = tuple(Agent(F(1), k) for k in prices)
    game = CurationGame(Society(ListedFunction(tuple(bits)), agents, prior), PROTOCOLS["fair"])
    said = advise(game, "abc")
    assert said.bearable_group == tuple(i in largest for i in range(n))
    assert said.as_dict()["leave_out"] == [x for i, x in enumerate("abc") if i not in largest]
