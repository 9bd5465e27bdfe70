"""Bits that depend on one another, or have different priors: accuracy and equilibria."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

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
    compute_stake,
    examine_equilibria,
    is_equilibrium,
    is_helpless,
)
from aboveboard.curation.channels import CLEAR, NOISE, Channel
from aboveboard.curation.inference import compute_accuracy
from aboveboard.curation.joint import compute_joint_accuracy, compute_joint_posterior, make_joint
from aboveboard.curation.social_functions import ListedFunction, Threshold
from aboveboard.errors import InputError
from depth import up_to

F = Fraction
parts = st.integers(0, 4).map(lambda k: F(k, 4))
GRID = [Commitment(F(a, 4), F(b, 4)) for a in range(5) for b in range(5)]


def accuracy_plainly(table, joint, own: int, channels) -> Fraction:
    """Sum over every set of bits and of messages."""
    size = len(table).bit_length() - 1
    seen: dict[tuple[int, ...], list[Fraction]] = {}
    for mask, chance in enumerate(joint):
        bits = [mask >> j & 1 for j in range(size)]
        for messages in product((0, 1), repeat=size):
            weight = F(chance)
            for j in range(size):
                p, q = (F(1), F(0)) if j == own else channels[j]
                zero = q if bits[j] else p
                weight *= 1 - zero if messages[j] else zero
            seen.setdefault(messages, [F(0), F(0)])[table[mask]] += weight
    return sum((max(both) for both in seen.values()), F(0))


@st.composite
def joints(draw: st.DrawFn, bits: int) -> tuple[Fraction, ...]:
    weights = draw(st.lists(st.integers(0, 6), min_size=1 << bits, max_size=1 << bits))
    weights[0] += 1
    return tuple(F(w, sum(weights)) for w in weights)


@settings(max_examples=up_to(60), deadline=None)
@given(st.data())
def test_accuracy_is_the_sum_over_all_bits_and_messages(data: st.DataObject) -> None:
    bits = data.draw(st.integers(2, 4))
    joint = data.draw(joints(bits))
    table = np.array(data.draw(st.lists(st.booleans(), min_size=1 << bits, max_size=1 << bits)))
    own = data.draw(st.integers(1, bits - 1))
    channels = {j: Channel(data.draw(parts), data.draw(parts)) for j in range(bits) if j != own}
    expected = accuracy_plainly([int(x) for x in table], joint, own, channels)
    assert compute_joint_accuracy(table, joint, own, channels) == expected
    floats = {j: Channel(float(p), float(q)) for j, (p, q) in channels.items()}
    close = compute_joint_accuracy(table, [float(x) for x in joint], own, floats)
    assert close == pytest.approx(float(expected), abs=1e-12)


@settings(max_examples=up_to(30), deadline=None)
@given(st.data())
def test_independent_bits_with_one_prior_are_the_usual_case(data: st.DataObject) -> None:
    table = np.array(data.draw(st.lists(st.booleans(), min_size=8, max_size=8)))
    prior = data.draw(st.sampled_from([F(1, 2), F(1, 3)]))
    channels = {
        0: data.draw(st.sampled_from([CLEAR, NOISE])),
        2: Channel(data.draw(parts), F(1, 4)),
    }
    usual = compute_accuracy(table, 1, channels, prior)
    assert compute_joint_accuracy(table, make_joint([prior] * 3), 1, channels) == usual


def test_a_joint_posterior_is_what_bayes_says() -> None:
    table = np.array([0, 0, 0, 1, 0, 1, 1, 1], dtype=bool)  # at least two of three
    # The center's bit and agent 1's are the same; agent 2's is independent.
    joint = [F(1, 4) if (m & 1) == (m >> 1 & 1) else F(0) for m in range(8)]
    messages = {0: np.array([0, 1]), 1: np.array([0, 1]), 2: np.array([0, 1])}
    channels = {0: NOISE, 2: Channel(F(3, 4), F(1, 4))}
    found = compute_joint_posterior(table, joint, 1, channels, messages)
    np.testing.assert_allclose(found, [0, 1])


@pytest.mark.deep
@settings(max_examples=up_to(25), deadline=None)
@given(st.data())
def test_the_four_cases_hold_for_any_joint_distribution(data: st.DataObject) -> None:
    """A grid search of equilibria against the theorem, dependent bits of two agents."""
    joint = data.draw(joints(3))
    table = ListedFunction(tuple(data.draw(st.lists(st.booleans(), min_size=8, max_size=8))))
    prices = [data.draw(st.sampled_from([F(1, 50), F(1, 8), F(1, 3)])) for _ in range(2)]
    protocol = data.draw(st.sampled_from(["competitive", "fair", "indicator", "fair-indicator"]))
    society = Society(table, tuple(Agent(F(1), k) for k in prices), F(1, 2), joint)
    game = CurationGame(society, PROTOCOLS[protocol])
    stakes = [compute_stake(society, i) for i in (0, 1)]
    for profile in product([*GRID[::3], TRUTH, SILENCE], repeat=2):
        truth = all(c.truthful for c in profile) and not any(s.fanatic for s in stakes)
        silent = all(c.silent for c in profile) and is_helpless(stakes)
        assert is_equilibrium(game, profile) == (truth or silent)
    assert examine_equilibria(game).complete


@pytest.mark.parametrize(
    ("joint", "said"),
    [
        ((F(1, 2),) * 3, "3 chances"),
        ((F(1, 2),) * 4, "sum to 2"),
        ((F(3, 2), F(-1, 2), F(0), F(0)), "0 or more"),
    ],
)
def test_chances_that_are_none_are_refused(joint: tuple[Fraction, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Society(Threshold(1), (Agent(1, 1),), F(1, 2), joint)


def test_a_file_with_dependent_bits_promises_what_comes_true(tmp_path: Path) -> None:
    """A common shock: all bits are 1 with 1/4, else independent; 20,000 rounds."""
    rounds, n = 20_000, 2
    rng = np.random.default_rng(3)
    shock = rng.random((rounds, 1)) < 0.25
    drawn = np.where(shock, 1, rng.integers(0, 2, (rounds, n + 1)))
    joint = [F(3, 4) / 8 + (F(1, 4) if m == 7 else 0) for m in range(8)]
    parties = "".join(
        f"[parties.{x}]\nprice = 0.1\ncommitment = {c}\nbits = {drawn[:, k + 1].tolist()}\n"
        for k, (x, c) in enumerate((("a", "[1, 0]"), ("b", "[0.5, 0.5]")))
    )
    path = tmp_path / "c.toml"
    text = f"joint = {[str(x) for x in joint]}\n[center]\nbits = {drawn[:, 0].tolist()}\n{parties}"
    path.write_text(
        f'mechanism = "curation.fair"\nseed = 5\n[function]\nkind = "threshold"\nk = 2\n{text}'
    )
    for share in ab.run(path).parties.values():
        expected = float(share.benefit)
        error = np.sqrt(expected * (1 - expected) / rounds)
        assert share.more["correct"] == pytest.approx(expected, abs=4 * error + 1e-12)


def test_a_prior_for_each_agent_is_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "curation.fair"\n[function]\nkind = "threshold"\nk = 2\n[center]\n'
        'prior = "1/5"\n[parties.a]\nprice = 0.1\nprior = "1/3"\n[parties.b]\nprice = 0.1\n'
    )
    society = ab.load(path).mechanism.society
    assert society.joint == make_joint([F(1, 5), F(1, 3), F(1, 2)])
    both = path.read_text().replace("k = 2", f"k = 2\njoint = {['1/8'] * 8}")
    path.write_text(both)
    with pytest.raises(InputError, match="joint"):
        ab.load(path)
