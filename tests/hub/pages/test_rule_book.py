"""What is known of rules is kept; what could not be computed is tried again later."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aboveboard.hub.pages import rule_book
from aboveboard.hub.pages.rule_book import AGAIN, FAILED, RuleBook


def test_an_audit_that_fails_is_not_kept_and_tried_again_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms: Any = SimpleNamespace(mechanism="exchange.union", parameters={})
    now, found, asked = 100.0, dict(FAILED), list[str]()

    def describe(mechanism: str, parameters: object) -> dict[str, Any]:
        asked.append(mechanism)
        return found

    monkeypatch.setattr(rule_book, "describe_in_child", describe)
    monkeypatch.setattr(rule_book, "time", SimpleNamespace(monotonic=lambda: now))
    book = RuleBook(tmp_path)
    assert book.find(terms) == FAILED
    assert book.find(terms) == FAILED
    assert len(asked) == 1
    now, found = now + AGAIN, {"note": "on an example", "audit": None}
    assert book.find(terms) == found
    assert book.find(terms) == found
    assert len(asked) == 2
