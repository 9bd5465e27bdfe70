"""Two solvers that race find one optimum, and nothing of the race is left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from aboveboard.market.model.generators import generate_arbitrary
from aboveboard.market.optimum import rivals, social_optimum
from aboveboard.market.optimum.rivals import Rival, RivalResult
from aboveboard.market.optimum.social_optimum import Optimum, find_optimum

PATIENCE = 60.0
"""Seconds that a test waits for another thread or process at most."""


@pytest.fixture
def market():
    return generate_arbitrary(5, 9, seed=3)


@pytest.fixture
def race_always(monkeypatch):
    """Let every market be one in which both solvers search."""
    monkeypatch.setattr(social_optimum, "OPEN_SIZES", (0, 10**9))
    monkeypatch.setattr(social_optimum, "count_processors", lambda: 2)
    monkeypatch.setattr(social_optimum, "FEW_ALLOCATIONS", 0)


def let_own_search_wait(monkeypatch, optimum):
    """Let the search of this process end with a poor result, once it is stopped."""
    stopped = threading.Event()

    def run(search, name, solve):
        assert name == "cp-sat"
        solve.keywords["on_start"](stopped.set)
        assert stopped.wait(PATIENCE)
        return replace(optimum, welfare=0, bound=None, canonical=False, solver="cp-sat")

    monkeypatch.setattr(social_optimum._Search, "run", run)


def test_the_rival_finds_the_same_optimum_in_a_process_of_its_own(race_always, monkeypatch, market):
    expected = find_optimum(market, solver="cp-sat")
    monkeypatch.setattr(rivals, "HEAD_START", 0.0)
    let_own_search_wait(monkeypatch, expected)
    found = find_optimum(market)
    assert found.solver == "highs"
    assert (found.allocation, found.welfare) == (expected.allocation, expected.welfare)
    assert found.proved
    assert found.canonical


def test_a_search_that_is_over_soon_starts_no_process(race_always, monkeypatch, market):
    def refuse(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(rivals.subprocess, "Popen", refuse)
    expected = find_optimum(market, solver="highs")
    found = find_optimum(market)
    assert found.solver == "cp-sat"
    assert (found.allocation, found.welfare) == (expected.allocation, expected.welfare)
    assert Rival._work not in [getattr(x, "_target", None) for x in threading.enumerate()]


def test_the_better_of_two_unfinished_searches_is_taken(race_always, monkeypatch, market):
    best = find_optimum(market, solver="cp-sat")
    poor = Optimum(market.endowment, 0, best.welfare + 9, False, "cp-sat")
    monkeypatch.setattr(social_optimum._Search, "run", lambda *_: poor)

    class Late:
        found = RivalResult(best.allocation, best.welfare + 4, False)

        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def stop_when_won(self, stop):
            pass

    monkeypatch.setattr(social_optimum, "Rival", Late)
    found = find_optimum(market)
    assert (found.allocation, found.welfare) == (best.allocation, best.welfare)
    assert (found.bound, found.canonical, found.solver) == (best.welfare + 4, False, "highs")


@pytest.mark.deep
def test_the_rivals_process_ends_when_its_parent_does():
    code = f"import sys; sys.path[:0] = {sys.path!r}; " + (
        "from aboveboard.market.optimum.rivals import _end_with_parent as end; end()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert child.stdin is not None
    start = time.monotonic()
    child.stdin.close()
    assert child.wait(PATIENCE) == 1
    assert time.monotonic() - start < PATIENCE
