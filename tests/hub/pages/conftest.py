"""Pages on SQLite; those tests that say so on PostgreSQL, too, in the deep profile.

Rules in words are computed in this process, which has the compiled code already.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # helpers of the hub's tests
sys.path.insert(0, str(Path(__file__).parent))

from new_database import lend_database

from aboveboard.commands.rounds.rules import describe_rule_here
from aboveboard.hub.pages import rule_book


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without rows; empty for SQLite."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
    else:
        with lend_database(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture(autouse=True)
def _describe_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return describe_rule_here(mechanism, parameters)

    monkeypatch.setattr(rule_book, "describe_in_child", describe)
