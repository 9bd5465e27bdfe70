"""Python refuses what a file refuses, and audits need no more coalitions than their properties."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.exchange import (
    RULES,
    AveragePoint,
    Contribution,
    OneDimensionalSearch,
    ParticipationGame,
    Regions,
    Union,
)
from oracles import exchange as oracle

FOUR = Regions.from_sets({"a": "xy", "b": "yz", "c": "w", "d": "q"})
ONES = {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: RULES["three-party"].compute_amounts(FOUR), "for 3 parties and there are 4"),
        (lambda: RULES["two-party"].compute_amounts(FOUR), "for 2 parties and there are 4"),
        (lambda: RULES["two-party"].compute_coalition_amounts(FOUR), "for 2 parties"),
        (
            lambda: Regions.from_sets({f"p{i}": [i] for i in range(70)}),
            "70 parties exchange records; at most 63",
        ),
        (lambda: Union(RULES["three-party"], "partial", ONES, 1), "for 3 parties and there are 2"),
        (
            lambda: Union(
                RULES["equal-gain"], "all-or-nothing", {f"p{i}": 1 for i in range(21)}, 1
            ),
            "at most 20 parties and there are 21",
        ),
        (lambda: Union(RULES["equal-gain"], "partial", {"a": -1, "b": 1}, 1), "at least 0"),
        (
            lambda: OneDimensionalSearch(ONES).settle({"a": (0, 1), "b": (2, 3)}),
            "must lie in every interval",
        ),
        (
            lambda: OneDimensionalSearch(ONES).game({"a": (3, 1), "b": (0, 3)}),
            "write the lower end first",
        ),
        (
            lambda: AveragePoint(ONES).settle({"a": (1,), "b": (1, 2)}),
            "all points must have as many",
        ),
        (lambda: AveragePoint({"a": float("nan"), "b": 1}), "not a finite number"),
        (lambda: Contribution(ONES, False, (0, 5, 2, 3)), "must not be worth less"),
        (lambda: Contribution(ONES, False, (0, 1, 2)), "values has 3 entries; write 4"),
        (lambda: Contribution(ONES, False, (0, 1, 2, 10**400)), "more than 300 digits"),
        (lambda: Contribution(ONES, False, (0, 1, 2, float("inf"))), "not a finite number"),
        (lambda: Contribution({}, False, (0,)), "1 to 20"),
    ],
)
def test_what_a_file_refuses_python_refuses(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.parametrize("body", ["return 10 ** 400", "return -len(names)", "return float('inf')"])
def test_a_value_function_is_held_to_the_same(tmp_path: Path, body: str) -> None:
    (tmp_path / f"val_{len(body)}.py").write_text(f"def v(names):\n    {body}\n")
    path = tmp_path / "c.toml"
    path.write_text(
        f'mechanism = "exchange.contribution"\nfunction = "val_{len(body)}:v"\n'
        "[parties.a]\n[parties.b]\n"
    )
    with pytest.raises(InputError, match="function 'val"):
        ab.load(path, trust_code=True)


def count_coalitions(game: ParticipationGame, *properties: ab.Property) -> int:
    """Return how many different coalitions an audit asks the game about."""
    seen = set()

    def spy(present: np.ndarray) -> np.ndarray:
        seen.update(map(tuple, present.tolist()))
        return game.benefit_rows(present)

    watched = type(game)(game.players, spy, game.exclusivity, game.benefit_unit)
    ab.audit(watched, list(properties))
    return len(seen)


def points(n: int) -> dict[str, tuple[Fraction]]:
    return {f"p{i}": (Fraction(i * i % 17, 3),) for i in range(n)}


def intervals(n: int) -> dict[str, tuple[Fraction, Fraction]]:
    return {f"p{i}": (Fraction(-(i * 7 % 11)), Fraction(1 + i * 5 % 13)) for i in range(n)}


@pytest.mark.parametrize("n", [15, 40, 100])
def test_ex_post_properties_need_one_coalition_more_than_parties(n: int) -> None:
    average = AveragePoint(dict.fromkeys(points(n), 1)).game(points(n))
    search = OneDimensionalSearch(dict.fromkeys(intervals(n), 1)).game(intervals(n))
    for game in (average, search):
        assert count_coalitions(game, ab.ExPostIC(), ab.IndividualRationality()) == n + 1


@pytest.mark.deep
@pytest.mark.parametrize("n", [15, 100])
def test_an_average_of_many_is_run_and_audited(tmp_path: Path, n: int) -> None:
    path = tmp_path / "c.toml"
    tables = "".join(f"[parties.p{i}]\npoint = [{i % 7}]\n" for i in range(n))
    path.write_text(f'mechanism = "exchange.average"\n{tables}')
    assert len(ab.run(ab.load(path)).parties) == n
    verdicts = ab.audit(ab.load(path), [ab.ExPostIC(), ab.IndividualRationality()])
    assert [v.status for v in verdicts.values()] == ["holds", "holds"]


def test_benefits_of_many_coalitions_are_those_of_each() -> None:
    generator = np.random.default_rng(9)
    for n in (1, 2, 5, 12, 22):
        present = generator.random((6, n)) < 0.7
        average = AveragePoint(dict.fromkeys(points(n), 1)).game(points(n))
        rows = average.benefit_rows(present)
        for row, joined in zip(rows, present.tolist(), strict=True):
            found = [int(x) * average.benefit_unit for x in row]
            assert found == oracle.average(list(points(n).values()), joined)
        search = OneDimensionalSearch(dict.fromkeys(intervals(n), 1)).game(intervals(n))
        rows = search.benefit_rows(present)
        for row, joined in zip(rows, present.tolist(), strict=True):
            some = [x if j else None for x, j in zip(intervals(n).values(), joined, strict=True)]
            found = [int(x) * search.benefit_unit for x in row]
            assert found == [benefit for benefit, _ in oracle.interval(some)]


def test_roots_as_values_stay_in_64_bits() -> None:
    values = tuple(bin(mask).count("1") ** 0.5 for mask in range(1 << 6))
    parties = [f"p{i}" for i in range(6)]
    rule = Contribution(dict.fromkeys(parties, 1), False, values)
    game = rule.game({party: 1 << i for i, party in enumerate(parties)})
    assert game.benefit_rows(np.ones((1, 6), dtype=np.bool_)).dtype == np.int64


@pytest.mark.parametrize(
    ("rule", "reports"),
    [
        (OneDimensionalSearch({"a": 1, "b": 1}), {"a": (0, 1), "z": (0, 3)}),
        (AveragePoint({"a": 1, "b": 1}), {"a": (0,), "z": (3,)}),
        (Contribution({"a": 1, "b": 1}, False, (0, 1, 1, 2)), {"a": 1, "z": 2}),
    ],
)
def test_a_report_of_a_stranger_is_refused(rule, reports) -> None:
    for use in (rule.settle, rule.game):
        with pytest.raises(InputError, match="'z' is not a party; name some of a and b"):
            use(reports)


def test_a_contribution_that_is_not_the_party_s_own_bit_is_refused() -> None:
    rule = Contribution({"a": 1, "b": 1}, False, (0, 1, 1, 2))
    with pytest.raises(InputError, match="report of b: it is 1; report 2, its bit"):
        rule.settle({"a": 1, "b": 1})
