"""An operator's commands beside a database that is full or damaged: one line, no defect."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import make_hub
from calling import aboveboard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a hub that is not open."""
    make_hub(tmp_path / "hub", Configuration()).close()
    return tmp_path / "hub"


def test_a_database_without_room_is_said_to_be_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        from sqlalchemy.exc import OperationalError

        full = sqlite3.OperationalError("database or disk is full")
        raise OperationalError("INSERT ..", {"token": "secret"}, full)

    monkeypatch.setattr("aboveboard.hub.organizations.invitations.write", refuse)
    done = aboveboard("hub", "invite", folder, "acme")
    assert done.returncode == 2
    assert "the database: it does not answer (database or disk is full); make room" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_none_is_said_to_be_damaged(folder: Path) -> None:
    for path in folder.glob("hub.sqlite*"):
        path.write_bytes(b"no database " * 1000)
    for command in ("status", "check"):
        done = aboveboard("hub", command, folder)
        assert done.returncode == 2, done.stderr
        assert "file is not a database" in done.stderr
        assert "Traceback" not in done.stderr
