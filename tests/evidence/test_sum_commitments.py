"""Commitments of which only the sum is opened, against plain arithmetic; and rounds with them."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rounds_by_hand import Play, commitment, make_terms
from rounds_of_files import RoundOfFiles, hold_round

from aboveboard.errors import InputError
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.sum_commitments import (
    GROUP_ORDER,
    add_points,
    commit_number,
    commit_point,
    derive_blinding,
    make_second_generator,
    multiply_point,
    open_sum,
    scale_point,
    verify_sum,
)
from aboveboard.evidence.terms import parse_terms
from aboveboard.evidence.trees import InvalidProofError

pytest.importorskip("nacl", reason="PyNaCl is an extra")

NAMES = ("acme", "bolt", "core")
KEYS = {name: name.encode().ljust(32, b".") for name in NAMES}
numbers = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=1000)
points = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3)


@settings(max_examples=15, deadline=None)
@given(points)
def test_the_opened_sum_is_the_sum(drawn: list[tuple[Fraction, Fraction]]) -> None:
    named = dict(zip(NAMES, drawn, strict=True))
    committed = {name: commit_point(named[name], KEYS[name]) for name in NAMES}
    total = verify_sum(committed, open_sum(named, KEYS))
    assert total == tuple(sum(xs, Fraction(0)) for xs in zip(*drawn, strict=True))


HALVES = {"acme": (Fraction(1, 2), Fraction(-3)), "bolt": (Fraction(1, 3), Fraction(0)),
          "core": (Fraction(5), Fraction(10**12))}  # fmt: skip
COMMITTED = {name: commit_point(HALVES[name], KEYS[name]) for name in NAMES}
OPENED = open_sum(HALVES, KEYS)


def test_no_other_sum_opens() -> None:
    assert verify_sum(COMMITTED, OPENED) == (Fraction(35, 6), Fraction(10**12 - 3))
    for k in range(2):
        for key, other in (("sums", str(int(OPENED["sums"][k]) + 1)), ("blindings", "01" * 32)):
            listed = [*OPENED[key]]
            listed[k] = other
            with pytest.raises(InvalidProofError):
                verify_sum(COMMITTED, {**OPENED, key: listed})


def test_a_sum_that_wraps_around_is_refused() -> None:
    wrapped = [str(int(OPENED["sums"][0]) + GROUP_ORDER), OPENED["sums"][1]]
    with pytest.raises(InvalidProofError, match="too large"):
        verify_sum(COMMITTED, {**OPENED, "sums": wrapped})


def test_a_sum_over_another_denominator_is_refused() -> None:
    with pytest.raises(InvalidProofError, match="common denominator"):
        verify_sum(COMMITTED, {**OPENED, "denominator": "12"})


def test_a_sum_without_one_member_is_refused() -> None:
    fewer = {name: COMMITTED[name] for name in NAMES[:2]}
    with pytest.raises(InvalidProofError):
        verify_sum(fewer, OPENED)


@pytest.mark.parametrize(
    "opened",
    [{}, {"denominator": "x"}, {**OPENED, "sums": []}, {**OPENED, "sums": None},
     {**OPENED, "blindings": ["zz"]}, {**OPENED, "denominator": "0"}],
)  # fmt: skip
def test_what_is_no_opened_sum_is_refused(opened: dict[str, Any]) -> None:
    with pytest.raises(InvalidProofError):
        verify_sum(COMMITTED, opened)


@pytest.mark.parametrize("point", ["00" * 32, "01" + "00" * 31, "ff" * 32])
def test_what_is_no_point_of_the_group_is_refused(point: str) -> None:
    forged = {**COMMITTED, "acme": {**COMMITTED["acme"], "points": [point, point]}}
    with pytest.raises(InvalidProofError, match="the commitment of acme: number 1 is not"):
        verify_sum(forged, OPENED)


EIGHTH = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
"""A point of order eight."""

BAD_POINTS = {
    "neutral": "01" + "00" * 31,
    "order two": "ec" + "ff" * 30 + "7f",
    "order four": "00" * 32,
    "order eight": EIGHTH,
    "order eight times that of the group": add_points(
        [bytes.fromhex(EIGHTH), commit_number(1, 1)]
    ).hex(),
    "written as y + p": "ee" + "ff" * 30 + "7f",
    "not on the curve": "02" + "00" * 31,
}


@pytest.mark.parametrize("kind", BAD_POINTS)
def test_a_point_outside_of_the_group_is_refused_before_anybody_submits(kind: str) -> None:
    play = Play(make_terms(mechanism="exchange.average", sums="committed"))
    play.agree()
    good = COMMITTED["acme"]
    bad = {**good, "points": [good["points"][0], BAD_POINTS[kind]]}
    with pytest.raises(RefusedStatementError, match="number 2 is not committed to by a point"):
        play.say("commit", "acme", sum=bad, **commitment("acme"))
    play.say("commit", "acme", sum=good, **commitment("acme"))


def test_too_many_numbers_and_denominators_without_a_common_one_are_refused() -> None:
    play = Play(make_terms(mechanism="exchange.average", sums="committed"))
    play.agree()
    point = COMMITTED["acme"]["points"][0]
    for data, problem in (
        ({"denominator": "1", "points": [point] * 10_001}, "more than 10,000 numbers"),
        ({"denominator": str(2**110), "points": [point]}, "denominator is too large"),
    ):
        with pytest.raises(RefusedStatementError, match=problem):
            play.say("commit", "acme", sum=data, **commitment("acme"))
    halves = {"denominator": str(2**60), "points": [point]}
    play.say("commit", "acme", sum=halves, **commitment("acme"))
    thirds = {"denominator": str(3**60), "points": [point]}
    with pytest.raises(RefusedStatementError, match="no short multiple"):
        play.say("commit", "bolt", sum=thirds, **commitment("bolt"))


def test_a_log_is_not_called_false_where_pynacl_is_missing(
    held: RoundOfFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.evidence import sum_commitments

    sum_commitments._find_no_point.cache_clear()
    monkeypatch.setitem(sys.modules, "nacl", None)
    with pytest.raises(InputError, match="PyNaCl is not installed"):
        held.verify("beta")


def test_equal_numbers_have_commitments_with_nothing_in_common() -> None:
    one = commit_point((Fraction(7), Fraction(7)), KEYS["acme"])["points"]
    other = commit_point((Fraction(7), Fraction(7)), KEYS["bolt"])["points"]
    assert len({*one, *other}) == 4


def test_zero_and_negative_numbers_are_committed_to_as_others() -> None:
    five = commit_number(5, 11)
    assert add_points([five, commit_number(-5, 3)]) == commit_number(0, 14)
    assert commit_number(0, 2) == multiply_point(make_second_generator(), 2)
    assert commit_number(0, 0) == add_points([])


def test_blindings_are_spread_over_the_whole_group() -> None:
    drawn = [derive_blinding(KEYS["acme"], k) for k in range(200)]
    assert len(set(drawn)) == 200
    assert 0.3 < sum(x < GROUP_ORDER // 2 for x in drawn) / 200 < 0.7


@pytest.mark.parametrize("number", [Fraction(2**111), Fraction(1, 2**111)])
def test_numbers_that_might_wrap_around_are_refused(number: Fraction) -> None:
    with pytest.raises(InputError, match="decimals"):
        scale_point((number,))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> RoundOfFiles:
    tmp = tmp_path_factory.mktemp("average")
    return hold_round("exchange.average", tmp, opened="nothing", sums="committed")


def test_the_average_of_a_round_does_not_stay_on_the_centers_word(held: RoundOfFiles) -> None:
    for name in held.names:
        found = held.verify(name)
        assert found.exit_status == 0, str(found)
        assert "the average is that of all members' committed points" in found.verified
        assert "your own point is in the sum" in found.verified
        assert not any("average" in each for each in found.on_the_centers_word)


@pytest.mark.deep
def test_a_gain_is_by_the_loss_of_the_terms(tmp_path: Path) -> None:
    table = {"power": 1, "metric": "manhattan"}
    held = hold_round("exchange.average", tmp_path, opened="nothing", table=table)
    found = held.verify("beta")
    assert found.exit_status == 0, str(found)
    assert "your gain is the loss of your point against the average" in found.verified


def test_no_members_point_is_shown(held: RoundOfFiles) -> None:
    for path in held.result("beta").rglob("bundle.json"):
        assert "point" not in json.dumps(json.loads(path.read_bytes())["evidence"])
        for entry in json.loads(path.read_bytes())["entries"]:
            assert '"point":' not in entry


def test_another_opened_sum_is_contradicted(held: RoundOfFiles, tmp_path: Path) -> None:
    def add(body: dict[str, Any]) -> None:
        body["facts"]["sum"]["sums"][0] = str(int(body["facts"]["sum"]["sums"][0]) + 1)

    found = held.state("alpha", add, tmp_path)
    assert "the sum of all points does not open" in str(found)
    assert found.exit_status == 1


def test_a_commitment_without_a_sum_is_refused() -> None:
    play = Play(make_terms(mechanism="exchange.average", sums="committed"))
    play.agree()
    with pytest.raises(RefusedStatementError, match="needs 'sum'"):
        play.say("commit", "acme", **commitment("acme"))
    for data in ({}, {"denominator": "0", "points": []}, {"denominator": "1", "points": ["x"]}):
        with pytest.raises(RefusedStatementError, match="no numbers that can be summed"):
            play.say("commit", "acme", sum=data, **commitment("acme"))
    play.say("commit", "acme", sum=COMMITTED["acme"], **commitment("acme"))
    longer = commit_point((Fraction(1),) * 3, KEYS["bolt"])
    with pytest.raises(RefusedStatementError, match="another number of coordinates"):
        play.say("commit", "bolt", sum=longer, **commitment("bolt"))


@pytest.mark.parametrize("change", [{"mechanism": "market.vcg"}, {"protocol": "run"}])
def test_terms_without_a_sum_are_refused(change: dict[str, Any]) -> None:
    body = {**make_terms().body, "mechanism": "exchange.average", "sums": "committed", **change}
    with pytest.raises(InputError, match="sums are committed in a round"):
        parse_terms(body, "terms")
