"""The benchmarks agree with their peers, and docs/benchmarks.md is what they write."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import comparison, page, pydvl, timing, union_run

ROOT = Path(__file__).parents[2]
SMALL = command.sections("small")
CASES = [
    pytest.param(case, id=f"{section.name}: {case.what}, {case.size}, {case.against}")
    for section in SMALL
    for case in section.cases
]
ERRORS = [pytest.param(s, case, id=case.what) for s in SMALL for case in s.errors]

TOOK = comparison.Timing(wall=2.0, cpu=3.0, slowest=2.5, rounds=3)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.deep
def test_ours_and_the_other_give_the_same_answer(
    case: comparison.Case, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(pydvl.NAMED_BY, raising=False)
    pydvl.interpreter.cache_clear()
    found = case.measure(1)  # raises where they differ
    assert found.ours.wall > 0
    if case.against == "pyDVL":
        assert found.remark.endswith(f"{pydvl.NAMED_BY} names no Python that has it")
    else:
        assert (found.theirs is None) == (case.against == "")


@pytest.mark.deep
@pytest.mark.parametrize(("section", "case"), ERRORS)
def test_each_method_has_an_error_or_too_few_evaluations(
    section: comparison.Section, case: comparison.ErrorCase
):
    cells = case.measure()
    assert len(cells) == len(section.methods)
    assert all(re.fullmatch(r"too few|\d+\.\d \(\d+\.\d\d\)", cell) for cell in cells)


@pytest.mark.deep
def test_whole_runs_of_the_exchange_are_measured_once_for_both_engines_of_polars():
    assert union_run.measured(3, 400, 1) is union_run.measured(3, 400, 1)


def test_the_committed_page_has_the_sections_and_rows_that_the_code_makes():
    committed = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page.keys_on(committed) == {s.title: page.keys(s) for s in command.sections()}


@pytest.mark.deep
def test_a_part_that_is_asked_for_is_written_with_every_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "page.md"
    words = ["audit", "curation", "--scale", "small", "--repeat", "1", "--out", str(out)]
    assert command.main(words) == 0
    written = out.read_text(encoding="utf-8")
    assert page.keys_on(written) == {
        s.title: page.keys(s) for s in command.sections("small", words[:2])
    }
    for fact in ("processor", "memory", "system", "Python", "libraries", "commit", "load average"):
        assert fact in written.split("\n## ")[0]
    assert "`python -m benchmarks audit curation --scale small" in written
    printed = capsys.readouterr().out
    assert all(f"{case.what}, {case.size}: " in printed for s in SMALL[:1] for case in s.cases)


@pytest.mark.deep
def test_a_part_without_out_only_prints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(command, "PAGE", tmp_path / "benchmarks.md")
    assert command.main(["sampled", "--scale", "small"]) == 0
    assert not command.PAGE.exists()


def test_a_section_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        command.main(["audits"])
    assert "no section is called audits; there are audit, exchange" in capsys.readouterr().err


def test_contestants_that_disagree_end_the_run_and_leave_no_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def differ(repeat: int) -> comparison.Measured:
        comparison.agree(1 + 1 == 3, what="sums")
        return comparison.Measured(TOOK, TOOK)

    section = comparison.Section(
        "sums", "Sums", "", (comparison.Case("sums", "two", "fingers", "", differ),)
    )
    monkeypatch.setattr(command, "sections", lambda scale, names: [section])
    out = tmp_path / "page.md"
    assert command.main(["--out", str(out)]) == 1
    assert "sums: the contestants' answers differ" in capsys.readouterr().err
    assert not out.exists()


def test_a_ratio_is_theirs_to_ours_so_that_more_than_1_means_that_we_are_faster():
    row = comparison.Row(
        comparison.Case("sums", "two", "fingers", "", lambda _: comparison.Measured(TOOK, None)),
        comparison.Measured(TOOK, replace(TOOK, wall=5.0, cpu=3.0)),
    )
    assert row.ratio == 2.5
    assert row.cpu_ratio == 1.0
    assert page.line(row).endswith("2.00 s (to 2.50 s); fingers: 5.00 s (to 2.50 s); ratio 2.50")


def test_the_first_call_does_not_count_and_short_calls_fill_a_round():
    calls = []
    ((took, answer),) = timing.timed(2, lambda: calls.append(None) or len(calls))
    assert took.rounds == 2
    assert len(calls) > 3
    assert answer == len(calls)


def test_a_long_call_is_made_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("benchmarks.timing.LONG", 0.0)
    calls = []
    ((took, _),) = timing.timed(3, lambda: calls.append(None))
    assert (took.rounds, len(calls)) == (1, 1)


def test_the_memory_of_a_call_is_the_most_at_once():
    assert 10**6 <= timing.peak_of(lambda: len(bytearray(10**6))) < 2 * 10**6


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (123.4, "123 s"),
        (12.34, "12.3 s"),
        (0.0012, "1.20 ms"),
        (4.56e-6, "4.56 µs"),
        (3e-8, "30 ns"),
    ],
)
def test_times_have_three_digits(x: float, said: str):
    assert page.seconds(x) == said


def test_a_ratio_has_three_digits_below_a_thousand():
    assert [page.ratio(x) for x in (0.554, 13.24, 2730.4, None)] == ["0.55", "13.2", "2,730", "-"]
