"""Runs of curation: replies, noise, messages and guesses."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.curation import (
    Commitment,
)
from aboveboard.curation.rounds import draw_messages, draw_noise
from oracles.curation_files import draw_bits, read_replies, write_file

F = Fraction
EXAMPLE = Path(__file__).parents[2] / "examples" / "curation" / "airlines"


# ------------------------------------------------------------------------------ replies


def test_who_is_answered_gets_the_centers_bit_and_all_messages(tmp_path: Path) -> None:
    center, bits = draw_bits(50, "abc")
    got = read_replies(write_file(tmp_path, bits, center=center), "a")
    assert got.tolist() == [list(row) for row in zip(center, *bits.values(), strict=True)]


def test_noise_is_the_very_same_whatever_the_bits_of_others_and_the_centers(tmp_path: Path) -> None:
    silent = {"a": "commitment = [0.5, 0.5]"}
    center, bits = draw_bits(200, "abc", 1)
    before = read_replies(write_file(tmp_path, bits, center=center, more=silent), "a")
    center, bits = draw_bits(200, "abc", 2)
    after = read_replies(write_file(tmp_path, bits, center=center, more=silent), "a")
    assert np.array_equal(before, after)


def test_noise_is_uniform_and_tells_nothing_of_any_bit(tmp_path: Path) -> None:
    rounds = 20_000
    center, bits = draw_bits(rounds, "abc", 3)
    silent = {"a": "commitment = [0.5, 0.5]"}
    got = read_replies(write_file(tmp_path, bits, center=center, more=silent), "a")
    error = 4 / np.sqrt(rounds)
    assert np.abs(2 * got.mean(axis=0) - 1).max() < error
    truth = 2 * np.column_stack([center, *bits.values()]) - 1
    noisy = 2 * got - 1
    assert np.abs(truth.T @ noisy / rounds).max() < error
    assert np.abs((noisy.T @ noisy / rounds)[np.triu_indices(4, 1)]).max() < error


def test_two_agents_get_different_noise(tmp_path: Path) -> None:
    center, bits = draw_bits(200, "abc", 3)
    silent = dict.fromkeys("ab", "commitment = [0.5, 0.5]")
    path = write_file(tmp_path, bits, center=center, more=silent)
    assert not np.array_equal(read_replies(path, "a"), read_replies(path, "b"))


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
    path = write_file(
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
    path = write_file(
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
    center, bits = draw_bits(300, "a")
    for protocol in ("competitive", "fair", "indicator", "straightforward"):
        for commitment, answered in (("[1, 0]", ["a"]), ("[0, 1]", [])):
            path = write_file(
                tmp_path, bits, center=center, protocol=protocol, function='kind = "parity"',
                more={"a": f"commitment = {commitment}"},
            )  # fmt: skip
            settlement = ab.run(ab.load(path))
            assert settlement.details["answered"] == answered
            if answered:
                assert settlement.parties["a"].more["correct"] == 1


def test_who_does_not_report_is_silent(tmp_path: Path) -> None:
    center, bits = draw_bits(100, "abc")
    collaboration = ab.load(write_file(tmp_path, bits, center=center))
    reports = {n: x for n, x in collaboration.reports.items() if n != "c"}
    settlement = collaboration.mechanism.settle(reports)
    assert sorted(settlement.parties) == ["a", "b"]
    silent = write_file(tmp_path, bits, center=center, more={"c": "commitment = [0.5, 0.5]"})
    there = ab.run(ab.load(silent))
    for name in "ab":
        assert settlement.parties[name].benefit == there.parties[name].benefit


def test_a_table_a_callable_and_a_kind_that_say_the_same_settle_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def two(bits):\n    print('hello')\n    return sum(bits) > 1"
    )
    center, bits = draw_bits(80, "ab")
    found = []
    for function in (
        'kind = "threshold"\nk = 2',
        'kind = "table"\nvalues = [0, 0, 0, 1, 0, 1, 1, 1]',
        'kind = "callable"\nfunction = "mine:two"',
        'kind = "mean"\nlevel = 0.5',
        'kind = "majority"',
    ):
        settlement = ab.run(
            ab.load(write_file(tmp_path, bits, center=center, function=function), trust_code=True)
        )
        found.append([(s.benefit, s.utility, s.more) for s in settlement.parties.values()])
    assert all(each == found[0] for each in found)


def test_functions_of_the_same_name_beside_two_files_are_two(tmp_path: Path) -> None:
    found = []
    for k, folder in enumerate((tmp_path / "one", tmp_path / "two")):
        folder.mkdir()
        (folder / "same.py").write_text(f"def g(bits):\n    return {k}")
        path = write_file(
            folder, {"a": [0]}, center=[0], function='kind="callable"\nfunction="same:g"'
        )
        found.append(ab.load(path, trust_code=True).mechanism.society.table.tolist())
    assert found == [[False] * 4, [True] * 4]


def test_a_price_may_be_a_function_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("def steep(p, q):\n    return 3 * abs(p - q) ** 3")
    center, bits = draw_bits(20, "ab")
    more = {"a": 'shape = "prices:steep"\ncommitment = [0.75, 0.25]'}
    path = write_file(tmp_path, bits, center=center, more=more, protocol="always_all")
    share = ab.run(ab.load(path, trust_code=True)).parties["a"]
    assert float(share.benefit - share.utility) == pytest.approx(0.1 / 8)
