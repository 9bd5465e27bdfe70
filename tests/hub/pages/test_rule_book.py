"""Audits of rules beside the pages: what is kept, what is tried again, and that no page waits."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aboveboard.hub.pages import rule_book
from aboveboard.hub.pages.rule_book import AGAIN, FAILED, WAITING, RuleBook, describe_in_child
from aboveboard.mechanisms import child_processes

ON_AN_EXAMPLE: dict[str, Any] = {"note": "on an example", "audit": None}


def make_terms(k: int = 0) -> Any:
    return SimpleNamespace(mechanism="exchange.union", parameters={"k": k})


def finish(book: RuleBook) -> None:
    thread = book._thread
    if thread is not None:
        thread.join(60)


def test_an_audit_that_fails_is_not_kept_and_tried_again_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = make_terms()
    now, found, asked = 100.0, dict(FAILED), list[str]()

    def describe(mechanism: str, parameters: object) -> dict[str, Any]:
        asked.append(mechanism)
        return found

    monkeypatch.setattr(rule_book, "describe_in_child", describe)
    monkeypatch.setattr(rule_book, "time", SimpleNamespace(monotonic=lambda: now))
    book = RuleBook(tmp_path)
    assert book.find(terms) == WAITING
    finish(book)
    assert book.find(terms) == FAILED
    assert book.find(terms) == FAILED
    assert len(asked) == 1
    now, found = now + AGAIN, ON_AN_EXAMPLE
    assert book.find(terms) == WAITING
    finish(book)
    assert book.find(terms) == found
    assert book.find(terms) == found
    assert len(asked) == 2


def test_no_page_waits_for_an_audit_and_one_is_computed_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed, begun = threading.Event(), list[int]()

    def describe(_: str, parameters: dict[str, int]) -> dict[str, Any]:
        begun.append(parameters["k"])
        assert allowed.wait(60)
        return ON_AN_EXAMPLE

    monkeypatch.setattr(rule_book, "describe_in_child", describe)
    monkeypatch.setattr(rule_book, "MOST_WAITING", 3)
    book, before = RuleBook(tmp_path), threading.active_count()
    for _ in range(2):
        for k in range(5):
            assert book.find(make_terms(k)) == WAITING
            book.prepare(f"digest {k}", partial(make_terms, k))
    assert threading.active_count() <= before + 1
    assert len(begun) <= 1
    allowed.set()
    finish(book)
    assert begun == [0, 1, 2]
    assert [book.find(make_terms(k)) for k in range(4)] == [ON_AN_EXAMPLE] * 3 + [WAITING]
    finish(book)


def test_an_audit_that_cannot_be_kept_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def describe(_: str, parameters: dict[str, int]) -> dict[str, Any]:
        if not parameters["k"]:
            raise OSError("no space left")
        return ON_AN_EXAMPLE

    monkeypatch.setattr(rule_book, "describe_in_child", describe)
    book = RuleBook(tmp_path)
    for k in range(2):
        assert book.find(make_terms(k)) == WAITING
    finish(book)
    assert [book.find(make_terms(k)) for k in range(2)] == [FAILED, ON_AN_EXAMPLE]


def test_the_child_starts_without_what_adds_code(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def note(*_: object, **__: object) -> Any:
        given.update(os.environ)
        raise OSError

    monkeypatch.setenv("PYTHONPATH", "/a/folder/of/a/stranger")
    monkeypatch.setattr(child_processes.subprocess, "Popen", note)
    assert describe_in_child("exchange.interval", {}) == FAILED
    assert "PYTHONPATH" not in given
    assert given["PYTHONSAFEPATH"] == "1"
    assert os.environ["PYTHONPATH"] == "/a/folder/of/a/stranger"
