"""What a rule promises for its parameters, and which rule is used where a file names none."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.exchange import (
    RULES,
    AveragePoint,
    Contribution,
    ExclusivityRange,
    HidingGame,
    OneDimensionalSearch,
    OverRange,
    Regions,
    Union,
    choose_rule,
)
from aboveboard.storage.records import Records
from oracles import exchange as oracle

PLAIN = {
    "three-party": oracle.three_party,
    "three-party-pareto": oracle.three_party_pareto,
    "best-group": oracle.best_group,
    "equal-gain": oracle.equal_gain,
    "all-or-nothing": oracle.all_or_nothing,
}
LISTS = {"a": ["x", "y", "z"], "b": ["y", "z"], "c": ["z"]}


def records(lists: dict[str, list[str]]) -> dict[str, Records]:
    frames = {
        p: pl.DataFrame({"element": e}, schema={"element": pl.String}) for p, e in lists.items()
    }
    return {party: Records(frame) for party, frame in frames.items()}


def promised(rule: str, exclusivity: object, hiding: str = "partial", n: int = 3) -> set[str]:
    types = records(dict(list(LISTS.items())[:n]))
    union = Union(RULES[rule], hiding, dict.fromkeys(types, exclusivity), seed=1)
    return {prop.name for prop in union.promises(types)}


@pytest.mark.parametrize(
    ("rule", "exclusivity", "n", "truthful"),
    [
        ("best-group", 1, 3, True),
        ("best-group", Fraction(9, 10), 3, False),
        ("best-group", [Fraction(9, 10), 1], 3, False),
        ("best-group", Fraction(1, 2), 2, True),
        ("equal-gain", 0, 3, True),
        ("equal-gain", [0, 1], 3, True),
        ("equal-gain", Fraction(11, 10), 3, False),
        ("three-party", 1, 3, True),
        ("three-party", 0, 3, False),
        ("all-or-nothing", 1, 3, False),
        ("two-party", Fraction(1, 2), 2, True),
    ],
)
def test_hiding_is_promised_not_to_pay_only_where_that_is_proved(
    rule: str, exclusivity: object, n: int, truthful: bool
) -> None:
    assert ("ex-post IC" in promised(rule, exclusivity, n=n)) is truthful


def test_dominance_is_promised_where_parties_can_only_stay_away() -> None:
    assert "DSIC" in promised("all-or-nothing", 1, "all-or-nothing")
    assert "DSIC" not in promised("all-or-nothing", 2, "all-or-nothing")
    assert "DSIC" not in promised("best-group", 1)


def test_inventing_is_examined_and_never_promised() -> None:
    union = Union(RULES["equal-gain"], "partial", dict.fromkeys(LISTS, 1), seed=1)
    types = records(LISTS)
    name = "ex-post IC against inventing"
    assert name in {p.name for p in union.examines(types)}
    assert name not in {p.name for p in union.promises(types)}


def test_an_average_promises_a_best_reply_and_no_dominance() -> None:
    types = {"a": (Fraction(0),), "b": (Fraction(-1),), "c": (Fraction(0),)}
    names = {
        e: {p.name for p in AveragePoint(dict.fromkeys(types, e)).promises(types)} for e in (4, 5)
    }
    assert names == {4: {"ex-post IC", "IR", "symmetric"}, 5: {"symmetric"}}


def test_beyond_exclusivity_one_intervals_and_contributions_promise_symmetry_only() -> None:
    search = OneDimensionalSearch({"a": 2, "b": 2})
    assert [p.name for p in search.promises({"a": (0, 2), "b": (1, 3)})] == ["symmetric"]
    rule = Contribution({"a": 2, "b": 2}, pareto=False, values=(0, 0, 0, 1))
    assert "DSIC" not in {p.name for p in rule.promises({"a": 1, "b": 2})}


@cache
def small_instances() -> tuple[tuple[frozenset[int], ...], ...]:
    """Three lists: each region of the Venn diagram has one element or none."""
    found = []
    for present in product((0, 1), repeat=7):
        lists: list[set[int]] = [set(), set(), set()]
        for mask, there in enumerate(present, start=1):
            for i in range(3):
                if there and mask >> i & 1:
                    lists[i].add(mask)
        found.append(tuple(frozenset(x) for x in lists))
    return tuple(found)


@cache
def is_truthful(rule: str, exclusivity: Fraction) -> bool:
    return all(
        oracle.largest_unilateral_gain(list(x), PLAIN[rule], exclusivity)[0] <= 0
        for x in small_instances()
    )


@pytest.mark.parametrize("ends", [(1, 1), (0, 1), (0, 0), ("1/2", "1/2")])
def test_the_default_is_the_most_generous_rule_that_is_truthful_on_the_whole_range(
    ends: tuple[object, object],
) -> None:
    """By brute force on all three lists with at most one element a region."""
    exclusivity = ExclusivityRange.from_value(list(ends))
    chosen = choose_rule([exclusivity] * 3, "partial", stated=False).name
    truthful = [
        name
        for name in PLAIN
        if is_truthful(name, exclusivity.low) and is_truthful(name, exclusivity.high)
    ]
    assert chosen in truthful
    for lists in small_instances():
        most = max(sum(PLAIN[name](list(lists))) for name in truthful)
        assert sum(PLAIN[chosen](list(lists))) == most


def load(folder: Path, top: str, lists: dict[str, list[str]] | None = None) -> ab.Collaboration:
    path = folder / "lists.toml"
    tables = "".join(
        f"[parties.{p}]\nelements = {e}\n".replace("'", '"') for p, e in (lists or LISTS).items()
    )
    path.write_text(f'mechanism = "exchange.union"\n{top}\n{tables}')
    return ab.load(path)


@pytest.mark.parametrize(
    ("top", "rule"),
    [
        ("", "equal-gain"),
        ("exclusivity = 1", "best-group"),
        ("exclusivity = [0.6, 1]", "best-group-inside"),
        ("exclusivity = 0.5", "equal-gain"),
        ('hiding = "all-or-nothing"', "all-or-nothing"),
        ('rule = "best-group"', "best-group"),
    ],
)
def test_the_rule_follows_from_what_the_file_states(tmp_path: Path, top: str, rule: str) -> None:
    assert ab.run(load(tmp_path, top)).details["rule"] == rule


def test_one_party_that_states_nothing_is_enough_for_the_safe_rule(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.union"\n'
        '[parties.a]\nelements = ["x"]\nexclusivity = 1\n[parties.b]\nelements = ["y"]\n'
    )
    assert ab.run(ab.load(path)).details["rule"] == "equal-gain"


def test_what_is_not_stated_is_promised_from_zero_to_one(tmp_path: Path) -> None:
    verdicts = ab.audit(load(tmp_path, ""))
    verdict = verdicts["ex-post IC (exclusivity 0 to 1)"]
    assert (verdict.status, verdict.promised) == ("holds", True)
    assert verdicts.promises_stand is True


def test_a_range_is_checked_at_both_of_its_ends() -> None:
    """Best-group on these lists: truthful at 1, not at 3/5."""
    game = HidingGame(Regions.from_sets(LISTS), RULES["best-group"], (Fraction(1),) * 3)
    ends = (ExclusivityRange(Fraction(3, 5), Fraction(1)),) * 3
    verdict = OverRange(ab.ExPostIC(), ends).examine(game, budget=ab.Budget(), seed=0)
    assert ab.audit(game, [ab.ExPostIC()])["ex-post IC"].status == "holds"
    assert verdict.status == "fails"
    assert verdict.property == "ex-post IC (exclusivity 3/5 to 1)"


def test_the_gain_of_a_lie_is_largest_at_an_end_of_the_range() -> None:
    generator = np.random.default_rng(2)
    for _ in range(30):
        lists = [set(np.flatnonzero(generator.random(4) < 0.6).tolist()) for _ in range(3)]
        rule = PLAIN[generator.choice(["best-group", "equal-gain"])]
        low, middle, high = (
            oracle.largest_unilateral_gain(lists, rule, Fraction(e, 4))[0] for e in (0, 2, 4)
        )
        assert middle <= max(low, high)


def test_where_equal_gain_hands_out_nothing_the_run_names_the_other_rule(tmp_path: Path) -> None:
    """The first party owns everything; best-group hands 1 element to the other two."""
    lists = {"a": ["x", "y", "z"], "b": ["x"], "c": ["y"]}
    details = ab.run(load(tmp_path, "", lists)).details
    assert details["best_group"] == {"b": 1, "c": 1}
    (note,) = details["notes"]
    assert "a lacks nothing" in note
    assert 'rule = "best-group" would hand out: b 1' in note
    assert "exclusivity = 1" in note


def test_where_equal_gain_hands_out_something_nothing_is_noted(tmp_path: Path) -> None:
    assert "notes" not in ab.run(load(tmp_path, "", {"a": ["x"], "b": ["y"]})).details


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("[0.6]", "one number, or \\[lowest, highest\\]"),
        ("[1, 0.5]", "write the lower end first"),
        ("-1", "at least 0"),
        ("[0, nan]", "not a finite number"),
    ],
)
def test_a_wrong_exclusivity_is_refused(tmp_path: Path, value: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load(tmp_path, f"exclusivity = {value}")


@pytest.mark.deep
def test_a_range_stands_in_the_record_of_a_run_as_it_was_written(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from aboveboard.cli import app

    load(tmp_path, "exclusivity = [0.5, 1]")
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["run", str(tmp_path / "lists.toml"), "--out", str(out)])
    assert ran.exit_code == 0
    assert '"1/2"' in (out / "settlement.json").read_text()
