"""What a mechanism is to the rest of the product.

A mechanism with its parameters gives `settle`, from reports to a settlement, and says what it
promises; it may give `game`, the same rule in a faster form for the audit. Its class says how its
collaboration file reads. Any package can add one through the entry-point group
`aboveboard.mechanisms`; ours are found the same way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    cast,
    runtime_checkable,
)

from aboveboard.auditing import Budget, Property
from aboveboard.errors import InputError
from aboveboard.formatting.plain_json import Json
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.reading import Read
from aboveboard.mechanisms.settlement import Exhibit, Settlement
from aboveboard.mechanisms.settlement_game import SettlementGame

FileT = TypeVar("FileT", bound=CollaborationFile)
ReportT = TypeVar("ReportT")
GameT_co = TypeVar("GameT_co", bound=Game, covariant=True)


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
        Called after every evaluation with how many are done, and how many there will be at most.
    """

    executor: Executor | None = None
    cache: Path | None = None
    progress: Callable[[int, int], None] | None = None


@runtime_checkable
class LongRunning(Protocol):
    """A mechanism whose work takes long: it reports its progress."""

    SPREADS: ClassVar[bool]
    """Whether the work is independent evaluations, which can be done elsewhere."""
    KEEPS: ClassVar[bool]
    """Whether a cache can keep them, so that a run that was killed goes on."""

    def with_work(self, work: Work) -> AnyMechanism:
        """Return the same rule, its evaluations done as `work` says."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """A mechanism whose search a time limit can end: whoever searches again may find another."""

    def recall(self, found: Mapping[str, Any], reports: Mapping[str, Any]) -> AnyMechanism:
        """Return the same rule, which takes what a run found if it finds nothing better itself.

        Parameters
        ----------
        found
            The settlement's `found_by`, as a manifest has it; nobody has checked it.
        reports
            What the parties reported in that run.
        """
        ...

    def list_unconfirmed(self) -> Sequence[str]:
        """Return in words what the run says of that, and this rule's search could not prove."""
        ...


SpendingPolicy = Literal["refuse", "allow", "none"]
"""Spending privacy beyond what a party allows: refused, or allowed; "none": nothing is spent."""


class StartingFile:
    """Text of a file of the package's folder `starting_files`, read on access."""

    def __get__(self, instance: object, owner: type[Any]) -> str:
        """Return the text for the class's `NAME`; empty where there is no such file."""
        file = resources.files("aboveboard") / "starting_files" / f"{owner.NAME}.toml"
        return file.read_text(encoding="utf-8") if file.is_file() else ""


class Mechanism(ABC, Generic[FileT, ReportT, GameT_co]):
    """A rule with its parameters.

    `settle` is the rule. Its game is played by calling `settle`, with the lies that `lies` lists;
    a mechanism may give a faster `game` of its own, which is compared with `settle` whenever it
    is used. The texts are for people and may stay empty.

    Type parameters are the model of the collaboration file, what a party reports, and the game.

    Examples
    --------
    >>> from aboveboard.auditing import DSIC, audit
    >>> from aboveboard.mechanisms import CollaborationFile, Mechanism, Reply, Settlement, Share
    >>> class Median(Mechanism):
    ...     NAME, FILE, LISTS_ALL_LIES = "median", CollaborationFile, True
    ...
    ...     @classmethod
    ...     def from_file(cls, file):
    ...         return cls()
    ...
    ...     @staticmethod
    ...     def read_reports(file, read):
    ...         return {}
    ...
    ...     def settle(self, reports):
    ...         middle = sorted(reports.values())[len(reports) // 2]
    ...         reply = Reply("json", data=middle)
    ...         return Settlement(
    ...             self.NAME, {p: Share(0, -abs(x - middle), 0, reply) for p, x in reports.items()}
    ...         )
    ...
    ...     def true_utility(self, party, types, reports, settlement):
    ...         return -abs(types[party] - settlement.parties[party].reply.data)
    ...
    ...     def lies(self, party, types):
    ...         return range(5)
    ...
    ...     def can_stay_away(self, party, types):
    ...         return False
    >>> game = Median().game({"ann": 0, "bob": 3, "cy": 4})
    >>> audit(game, [DSIC()])["DSIC"].status.value
    'holds'
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
    STARTING_FILE: ClassVar[str] = StartingFile()  # type: ignore[assignment]  # text on access
    """A commented collaboration file; ours lie in `starting_files/NAME.toml`."""
    AUDITS_WITHOUT_DATA: ClassVar[bool] = False
    """Whether an audit needs no data of the parties: then `settle` is played on `thin` types."""
    LISTS_ALL_LIES: ClassVar[bool] = False
    """Whether `lies` lists everything that can be reported, and not some of a continuum."""
    unverifiable: str = ""
    """Why parties cannot verify a run alone; empty where the evidence is made for the rule."""
    COMPARED: ClassVar[int] = 24
    """Profiles of deviations in which the game is compared with `settle`, for one run or audit."""

    @property
    def incomparable(self) -> str:
        """Why a game of its own cannot be compared with `settle` where somebody lies.

        Empty, as by default: it can be, or is refused. With a reason the game must say that its
        actions are not all lies (`ListsActions`), and verdicts show the reason.
        """
        return ""

    @classmethod
    @abstractmethod
    def from_file(cls, file: FileT) -> Mechanism[FileT, ReportT, GameT_co]:
        """Return the rule with the parameters of a validated collaboration file."""

    @classmethod
    def infer_parties(cls, file: FileT, read: Read) -> FileT:
        """Return the file with the parties that its data name; by default those it names."""
        return file

    @classmethod
    def isolate_party(
        cls, table: Mapping[str, Any], party: str
    ) -> tuple[Mapping[str, Any], Sequence[str]]:
        """Return a table for a check of one party's own keys, and warnings; others have none yet.

        By default the other parties are left out. A mechanism that reads no party without the
        others keeps what all know of them.

        Parameters
        ----------
        table
            A collaboration file, with what all know of the other parties.
        party
            Whose own keys it has.
        """
        return {**table, "parties": {party: table["parties"][party]}}, ()

    @staticmethod
    @abstractmethod
    def read_reports(file: FileT, read: Read) -> Mapping[str, ReportT]:
        """Return what each party reports.

        Raises
        ------
        InputError
            If a report is wrong in a way that the file's model cannot refuse.
        """

    @abstractmethod
    def settle(self, reports: Mapping[str, ReportT]) -> Settlement | Lottery[Settlement]:
        """Apply the rule: one share for each party that reports."""

    def prepare(
        self, reports: Mapping[str, ReportT]
    ) -> tuple[Mechanism[FileT, ReportT, GameT_co], Mapping[str, ReportT]]:
        """Return what a run settles, and by which rule; by default the reports as they are.

        A rule that inspects reports before it settles does so here: an audit, which takes the
        reports as true, leaves it out.

        Raises
        ------
        InputError
            If the rule cannot run yet; `AnswersMissing` if people must answer questions first.
        """
        return self, reports

    def game(self, types: Mapping[str, ReportT]) -> GameT_co:
        """Return the game among parties of these types; by default `settle` itself is played."""
        return cast("GameT_co", SettlementGame(self, types))

    def lies(self, party: str, types: Mapping[str, ReportT]) -> Iterable[ReportT]:
        """Return what a party could report instead of its type, for the game that plays `settle`.

        The type may be among them. By default the report describes its own lies: it has a method
        `lies` without arguments.

        Raises
        ------
        InputError
            If neither the mechanism nor the report says it.
        """
        own = getattr(types[party], "lies", None)
        if not callable(own):
            raise InputError(
                f"mechanism {self.NAME!r}",
                f"it does not say what {party} could report instead of the truth",
                "add a method lies(party, types) to it, or lies() to what a party reports; "
                "or write game(types)",
            )
        lies: Iterable[ReportT] = own()
        return lies

    def can_stay_away(self, party: str, types: Mapping[str, ReportT]) -> bool:
        """Return whether a party may report nothing, for the game that plays `settle`."""
        return len(types) > 1

    def true_utility(
        self,
        party: str,
        types: Mapping[str, ReportT],
        reports: Mapping[str, ReportT],
        settlement: Settlement,
    ) -> Number | None:
        """Return what a settlement is worth to a party whose true type is `types[party]`.

        By default what its share says where everybody reports the truth, and None, not known,
        elsewhere: `settle` values a share as if the reports were true and those who stay away had
        nothing. None for a party that itself stays away means 0. A mechanism with a `game` of its
        own needs this method, since the game is compared with `settle` where somebody lies.

        Parameters
        ----------
        party
            Whose utility.
        types
            The truth, by party.
        reports
            What the parties report; a party that stays away is not among them.
        settlement
            What `settle` makes of the reports; of a lottery one of its outcomes.
        """
        if any(reports.get(name) is not own for name, own in types.items()):
            return None
        return settlement.parties[party].utility

    def with_spending(self, spending: SpendingPolicy) -> Mechanism[FileT, ReportT, GameT_co]:
        """Return the same rule, what a run spends handled as `spending` says.

        By default the rule itself: it spends nothing, such as parties' privacy.
        """
        return self

    def publish(self, settlement: Settlement) -> Settlement:
        """Note what a settlement spends, and return it with what has been spent in all.

        Raises
        ------
        InputError
            If it would spend more than a party allows, and that is refused.
        """
        return settlement

    def is_plausible(self, place: str, recorded: object, again: object) -> bool:
        """Return whether a file that cannot be made again can have been drawn by this rule.

        Parameters
        ----------
        place
            Its path in the settlement folder.
        recorded, again
            What it holds, and what it holds when it is drawn once more; plain data.
        """
        return True

    def thin(self, types: Mapping[str, ReportT]) -> Mapping[str, ReportT]:
        """Return smaller types, on which the game is compared with `settle` in many profiles.

        By default the types themselves. Worth writing where one call of `settle` takes long, as
        with lists of millions of elements.
        """
        return types

    def promises(self, types: Mapping[str, ReportT]) -> Sequence[Property]:
        """Return what the rule promises for its parameters and these types."""
        return ()

    def examines(self, types: Mapping[str, ReportT]) -> Sequence[Property]:
        """Return what an audit looks at besides; what is promised too is looked at once."""
        return ()


AnyMechanism = Mechanism[Any, Any, Game]
"""A mechanism of whatever file, report and game."""


@runtime_checkable
class Designs(Protocol):
    """A mechanism whose parameters the platform can choose best."""

    def offer(self) -> Any:
        """Return the best parameters: a result with `as_dict`, and perhaps a `curve`."""
        ...


@runtime_checkable
class DesignsForReports(Protocol):
    """A mechanism whose best parameters depend on what the parties report."""

    def offer_for(self, reports: Mapping[str, Any]) -> Any:
        """Return the best parameters: a result with `as_dict`."""
        ...


@runtime_checkable
class Remarks(Protocol):
    """A mechanism that adds facts that are no claims to an audit: ranges, advice."""

    def remarks(self, game: Any, budget: Budget, seed: int) -> Mapping[str, Json]:
        """Return plain data by name."""
        ...


@runtime_checkable
class DesignResult(Protocol):
    """What `design` found, in words; the keys of `as_dict` are stable for programs."""

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        ...

    def summary_rows(self) -> Sequence[tuple[str, str]]:
        """Return labels in plain words, with units, and their values."""
        ...

    def tables(self) -> Sequence[Exhibit]:
        """Return tables of the parties, where they are few."""
        ...
