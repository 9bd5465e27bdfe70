"""Folders in a member's own that are no rounds, or damaged ones: they stand in no round's way."""

from __future__ import annotations

from pathlib import Path

import pytest
from rounds_by_hand import KEYS

from aboveboard.commands.rounds import find_membership
from aboveboard.errors import InputError
from aboveboard.evidence.keys import write_keys
from aboveboard.evidence.members import NOTES_FILE, begin_membership, locate_private

TERMS = "ab" * 32
DAMAGES = {"empty": None, "torn": b'{"folder":', "no notes": b"{}", "a list": b"[]"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_keys(KEYS["acme"], tmp_path / "keys")
    begin_membership(locate_private(tmp_path, TERMS, "acme"), "acme", tmp_path / "cafe")
    return tmp_path


def leave_damaged(home: Path, name: str, content: bytes | None) -> None:
    (home / "rounds" / name).mkdir()
    if content is not None:
        (home / "rounds" / name / NOTES_FILE).write_bytes(content)


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("terms", [None, TERMS[:12], "cafe"])
def test_a_damaged_folder_leaves_the_other_rounds_alone(
    home: Path, content: bytes | None, terms: str | None
) -> None:
    leave_damaged(home, "00dead", content)
    assert find_membership(terms, home).name == "acme"


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_that_is_meant_is_named(home: Path, content: bytes | None) -> None:
    leave_damaged(home, "00dead", content)
    with pytest.raises(InputError, match="00dead"):
        find_membership("00dead", home)
