"""A proposer that is drawn: evenly, by the seed, and fair before the draw."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.market.model.drawn_proposer import draw_proposer

FILE = """
mechanism = "market.propose_and_agree"
{head}
bits = 6
[parties.ann]
endowment = ["book", "lamp"]
values = [{{goods = ["book"], value = 2}}, {{goods = ["lamp"], value = 1}}]
[parties.bob]
endowment = ["desk"]
values = [{{goods = ["book", "lamp"], value = 9}}, {{goods = ["desk"], value = 4}}]
[parties.cyd]
values = [{{goods = ["desk"], value = 7}}]
"""


def load(folder: Path, head: str) -> ab.Collaboration:
    file = folder / "market.toml"
    file.write_text(FILE.format(head=head))
    return ab.load(file)


def test_each_party_is_drawn_as_often_as_the_others_whatever_their_order() -> None:
    counts = Counter(draw_proposer("cab", seed) for seed in range(3000))
    assert sum((counts[name] - 1000) ** 2 / 1000 for name in "abc") < 13.8  # chi squared, 0.1 %
    assert all(draw_proposer("cab", s) == draw_proposer("bca", s) for s in range(50))


def test_the_drawn_party_proposes_as_if_it_were_named(tmp_path: Path) -> None:
    for seed in range(6):
        drawn = ab.run(load(tmp_path, f'proposer = "random"\nseed = {seed}'))
        name = draw_proposer(["ann", "bob", "cyd"], seed)
        named = ab.run(load(tmp_path, f'proposer = "{name}"\nseed = {seed}'))
        assert drawn.details["drawn_proposer"]["name"] == name
        assert {p: s.payment for p, s in drawn.parties.items()} == {
            p: s.payment for p, s in named.parties.items()
        }


def test_what_each_expects_before_is_the_mean_over_named_proposers(tmp_path: Path) -> None:
    named = [
        ab.run(load(tmp_path, f'proposer = "{name}"\nseed = 1')) for name in ("ann", "bob", "cyd")
    ]
    drawn = ab.run(load(tmp_path, 'proposer = "random"\nseed = 1')).details["drawn_proposer"]
    for party, expected in drawn["expected_before"].items():
        mean = sum(Fraction(s.parties[party].utility) for s in named) / 3
        assert Fraction(expected) == mean


def test_before_the_draw_all_expect_the_same_but_for_what_their_endowments_are_worth(
    tmp_path: Path,
) -> None:
    settled = ab.run(load(tmp_path, 'proposer = "random"\nseed = 1'))
    expected = {
        name: Fraction(x)
        for name, x in settled.details["drawn_proposer"]["expected_before"].items()
    }
    delta = Fraction(settled.details["delta"])
    endowed = {"ann": 2, "bob": 4, "cyd": 0}  # bids are xor: the better of two counts
    for one in expected:
        for other in expected:
            difference = expected[one] - expected[other]
            assert difference == delta * Fraction(2, 3) * (endowed[other] - endowed[one])


def test_its_proposal_cannot_be_fixed_and_nobody_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody can fix its proposal"):
        load(tmp_path, 'proposer = "random"\nproposal = {allocation = {ann = ["book"]}}')
    file = tmp_path / "market.toml"
    file.write_text(FILE.format(head='proposer = "random"').replace("cyd", "random"))
    with pytest.raises(InputError, match="rename the party"):
        ab.load(file)


def test_a_vote_of_whoever_is_drawn_does_not_count(tmp_path: Path) -> None:
    votes = 'votes = {ann = "no", bob = "yes", cyd = "yes"}'
    for seed in range(4):
        settled = ab.run(load(tmp_path, f'proposer = "random"\nseed = {seed}\n{votes}'))
        name = draw_proposer(["ann", "bob", "cyd"], seed)
        assert name not in settled.details["votes"]


def test_an_audit_is_of_the_play_that_is_drawn(tmp_path: Path) -> None:
    assert ab.audit(load(tmp_path, 'proposer = "random"\nseed = 3')).promises_stand
