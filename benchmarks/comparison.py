"""What a benchmark is: a case that can be measured, and the row that comes of it.

A section's cases are known before anything is run, so a test can hold the committed page against
them. Measuring compares the answers of both sides; where they differ there is no row, but
`DisagreementError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Scale = Literal["full", "small"]
"""How large the instances are: as on the page, or as in the tests."""


class DisagreementError(Exception):
    """Two contestants gave different answers to the same question."""


class NotMeasuredError(Exception):
    """A contestant cannot run here; the text says why."""


@dataclass(frozen=True)
class Timing:
    """How long one contestant took.

    Parameters
    ----------
    wall, cpu
        Seconds of the fastest round; CPU seconds are those of all threads together.
    slowest
        Wall seconds of the slowest round.
    rounds
        How many there were.
    peak
        Bytes: the most memory in use, where it was measured.
    """

    wall: float
    cpu: float
    slowest: float
    rounds: int
    peak: int | None = None


@dataclass(frozen=True)
class Measured:
    """Both sides of a comparison, the answers of which agree.

    Parameters
    ----------
    ours, theirs
        Times; theirs is None where there is no contestant, or it cannot run here.
    remark
        What else was found, or why theirs is missing.
    """

    ours: Timing
    theirs: Timing | None
    remark: str = ""


@dataclass(frozen=True)
class Case:
    """One comparison, before it is run.

    Parameters
    ----------
    what
        What is computed.
    size
        Of which instance.
    against
        The peer or the baseline; empty where nothing else reaches this size.
    about
        What each side does, and in what their answers agree.
    measure
        Runs it, best of so many rounds; raises `DisagreementError`.
    """

    what: str
    size: str
    against: str
    about: str
    measure: Callable[[int], Measured]


@dataclass(frozen=True)
class Row:
    """A case with what was measured."""

    case: Case
    measured: Measured

    @property
    def ratio(self) -> float | None:
        """How many times as long as we the peer took by the clock."""
        theirs = self.measured.theirs
        return None if theirs is None else theirs.wall / self.measured.ours.wall

    @property
    def cpu_ratio(self) -> float | None:
        """How many times as much processor time as we the peer took."""
        theirs = self.measured.theirs
        return None if theirs is None else theirs.cpu / self.measured.ours.cpu


@dataclass(frozen=True)
class ErrorCase:
    """Errors of several methods on one instance; `measure` gives one cell a method."""

    what: str
    measure: Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A part of the page: comparisons in time, or errors at equal work.

    Parameters
    ----------
    name
        By which it is asked for.
    title, about
        As the page shows them.
    cases
        Comparisons in time.
    methods, errors
        Columns and rows of a table of errors.
    """

    name: str
    title: str
    about: str
    cases: tuple[Case, ...] = ()
    methods: tuple[str, ...] = ()
    errors: tuple[ErrorCase, ...] = ()


@dataclass(frozen=True)
class Findings:
    """A section with all that was measured for it."""

    section: Section
    rows: tuple[Row, ...]
    errors: tuple[tuple[str, ...], ...]


def agree(same: bool, *, what: str) -> None:
    """Raise `DisagreementError` unless the answers are the same."""
    if not same:
        raise DisagreementError(f"{what}: the contestants' answers differ")
