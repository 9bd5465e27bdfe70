"""What a mechanism is to the rest of the product, and what comes out of one.

A mechanism with its parameters gives two things: `settle`, from reports to a settlement, and
`game`, the same rule as a game among the parties whose types are given. Its class says how its
collaboration file reads. Any package can add one through the entry-point group
`aboveboard.mechanisms`; ours are found the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from aboveboard.auditing import Budget, Property
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.settlement import Exhibit, Settlement
from aboveboard.storage.records import Records


@dataclass(frozen=True)
class Work:
    """Where and how the expensive part of a run is done.

    Parameters
    ----------
    executor
        Runs independent evaluations; None: one after the other, in this process.
    cache
        Folder that keeps what was evaluated, so that a run that was killed goes on; None: kept in
        memory only.
    progress
        Told after every evaluation how many are done, and how many there will be at most.
    """

    executor: Executor | None = None
    cache: Path | None = None
    progress: Callable[[int, int], None] | None = None


@runtime_checkable
class LongRunning(Protocol):
    """A mechanism whose work takes long: it tells how far it is."""

    SPREADS: ClassVar[bool]
    """Whether the work is independent evaluations, which can be kept and done elsewhere."""

    def with_work(self, work: Work) -> Mechanism:
        """Give the same rule, its evaluations done as `work` says."""
        ...


class Read(Protocol):
    """Reads what a collaboration file names, at the edge of the product."""

    @property
    def folder(self) -> Path:
        """Where the collaboration file lies."""
        ...

    def __call__(
        self,
        party: str,
        *,
        data: Path | None,
        elements: Sequence[str] | None,
        key: str | None,
        normalize: frozenset[str],
    ) -> Records:
        """Give the party's records from a file or a list, or raise `InputError`."""
        ...

    def file(self, place: str, data: Path) -> Path:
        """Find a data file, relative to the collaboration file; it becomes an input of the run.

        `place` is the key that names it, such as "parties.a.data". Raises `InputError` if there
        is no such regular file.
        """
        ...


@runtime_checkable
class InfersParties(Protocol):
    """A mechanism whose collaboration file may leave to the data who the parties are."""

    @classmethod
    def infer_parties(cls, file: Any, read: Read) -> Any:
        """Give the file with what the data say filled in."""
        ...


class Mechanism(Protocol):
    """A rule with its parameters.

    The texts are for people: one that inherits from this class may leave them empty.
    """

    NAME: ClassVar[str]
    FILE: ClassVar[type[CollaborationFile]]
    UNIT: ClassVar[str] = ""
    """What benefits are counted in."""
    SUMMARY: ClassVar[str] = ""
    ASSUMES: ClassVar[str] = ""
    GUARANTEES: ClassVar[str] = ""
    COST: ClassVar[str] = ""
    """How the time grows: of a run, and of the game that is audited."""
    SOURCE: ClassVar[str] = ""
    STARTING_FILE: ClassVar[str] = ""

    @classmethod
    def from_file(cls, file: Any) -> Mechanism:
        """Take the parameters from a validated collaboration file."""
        ...

    @staticmethod
    def read_reports(file: Any, read: Read) -> Mapping[str, Any]:
        """Read what each party reports."""
        ...

    def settle(self, reports: Mapping[str, Any]) -> Settlement | Lottery[Settlement]:
        """Apply the rule."""
        ...

    def game(self, types: Mapping[str, Any]) -> Game:
        """Give the game among parties of these types."""
        ...

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        ...


@runtime_checkable
class Designs(Protocol):
    """A mechanism whose parameters the platform can choose best."""

    def offer(self) -> Any:
        """Give the best parameters: a result with `as_dict`, and perhaps a `curve`."""
        ...


@runtime_checkable
class Remarks(Protocol):
    """A mechanism that has more to say on its game than verdicts."""

    def remarks(self, game: Any, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Give plain data by name."""
        ...


@runtime_checkable
class DesignResult(Protocol):
    """What `design` found, said in plain words; `as_dict` keeps its keys for programs."""

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        ...

    def summary_rows(self) -> Sequence[tuple[str, str]]:
        """Give labels in plain words, with units, and their values."""
        ...

    def tables(self) -> Sequence[Exhibit]:
        """Give tables of the parties, where they are few."""
        ...
