"""The fuzzer itself: what it makes is the same every time, and what it made found nothing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from fuzz import more_doors
from fuzz.doors import Unsound, brought, checked_line
from fuzz.mutations import mutated
from fuzz.seeds import FILE, Seed, seeds
from fuzz.trials import spoilt

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folders() -> list[Seed]:
    return seeds()


def fuzzed(inputs: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fuzz", "--inputs", str(inputs), "--seed", "7"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.deep
def test_every_folder_is_good_before_it_is_spoilt(folders: list[Seed], tmp_path: Path) -> None:
    for k, seed in enumerate(folders):
        if seed.door != "collaboration" or "/" in seed.name:
            continue  # the examples' data are made by their scripts
        for name, content in seed.files.items():
            path = tmp_path / str(k) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        ab.load(tmp_path / str(k) / FILE, trust_code=True)


@pytest.mark.deep
def test_an_input_is_the_same_whenever_it_is_made(folders: list[Seed]) -> None:
    for number in range(200):
        assert spoilt(3, number, folders) == spoilt(3, number, folders)


@pytest.mark.deep
def test_most_inputs_differ_from_the_good_ones(folders: list[Seed]) -> None:
    made = [spoilt(0, number, folders) for number in range(300)]
    assert sum(content != seed.files[name] for seed, name, content in made) > 250


@pytest.mark.deep
def test_a_spoilt_file_is_often_still_near_the_good_one(folders: list[Seed]) -> None:
    rng, good = random.Random(0), folders[0].files[FILE]
    near = [mutated(good, FILE, rng) for _ in range(100)]
    assert sum(abs(len(x) - len(good)) < 200 for x in near) > 50


@pytest.mark.parametrize(
    "error",
    [
        ab.InputError("a", "", "b"),
        ab.InputError("", "a", "b"),
        ab.AboveboardError(""),
    ],
)
def test_an_empty_part_of_a_message_is_a_finding(error: ab.AboveboardError) -> None:
    with pytest.raises(Unsound):
        checked_line(error)


def test_a_half_written_folder_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / ".out-of-fuzz-aboveboard-0").mkdir()
    with pytest.raises(Unsound):
        brought("collaboration", tmp_path, random.Random(0))


@pytest.mark.deep
@pytest.mark.parametrize("route", more_doors.ROUTES, ids=lambda route: route[1])
def test_a_request_reaches_a_route_that_the_hub_has(
    route: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(more_doors, "ROUTES", (route,))
    answers = []

    def note(*sent: Any) -> Any:
        answers.append(send(*sent))
        return answers[-1]

    send = more_doors._send
    monkeypatch.setattr(more_doors, "_send", note)
    (tmp_path / more_doors.REQUEST).write_bytes(more_doors.list_pieces()["hub statement"][1])
    more_doors.bring_request(tmp_path, random.Random(0))
    assert answers[0].status_code != 404


@pytest.mark.deep
def test_a_few_hundred_inputs_find_nothing() -> None:
    ran = fuzzed(300)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_a_hundred_thousand_inputs_find_nothing() -> None:
    ran = fuzzed(100_000)
    assert ran.returncode == 0, ran.stdout + ran.stderr
