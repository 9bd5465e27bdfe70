"""Every claim checked and every figure computed, and what is written of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from aboveboard.errors import InputError
from papers import find_claim, reproduction
from papers.figures import find_figure
from papers.reproduction import reproduce_papers
from papers.text import format_reproduction


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the claims and figures only some that take no time."""
    chosen = (find_claim("exchange/lemma-2-if"), find_claim("exchange/closed-forms"))
    figure = find_figure("valuation/figure-7")
    monkeypatch.setattr(reproduction, "list_claims", lambda: chosen)
    monkeypatch.setattr(reproduction, "list_figures", lambda: (figure,))


@pytest.mark.deep
@pytest.mark.usefixtures("few")
def test_the_table_of_claims_and_the_figures_are_written_side_by_side(tmp_path: Path) -> None:
    found = reproduce_papers(out=tmp_path / "new", with_figures=True)
    written = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"claims.md", "valuation-figure-7.csv", "valuation-figure-7.png"} <= written
    page = (tmp_path / "new" / "claims.md").read_text(encoding="utf-8")
    assert "exchange/lemma-2-if" in page
    assert "counterexample below" in page
    assert found.figures[0].seconds > 0


@pytest.mark.deep
@pytest.mark.usefixtures("few")
def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert reproduce_papers(with_figures=True).page is None
    assert not list(tmp_path.iterdir())


@pytest.mark.deep
@pytest.mark.usefixtures("few")
def test_the_text_counts_the_verdicts_and_progress_counts_each_claim_and_figure(
    tmp_path: Path,
) -> None:
    progress: list[int] = []
    found = reproduce_papers(out=tmp_path, with_figures=True, progress=progress.append)
    assert progress == [1, 1, 1]
    text = format_reproduction(found)
    assert "2 claims and 1 figure in" in text
    assert f"wrote {tmp_path / 'claims.md'}" in text


@pytest.mark.usefixtures("few")
def test_a_folder_that_is_a_file_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("mine")
    monkeypatch.setattr(reproduction, "check_claim", None)
    with pytest.raises(InputError, match="it cannot be written"):
        reproduce_papers(out=tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
