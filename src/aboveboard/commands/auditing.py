"""A collaboration audited: verdicts, best lies, and what its mechanism adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.auditing import Budget, Property, Verdicts
from aboveboard.auditing.best_lies import BestLie, best_lies
from aboveboard.auditing.search import Progress
from aboveboard.auditing.verdict import Status
from aboveboard.collaborations.collaboration import Collaboration, audit
from aboveboard.commands.properties import option_name
from aboveboard.commands.running import PARTIES_IN_A_REPORT, error_context, in_order
from aboveboard.errors import InputError, UndefinedProperty
from aboveboard.games.game import Game
from aboveboard.mechanisms.mechanism import Remarks
from aboveboard.report import render_page, is_profitable
from aboveboard.storage.atomic import atomic_file

# For the shared range of tastes a smaller sample than for verdicts: it is searched several times.
FOR_REMARKS = 2_000


@dataclass(frozen=True)
class AuditReport:
    """What an audit of a collaboration found.

    Parameters
    ----------
    collaboration
        What was audited.
    verdicts
        By property.
    lies
        Each party's best lie; none where there are too many parties to show.
    remarks
        What else the mechanism has to say, by name: plain data, its `text` for people.
    """

    collaboration: Collaboration
    verdicts: Verdicts
    lies: Sequence[BestLie]
    remarks: Mapping[str, Any]

    @property
    def overlooked(self) -> list[BestLie]:
        """The lies that pay although the verdict on ex-post IC, from a sample, has none.

        Each party's best lie is searched with the whole budget, a verdict shares it among all.
        """
        claim = self.verdicts.get("ex-post IC")
        sampled = claim is not None and claim.status is Status.NO_COUNTEREXAMPLE
        return [lie for lie in self.lies if is_profitable(lie)] if sampled else []

    @property
    def fails(self) -> bool:
        """Whether a property fails, by its verdict or by a lie that its sample overlooked."""
        return self.verdicts.any_fails() or bool(self.overlooked)

    def as_dict(self) -> dict[str, Any]:
        """Give plain data: the verdicts, each party's best lie, and the mechanism's remarks."""
        return {
            **self.verdicts.as_dict(),
            "best_lies": [lie.as_dict() for lie in self.lies],
            "remarks": dict(self.remarks),
        }

    def report(self) -> str:
        """Make the report page."""
        return render_page(
            self.collaboration, lies=self.lies, verdicts=self.verdicts, remarks=self.remarks
        )

    def write_report(self, path: Path) -> None:
        """Write the report page.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        with atomic_file(path) as file:
            file.write_text(self.report(), encoding="utf-8", newline="\n")


def audit_collaboration(
    collaboration: Collaboration,
    properties: Sequence[Property] | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit a collaboration: verdicts, each party's best lie, and what the mechanism adds.

    Parameters
    ----------
    collaboration
        What is audited, with the seed of its file.
    properties
        What is claimed; None: what its mechanism is about.
    budget
        How many checks may be made, and what is done beyond.
    progress
        Told how many checks were made since it was last told.

    Raises
    ------
    InputError
        If the game cannot be made, a user's function in it fails, or a property that was asked
        for has no meaning on it.
    BudgetExceeded
        If it is too large and the budget says to refuse.
    """
    budget, seed = budget or Budget(), collaboration.file.seed
    sampling = Budget(rows=budget.rows, memory=budget.memory, samples=budget.samples)
    few = len(collaboration.reports) <= PARTIES_IN_A_REPORT
    remarks: Mapping[str, Any] = {}
    with error_context(collaboration):
        game = _game(collaboration)
        try:
            verdicts = audit(
                game,
                collaboration.mechanism.properties() if properties is None else properties,
                budget=budget,
                seed=seed,
                progress=progress,
            )
        except UndefinedProperty as error:
            if properties is None:
                raise
            place = f"--property {option_name(properties, str(error))}"
            # What follows the semicolon is for who writes games, not for who audits one.
            problem = str(error).partition("; ")[0]
            rule = collaboration.mechanism.NAME
            remedy = f"leave it out: the game of {rule} does not tell"
            raise InputError(place, problem, remedy) from error
        lies = in_order(best_lies(game, budget=sampling, seed=seed), collaboration) if few else []
        if isinstance(collaboration.mechanism, Remarks):
            fewer = Budget(budget.rows, budget.memory, min(budget.samples, FOR_REMARKS))
            remarks = collaboration.mechanism.remarks(game, fewer, seed)
    return AuditReport(collaboration, verdicts, lies, remarks)


def _game(collaboration: Collaboration) -> Game:
    try:
        return collaboration.game()
    except ValueError as error:
        # Ours refuse games that are too large; a user's own may meet a report that is none of it.
        own = ":" in collaboration.file.mechanism
        remedy = "let `read_reports` refuse it, or widen what can be reported"
        raise InputError(
            str(collaboration.path),
            f"it cannot be audited: {error}",
            remedy if own else "audit fewer parties",
        ) from error
