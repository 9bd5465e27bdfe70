"""Two-bit replies, the rule by any word, and numbers: what a party can verify of a run."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import hold_round
from runs_by_hand import STARTING, run_starting_file

from aboveboard.errors import InputError


def drop_bits(table: dict[str, Any], numbers: dict[str, list[int]]) -> dict[str, Any]:
    """Return the parties of the starting file with numbers in the place of bits."""
    parties = {
        name: {key: x for key, x in own.items() if key != "bits"} | {"numbers": numbers[name]}
        for name, own in table["parties"].items()
    }
    return {"parties": parties, "center": {"numbers": [5, 15, 25]}}


@pytest.mark.parametrize("keys", [{"score": "any-word"}])
def test_two_bits_convince_every_party_and_its_guess_is_checked(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    run = run_starting_file("curation.fair", tmp_path, {"replies": "two-bits", **keys})
    for name in run.names:
        found = run.verify(name)
        assert found.exit_status == 0, str(found)
        assert "your guess is the one of the two for your own bit" in found.verified
        assert "that the two guesses follow from all messages" in found.on_the_centers_word


@pytest.mark.parametrize("kind", ["median", pytest.param("average", marks=pytest.mark.deep)])
def test_numbers_convince_every_party(tmp_path: Path, kind: str) -> None:
    table = tomllib.loads((STARTING / "curation.fair.toml").read_text())
    numbers = {"anna": [1, 12, 29], "bert": [9, 19, 20], "cleo": [0, 30, 10]}
    function = {"kind": kind, "thresholds": [10, 20], "range": [0, 30]}
    changes = {"function": function, **drop_bits(table, numbers)}
    run = run_starting_file("curation.fair", tmp_path, changes)
    for name in run.names:
        found = run.verify(name)
        assert found.exit_status == 0, str(found)
        assert "every expected gain follows from the commitments" in found.verified


def test_different_distributions_convince_every_party(tmp_path: Path) -> None:
    table = tomllib.loads((STARTING / "curation.fair.toml").read_text())
    numbers = {"anna": [1, 12, 29], "bert": [9, 19, 20], "cleo": [0, 30, 10]}
    changes = drop_bits(table, numbers)
    changes["center"]["distribution"] = [0.5, 0.25, 0.25]
    changes["parties"]["bert"]["distribution"] = [0.25, 0.5, 0.25]
    changes["function"] = {"kind": "median", "thresholds": [10, 20], "range": [0, 30]}
    run = run_starting_file("curation.fair", tmp_path, changes)
    for name in run.names:
        found = run.verify(name)
        assert found.exit_status == 0, str(found)
        assert "every expected gain follows from the commitments" in found.verified


def test_a_prior_of_the_center_convinces_every_party(tmp_path: Path) -> None:
    table = tomllib.loads((STARTING / "curation.fair.toml").read_text())
    center = {**table["center"], "prior": 0.25}
    run = run_starting_file("curation.fair", tmp_path, {"center": center})
    for name in run.names:
        assert run.verify(name).exit_status == 0


# ----------------------------------------------------------------------- between organisations

CENTER = "1\n0\n1\n1\n0\n0\n1\n0\n1\n1\n"


@pytest.mark.deep
@pytest.mark.parametrize("opened", ["nothing", "all"])
def test_a_round_of_two_bits_and_any_word_is_verified(tmp_path: Path, opened: str) -> None:
    table = {"score": "any-word", "replies": "two-bits", "center": {"data": "center.txt"}}
    held = hold_round(
        "curation.fair", tmp_path, opened=opened, table=table, files={"center.txt": CENTER}
    )
    for name in held.names:
        found = held.verify(name)
        assert found.exit_status == 0, str(found)


@pytest.mark.deep
@pytest.mark.parametrize("opened", ["nothing", "all"])
def test_a_round_of_numbers_is_verified(tmp_path: Path, opened: str) -> None:
    table = tomllib.loads((STARTING / "curation.fair.toml").read_text())
    numbers = {"anna": [1, 12, 29], "bert": [9, 19, 20], "cleo": [0, 30, 10]}
    changes = drop_bits(table, numbers)
    changes["function"] = {"kind": "median", "thresholds": [10, 20], "range": [0, 30]}
    changes["center"] = {"data": "center.txt", "distribution": [0.5, 0.25, 0.25]}
    held = hold_round(
        "curation.fair", tmp_path, opened=opened, table=changes, files={"center.txt": "5\n15\n25\n"}
    )
    for name in held.names:
        found = held.verify(name)
        assert found.exit_status == 0, str(found)


def test_what_the_rule_refuses_is_placed_in_no_temporary_file(tmp_path: Path) -> None:
    table = {"center": {"data": "center.txt"}}
    with pytest.raises(InputError, match=r"^parties\.anna: it has 10 rounds, center has 2"):
        hold_round("curation.fair", tmp_path, table=table, files={"center.txt": "1\n0\n"})


def test_the_centers_numbers_do_not_stand_in_the_terms(tmp_path: Path) -> None:
    table = tomllib.loads((STARTING / "curation.fair.toml").read_text())
    numbers = {"anna": [1, 12, 29], "bert": [9, 19, 20], "cleo": [0, 30, 10]}
    changes = drop_bits(table, numbers)
    changes["function"] = {"kind": "median", "thresholds": [10, 20], "range": [0, 30]}
    with pytest.raises(InputError, match=r'data = "center\.csv"'):
        hold_round("curation.fair", tmp_path, table=changes)
