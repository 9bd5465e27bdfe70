"""The average under other powers and norms: joining is a best reply up to (n - 1)^p."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError
from aboveboard.exchange import AveragePoint
from aboveboard.exchange.average_loss import Loss
from aboveboard.exchange.exact_powers import raise_to

METRICS = ("euclidean", "manhattan", "maximum")


def measure(gaps: list[float], metric: str) -> float:
    if metric == "euclidean":
        return sum(g * g for g in gaps) ** 0.5
    return sum(map(abs, gaps)) if metric == "manhattan" else max(map(abs, gaps))


def find_gain_of_leaving(points: np.ndarray, i: int, e: float, p: float, metric: str) -> float:
    """From the definition, in floats: everybody joins, or everybody but i."""
    target = points.mean(axis=0)
    own = [measure((x - target).tolist(), metric) ** p for x in points]
    rest = [j for j in range(len(points)) if j != i]
    error = measure((points[rest].mean(axis=0) - target).tolist(), metric) ** p
    joined = own[i] - e * max(own[j] for j in rest)
    return -e * max(own[j] - error for j in rest) - joined


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("power", ["1/2", "1", "2", "3"])
def test_nobody_leaves_up_to_the_stated_exclusivity(metric: str, power: str) -> None:
    generator = np.random.default_rng(1)
    for _ in range(40):
        n = int(generator.integers(2, 6))
        points = generator.integers(-9, 10, (n, 2)) / 3
        most = (n - 1) ** float(Fraction(power))
        for i in range(n):
            for e in (0.0, 0.5 * most, most):
                gain = find_gain_of_leaving(points, i, e, float(Fraction(power)), metric)
                assert gain <= 1e-9
        far = int(np.argmax(np.abs(points - points.mean(axis=0)).sum(axis=1)))
        if np.ptp(points, axis=0).any():
            gain = find_gain_of_leaving(points, far, 1.01 * most, float(Fraction(power)), metric)
            assert gain > 0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("power", ["1/2", "1", "3"])
def test_the_game_has_the_payoffs_of_the_definition(metric: str, power: str) -> None:
    generator = np.random.default_rng(2)
    points = generator.integers(-9, 10, (3, 2))
    types = {f"p{i}": tuple(Fraction(int(x)) for x in row) for i, row in enumerate(points)}
    rule = AveragePoint(dict.fromkeys(types, 1), Loss(Fraction(power), metric))
    game = rule.game(types)
    for i in range(3):
        away = ["joins"] * 3
        away[i] = "stays away"
        gain = float(game.payoffs(away)[i]) - float(game.payoffs(["joins"] * 3)[i])
        expected = find_gain_of_leaving(
            points.astype(float), i, 1.0, float(Fraction(power)), metric
        )
        assert gain == pytest.approx(expected, abs=1e-9)


def test_a_file_states_power_and_metric(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.average"\npower = 1\nmetric = "manhattan"\nexclusivity = 2\n'
        "[parties.a]\npoint = [0, 0]\n[parties.b]\npoint = [3, 0]\n[parties.c]\npoint = [0, 3]\n"
    )
    settlement = ab.run(path)
    assert [share.benefit for share in settlement.parties.values()] == [2, 3, 3]
    verdicts = ab.audit(path)
    assert verdicts["ex-post IC"].promised
    assert verdicts.promises_stand is True
    path.write_text(path.read_text().replace("exclusivity = 2", "exclusivity = 3"))
    assert not ab.audit(path)["ex-post IC"].promised


@pytest.mark.parametrize("mechanism", ["average", "interval"])
def test_a_power_that_nobody_can_compute_is_refused(tmp_path: Path, mechanism: str) -> None:
    path = tmp_path / "c.toml"
    knows = "point" if mechanism == "average" else "interval"
    path.write_text(
        f'mechanism = "exchange.{mechanism}"\npower = 1e9\n'
        f"[parties.a]\n{knows} = [0, 3]\n[parties.b]\n{knows} = [1, 5]\n"
    )
    with pytest.raises(InputError, match="power: it is too large; write a number up to 100"):
        ab.load(path)


def test_a_root_of_thousands_of_digits_is_taken() -> None:
    base = Fraction(10**200 + 1)
    root = raise_to(base, Fraction(199, 4))
    assert 0 <= 1 - root**4 / base**199 < Fraction(1, 10**35)


def test_two_parties_at_exclusivity_one_are_indifferent_whatever_the_power() -> None:
    """Irrational losses are rounded alike, so that what is equal stays equal."""
    types = {"a": (Fraction(0),), "b": (Fraction(1),), "c": (Fraction(0),)}
    for n in (2, 3):
        some = dict(list(types.items())[:n])
        rule = AveragePoint(dict.fromkeys(some, 1), Loss(Fraction(1, 3)))
        verdict = ab.audit(rule.game(some), [ab.ExPostIC()])["ex-post IC"]
        assert verdict.status == "holds"
