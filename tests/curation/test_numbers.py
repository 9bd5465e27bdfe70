"""Medians and averages as rounds of thresholds: by enumeration of all numbers and messages."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import aboveboard as ab
from aboveboard.cli import app
from aboveboard.curation import (
    PROTOCOLS,
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CurationGame,
    Scale,
    Society,
    compute_stake,
    examine_equilibria,
    is_equilibrium,
    make_number_society,
)
from aboveboard.curation.channels import CLEAR, NOISE
from aboveboard.curation.curation_game import collect_messages
from aboveboard.curation.cures import find_curing_weight
from aboveboard.curation.dependent_numbers import make_joint_steps
from aboveboard.curation.social_functions import Mean
from aboveboard.errors import InputError

F = Fraction
SCALE = Scale(F(0), F(50), (F(10), F(30)))
SKEWED = (F(1, 2), F(1, 3), F(1, 6))
HALF = Commitment(F(3, 4), F(1, 4))


def make_society(statistic, agents=2, weight=1, distribution=SKEWED):
    return make_number_society(
        statistic, (Agent(F(1), F(1, 10)),) * agents, SCALE, distribution, weight
    )


def state_floor(statistic, steps, weight):
    """Return the statistic of all numbers, each rounded down; the center's is the first."""
    edges = (0, 10, 30)
    numbers = sorted([edges[steps[0]]] * weight + [edges[s] for s in steps[1:]])
    if statistic == "median":
        return F(numbers[(len(numbers) - 1) // 2])
    return F(sum(numbers), len(numbers))


def list_worlds(agents):
    """Yield the steps of all numbers with their chance."""
    for steps in product(range(3), repeat=agents + 1):
        chance = F(1)
        for s in steps:
            chance *= SKEWED[s]
        yield steps, chance


def share_by_definition(statistic, profile, i, *, answered=True, weight=1):
    """Return the share of right answers of agent i: every world, every message, plain loops."""
    n = len(profile)
    votes = n + weight
    counts = [votes // 2 + 1] if statistic == "median" else range(1, votes + 1)
    heard: dict = {}
    for steps, chance in list_worlds(n):
        bits = [[int(s > k) for k in range(2)] for s in steps]
        options = [[(tuple(bits[0]), F(1))]]
        for j, (p, q) in enumerate(profile):
            each = []
            for message in product((0, 1), repeat=2):
                likely = F(1)
                for bit, m in zip(bits[j + 1], message, strict=True):
                    zero = q if bit else p
                    likely *= 1 - zero if m else zero
                each.append((message, likely))
            options.append(each)
        right = [
            [int(weight * bits[0][k] + sum(b[k] for b in bits[1:]) >= j) for j in counts]
            for k in range(2)
        ]
        for messages in product(*options):
            likely = chance
            for _, x in messages:
                likely *= x
            told = tuple(m for j, (m, _) in enumerate(messages) if j != i + 1) if answered else ()
            for k in range(2):
                for q, yes in enumerate(right[k]):
                    pair = heard.setdefault((steps[i + 1], told, k, q), [F(0), F(0)])
                    pair[yes] += likely
    weights = (F(10, 30), F(20, 30))
    return sum(weights[k] * max(pair) / len(counts) for (_, _, k, _), pair in heard.items())


@pytest.mark.parametrize("statistic", ["median", "average"])
@pytest.mark.parametrize("others", [TRUTH, SILENCE, HALF, Commitment(F(0), F(1))])
@pytest.mark.parametrize("weight", [1, 2])
def test_shares_are_those_of_all_numbers_and_messages(statistic, others, weight) -> None:
    society = make_society(statistic, weight=weight)
    for answered in (True, False):
        plain = share_by_definition(statistic, (TRUTH, others), 0, answered=answered, weight=weight)
        messages = collect_messages((TRUTH, others))
        found = society.profit_if_answered(0, messages) if answered else society.profit_alone(0)
        assert found == plain


def test_three_agents_who_mix_kinds_of_commitments_agree_with_enumeration() -> None:
    profile = (HALF, TRUTH, HALF)
    society = make_society("median", 3)
    assert society.profit_if_answered(1, collect_messages(profile)) == share_by_definition(
        "median", profile, 1
    )


@pytest.mark.parametrize("statistic", ["median", "average"])
def test_wrong_answers_are_the_absolute_error_of_the_median_and_bound_that_of_the_average(
    statistic,
) -> None:
    # From the own number alone: answer each question by the likelier value.
    right = make_society(statistic).profit_alone(0)
    error = F(0)
    for own in range(3):
        worlds = [(s, c) for s, c in list_worlds(2) if s[1] == own]
        mass = sum(c for _, c in worlds)
        counts = (2,) if statistic == "median" else (1, 2, 3)
        estimate = F(0)
        for k, gap in ((0, 10), (1, 20)):
            for j in counts:
                yes = sum(c for s, c in worlds if sum(x > k for x in s) >= j)
                estimate += F(gap, len(counts)) * (2 * yes > mass)
        error += sum(c * abs(state_floor(statistic, s, 1) - estimate) for s, c in worlds)
    if statistic == "median":
        assert (1 - right) * 30 == error
    else:
        assert (1 - right) * 30 >= error


def test_the_median_is_the_sum_of_its_rounds() -> None:
    # Independent numbers: what the truth brings is the weighted sum over rounds of bits.
    society = make_society("median", 3)
    rounds = [
        compute_stake(Society(Mean(F(1, 2)), society.agents, chance), 0)
        for chance in (F(1, 2), F(1, 6))
    ]
    stake = compute_stake(society, 0)
    assert stake.bearable_price == sum(
        w * r.bearable_price for w, r in zip((F(1, 3), F(2, 3)), rounds, strict=True)
    )
    assert stake.center_value == sum(
        w * r.center_value for w, r in zip((F(1, 3), F(2, 3)), rounds, strict=True)
    )


def test_dependent_numbers_break_the_sum_over_rounds() -> None:
    # Steps 0, 1, 2 of the own number tell all: its bits of one round do not.
    # Center's step equals the agent's; the center weighs twice, so it is the median.
    worlds = {(0, 0): F(1, 4), (2, 1): F(1, 4), (1, 2): F(1, 2)}  # (center, own)
    by_number = {own: centre for centre, own in worlds}
    assert len(by_number) == 3  # own number alone answers every question: D = 0
    one_bit: dict[tuple[int, int], F] = {}
    for (centre, own), chance in worlds.items():
        pair = (int(own > 0), int(centre > 1))
        one_bit[pair] = one_bit.get(pair, F(0)) + chance
    wrong = sum(min(one_bit.get((b, 0), F(0)), one_bit.get((b, 1), F(0))) for b in (0, 1))
    assert wrong > 0  # in the round of threshold 2 alone something is at stake


def test_commitments_by_threshold_would_leak_one_round_into_another() -> None:
    # Two agents, no center: do both reach threshold 2? Who hears the other's bit of round 1 has
    # less to gain by round 2. A price of 1/5 for round 2 is then too high, and alone it is not.
    chances = (F(1, 6), F(1, 3), F(1, 2))

    def find_wrong(hears_first: bool) -> F:
        heard: dict = {}
        for own, other in product(range(3), repeat=2):
            told = int(other > 0) if hears_first else None
            pair = heard.setdefault((own, told), [F(0), F(0)])
            pair[int(own > 1 and other > 1)] += chances[own] * chances[other]
        return sum(min(pair) for pair in heard.values())

    assert find_wrong(False) == F(1, 4)
    assert find_wrong(True) == F(1, 6)


@pytest.mark.parametrize("statistic", ["median", "average"])
@pytest.mark.parametrize("protocol", ["fair", "competitive", "any-word"])
@pytest.mark.parametrize("price", [F(1, 20), F(9, 10)])
def test_the_four_cases_hold_for_numbers(statistic, protocol, price) -> None:
    agents = (Agent(F(1), price),) * 2
    society = make_number_society(statistic, agents, SCALE, SKEWED)
    game = CurationGame(society, PROTOCOLS[protocol])
    stake = compute_stake(society, 0)
    options = (TRUTH, SILENCE, HALF, Commitment(F(501, 1000), F(499, 1000)))
    assert is_equilibrium(game, (TRUTH, TRUTH)) == (price <= stake.bearable_price)
    assert is_equilibrium(game, (SILENCE, SILENCE)) == (stake.center_value == 0)
    if price <= stake.bearable_price:
        assert examine_equilibria(game).unique_truthful
        base = game.utilities((TRUTH, TRUTH))[0]
        assert all(game.utilities((other, TRUTH))[0] <= base for other in options)


def test_a_helpless_center_of_bits_may_matter_for_numbers() -> None:
    # Two agents, fair bits: no threshold has a center who matters (docs/theory.md).
    even = Society(Mean(F(1, 2)), (Agent(1, F(1, 10)),) * 2, F(1, 2))
    assert compute_stake(even, 0).center_value == 0
    assert compute_stake(make_society("median"), 0).center_value > 0


FILE = """
mechanism = "curation.fair"
seed = 7
[function]
kind = "{kind}"
thresholds = [10, 30]
range = [0, 50]
[center]
numbers = [12, 45, 0, 30]
[parties.anna]
price = 0.05
numbers = [3, 29.5, 50, 10]
{anna}
[parties.bert]
price = 0.05
data = "bert.csv"
"""


def write_numbers(folder: Path, kind: str = "median", anna: str = "", rows: str = "15\n9\n31\n30"):
    (folder / "bert.csv").write_text(f"hours\n{rows}\n")
    path = folder / "numbers.toml"
    path.write_text(FILE.format(kind=kind, anna=anna))
    return path


@pytest.mark.parametrize("kind", ["median", "average"])
def test_the_right_answer_lies_in_the_interval_of_the_answered(tmp_path: Path, kind: str) -> None:
    settlement = ab.run(ab.load(write_numbers(tmp_path, kind)))
    rows = settlement.parties["anna"].reply.rows().to_dicts()
    columns = ([12, 45, 0, 30], [3, 29.5, 50, 10], [15, 9, 31, 30])
    for row, numbers in zip(rows, zip(*columns, strict=True), strict=True):
        true = sorted(numbers)[1] if kind == "median" else sum(numbers) / 3
        assert row["at least"] <= true <= row["below"]
        assert row["below"] - row["at least"] <= 20 + 1e-9
    assert settlement.parties["anna"].more == {"correct": 1.0, "error": 0.0}


def test_who_is_not_answered_gets_noise_that_depends_on_no_number(tmp_path: Path) -> None:
    silent = "commitment = [0.5, 0.5]"
    first = ab.run(ab.load(write_numbers(tmp_path, anna=silent)))
    other = ab.run(ab.load(write_numbers(tmp_path, anna=silent, rows="0\n0\n0\n0")))
    replies = [
        s.parties["anna"].reply.rows().select("center", "message of bert") for s in (first, other)
    ]
    assert replies[0].equals(replies[1])


def test_expected_shares_are_met_over_many_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = {name: rng.choice([5, 20, 40], 4000).tolist() for name in ("center", "anna", "bert")}
    text = 'mechanism = "curation.fair"\nseed = 3\n[function]\nkind = "average"\n'
    text += "thresholds = [10, 30]\nrange = [0, 50]\n"
    text += f"[center]\nnumbers = {rows['center']}\n"
    for name in ("anna", "bert"):
        text += f"[parties.{name}]\nprice = 0.05\nnumbers = {rows[name]}\n"
        text += "commitment = [0.8, 0.3]\n" if name == "bert" else ""
    path = tmp_path / "many.toml"
    path.write_text(text)
    anna = ab.run(ab.load(path)).parties["anna"]
    assert anna.more["correct"] == pytest.approx(float(anna.benefit), abs=0.012)


@pytest.mark.parametrize(
    ("rows", "anna", "kind", "said"),
    [
        ("15\n9\n31\n51", "", "median", "row 4: it is 51"),
        ("15\n9\nmany\n1", "", "median", "'many'"),
        ("15\n9\n31", "", "median", "3 rounds"),
        ("15\n9\n31\n30", "bits = [1, 0, 1, 1]", "median", "of numbers"),
        ("15\n9\n31\n30", "prior = 0.3", "median", "no prior"),
        ("15\n9\n31\n30", "", "mode", "kind"),
    ],
)
def test_wrong_numbers_are_refused(tmp_path: Path, rows, anna, kind, said) -> None:
    with pytest.raises(ab.AboveboardError, match=said):
        ab.load(write_numbers(tmp_path, kind, anna, rows))


@pytest.mark.parametrize("written", ["1e9999999", "-1e-9999999", "1/0", "nan", "", "ten"])
def test_a_number_in_a_file_that_is_none_or_has_millions_of_digits_is_refused(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / "ann.txt").write_text(f"1\n{written or '-'}\n2\n")
    (tmp_path / "c.toml").write_text(
        'mechanism = "curation.fair"\nseed = 7\n[function]\nkind = "average"\n'
        "thresholds = [1, 2]\nrange = [0, 3]\n[center]\nnumbers = [1, 2, 0]\n"
        '[parties.ann]\nvalue = 1\nprice = "1/10"\ndata = "ann.txt"\n'
        '[parties.bea]\nvalue = 1\nprice = "1/10"\nnumbers = [1, 2, 3]\n'
    )
    with pytest.raises(InputError, match="write one number in a row"):
        ab.load(tmp_path / "c.toml")


def test_the_page_says_which_chances_expected_values_assume() -> None:
    keys = {"kind": "median", "thresholds": [1], "range": [0, 2]}
    party = {"value": 1, "price": "1/10", "numbers": [0, 1]}
    for joint, said in ((None, "independent numbers"), ([F(1, 8)] * 8, "numbers with the chances")):
        function = keys if joint is None else {**keys, "joint": joint}
        society = ab.collaborate(
            "curation.fair",
            {"ann": party, "bea": party},
            function=function,
            center={"numbers": [1, 2]},
            seed=1,
        )
        settled = ab.run(society)
        assert f"Expected values assume {said}" in settled.exhibits[0].note
        assert "got the center's bits and all messages" in settled.headline


def test_thresholds_must_rise_inside_the_range() -> None:
    with pytest.raises(InputError, match="ascending"):
        Scale(F(0), F(10), (F(5), F(10)))
    with pytest.raises(InputError, match="list 3"):
        make_society("median", distribution=(F(1, 2), F(1, 2)))


def test_too_many_messages_are_refused_before_they_are_summed() -> None:
    scale = Scale(F(0), F(9), tuple(F(k) for k in range(1, 9)))
    society = make_number_society("median", (Agent(F(1), F(1, 10)),) * 6, scale)
    with pytest.raises(InputError, match="combinations"):
        society.profit_if_answered(0, collect_messages((HALF,) * 6))
    assert society.accuracy(0, CLEAR, collect_messages((SILENCE,) * 6)) > society.accuracy(
        0, NOISE, collect_messages((SILENCE,) * 6)
    )


def test_numbers_from_the_shell(tmp_path: Path) -> None:
    path = write_numbers(tmp_path)
    arguments = ["run", str(path), "--out", str(tmp_path / "out"), "--no-bundles"]
    result = CliRunner().invoke(app, arguments)
    assert "for the median" in result.stdout
    assert result.exit_code == 0


# ------------------------------------------------------------------------ dependent numbers


def make_dependent(statistic, joint, agents=2, weight=1):
    return make_number_society(
        statistic, (Agent(F(1), F(1, 10)),) * agents, SCALE, None, weight, joint
    )


@pytest.mark.parametrize("statistic", ["median", "average"])
@pytest.mark.parametrize("others", [TRUTH, SILENCE, HALF])
def test_chances_of_all_steps_that_are_products_give_what_one_distribution_gives(
    statistic, others
) -> None:
    joint = make_joint_steps([SKEWED] * 3)
    plain, dependent = make_society(statistic), make_dependent(statistic, joint)
    messages = collect_messages((TRUTH, others))
    assert dependent.profit_if_answered(0, messages) == plain.profit_if_answered(0, messages)
    assert dependent.profit_alone(1) == plain.profit_alone(1)
    assert dependent.profit_with_center(0) == plain.profit_with_center(0)


@pytest.mark.parametrize("seed", range(3))
def test_dependent_numbers_agree_with_enumeration(monkeypatch, seed: int) -> None:
    parts = np.random.default_rng(seed).integers(0, 5, 27)
    joint = [F(int(x), int(parts.sum())) for x in parts]
    worlds = [((a, b, c), joint[a + 3 * b + 9 * c]) for c, b, a in product(range(3), repeat=3)]
    monkeypatch.setitem(globals(), "list_worlds", lambda agents: worlds)
    profile = (TRUTH, HALF)
    society = make_dependent("median", joint)
    for i in range(2):
        for answered in (True, False):
            plain = share_by_definition("median", profile, i, answered=answered)
            found = (
                society.profit_if_answered(i, collect_messages(profile))
                if answered
                else society.profit_alone(i)
            )
            assert found == plain


def test_a_number_that_tells_all_has_nothing_at_stake() -> None:
    # One agent, the center's number weighs twice: it is the median, and the own number tells it.
    joint = [F(0)] * 9
    for center, own, chance in ((0, 0, F(1, 4)), (2, 1, F(1, 4)), (1, 2, F(1, 2))):
        joint[center + 3 * own] = chance
    assert compute_stake(make_dependent("median", joint, 1, 2), 0).bearable_price == 0


@pytest.mark.parametrize("bert", ["[0.8, 0.3]", "[1, 0]"])
def test_expected_shares_of_different_distributions_are_met(tmp_path: Path, bert: str) -> None:
    rng = np.random.default_rng(9)
    chances = {"center": [0.5, 0.25, 0.25], "anna": [0.25, 0.5, 0.25], "bert": [0.25, 0.25, 0.5]}
    text = 'mechanism = "curation.fair"\nseed = 3\n[function]\nkind = "median"\n'
    text += "thresholds = [10, 30]\nrange = [0, 50]\n"
    for name, own in chances.items():
        text += "[center]\n" if name == "center" else f"[parties.{name}]\nprice = 0.01\n"
        text += f"distribution = {own}\nnumbers = {rng.choice([5, 20, 40], 4000, p=own).tolist()}\n"
        text += f"commitment = {bert}\n" if name == "bert" else ""
    path = tmp_path / "many.toml"
    path.write_text(text)
    parties = ab.run(ab.load(path)).parties
    for name in ("anna", "bert"):
        assert parties[name].more["correct"] == pytest.approx(
            float(parties[name].benefit), abs=0.012
        )


@pytest.mark.parametrize(
    ("keys", "said"),
    [("distribution = [0.5, 0.5]", "list 3"), ("distribution = [0.5, 0.5, 0.5]", "sum to 3/2")],
)
def test_wrong_distributions_are_refused(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(ab.AboveboardError, match=said):
        ab.load(write_numbers(tmp_path, anna=keys))


def test_a_weight_of_the_center_that_cures_a_median_is_found() -> None:
    # Two agents, one threshold at even odds: as for bits, once the center's number is not enough.
    scale = Scale(F(0), F(2), (F(1),))
    agents = (Agent(F(1), F(1, 20)),) * 2
    society = make_number_society("median", agents, scale)
    assert compute_stake(society, 0).center_value == 0
    weight = find_curing_weight(society)
    found = [
        w
        for w in range(2, 9)
        if compute_stake(make_number_society("median", agents, scale, None, w), 0).center_value > 0
    ]
    assert weight == found[0]
