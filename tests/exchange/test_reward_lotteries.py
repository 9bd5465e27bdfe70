"""Mechanism 4 by lot: exact expectations, and where joining is not dominant any more."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.exchange import Contribution
from aboveboard.games.lottery import Lottery
from oracles import exchange as oracle

NAMES = ("a", "b", "c")
PAYS = (0, 0, 0, 0, 1, 1, 1, 3)
"""V by which party a does better by staying away at exclusivity 1, if rewards are drawn."""


def draw_values(generator: np.random.Generator, n: int) -> list[int]:
    values = [0] * (1 << n)
    for mask in range(1, 1 << n):
        below = [values[mask ^ (1 << k)] for k in range(n) if mask >> k & 1]
        values[mask] = max(below) + int(generator.choice([0, 0, 1, 2, 5]))
    return values


def make_rule(values: object, e: object = 1, n: int = 3) -> Contribution:
    names = NAMES[:n] if n <= 3 else tuple("abcd"[:n])
    return Contribution(dict.fromkeys(names, e), False, tuple(values), drawn=True)


def test_expected_rewards_are_those_of_mechanism_4_and_each_is_known_by_a_coalition() -> None:
    generator = np.random.default_rng(1)
    for _ in range(30):
        values = draw_values(generator, 3)
        rule = make_rule(values)
        types = {name: 1 << i for i, name in enumerate(NAMES)}
        lottery = rule.settle(types)
        assert isinstance(lottery, Lottery)
        due = oracle.contribution(values, 7)
        for i, name in enumerate(NAMES):
            assert lottery.expectation(lambda s: s.parties[name].benefit) == due[i]  # noqa: B023 - it is called at once
            for settlement, _ in lottery:
                data = settlement.parties[name].reply.data
                group = sum(types[member] for member in data["known by"])
                assert group >> i & 1
                assert values[group] - values[1 << i] == settlement.parties[name].benefit


def test_the_game_has_the_expected_utilities_of_all_draws() -> None:
    generator = np.random.default_rng(2)
    for _ in range(20):
        rule = make_rule(draw_values(generator, 3), "1/3")
        types = {name: 1 << i for i, name in enumerate(NAMES)}
        game = rule.game(types)
        for here in product([True, False], repeat=3):
            joined = {n: t for (n, t), p in zip(types.items(), here, strict=True) if p}
            profile = ["joins" if p else "stays away" for p in here]
            if not joined:
                continue
            lottery = rule.settle(joined)
            for i, name in enumerate(NAMES):
                expected = Fraction(0)
                for settlement, chance in lottery:
                    benefits = {n: s.benefit for n, s in settlement.parties.items()}
                    rival = max((b for n, b in benefits.items() if n != name), default=0)
                    expected += chance * (benefits.get(name, 0) - Fraction(1, 3) * rival)
                assert game.payoffs(profile)[i] == expected


def test_joining_is_not_dominant_where_the_best_rival_is_counted_draw_by_draw() -> None:
    types = {name: 1 << i for i, name in enumerate(NAMES)}
    verdict = ab.audit(make_rule(PAYS).game(types), [ab.ExPostIC()])["ex-post IC"]
    assert (verdict.status, verdict.gain) == ("fails", Fraction(1, 2))
    plain = Contribution(dict.fromkeys(NAMES, 1), False, PAYS)
    assert ab.audit(plain.game(types), [ab.DSIC()])["DSIC"].status == "holds"


def test_joining_stays_dominant_at_exclusivity_zero_and_for_two_parties() -> None:
    generator = np.random.default_rng(3)
    for _ in range(40):
        for n, e in ((3, 0), (2, 1), (2, "1/2")):
            rule = make_rule(draw_values(generator, n), e, n)
            types = {name: 1 << i for i, name in enumerate(NAMES[:n])}
            assert ab.DSIC() in rule.promises(types)
            assert ab.audit(rule.game(types), [ab.DSIC()])["DSIC"].status == "holds"


def test_a_file_draws_and_its_run_replays(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.contribution"\nreplies = "coalitions"\nexclusivity = 1\nseed = 4\n'
        f"values = {list(PAYS)}\n[parties.a]\n[parties.b]\n[parties.c]\n"
    )
    lottery = ab.lottery(path)
    assert len(lottery) == 2
    assert ab.run(path).details["expected"] == {"a": 2, "b": 2, "c": 2}
    assert ab.audit(path)["DSIC"].status == "fails"
    assert ab.audit(path).promises_stand is not False


@pytest.mark.parametrize("top", [1, 2])
def test_these_are_the_smallest_values_that_show_it(top: int) -> None:
    """No whole values up to 2 with three parties do."""
    for values in product(range(top + 1), repeat=7):
        every = [0, *values]
        if any(every[m] < every[m ^ (1 << k)] for m in range(8) for k in range(3) if m >> k & 1):
            continue
        types = {name: 1 << i for i, name in enumerate(NAMES)}
        game = make_rule(every).game(types)
        joined = game.payoffs(["joins"] * 3)
        for i in range(3):
            away = ["joins"] * 3
            away[i] = "stays away"
            assert game.payoffs(away)[i] <= joined[i]
