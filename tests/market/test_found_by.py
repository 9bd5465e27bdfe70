"""A market's manifest names the solver that found the optimum; another may find the same again."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.market.optimum import social_optimum
from aboveboard.settlements.replaying import replay

FILE = """mechanism = "market.vcg"
bits = 4
[parties.ann]
endowment = ["chair", "lamp"]
bidding = "additive"
values = [{goods = ["chair"], value = 1}]
[parties.bob]
bidding = "additive"
values = [{goods = ["chair"], value = 3}, {goods = ["lamp"], value = 2}]
[parties.cyd]
bidding = "additive"
values = [{goods = ["chair"], value = 3}, {goods = ["lamp"], value = 2}]
"""
"""Each good goes to bob or to cyd: there are four optimal allocations."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a settlement whose optimum CP-SAT found."""
    pytest.importorskip("ortools")
    pytest.importorskip("scipy")
    monkeypatch.setattr(social_optimum, "FEW_ALLOCATIONS", 0)
    (tmp_path / "market.toml").write_text(FILE)
    settle(ab.load(tmp_path / "market.toml"), tmp_path / "settlement")
    return tmp_path / "settlement"


def read_manifest(folder: Path) -> dict[str, object]:
    manifest: dict[str, object] = json.loads((folder / "settlement.json").read_text())
    return manifest


def test_the_manifest_names_the_solver_and_its_version(folder: Path) -> None:
    found = {"search": "cp-sat", "package": "ortools", "version": version("ortools")}
    assert read_manifest(folder)["found_by"] == found


@pytest.mark.parametrize("search", [pytest.param("highs", marks=pytest.mark.deep), "exhaustive"])
def test_a_replay_by_another_search_finds_the_same_optimum(
    folder: Path, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    monkeypatch.setattr(social_optimum, "choose_solver", lambda _: search)
    again = folder.parent / "again"
    settle(ab.load(folder.parent / "market.toml"), again)
    assert read_manifest(again)["found_by"] != read_manifest(folder)["found_by"]
    assert replay(folder, settle).differ == ()


def test_a_replay_sees_that_another_allocation_was_written(folder: Path) -> None:
    """Of the same welfare, but not the canonical one: whoever wrote it chose among equals."""
    place = folder / "settlement.json"
    swapped = place.read_text().replace('"bob"', '"b0b"').replace('"cyd"', '"bob"')
    place.write_text(swapped.replace('"b0b"', '"cyd"'))
    assert replay(folder, settle).differ == ("settlement.json",)
