"""The curation mechanisms end to end: replies, guesses, advice, audits, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
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
    Commitment,
    CurationGame,
    Society,
    advise,
    is_equilibrium,
    pure_equilibria,
    simulate_better_replies,
)
from aboveboard.curation.channels import CLEAR
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.curation.curation_game import collect_messages
from aboveboard.curation.rounds import draw_messages, draw_noise
from aboveboard.curation.social_functions import Mean, Parity, Table, Threshold
from aboveboard.errors import InputError

F = Fraction
EXAMPLE = Path(__file__).parents[2] / "examples" / "curation" / "airlines"
Rows = Sequence[int]


def aboveboard(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aboveboard", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def write(
    folder: Path,
    bits: Mapping[str, Rows],
    *,
    center: Rows = (0, 1) * 4,
    protocol: str = "fair",
    function: str = 'kind = "threshold"\nk = 2',
    more: Mapping[str, str] | None = None,
) -> Path:
    """Write a collaboration file; what is left out is usual."""
    said = more or {}
    text = f'mechanism = "curation.{protocol}"\nseed = 5\n[function]\n{function}\n'
    text += f"[center]\nbits = {list(center)}\n"
    for name, rows in bits.items():
        keys = said.get(name, "")
        price = "" if "price =" in keys else "price = 0.1\n"
        text += f"[parties.{name}]\n{price}{keys}\nbits = {list(rows)}\n"
    path = folder / "curation.toml"
    path.write_text(text)
    return path


def replies(path: Path, name: str) -> np.ndarray:
    """The center's bit and the messages that an agent is handed, by round."""
    share = ab.run(ab.load(path)).parties[name]
    assert share.reply.rows is not None
    frame = share.reply.rows()
    columns = [c for c in frame.columns if c == "center" or c.startswith("message of")]
    return frame.select(columns).to_numpy()


def random_bits(rounds: int, names: str, seed: int = 0) -> tuple[list[int], dict[str, list[int]]]:
    drawn = np.random.default_rng(seed).integers(0, 2, (rounds, len(names) + 1))
    return drawn[:, 0].tolist(), {n: drawn[:, k + 1].tolist() for k, n in enumerate(names)}


# ------------------------------------------------------------------------------ replies


def test_who_is_answered_gets_the_centers_bit_and_all_messages(tmp_path: Path) -> None:
    center, bits = random_bits(50, "abc")
    got = replies(write(tmp_path, bits, center=center), "a")
    assert got.tolist() == [list(row) for row in zip(center, *bits.values(), strict=True)]


def test_noise_is_the_very_same_whatever_the_bits_of_others_and_the_centers(tmp_path: Path) -> None:
    silent = {"a": "commitment = [0.5, 0.5]"}
    center, bits = random_bits(200, "abc", 1)
    before = replies(write(tmp_path, bits, center=center, more=silent), "a")
    center, bits = random_bits(200, "abc", 2)
    after = replies(write(tmp_path, bits, center=center, more=silent), "a")
    assert np.array_equal(before, after)


def test_noise_is_uniform_and_tells_nothing_of_any_bit(tmp_path: Path) -> None:
    rounds = 20_000
    center, bits = random_bits(rounds, "abc", 3)
    silent = {"a": "commitment = [0.5, 0.5]"}
    got = replies(write(tmp_path, bits, center=center, more=silent), "a")
    error = 4 / np.sqrt(rounds)
    assert np.abs(2 * got.mean(axis=0) - 1).max() < error
    truth = 2 * np.column_stack([center, *bits.values()]) - 1
    noisy = 2 * got - 1
    assert np.abs(truth.T @ noisy / rounds).max() < error
    assert np.abs((noisy.T @ noisy / rounds)[np.triu_indices(4, 1)]).max() < error


def test_two_agents_get_different_noise(tmp_path: Path) -> None:
    center, bits = random_bits(200, "abc", 3)
    silent = dict.fromkeys("ab", "commitment = [0.5, 0.5]")
    path = write(tmp_path, bits, center=center, more=silent)
    assert not np.array_equal(replies(path, "a"), replies(path, "b"))


def test_messages_come_as_often_as_the_commitment_says() -> None:
    rng = np.random.default_rng(0)
    bits = np.tile([[0], [1]], (50_000, 1))
    sent = draw_messages(bits, [Commitment(F(9, 10), F(1, 5))], rng)
    assert sent[bits == 0].mean() == pytest.approx(0.1, abs=0.01)
    assert sent[bits == 1].mean() == pytest.approx(0.8, abs=0.01)


def test_noise_is_drawn_without_being_shown_anything() -> None:
    same = [draw_noise(30, 4, np.random.default_rng(9)) for _ in range(2)]
    assert np.array_equal(*same)
    assert same[0].shape == (30, 5)


# --------------------------------------------------------------------- what is learned


@pytest.mark.parametrize(
    ("function", "prior"),
    [('kind = "threshold"\nk = 2', "1/2"), ('kind = "majority"\ncenter_weight = 2', "1/3")],
)
def test_the_promised_share_of_right_guesses_comes_true_on_independent_bits(
    tmp_path: Path, function: str, prior: str
) -> None:
    rounds = 40_000
    rng = np.random.default_rng(8)
    drawn = (rng.random((rounds, 5)) < float(F(prior))).astype(int)
    bits = {n: drawn[:, k + 1].tolist() for k, n in enumerate("abcd")}
    more = {
        "b": "commitment = [0.9, 0.3]",
        "c": "commitment = [0.5, 0.5]",
        "d": "commitment = [0, 1]",
    }
    path = write(
        tmp_path,
        bits,
        center=drawn[:, 0].tolist(),
        function=f'{function}\nprior = "{prior}"',
        more=more,
    )
    settlement = ab.run(ab.load(path))
    assert settlement.details["answered"] == ["a", "d"]
    for share in settlement.parties.values():
        promised = float(share.benefit)
        error = np.sqrt(promised * (1 - promised) / rounds)
        assert share.more["correct"] == pytest.approx(promised, abs=4 * error + 1e-12)


def test_two_hundred_agents_who_are_alike_are_settled_by_counting(tmp_path: Path) -> None:
    rounds, n = 400, 200
    drawn = np.random.default_rng(4).integers(0, 2, (rounds, n + 1))
    bits = {f"a{k}": drawn[:, k + 1].tolist() for k in range(n)}
    more = dict.fromkeys(bits, "commitment = [0.8, 0.2]")
    path = write(
        tmp_path, bits, center=drawn[:, 0].tolist(), function='kind = "majority"',
        protocol="always_all", more=more,
    )  # fmt: skip
    shares = ab.run(ab.load(path)).parties.values()
    promised = {share.benefit for share in shares}
    assert len(promised) == 1
    (promise,) = promised
    assert 0.6 < promise < 1
    measured = np.mean([share.more["correct"] for share in shares])
    assert measured == pytest.approx(float(promise), abs=4 * 0.5 / np.sqrt(rounds))


def test_an_agent_alone_learns_all_for_the_truth_and_nothing_for_its_contrary(
    tmp_path: Path,
) -> None:
    center, bits = random_bits(300, "a")
    for protocol in ("competitive", "fair", "indicator", "straightforward"):
        for commitment, answered in (("[1, 0]", ["a"]), ("[0, 1]", [])):
            path = write(
                tmp_path, bits, center=center, protocol=protocol, function='kind = "parity"',
                more={"a": f"commitment = {commitment}"},
            )  # fmt: skip
            settlement = ab.run(ab.load(path))
            assert settlement.details["answered"] == answered
            if answered:
                assert settlement.parties["a"].more["correct"] == 1


def test_who_does_not_report_is_silent(tmp_path: Path) -> None:
    center, bits = random_bits(100, "abc")
    collaboration = ab.load(write(tmp_path, bits, center=center))
    reports = {n: x for n, x in collaboration.reports.items() if n != "c"}
    settlement = collaboration.mechanism.settle(reports)
    assert sorted(settlement.parties) == ["a", "b"]
    silent = write(tmp_path, bits, center=center, more={"c": "commitment = [0.5, 0.5]"})
    there = ab.run(ab.load(silent))
    for name in "ab":
        assert settlement.parties[name].benefit == there.parties[name].benefit


def test_a_table_a_callable_and_a_kind_that_say_the_same_settle_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def two(bits):\n    print('hello')\n    return sum(bits) > 1"
    )
    center, bits = random_bits(80, "ab")
    found = []
    for function in (
        'kind = "threshold"\nk = 2',
        'kind = "table"\nvalues = [0, 0, 0, 1, 0, 1, 1, 1]',
        'kind = "callable"\nfunction = "mine:two"',
        'kind = "mean"\nlevel = 0.5',
        'kind = "majority"',
    ):
        settlement = ab.run(ab.load(write(tmp_path, bits, center=center, function=function)))
        found.append([(s.benefit, s.utility, s.more) for s in settlement.parties.values()])
    assert all(each == found[0] for each in found)


def test_functions_of_the_same_name_beside_two_files_are_two(tmp_path: Path) -> None:
    found = []
    for k, folder in enumerate((tmp_path / "one", tmp_path / "two")):
        folder.mkdir()
        (folder / "same.py").write_text(f"def g(bits):\n    return {k}")
        path = write(folder, {"a": [0]}, center=[0], function='kind="callable"\nfunction="same:g"')
        found.append(ab.load(path).mechanism.society.table.tolist())
    assert found == [[False] * 4, [True] * 4]


def test_a_price_may_be_a_function_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("def steep(p, q):\n    return 3 * abs(p - q) ** 3")
    center, bits = random_bits(20, "ab")
    more = {"a": 'shape = "prices:steep"\ncommitment = [0.75, 0.25]'}
    path = write(tmp_path, bits, center=center, more=more, protocol="always_all")
    share = ab.run(ab.load(path)).parties["a"]
    assert float(share.benefit - share.utility) == pytest.approx(0.1 / 8)


def test_the_audit_names_whose_price_jumps(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("def entry(p, q):\n    return 2.0 if p != q else 0.0")
    path = write(tmp_path, {"a": [0, 1] * 4, "b": [1, 0] * 4}, more={"a": 'shape = "prices:entry"'})
    mechanism = ab.load(path).mechanism
    said = mechanism.remarks(mechanism.game({}), None, 0)
    assert said["prices that jump"]["text"].startswith("a (0.1 for next to nothing)")
    assert said["pure equilibria over all commitments"]["text"].endswith("there may be others")


# ------------------------------------------------------------------------ the contract


def test_run_and_design_print_the_contract_as_json_and_replay_repeats_it(tmp_path: Path) -> None:
    center, bits = random_bits(30, "abcd")
    path = write(
        tmp_path, bits, center=center, function='kind = "threshold"\nk = 3', protocol="competitive"
    )
    out = tmp_path / "settlement"
    ran = aboveboard("run", path, "--out", out, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["parties"]["a"] == {
        "benefit": 1,
        "utility": "9/10",
        "payment": 0,
        "correct": 1.0,
        "reply": "parties/a/reply.csv",
    }
    assert "byte for byte" in aboveboard("replay", out).stdout
    picture = tmp_path / "who.svg"
    designed = aboveboard("design", path, "--plot", picture, "--format", "json")
    assert designed.returncode == 0, designed.stderr
    said = json.loads(designed.stdout)
    assert said["unique_truthful"] is False
    assert said["equilibria"] == ["truth", "silence"]
    assert said["helpless"] is True
    assert said["epsilon"] == 0
    assert said["cure"] == {"center_weight": 2, "k": [3, 4]}
    assert said["parties"]["a"] == {
        "fanatic": False,
        "bearable_price": "5/16",
        "excess": 0,
        "center_value": 0,
    }
    assert "<svg" in picture.read_text()


def test_the_report_says_that_bits_are_not_independent_and_what_it_changes() -> None:
    settlement = ab.run(ab.load(EXAMPLE / "silent.toml"))
    assert settlement.details["rounds"] == 365
    assert settlement.details["correlation"] > 0.3
    (exhibit,) = settlement.exhibits
    assert "correlation" in exhibit.note
    row = dict(zip(exhibit.columns, exhibit.rows[0], strict=True))
    assert row["difference"] == row["measured"] - float(row["promised"])
    truthful = ab.run(ab.load(EXAMPLE / "truthful.toml"))
    for name, share in truthful.parties.items():
        assert share.more["correct"] == 1 > settlement.parties[name].more["correct"]


# ------------------------------------------------------------------------------- advice


def test_a_fanatic_is_named_with_how_far_its_price_is_too_high(tmp_path: Path) -> None:
    center, bits = random_bits(4, "abc")
    path = write(tmp_path, bits, center=center, more={"b": "price = 0.5"})
    said = ab.load(path).mechanism.offer().as_dict()
    assert said["equilibria"] == ["none"]
    assert said["parties"]["b"]["fanatic"]
    assert said["parties"]["b"]["excess"] == "3/16"


@pytest.mark.parametrize(
    ("prices", "function", "said"),
    [
        ((1, 1, 1), Threshold(2), "Telling the truth is the only pure equilibrium."),
        ((50, 1, 1), Threshold(2), "There is no pure equilibrium: somebody always gains by a "
         "change. In the way: a, whose price is more than the truth brings."),
        ((1, 1, 1), Parity(), "Telling the truth is an equilibrium, but so is silence. In the "
         "way: the center, whose bit alone is worth nothing to anybody."),
        ((60, 70, 1), Parity(), "Telling the truth is no equilibrium. What is: silence. In the "
         "way: a and b, whose price is more than the truth brings."),
    ],
)  # fmt: skip
def test_the_advice_begins_with_whether_truth_is_the_only_equilibrium(
    prices: tuple[int, ...], function: Any, said: str
) -> None:
    agents = tuple(Agent(F(1), F(k, 100)) for k in prices)
    society = Society(function, agents, F(1, 2))
    assert advise(CurationGame(society, PROTOCOLS["fair"]), "abc").headline == said


def test_the_advice_has_a_row_for_each_agent_and_for_its_coins() -> None:
    agents = tuple(Agent(F(1), k) for k in (F(1, 20), F(1, 5), F(1, 5)))
    society = Society(Mean(), agents, F(1, 2))
    advice = advise(CurationGame(society, PROTOCOLS["competitive"]), ["anna", "bert", "cleo"])
    each, coins = advice.tables()
    assert each.rows[0] == ("anna", "1/20", "5/16", "1/8", "no")
    assert coins.rows == (("anna", "1"), ("bert", "16/25"), ("cleo", "16/25"))


def test_a_thousand_agents_are_told_in_a_few_lines() -> None:
    agents = tuple(Agent(F(1), F(1 + k % 2, 100)) for k in range(1000))
    names = [f"agent {i}" for i in range(1000)]
    advice = advise(CurationGame(Society(Mean(), agents, F(1, 2)), PROTOCOLS["fair"]), names)
    assert advice.tables() == []
    said = dict(advice.summary_rows())
    assert said["price of the truth"] == "from 1/100 to 1/50"
    assert said["to make her matter, with a threshold"].endswith("k = 501 or 502")


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
    assert said.equilibria.named() == ("truth", "silence")
    assert said.cure is not None
    assert (said.cure.center_weight, said.cure.k) == (2, (501, 502))
    assert said.mixed is None


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_straightforward_protocols_verdict_is_what_a_search_finds(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 3))
    table = Table(tuple(data.draw(st.lists(st.booleans(), min_size=2 << n, max_size=2 << n))))
    prices = [data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 4), F(1, 2)])) for _ in range(n)]
    game = CurationGame(
        Society(table, tuple(Agent(F(1), k) for k in prices), F(1, 2)), PROTOCOLS["straightforward"]
    )
    found = {p for p in product((TRUTH, SILENCE), repeat=n) if is_equilibrium(game, p)}
    said = pure_equilibria(game)
    assert said.unique_truthful == (found == {(TRUTH,) * n})
    assert said.truth == ((TRUTH,) * n in found)
    assert said.silence == ((SILENCE,) * n in found)
    if said.complete:
        assert len(found) == 1
    assert {tuple(TRUTH if there else SILENCE for there in who) for who in said.others} <= found


def test_an_equilibrium_of_some_is_named_by_who_is_truthful_in_it() -> None:
    values = [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1]
    agents = tuple(Agent(F(1), k) for k in (F(1, 2), F(1, 8), F(1, 2)))
    society = Society(Table(tuple(map(bool, values))), agents, F(1, 2))
    said = advise(CurationGame(society, PROTOCOLS["straightforward"]), ["anna", "bert", "cleo"])
    assert said.as_dict()["equilibria"] == ["silence", "only bert truthful"]


def test_under_the_fair_protocol_better_replies_from_silence_end_in_the_truth() -> None:
    agents = tuple(Agent(F(1), F(k, 50)) for k in (6, 7, 8))
    game = CurationGame(Society(Threshold(2), agents, F(1, 2)), PROTOCOLS["fair"])
    path = simulate_better_replies(game, (SILENCE,) * 3, 200, np.random.default_rng(1))
    assert path.at_equilibrium
    assert path.profiles[-1] == (TRUTH,) * 3


# -------------------------------------------------------------------------------- audit


GRID = (TRUTH, SILENCE, *(Commitment(F(1, 2) + F(k, 200), F(1, 2) - F(k, 200)) for k in (1, 30)))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_audit_and_the_closed_forms_agree_where_both_apply(data: st.DataObject) -> None:
    table = Table(tuple(data.draw(st.lists(st.booleans(), min_size=8, max_size=8))))
    prices = [data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 2), F(3, 4)])) for _ in range(2)]
    protocol = PROTOCOLS[data.draw(st.sampled_from(sorted(PROTOCOLS)))]
    game = CurationGame(Society(table, tuple(Agent(F(1), k) for k in prices), F(1, 2)), protocol)

    class Unproved(CommitmentsGame):
        def proof(self, name: str) -> None:
            return None

    scanned = ab.audit(Unproved(("a", "b"), game, GRID), [ab.ExPostIC()])
    proved = ab.audit(CommitmentsGame(("a", "b"), game, GRID), [ab.ExPostIC()])
    truth = is_equilibrium(game, (TRUTH, TRUTH))
    assert (not scanned.any_fails()) == (not proved.any_fails()) == truth
    for profile in product(GRID, repeat=2):
        utilities = game.utilities(profile)
        stable = all(
            game.utilities((*profile[:i], c, *profile[i + 1 :]))[i] <= utilities[i]
            for i in (0, 1)
            for c in GRID
        )
        # On a list of commitments there is less to deviate to.
        assert stable >= is_equilibrium(game, profile)


def test_the_audit_says_whether_the_files_own_commitments_are_an_equilibrium() -> None:
    for name, said in (("truthful", "an equilibrium"), ("silent", "no equilibrium: ")):
        mechanism = ab.load(EXAMPLE / f"{name}.toml").mechanism
        remarks = mechanism.remarks(mechanism.game({}), None, 0)
        assert remarks["the commitments of this file"]["text"].startswith(said)


def test_the_example_is_audited_without_being_too_large() -> None:
    verdicts = ab.audit(ab.load(EXAMPLE / "truthful.toml"))
    assert verdicts["ex-post IC"].status == "holds"


# ----------------------------------------------------------------- exact and approximate


def test_above_a_dozen_agents_a_table_is_contracted_in_floats_and_means_the_same() -> None:
    values = Mean().table(13).tolist()
    values[5] = not values[5]  # so that agents are told apart
    agents = (Agent(F(1), F(1, 10)),) * 13
    society = Society(Table(tuple(values)), agents, F(1, 2))
    found = society.accuracy(0, CLEAR, collect_messages([TRUTH] + [SILENCE] * 12))
    counted = Society(Mean(), agents, F(1, 2)).accuracy(
        0, CLEAR, collect_messages([TRUTH] + [SILENCE] * 12)
    )
    assert isinstance(found, float)
    assert isinstance(counted, F)
    assert found == pytest.approx(float(counted), abs=2**-12)


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[parties.a]", "[parties.a]\ncommitment = [1.5, 0]", ["parties.a.commitment", "p is 3/2"]),
        ("[parties.b]", "[parties.b]\ncommitment = [1, -1]", ["parties.b.commitment", "q is -1"]),
        ("[parties.b]", "[parties.b]\ncommitment = [1]", ["parties.b.commitment", "two numbers"]),
        ("price = 0.1", "price = 0", ["parties.a.price", "greater than 0"]),
        ("price = 0.1", 'price = 0.1\nshape = "steep"', ["parties.a.shape", "steep", "linear"]),
        ('kind = "threshold"\nk = 2', 'kind = "threshold"', ["function", "needs k"]),
        ('kind = "threshold"\nk = 2', 'kind = "and"\nk = 2', ["function", "has no k"]),
        (
            'kind = "threshold"\nk = 2',
            'kind = "table"\nvalues = [0, 1, 1]',
            ["function.values has 3 entries", "8 sets of bits"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "table"\nvalues = [0, 1, 2, 0, 0, 0, 0, 0]',
            ["function.values"],
        ),
        ("k = 2", "k = 2\nprior = 1", ["function.prior", "less than 1"]),
        ("bits = [0, 1, 1]", "bits = [0, 1]", ["parties.a", "2 rounds", "3"]),
        ("bits = [0, 1, 1]", "bits = [0, 1, 7]", ["parties.a.bits"]),
        ("bits = [0, 1, 1]", 'data = "no.csv"', ["parties.a.data", "no.csv"]),
        ("bits = [0, 1, 1]", 'data = "two.csv"', ["parties.a.data", "2 columns"]),
        ("bits = [0, 1, 1]", 'data = "bad.csv"', ["parties.a.data", "round 2", "'2'"]),
        ("bits = [0, 1, 1]", 'data = "none.csv"', ["parties.a.data"]),
        ("bits = [0, 1, 1]", "bits = []", ["parties.a.bits", "no rounds"]),
        ("bits = [0, 1, 1]", 'data = "first.csv"', ["parties.a.data", "round 1", "'2'"]),
        ("bits = [0, 1, 1]", 'data = "gap.csv"', ["parties.a.data", "line 3", "blank"]),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:gone"',
            ["function", "gone"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:fails"',
            ["mine:fails", "ZeroDivisionError"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:three"',
            ["mine:three", "gives 3"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "broken:f"',
            ["function", "SyntaxError"],
        ),
        (
            'kind = "threshold"\nk = 2',
            'kind = "callable"\nfunction = "mine:array"',
            ["mine:array", "ValueError"],
        ),
        ("price = 0.1", 'price = 0.1\nshape = "mine:free"', ["mine:free", "truth costs nothing"]),
        (
            "price = 0.1",
            'price = 0.1\nshape = "mine:signed"',
            ["curation.toml", "mine:signed", "(0, 1) is -1"],
        ),
        ("price = 0.1", 'price = 0.1\nshape = "mine:fails"', ["mine:fails", "TypeError"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    (tmp_path / "two.csv").write_text("x,y\n0,1\n1,1\n0,0\n")
    (tmp_path / "bad.csv").write_text("late\n0\n2\n1\n")
    (tmp_path / "none.csv").write_text("late\n")
    (tmp_path / "first.csv").write_text("2\n0\n1\n")
    (tmp_path / "gap.csv").write_text("late\n0\n\n1\n1\n")
    (tmp_path / "mine.py").write_text(
        "def fails(bits):\n    return 1 // 0\n"
        "def three(bits):\n    return 3\n"
        "def free(p, q):\n    return 0\n"
        "def signed(p, q):\n    return p - q\n"
        "import numpy as np\ndef array(bits):\n    return np.array(bits)\n"
    )
    (tmp_path / "broken.py").write_text("def f(bits:\n")
    path = write(tmp_path, {"a": [0, 1, 1], "b": [1, 0, 1]}, center=[1, 1, 0])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        ab.run(ab.load(path))
    message = str(caught.value)
    assert "\n" not in message
    for each in said:
        assert each in message


@pytest.mark.parametrize("text", ["0\n1\n1\n", "late\r\n0\r\n1\r\n1\r\n", '"0"\n"1"\n"1"\n\n'])
def test_a_column_of_bits_may_have_a_name_or_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    path = write(tmp_path, {"a": [0, 1, 1]}, center=[1, 1, 0])
    here = replies(path, "a")
    path.write_text(path.read_text().replace("bits = [0, 1, 1]", 'data = "a.csv"'))
    np.testing.assert_array_equal(replies(path, "a"), here)


def test_the_command_line_exits_with_2_and_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": [0, 1]}, more={"a": "commitment = [2, 0]"}, center=[0, 1])
    ran = aboveboard("check", path)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "parties.a.commitment" in ran.stderr


def test_a_run_without_bits_is_refused_but_a_design_is_not(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "curation.fair"\n[function]\nkind = "majority"\n[parties.a]\nprice = 0.1\n'
    )
    collaboration = ab.load(path)
    assert collaboration.mechanism.offer().as_dict()["helpless"] in (True, False)
    with pytest.raises(InputError, match="bits are missing"):
        ab.run(collaboration)


def test_a_seed_that_everybody_guesses_is_told_where_it_gives_something_away(
    tmp_path: Path,
) -> None:
    partly = {"a": "commitment = [0.75, 0.25]"}
    path = write(tmp_path, {"a": (0, 1) * 4, "b": (1, 0) * 4}, more=partly)
    assert ab.run(ab.load(path)).details["notes"] == []
    path.write_text(path.read_text().replace("seed = 5", "seed = 0"))
    (note,) = ab.run(ab.load(path)).details["notes"]
    assert "the messages of a," in note
    path.write_text(path.read_text().replace("[0.75, 0.25]", "[1, 0]"))
    assert ab.run(ab.load(path)).details["notes"] == []
