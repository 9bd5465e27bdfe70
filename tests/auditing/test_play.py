"""Where better replies and learning end: known games, and every graph by plain reachability."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import aboveboard as ab
from aboveboard.auditing.better_replies import find_ends
from aboveboard.cli import app

DILEMMA = ab.TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
PENNIES = ab.TabularGame([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
SIDES = ab.TabularGame([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])


def list_reachable(payoff, shape, start):
    """Follow every better reply, plainly."""
    found, waiting = {start}, [start]
    while waiting:
        profile = waiting.pop()
        for i, extent in enumerate(shape):
            for a in range(extent):
                moved = (*profile[:i], a, *profile[i + 1 :])
                if payoff(moved)[i] > payoff(profile)[i] and moved not in found:
                    found.add(moved)
                    waiting.append(moved)
    return frozenset(found)


def list_ends_plainly(payoff, shape):
    """Return each end with how many starts reach it surely and possibly, from the definition."""
    profiles = list(product(*map(range, shape)))
    reach = {p: list_reachable(payoff, shape, p) for p in profiles}
    ends = {r for r in reach.values() if all(reach[p] == r for p in r)}
    return {
        end: (
            sum([e for e in ends if e & reach[p]] == [end] for p in profiles),
            sum(bool(end & reach[p]) for p in profiles),
        )
        for end in ends
    }


@pytest.mark.parametrize("seed", range(40))
def test_ends_are_those_of_plain_reachability(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(x) for x in rng.integers(1, 4, int(rng.integers(1, 4))))
    table = rng.integers(0, 5, (len(shape), *shape))
    game = ab.TabularGame(table.tolist())
    plain = list_ends_plainly(lambda p: [table[(i, *p)] for i in range(len(shape))], shape)
    found = find_ends(game)
    assert sorted((e.profiles, e.surely, e.possibly) for e in found) == sorted(
        (len(end), *counts) for end, counts in plain.items()
    )
    for end in found:
        whole = next(e for e in plain if end.cycle[0] in e)
        assert set(end.cycle) <= whole
        for here, there in zip(end.cycle, (*end.cycle[1:], end.cycle[0]), strict=True):
            if len(end.cycle) > 1:
                (mover,) = [i for i in range(len(shape)) if here[i] != there[i]]
                assert table[(mover, *there)] > table[(mover, *here)]


@pytest.mark.parametrize("seed", range(4))
def test_ends_counted_some_at_a_time_are_those_of_plain_reachability(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = np.random.default_rng(seed).integers(0, 2, (2, 5, 4))
    plain = list_ends_plainly(lambda p: [table[(i, *p)] for i in range(2)], (5, 4))
    assert len(plain) > 2
    monkeypatch.setattr("aboveboard.auditing.better_replies.ENDS_AT_ONCE", 2)
    found = find_ends(ab.TabularGame(table.tolist()))
    assert sorted((e.profiles, e.surely, e.possibly) for e in found) == sorted(
        (len(end), *counts) for end, counts in plain.items()
    )


@pytest.mark.parametrize("seed", range(20))
def test_best_replies_have_the_same_equilibria_and_no_more_moves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = [[Fraction(int(x), 7) for x in row] for row in rng.integers(0, 9, (2, 9))]
    game = ab.TabularGame([[row[:3], row[3:6], row[6:]] for row in table])
    better, best = (find_ends(game, moves) for moves in ("better", "best"))
    pure = [{e.cycle[0] for e in ends if e.is_equilibrium} for ends in (better, best)]
    assert pure[0] == pure[1]


def test_best_replies_of_exact_thirds_are_found() -> None:
    # As floats, a third of the exact payoffs would not compare as equal to itself.
    thirds = [Fraction(1, 3), Fraction(2, 3), Fraction(10**20, 3 * 10**20 + 1)]
    (end,) = find_ends(ab.TabularGame([thirds]), "best")
    assert end.cycle == ((1,),)


def test_matching_pennies_goes_round_for_ever() -> None:
    found = ab.play(PENNIES, rules=())
    (end,) = found.cycles
    assert (end.profiles, len(end.cycle), found.share_to_truth) == (4, 4, 0)


def test_a_dilemma_ends_in_its_dominant_profile_from_everywhere() -> None:
    found = ab.play(DILEMMA, rounds=300, starts=4)
    assert found.always_truth
    assert all(each.ended_in_truth == 4 for each in found.learning)


def test_coordination_has_two_ends_and_the_start_decides() -> None:
    found = ab.play(SIDES, rounds=100, starts=30)
    assert len(found.ends) == 2
    assert found.share_to_truth == Fraction(1, 4)
    assert found.share_may_reach_truth == Fraction(3, 4)
    assert all(0 < each.ended_in_truth < 30 for each in found.learning)


@pytest.mark.parametrize("players", [1, 2, 3])
def test_regret_is_what_the_best_action_would_have_brought(players: int) -> None:
    # One round from random first profiles: the regret is the most that a move would bring.
    rng = np.random.default_rng(players)
    table = rng.random((players, *[3] * players))
    game = ab.TabularGame(table.tolist())
    (learned,) = ab.play(game, rules=["regret-matching"], rounds=1, starts=3, seed=4).learning
    possible = {
        tuple(
            round(max(table[(i, *p[:i], a, *p[i + 1 :])] for a in range(3)) - table[(i, *p)], 9)
            for i in range(players)
        )
        for p in product(range(3), repeat=players)
    }
    assert {tuple(round(x, 9) for x in row) for row in learned.regret} <= possible


@pytest.mark.parametrize("rule", ["regret-matching", "multiplicative-weights"])
def test_regret_vanishes_in_a_game_without_pure_equilibrium(rule: str) -> None:
    short, long = (
        ab.play(PENNIES, rules=[rule], rounds=n, starts=5).learning[0].largest_regret
        for n in (20, 600)
    )
    assert long < 0.25
    assert long < short / 2


def test_the_same_seed_gives_the_same_play_and_another_another() -> None:
    first, again, other = (ab.play(SIDES, rounds=50, seed=s).as_dict() for s in (1, 1, 2))
    assert first == again != other


def test_a_game_that_asks_its_rule_learns_as_its_table_does() -> None:
    class Asked:
        """The coordination game, without a table."""

        players = ("1", "2")

        def actions(self, i):
            return range(2)

        def truth(self, i):
            return 0

        def absent(self, i):
            return None

        def payoffs(self, profile):
            return SIDES.payoffs(profile)

    from aboveboard.auditing import no_regret

    tabled = ab.play(SIDES, rounds=60, starts=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(no_regret, "MOST_ENTRIES", 0)
        asked = ab.play(Asked(), rounds=60, starts=4)
    assert asked.as_dict() == tabled.as_dict()


def test_a_large_game_learns_and_says_why_better_replies_were_not_followed() -> None:
    game = ab.TabularGame(np.zeros((18, *[2] * 18), dtype=np.int64))
    found = ab.play(game, rules=["regret-matching"], rounds=3, starts=2)
    assert found.ends is None
    assert found.always_truth is None
    assert "262,144 profiles" in found.reason


@pytest.mark.parametrize(
    "wrong", [{"rules": ["luck"]}, {"moves": "worse"}, {"rounds": 0}, {"starts": 0}]
)
def test_wrong_arguments_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="use"):
        ab.play(SIDES, **wrong)


CURATION = """
mechanism = "curation.{protocol}"
seed = 5
[function]
kind = "threshold"
k = 2
[parties.anna]
price = 0.2
[parties.bert]
price = 0.2
[parties.cleo]
price = 0.2
[design]
commitments = [[0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [0.9, 0.1]]
"""


def play_from_shell(folder: Path, protocol: str, *options: str):
    path = folder / "days.toml"
    path.write_text(CURATION.format(protocol=protocol))
    return CliRunner().invoke(app, ["play", str(path), "--rounds", "50", *options])


def test_the_command_says_where_the_fair_protocol_ends(tmp_path: Path) -> None:
    result = play_from_shell(tmp_path, "fair", "--plot", str(tmp_path / "play.svg"))
    assert result.exit_code == 0
    assert "Better replies end in the truth from each of 343 profiles" in result.stdout
    assert (tmp_path / "play.svg").read_text().startswith("<?xml")


def test_the_command_gives_rounds_without_end_as_data(tmp_path: Path) -> None:
    result = play_from_shell(tmp_path, "competitive", "--learning", "none", "--format", "json")
    data = json.loads(result.stdout)
    assert (data["always_truth"], data["cycles"], data["learning"]) == (False, 1, [])
    assert len(data["listed"][0]["cycle"]) > 1


def test_the_command_takes_a_game_of_gambit(tmp_path: Path) -> None:
    path = tmp_path / "pennies.nfg"
    path.write_text(
        'NFG 1 R "pennies" { "a" "b" } { 2 2 }\n\n1 -1 -1 1 -1 1 1 -1\n', encoding="utf-8"
    )
    result = CliRunner().invoke(app, ["play", str(path), "--learning", "none"])
    assert "never end in the truth (4 profiles)" in result.stdout
