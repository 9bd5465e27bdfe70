"""A market's manifest names the solver that found the optimum; another may find the same again."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.market import Additive
from aboveboard.market.mechanisms import base
from aboveboard.market.mechanisms.base import RecordedSearch
from aboveboard.market.model.markets import Market, social_welfare
from aboveboard.market.optimum import social_optimum
from aboveboard.market.optimum.social_optimum import Optimum
from aboveboard.settlements.replaying import Replay, replay
from calling import aboveboard

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


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "settlement.json").read_text())
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


@pytest.mark.deep
def test_a_replay_sees_that_another_allocation_was_written(folder: Path) -> None:
    """Of the same welfare, but not the canonical one: whoever wrote it chose among equals."""
    place = folder / "settlement.json"
    manifest = read_manifest(folder)
    manifest["found_by"] |= {"allocation": [2, 2], "bound": 5}  # no time limit ended the run
    text = json.dumps(manifest, indent=2) + "\n"
    swapped = text.replace('"bob"', '"b0b"').replace('"cyd"', '"bob"')
    place.write_text(swapped.replace('"b0b"', '"cyd"'))
    assert replay(folder, settle).differ == ("settlement.json",)


class TestARunThatATimeLimitEnded:
    """What it found is taken as it is, if the replay's search refutes nothing of it."""

    BOB, ENDOWMENT, BOTH = (1, 1), (0, 0), (1, 2)
    """By good: the chair and the lamp to bob; nothing moved; one each to bob and cyd."""

    @pytest.fixture
    def run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that settles, and replays, with what given searches come to."""
        file, folder = tmp_path / "market.toml", tmp_path / "settlement"
        rule = 'mechanism = "market.propose_and_agree"\nseconds = 5'
        file.write_text(FILE.replace('mechanism = "market.vcg"', rule))

        def come_to(allocation: tuple[int, ...], bound: int) -> None:
            def search(market: Market, **_: object) -> Optimum:
                welfare = social_welfare(market, allocation)
                return Optimum(allocation, welfare, bound, False, "highs")

            monkeypatch.setattr(base, "search_optimum", search)

        def settle_and_replay(ran: Any, replayed: Any, **found: Any) -> Replay:
            come_to(*ran)
            settle(ab.load(file), folder)
            manifest = read_manifest(folder)
            manifest["found_by"] |= found
            (folder / "settlement.json").write_text(json.dumps(manifest, indent=2) + "\n")
            come_to(*replayed)
            return replay(folder, settle)

        return settle_and_replay

    @pytest.mark.deep
    def test_another_optimum_is_as_good(self, run: Any) -> None:
        again = run((self.BOTH, 5), (self.BOB, 5))
        assert (again.differ, again.unconfirmed) == ((), ())

    def test_less_than_the_replay_finds_is_refuted(self, run: Any) -> None:
        assert "settlement.json" in run((self.ENDOWMENT, 9), (self.BOB, 9)).differ

    def test_that_it_is_optimal_counts_where_the_replay_proves_it(self, run: Any) -> None:
        assert "settlement.json" in run((self.BOTH, 5), (self.BOB, 6)).differ

    def test_a_bound_that_is_not_proved_again_is_named(self, run: Any) -> None:
        again = run((self.BOTH, 6), (self.BOB, 7))
        claim = "that no allocation has a welfare above 6"
        assert (again.differ, again.unconfirmed) == ((), (claim,))
        said = aboveboard("replay", again.folder).stdout
        assert f"not proved again: {claim}" in said

    @pytest.mark.parametrize("found", [{"allocation": [1, 9]}, {"bound": 5}, {"bound": "6"}])
    @pytest.mark.deep
    def test_what_says_something_else_than_the_run_is_seen(self, run: Any, found: Any) -> None:
        assert "settlement.json" in run((self.BOTH, 6), (self.BOB, 7), **found).differ


@pytest.mark.parametrize("bound", [None, 6])
def test_a_run_of_vcg_that_says_it_proved_nothing_is_not_believed(
    tmp_path: Path, bound: int | None
) -> None:
    """It would have ended with an error: the replay's would say that the time was too short."""
    file, place = tmp_path / "market.toml", tmp_path / "settlement" / "settlement.json"
    file.write_text(FILE.replace('"market.vcg"', '"market.vcg"\nseconds = 5'))
    settle(ab.load(file), place.parent)
    manifest = read_manifest(place.parent)
    manifest["found_by"] |= {"allocation": [1, 2], "bound": bound}
    place.write_text(json.dumps(manifest, indent=2) + "\n")
    assert replay(place.parent, settle).differ == ()


def test_a_run_says_nothing_of_the_market_without_a_party(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without bob the lamp is cyd's; what was said of all three would be read so, and unproved."""
    rule = 'mechanism = "market.vcg"\nseconds = 5'
    file, bob, cyd = tmp_path / "market.toml", '"lamp"], value = 2', '"chair"], value = 3'
    text = FILE.replace('mechanism = "market.vcg"', rule).replace("value = 1", "value = 5")
    text = text.replace(bob, '"lamp"], value = 3', 1).replace(cyd, '"chair"], value = 0')
    file.write_text(text)
    search = social_optimum.search_optimum

    def prove_without_weighing(market: Market, **given: Any) -> Optimum:
        return replace(search(market, **given), canonical=False)

    monkeypatch.setattr(base, "search_optimum", prove_without_weighing)
    settle(ab.load(file), tmp_path / "settlement")
    assert read_manifest(tmp_path / "settlement")["found_by"]["allocation"] == [0, 1]
    monkeypatch.undo()
    again = replay(tmp_path / "settlement", settle)
    assert (again.differ, again.unconfirmed) == ((), ())


@pytest.mark.parametrize(
    "found",
    [
        {},
        *({"allocation": x} for x in (None, "x", [], [1], [1, 9], [1, -2], [True, 2], {"1": 2})),
        *({"allocation": [1, 2], "bound": x} for x in ("6", True, 6.0, [6])),
    ],
)
def test_what_a_manifest_holds_is_believed_only_if_it_is_an_allocation(found: Any) -> None:
    values = Additive((1, 0)), Additive((3, 2)), Additive((3, 2))
    market = Market(("ann", "bob", "cyd"), ("chair", "lamp"), (0, 0), values, bits=4)
    assert RecordedSearch.parse(found, market) is None
