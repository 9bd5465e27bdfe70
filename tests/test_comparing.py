"""`aboveboard compare`: several rules on the same data, in a terminal and as one page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.collaborations import find_mechanism
from aboveboard.commands import write_starting_file
from aboveboard.commands.comparing import compare_rules, write_comparison

LISTS = """
mechanism = "exchange.union"
kind = "text"
operator = "The Clearing House"
[parties.anna]
elements = ["a", "b", "c", "d"]
[parties.bert]
elements = ["c", "d", "e"]
[parties.cleo]
elements = ["d", "x", "y", "z"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lists.toml"
    path.write_text(LISTS)
    return path


@pytest.mark.deep
def test_rules_share_one_seed_where_the_file_has_none(file: Path) -> None:
    first, second = compare_rules(file, ["equal-gain", "best-group"])
    assert first.audit.subject.seed == second.audit.subject.seed


def test_one_page_shows_what_each_rule_hands_out_and_promises(file: Path, tmp_path: Path) -> None:
    results = compare_rules(file, ["equal-gain", "best-group"])
    path = tmp_path / "page.html"
    write_comparison(results, path, "2026-05-03")
    page = path.read_text(encoding="utf-8")
    for each in results:
        for name, share in each.settlement.parties.items():
            assert re.search(rf"{name}: .*{each.rule} {share.benefit}\b", page)
    assert "operated by The Clearing House" in page
    assert "2026-05-03" in page
    assert page.count("Is anyone better off lying?") == 2


def test_a_page_of_choices_asks_no_question_about_lies(tmp_path: Path) -> None:
    file, page = tmp_path / "c.toml", tmp_path / "page.html"
    write_starting_file(find_mechanism("curation.fair", "test"), file)
    results = compare_rules(file, ["curation.fair", "curation.always_all"])
    write_comparison(results, page, "2026-05-03")
    text = page.read_text(encoding="utf-8")
    assert text.count("Is anyone better off choosing otherwise?") == 2
    assert "better off lying" not in text


def test_a_page_that_cannot_be_written_is_refused_before_the_work(file: Path) -> None:
    result = CliRunner().invoke(
        app, ["compare", str(file), "--rules", "equal-gain", "--report", str(file.parent)]
    )
    assert "is a folder" in str(result.exception)


def test_a_rule_that_is_too_large_to_audit_is_compared_by_what_it_hands_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    from aboveboard.commands import comparing
    from aboveboard.errors import BudgetExceeded

    def refuse(*_: object, **__: object) -> None:
        raise BudgetExceeded("there are too many profiles")

    monkeypatch.setattr(comparing, "audit_collaboration", refuse)
    (result,) = compare_rules(file, ["equal-gain"])
    assert result.as_dict()["promises_stand"] is None
    assert "too many profiles" in result.problem
    write_comparison([result], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "equal-gain was not audited: there are too many profiles" in page


def test_the_appendix_says_where_the_theory_stands_and_no_sentence_does(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(MARKET, encoding="utf-8")
    results = compare_rules(file, ["market.vcg", "market.propose_and_agree"])
    path = tmp_path / "page.html"
    write_comparison(results, path, "2026-05-03")
    body, appendix = path.read_text(encoding="utf-8").split("Appendix: where the theory stands")
    assert not re.search(r"\((?:[Tt]heorem|[Ll]emma|[Dd]efinition|Mechanism) \d", body)
    assert "Raskin" in appendix or "arXiv" in appendix or "section" in appendix.lower()
    assert "market.vcg" in appendix  # two rules, two places


MARKET = """
mechanism = "market.vcg"
[parties.anna]
endowment = ["pen"]
values = [{ goods = ["pen"], value = 3 }]
[parties.bert]
endowment = ["cup"]
values = [{ goods = ["pen"], value = 5 }]
"""
