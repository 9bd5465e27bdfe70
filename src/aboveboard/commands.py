"""What the commands do, for Python as for the command line; text of results is in `text`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from aboveboard import settlement as folder
from aboveboard.actions import size_of
from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    Efficient,
    EpsilonIC,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Property,
    StrongBudgetBalance,
    StrongDominance,
    Symmetric,
    UniqueEquilibrium,
    Verdicts,
    WeakBudgetBalance,
)
from aboveboard.auditing.best_lies import BestLie, best_lies
from aboveboard.auditing.search import Progress
from aboveboard.capabilities import Weighed
from aboveboard.choosing import Answer, Choice, Choices, choose
from aboveboard.collaboration import Collaboration, audit, importable, load, mechanism_named, run
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.game import Game
from aboveboard.lottery import Lottery
from aboveboard.mechanism import MANIFEST, Mechanism, Settlement
from aboveboard.papers.figures import Drawn, Figure, compute, figure_named, write_figure
from aboveboard.report import page

# A run's report shows each party's best lie among this many, so that a run stays a run: the time
# goes into the data. `audit` looks further.
IN_A_RUN = Budget(rows=20_000, samples=100)

# For the shared range of tastes a smaller sample than for verdicts: it is searched several times.
FOR_REMARKS = 2_000


# A report of more parties would be no chart that anybody reads, and no run that anybody waits for.
PARTIES_IN_A_REPORT = 100


# Values that the search for lies may take in a run: seconds. Beyond, the page goes without.
VALUES_IN_A_RUN = 1 << 23


@runtime_checkable
class Designs(Protocol):
    """A mechanism whose parameters the platform can choose best."""

    def offer(self) -> Any:
        """Give the best parameters: a result with `as_dict`, and perhaps a `curve`."""
        ...


def designed(collaboration: Collaboration) -> Any:
    """Give the platform's best parameters.

    Raises
    ------
    InputError
        If the mechanism has none to choose, or the file does not say what to choose from.
    """
    if not isinstance(collaboration.mechanism, Designs):
        raise InputError(
            f"{collaboration.path}: key 'mechanism'",
            f"{collaboration.mechanism.NAME} has no parameters to choose",
            "valuation.payments, learning.desirable and the curation mechanisms have some",
        )
    with _naming(collaboration):
        return collaboration.mechanism.offer()


@runtime_checkable
class Remarks(Protocol):
    """A mechanism that has more to say on its game than verdicts."""

    def remarks(self, game: Any, budget: Budget, seed: int) -> Mapping[str, Any]:
        """Give plain data by name."""
        ...


def settle(
    collaboration: Collaboration, out: Path, *, force: bool = False
) -> tuple[Settlement, list[BestLie]]:
    """Run a collaboration and write its settlement folder with the report.

    Raises
    ------
    InputError
        If the folder exists or cannot be written.
    """
    folder.refuse_existing(out, force=force)  # before the work, not after
    with _naming(collaboration):
        settlement = drawn(collaboration)
    lies: list[BestLie] = []

    def report() -> str:
        if len(collaboration.reports) > PARTIES_IN_A_REPORT:
            return page(collaboration, settlement=settlement)
        try:
            game = collaboration.game()
        except BudgetExceeded:
            # The rule runs on more parties than its game can be written out for: no lies to show.
            return page(collaboration, settlement=settlement)
        if _lies_cost(game) > VALUES_IN_A_RUN:
            return page(collaboration, settlement=settlement)
        with _naming(collaboration):
            found = best_lies(game, budget=IN_A_RUN, seed=collaboration.file.seed)
        lies.extend(_in_order(found, collaboration))
        return page(collaboration, settlement=settlement, lies=lies)

    folder.write(collaboration, settlement, out, report=report, force=force)
    return settlement, lies


@contextmanager
def _naming(collaboration: Collaboration) -> Iterator[None]:
    """Let functions beside the file run, and say in which file the place of an error lies."""
    try:
        with importable(collaboration.path.parent):
            yield
    except InputError as error:
        if error.place.startswith(str(collaboration.path)):
            raise
        raise InputError(
            f"{collaboration.path}: {error.place}", error.problem, error.remedy
        ) from error


def _lies_cost(game: Game) -> int:
    """Say how many values a search of every lie takes, where the game knows; else 0."""
    if not isinstance(game, Weighed):
        return 0
    return game.weight * sum(size_of(game.actions(i)) for i in range(len(game.players)))


def drawn(collaboration: Collaboration) -> Settlement:
    """Run a collaboration; where its rule tosses coins, toss them by the seed."""
    import numpy as np

    outcome = run(collaboration)
    if isinstance(outcome, Lottery):
        return outcome.draw(np.random.default_rng(collaboration.file.seed))
    return outcome


@dataclass(frozen=True)
class Audit:
    """What an audit of a collaboration found."""

    collaboration: Collaboration
    verdicts: Verdicts
    lies: Sequence[BestLie]
    remarks: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give plain data: the verdicts, each party's best lie, and the mechanism's remarks."""
        return {
            **self.verdicts.as_dict(),
            "best_lies": [lie.as_dict() for lie in self.lies],
            "remarks": dict(self.remarks),
        }

    def report(self) -> str:
        """Make the report page."""
        return page(
            self.collaboration, lies=self.lies, verdicts=self.verdicts, remarks=self.remarks
        )

    def write_report(self, path: Path) -> None:
        """Write the report page."""
        try:
            path.write_text(self.report(), encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(
                str(path), f"it cannot be written ({error.strerror})", "name another file"
            ) from error


def audited(
    collaboration: Collaboration,
    properties: Sequence[Property] | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit a collaboration: verdicts, each party's best lie, and what the mechanism adds."""
    budget, seed = budget or Budget(), collaboration.file.seed
    sampling = Budget(rows=budget.rows, memory=budget.memory, samples=budget.samples)
    few = len(collaboration.reports) <= PARTIES_IN_A_REPORT
    remarks: Mapping[str, Any] = {}
    with _naming(collaboration):
        game = _game(collaboration)
        verdicts = audit(
            game,
            collaboration.mechanism.properties() if properties is None else properties,
            budget=budget,
            seed=seed,
            progress=progress,
        )
        lies = _in_order(best_lies(game, budget=sampling, seed=seed), collaboration) if few else []
        if isinstance(collaboration.mechanism, Remarks):
            fewer = Budget(budget.rows, budget.memory, min(budget.samples, FOR_REMARKS))
            remarks = collaboration.mechanism.remarks(game, fewer, seed)
    return Audit(collaboration, verdicts, lies, remarks)


def _in_order(lies: Sequence[BestLie], collaboration: Collaboration) -> list[BestLie]:
    """Give the lies in the order in which the file lists the parties."""
    place = {name: k for k, name in enumerate(collaboration.reports)}
    return sorted(lies, key=lambda lie: place.get(lie.party, len(place)))


def _game(collaboration: Collaboration) -> Game:
    try:
        return collaboration.game()
    except ValueError as error:
        raise InputError(
            str(collaboration.path), f"it cannot be audited: {error}", "audit fewer parties"
        ) from error


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration shows."""

    settlement: Settlement
    audit: Audit
    report: Path

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            **folder.summary(self.settlement),
            **self.audit.as_dict(),
            "report": str(self.report),
        }


def demo(out: Path) -> Demonstration:
    """Exchange five real lists into `out` and audit the exchange.

    Writes `out/lists` (the lists and their collaboration file), `out/settlement` (the replies)
    and `out/report.html`; files of an earlier demonstration are replaced.

    Raises
    ------
    InputError
        If the packages that hold the lists are not installed, or `out` cannot be written.
    """
    from aboveboard.demo import write_lists

    if out.exists() and not (out / "settlement" / MANIFEST).is_file():
        raise InputError(
            str(out), "it exists and no demonstration made it", "name another folder with --out"
        )
    try:
        path = write_lists(out / "lists")
    except OSError as error:
        raise InputError(
            str(out), f"it cannot be written ({error.strerror})", "name another folder with --out"
        ) from error
    collaboration = load(path)
    settlement, _ = settle(collaboration, out / "settlement", force=True)
    properties = (ExPostIC(), IndividualRationality(), DSIC(), StrongDominance())
    result = audited(collaboration, properties, Budget(samples=2_000))
    report = out / "report.html"
    shown = page(
        collaboration,
        settlement=settlement,
        lies=result.lies,
        verdicts=result.verdicts,
        remarks=result.remarks,
    )
    report.write_text(shown, encoding="utf-8", newline="\n")
    return Demonstration(settlement, result, report)


PROPERTIES: dict[str, Property] = {
    "ex-post-ic": ExPostIC(),
    "dsic": DSIC(),
    "ir": IndividualRationality(),
    "ir=every": IndividualRationality("every report"),
    "pareto": ParetoEfficient(),
    "pareto=no-less": ParetoEfficient(giving_no_less=True),
    "efficient": Efficient(),
    "symmetric": Symmetric(),
    "strong-dominance": StrongDominance(),
    "weak-budget": WeakBudgetBalance(),
    "strong-budget": StrongBudgetBalance(),
    "unique-equilibrium": UniqueEquilibrium(),
}
"""Properties by the name that the command line takes; three more take a number."""

WITH_A_NUMBER = ("epsilon-ic", "coalition-proof", "coalition-proof-with-transfers")


def property_named(name: str) -> Property:
    """Give the property that a name such as "dsic" or "coalition-proof=3" means.

    The names that verdicts carry ("ex-post IC", "weak budget balance") will do too.

    Raises
    ------
    InputError
        If there is none.
    """
    by_name = PROPERTIES | {_key(claim.name): claim for claim in PROPERTIES.values()}
    if _key(name) in by_name:
        return by_name[_key(name)]
    kind, _, value = name.partition("=")
    try:
        if kind == "epsilon-ic":
            return EpsilonIC(Fraction(value or "0"))
        if kind == "coalition-proof":
            return CoalitionProof(int(value or "2"))
        if kind == "coalition-proof-with-transfers":
            return CoalitionProof(int(value or "2"), transfers=True)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"--property {name}", f"{value!r} is no number that it can take", "write, say, =2"
        ) from None
    listed = [*PROPERTIES, *(f"{k}=N" for k in WITH_A_NUMBER)]
    near = get_close_matches(_key(name), [*by_name, *WITH_A_NUMBER], n=1)
    raise InputError(
        f"--property {name}",
        "there is no such property",
        f"did you mean {near[0]}?" if near else f"known are {', '.join(listed)}",
    )


def _key(name: str) -> str:
    return "-".join(name.lower().replace("_", "-").split())


def properties_named(names: Sequence[str] | None) -> list[Property] | None:
    """Give the properties of several names, each once; None for none."""
    return list(dict.fromkeys(property_named(name) for name in names)) if names else None


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
    """

    figure: Figure
    drawn: Drawn
    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "id": self.figure.id,
            "place": self.figure.place,
            "statement": self.figure.statement,
            "results": dict(self.drawn.results),
            "table": self.drawn.table.to_dict(as_series=False),
            "files": [str(path) for path in self.files],
        }


def figure_of(name: str, seed: int = 0, out: Path | None = None) -> Reproduced | None:
    """Compute a figure, and write it where a folder is named; None if no figure has the name.

    Raises
    ------
    InputError
        If several papers have a figure of this name, or the folder cannot be written.
    """
    figure = figure_named(name)
    if figure is None:
        return None
    drawn = compute(figure, seed)
    files = () if out is None else write_figure(figure, drawn, out)
    return Reproduced(figure, drawn, files)


@dataclass(frozen=True)
class Chosen:
    """What `choose` found, with what each mechanism says of itself.

    Parameters
    ----------
    choices
        What fits, or comes nearest.
    rules
        The mechanisms by name.
    file
        The starting file that was written; None where none was.
    """

    choices: Choices
    rules: Mapping[str, type[Mechanism]]
    file: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "fitting": [self._said(choice) for choice in self.choices.fitting],
            "nearest": [self._said(choice) for choice in self.choices.nearest],
            "file": None if self.file is None else str(self.file),
        }

    def _said(self, choice: Choice) -> dict[str, Any]:
        rule = self.rules[choice.row.name]
        return {
            "mechanism": choice.row.name,
            "summary": rule.SUMMARY,
            "guarantees": rule.GUARANTEES,
            "assumes": rule.ASSUMES,
            "cannot": choice.row.cannot,
            "provided": list(choice.conditions),
            "broken": list(choice.broken),
        }


def chosen(shared: str, answers: Mapping[str, Answer], out: Path | None = None) -> Chosen:
    """Give the mechanisms that fit, and write the first one's starting file where one is named.

    Raises
    ------
    InputError
        If a file is named and nothing fits, or it exists or cannot be written.
    """
    choices = choose(shared, answers)
    each = (*choices.fitting, *choices.nearest)
    rules = {c.row.name: mechanism_named(c.row.name, f"choose {c.row.name!r}") for c in each}
    if out is not None:
        if not choices.fitting:
            near = choices.nearest[0]
            raise InputError(
                "--out",
                "no mechanism fits, so there is no file to write",
                f"{near.row.name} comes nearest, but {'; '.join(near.broken)}",
            )
        write_starting_file(rules[choices.fitting[0].row.name], out)
    return Chosen(choices, rules, out)


def write_starting_file(rule: type[Mechanism], out: Path) -> None:
    """Write a mechanism's commented collaboration file.

    Raises
    ------
    InputError
        If it exists or cannot be written.
    """
    try:
        with out.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(rule.STARTING_FILE)
    except FileExistsError:
        raise InputError(str(out), "it exists", "name another file with --out") from None
    except OSError as error:
        raise InputError(
            str(out), f"it cannot be written ({error.strerror})", "name another file with --out"
        ) from error
