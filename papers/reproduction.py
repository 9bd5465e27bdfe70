"""The papers' claims checked and their figures computed, and what is written of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter
from typing import Any

from aboveboard.errors import InputError
from aboveboard.storage.atomic import atomic_file
from papers.claims import Result, as_markdown, claims, reproduce
from papers.figures import Drawn, Figure, compute, figure_named, figures, write_figure


@dataclass(frozen=True)
class Reproduced:
    """A figure of a paper, computed.

    Parameters
    ----------
    figure
        Which.
    drawn
        What it shows.
    files
        What was written; none where no folder was named.
    seconds
        How long it took to compute.
    """

    figure: Figure
    drawn: Drawn
    files: tuple[Path, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "id": self.figure.id,
            "place": self.figure.place,
            "statement": self.figure.statement,
            "results": dict(self.drawn.results),
            "table": self.drawn.table.to_dict(as_series=False),
            "files": [str(path) for path in self.files],
            "seconds": self.seconds,
        }


def figure_of(name: str, seed: int = 0, out: Path | None = None) -> Reproduced | None:
    """Compute a figure, and write it where a folder is named; None if no figure has the name.

    Parameters
    ----------
    name
        The figure's id, or its name if only one paper has it.
    seed
        Of what is drawn at random.
    out
        The folder for its files; None: nothing is written.

    Raises
    ------
    InputError
        If several papers have a figure of this name, or the folder cannot be written.
    """
    figure = figure_named(name)
    return None if figure is None else _reproduced(figure, seed, out)


def _reproduced(figure: Figure, seed: int, out: Path | None) -> Reproduced:
    start = perf_counter()
    drawn = compute(figure, seed)
    seconds = perf_counter() - start
    files = () if out is None else write_figure(figure, drawn, out)
    return Reproduced(figure, drawn, files, seconds)


@dataclass(frozen=True)
class Reproduction:
    """Every claim checked, and perhaps every figure computed.

    Parameters
    ----------
    results
        Of the claims.
    figures
        Of the figures; none where they were not asked for.
    page
        The table of claims that was written; None where none was.
    """

    results: tuple[Result, ...]
    figures: tuple[Reproduced, ...]
    page: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "claims": [result.as_dict() for result in self.results],
            "figures": [figure.as_dict() for figure in self.figures],
            "page": None if self.page is None else str(self.page),
        }


def reproduction_of(
    seed: int = 0,
    out: Path | None = None,
    *,
    with_figures: bool = False,
    told: Callable[[int], None] | None = None,
) -> Reproduction:
    """Check every claim of the papers, and compute every figure where they are asked for.

    Parameters
    ----------
    seed
        Of the random instances.
    out
        The folder for `claims.md` and the figures' files; None: nothing is written.
    with_figures
        Whether the figures are computed too.
    told
        Told 1 after every claim and figure.

    Raises
    ------
    InputError
        If the folder cannot be written: before the work, which takes minutes.
    """
    page = None if out is None else out / "claims.md"
    _writable(page)
    tell = told or (lambda _: None)
    results, drawn = [], []
    for claim in claims():
        results.append(reproduce(claim, seed))
        tell(1)
    if page is not None:
        _written(page, results)
    for figure in figures() if with_figures else ():
        drawn.append(_reproduced(figure, seed, out))
        tell(1)
    return Reproduction(tuple(results), tuple(drawn), page)


def _writable(page: Path | None) -> None:
    """Refuse a folder that cannot be written."""
    if page is None:
        return
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=page.parent).close()
    except OSError as error:
        raise _unwritable(page, error) from error


def _written(page: Path, results: Sequence[Result]) -> None:
    with atomic_file(page) as file:
        file.write_text(as_markdown(results), encoding="utf-8", newline="\n")


def _unwritable(page: Path, error: OSError) -> InputError:
    problem = f"it cannot be written ({error.strerror})"
    return InputError(str(page), problem, "name another folder with --out")
