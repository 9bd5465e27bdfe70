"""The papers' claims checked and their figures computed, and the files that are written of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter
from typing import Any

from aboveboard.errors import InputError
from aboveboard.storage.atomic import atomic_file
from papers.claims import Result, check_claim, format_page, list_claims
from papers.figures import (
    Figure,
    FigureData,
    compute_figure,
    find_figure,
    list_figures,
    write_figure,
)


@dataclass(frozen=True)
class ComputedFigure:
    """A figure of a paper with its points.

    Parameters
    ----------
    figure
        Which figure it is.
    data
        What it shows.
    files
        What was written; empty where no folder was named.
    seconds
        How long it took to compute.
    """

    figure: Figure
    data: FigureData
    files: tuple[Path, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "id": self.figure.id,
            "place": self.figure.place,
            "statement": self.figure.statement,
            "results": dict(self.data.results),
            "table": self.data.table.to_dict(as_series=False),
            "files": [str(path) for path in self.files],
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Reproduction:
    """The results of all claims, and perhaps all figures.

    Parameters
    ----------
    results
        One for each claim.
    figures
        One for each figure; empty where figures were not wanted.
    page
        The table of claims that was written; None where none was.
    """

    results: tuple[Result, ...]
    figures: tuple[ComputedFigure, ...]
    page: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "claims": [result.as_dict() for result in self.results],
            "figures": [figure.as_dict() for figure in self.figures],
            "page": None if self.page is None else str(self.page),
        }


def compute_named_figure(
    name: str, seed: int = 0, out: Path | None = None
) -> ComputedFigure | None:
    """Compute a figure, and write it where a folder is named; return None if none has the name.

    Parameters
    ----------
    name
        The figure's id, or its name if only one paper has it.
    seed
        Seed of random instances.
    out
        The folder for its files; None: nothing is written.

    Raises
    ------
    InputError
        If several papers have a figure of this name, or the folder cannot be written.
    """
    figure = find_figure(name)
    return None if figure is None else _compute(figure, seed, out)


def reproduce_papers(
    seed: int = 0,
    out: Path | None = None,
    *,
    with_figures: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Reproduction:
    """Check every claim of the papers, and compute every figure if wanted.

    Parameters
    ----------
    seed
        Seed of random instances.
    out
        The folder for `claims.md` and the figures' files; None: nothing is written.
    with_figures
        Whether the figures are computed too.
    progress
        Called with 1 after every claim and every figure.

    Raises
    ------
    InputError
        If the folder cannot be written. This is found out before the work, which takes minutes.
    """
    page = None if out is None else out / "claims.md"
    if page is not None:
        _refuse_unwritable(page)
    advance = progress or (lambda _: None)
    results, figures = [], []
    for claim in list_claims():
        results.append(check_claim(claim, seed))
        advance(1)
    if page is not None:
        _write_page(page, results)
    for figure in list_figures() if with_figures else ():
        figures.append(_compute(figure, seed, out))
        advance(1)
    return Reproduction(tuple(results), tuple(figures), page)


def _compute(figure: Figure, seed: int, out: Path | None) -> ComputedFigure:
    start = perf_counter()
    data = compute_figure(figure, seed)
    seconds = perf_counter() - start
    files = () if out is None else write_figure(figure, data, out)
    return ComputedFigure(figure, data, files, seconds)


def _refuse_unwritable(page: Path) -> None:
    """Raise `InputError` if the page's folder cannot be written."""
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=page.parent).close()
    except OSError as error:
        raise InputError(
            str(page),
            f"it cannot be written ({error.strerror})",
            "name another folder with --out",
        ) from error


def _write_page(page: Path, results: Sequence[Result]) -> None:
    with atomic_file(page) as file:
        file.write_text(format_page(results), encoding="utf-8", newline="\n")
