"""Inspection between organisations: the joint seed draws, people or a file say what is real."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import RoundOfFiles, hold_round

REAL = ("bad", "junk", "spam", "worm", "phish", "scam", "fraud")
LISTS = {
    "alpha": ["bad", "junk", "spam", "worm"],
    "beta": ["spam", "worm", "phish", "scam"],
    "gamma": ["bad", "scam", "fraud", "bot"],  # bot is invented
}
PARTIES = {name: {"elements": own} for name, own in LISTS.items()}


def hold(tmp: Path, inspection: dict[str, Any], **more: Any) -> RoundOfFiles:
    table = {"exclusivity": "1/2", "inspection": inspection, "parties": PARTIES}
    return hold_round("exchange.union", tmp, **{"opened": "nothing", "table": table, **more})


def answer(folder: Path) -> None:
    """Fill in what people would: whether each element that is asked about is real."""
    (path,) = folder.glob("answers.csv")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    lines = [f"{row['element']},{'yes' if row['element'] in REAL else 'no'}" for row in rows]
    path.write_text("\n".join(["element,real", *lines]) + "\n")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RoundOfFiles:
    """A round in which everything is inspected against a file."""
    tmp = tmp_path_factory.mktemp("known")
    inspection = {"rate": 1, "deposit": 2, "known": "real.txt"}
    return hold(tmp, inspection, files={"real.txt": "\n".join(REAL)})


def test_who_invented_is_handed_nothing_and_every_member_can_verify_it(whole: RoundOfFiles) -> None:
    for name in LISTS:
        found = whole.verify(name)
        assert not found.contradicted
        said = "whoever was caught inventing forfeits the deposit, and nobody else pays"
        assert said in found.verified
        assert any("which elements are real" in each for each in found.on_the_centers_word)
    assert any("the seed drew 1" in each for each in whole.verify("gamma").verified)


def test_people_answer_what_the_joint_seed_draws(tmp_path: Path) -> None:
    asked: list[int] = []

    def inspect(folder: Path) -> None:
        asked.append(1)
        answer(folder)

    made = hold(tmp_path, {"rate": 1, "deposit": 2, "answers": "answers.csv"}, inspect=inspect)
    assert len(asked) == 1
    assert not made.verify("gamma").contradicted
    assert not made.verify("alpha").contradicted


@pytest.mark.deep
def test_opened_rounds_are_run_again_with_the_answers(tmp_path: Path) -> None:
    inspection = {"rate": 1, "deposit": 2, "answers": "answers.csv"}
    made = hold(tmp_path, inspection, inspect=answer, opened="all")
    found = made.verify("gamma")
    assert not found.contradicted
    assert any("byte for byte" in each for each in found.verified)


def acquit(body: dict[str, Any]) -> None:
    body["facts"]["inspection"]["caught"] = {}


def blame(body: dict[str, Any]) -> None:
    body["facts"]["inspection"]["caught"]["alpha"] = 3


def spare(body: dict[str, Any]) -> None:
    body["facts"]["inspection"]["deposit"] = 1


def look_away(body: dict[str, Any]) -> None:
    body["facts"]["inspection"]["rate"] = "1/2"


def hush(body: dict[str, Any]) -> None:
    del body["facts"]["inspection"]


@pytest.mark.parametrize("cheat", [acquit, blame, spare, look_away, hush])
@pytest.mark.parametrize("name", ["alpha", "gamma"])
def test_a_center_that_states_another_inspection_is_found(
    whole: RoundOfFiles, tmp_path: Path, cheat: Callable[[dict[str, Any]], None], name: str
) -> None:
    assert whole.state(name, cheat, tmp_path).contradicted
