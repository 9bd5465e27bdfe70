"""Other users of the machine look into no folder of a hub, of its backups, or of a member."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_members import Town, town

from aboveboard.evidence.keys import make_private_folder
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import agree
from aboveboard.hub.operations.backup import back_up, restore

__all__ = ["town"]

OTHERS = 0o066
"""Rights to list and to change a folder; to pass through one is none of them."""


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """Let the process make what everybody may change, unless it asks for less."""
    before = os.umask(0)
    yield
    os.umask(before)


def list_open(folder: Path) -> list[str]:
    """Return the folders that others may list or change."""
    return [here for here, _, _ in os.walk(folder) if Path(here).stat().st_mode & OTHERS]


@pytest.mark.deep
def test_no_folder_of_a_hub_or_of_its_backups_is_open(town: Town, tmp_path: Path) -> None:
    town.join()
    identifier = town.open()
    for name in ("acme", "bolt", "core"):
        agree(identifier, town.home(name))
    town.commit()
    town.submit()
    assert Worker(town.hub).work()
    back_up(town.hub, tmp_path / "backup")
    for folder in (town.hub.folder, tmp_path / "backup"):
        assert list_open(folder) == []
    assert not any(p.stat().st_mode & 0o077 for p in (tmp_path / "backup").glob("*.json"))
    shutil.copytree(tmp_path / "backup", tmp_path / "open")
    for here, _, _ in os.walk(tmp_path / "open"):
        Path(here).chmod(0o755)  # as a copy by other means leaves it
    restore(tmp_path / "open", tmp_path / "again")
    assert list_open(tmp_path / "again") == []


def test_what_a_member_has_joined_is_its_own(town: Town) -> None:
    town.join()
    agree(town.open(), town.home("acme"))
    for name in ("keys", "hubs", "rounds"):
        assert not (town.home("acme") / name).stat().st_mode & OTHERS


def test_folders_on_the_way_are_made_private_and_those_that_are_there_stay(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path / "a" / "b" / "c")
    make_private_folder(tmp_path / "a" / "b")
    assert [p.stat().st_mode & 0o777 for p in (tmp_path, *tmp_path.rglob("*"))] == [
        0o755,
        0o700,
        0o700,
        0o700,
    ]
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="File exists"):
        make_private_folder(tmp_path / "file")
