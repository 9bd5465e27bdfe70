"""A limit of time: what it ends says so, and with enough of it nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import ClassVar

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.auditing import Status, Verdict, families
from aboveboard.auditing.budget import Clock
from aboveboard.games.actions import Grid
from aboveboard.games.game import Game


class Wide:
    """Two players with long vectors, of which no lie pays; each profile is valued by a call."""

    players = ("ann", "bob")

    def actions(self, i: int, /) -> Grid:
        return Grid([3] * 400)

    def truth(self, i: int, /) -> tuple[int, ...]:
        return (0,) * 400

    def absent(self, i: int, /) -> None:
        return None

    def payoffs(self, profile: Sequence[tuple[int, ...]], /) -> list[int]:
        return [-sum(own) for own in profile]


def test_a_sample_that_the_time_ends_says_so_and_never_holds() -> None:
    verdict = ab.audit(Wide(), [ab.ExPostIC()], seconds=1e-6)["ex-post IC"]
    assert verdict.status.value == "no counterexample"
    assert 0 < verdict.checked <= 8  # one call may take seconds: pieces begin with one row
    assert "seconds ended this search" in (verdict.statement or "")


def test_a_scan_that_the_time_ends_is_no_proof() -> None:
    class Slow(Wide):
        def actions(self, i: int, /) -> Grid:
            return Grid([30, 30, 40])

        def truth(self, i: int, /) -> tuple[int, ...]:
            return (0, 0, 0)

    whole = ab.audit(Slow(), [ab.ExPostIC()])["ex-post IC"]
    cut = ab.audit(Slow(), [ab.ExPostIC()], seconds=1e-6)["ex-post IC"]
    assert (whole.status.value, cut.status.value) == ("holds", "no counterexample")
    assert cut.checked < whole.checked
    assert cut.confidence is None


def test_the_time_ends_a_scan_between_coalitions_but_each_player_is_looked_at() -> None:
    class Many(Wide):
        players = tuple(f"p{i}" for i in range(40))

        def actions(self, i: int, /) -> Grid:
            return Grid([1])

        def truth(self, i: int, /) -> tuple[int, ...]:
            return (0,)

    properties = [ab.CoalitionProof(2), ab.ExPostIC()]
    drawn = ab.audit(Many(), properties, budget=ab.Budget(rows=0, samples=1, seconds=1e-6))
    assert drawn["coalition-proof (size 2)"].checked == 40
    assert drawn["coalition-proof (size 2)"].confidence is None
    few = ab.audit(Many(), properties, seconds=1e-6)
    alone, pairs = few["ex-post IC"], few["coalition-proof (size 2)"]
    assert (alone.status.value, alone.checked) == ("holds", 40)
    assert (pairs.status.value, pairs.checked) == ("no counterexample", 40)
    assert "seconds ended this search" in (pairs.statement or "")


def test_games_are_confident_together_only_where_each_had_uniform_draws() -> None:
    drawn = Verdict("p", Status.NO_COUNTEREXAMPLE, 50, 100, "sampled", gain=0, draws=50)
    drawn = replace(drawn, confidence="with confidence")
    cut = Verdict("p", Status.NO_COUNTEREXAMPLE, 3, 100, "sampled", gain=-1)
    games = [ab.TabularGame([[1, 0]], truth=0)] * 2
    assert families.combine_verdicts([drawn, drawn], games).confidence is not None
    assert families.combine_verdicts([drawn, cut], games).confidence is None


def test_with_enough_seconds_the_verdicts_are_those_without_a_limit() -> None:
    table = np.random.default_rng(1).integers(0, 9, size=(3, 4, 4, 4))
    few = ab.Budget(rows=3, samples=20)
    props = [ab.DSIC(), ab.ExPostIC(), ab.CoalitionProof(2)]
    limited = ab.audit(ab.TabularGame(table), props, budget=few, seconds=600)
    free = ab.audit(ab.TabularGame(table), props, budget=few)
    assert limited.as_dict() == free.as_dict()


def test_searches_share_the_time_that_is_left() -> None:
    budget = ab.Budget(seconds=100).start(4)
    assert budget.clock is not None
    begun = budget.clock.end - 100
    assert budget.find_end(sampled=False) == budget.clock.end
    assert 24 < budget.find_end(sampled=True) - begun < 26
    budget.finish_search()
    budget.finish_search()
    assert 49 < budget.find_end(sampled=True) - begun < 51
    assert Clock(0.0, 0).find_end() > 0


@pytest.mark.parametrize("sampled", [True, False])
def test_a_search_that_takes_no_time_is_done_although_others_used_it_up(sampled: bool) -> None:
    budget = ab.Budget(seconds=100, clock=Clock(perf_counter() - 50, 3))
    assert 1 < budget.find_end(sampled=sampled) - perf_counter() <= 2


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_seconds_are_finite_and_above_zero(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        ab.Budget(seconds=seconds)


def test_threads_find_what_one_finds() -> None:
    table = np.random.default_rng(2).integers(0, 1000, size=(3, 75, 75, 75))
    one, two = (
        ab.audit(ab.TabularGame(table), [ab.DSIC()], budget=ab.Budget(threads=k)) for k in (1, 2)
    )
    assert one.as_dict() == two.as_dict()


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_a_mapped_table_is_audited_like_one_in_memory(tmp_path: Path, dtype: type) -> None:
    table = np.random.default_rng(3).integers(0, 99, size=(2, 30, 20)).astype(dtype) / dtype(2)
    table = table.astype(dtype)
    path = tmp_path / "table.bin"
    table.tofile(path)
    mapped = np.memmap(path, dtype=dtype, mode="r", shape=table.shape)
    game = ab.TabularGame(mapped)
    assert np.shares_memory(game.table, mapped)
    props = [ab.DSIC(), ab.ExPostIC()]
    assert ab.audit(game, props).as_dict() == ab.audit(ab.TabularGame(table), props).as_dict()


def test_a_mapped_table_with_an_infinite_payoff_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.bin"
    np.array([[1.5, np.inf]]).tofile(path)
    with pytest.raises(ValueError, match="finite"):
        ab.TabularGame(np.memmap(path, dtype=np.float64, mode="r", shape=(1, 2)))


def test_what_another_verdict_settles_leaves_its_time_to_the_searches_that_follow() -> None:
    class Share(ab.Property):
        """Notes how many searches are said to be still to come."""

        name = "share"
        left: ClassVar[list[int]] = []

        def examine(self, game: Game, *, budget: ab.Budget, **more: object) -> Verdict:
            assert budget.clock is not None
            self.left.append(budget.clock.searches)
            return Verdict(self.name, Status.HOLDS, 1, 1, "exhaustive")

    size = 400
    table = -np.arange(size)[:, None] * np.ones((2, 1, 1), np.int64)
    table = np.stack([table[0] + 0 * table[0].T, table[0].T + 0 * table[0]])
    props = [ab.DSIC(), ab.ExPostIC(), ab.EpsilonIC(1), Share()]
    games = [ab.TabularGame(table)] * (families.WORTH_SKIPPING // (2 * size) + 1)
    found = ab.audit(games, props, seconds=600)
    assert found["ex-post IC"].how == "implied by DSIC"
    assert Share.left[0] == len(games), "of the properties only the last is still to come"
