"""Audit a game that stands in a file of Gambit, `.nfg` or `.efg`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aboveboard import auditing
from aboveboard.auditing import Budget, Property, Verdicts
from aboveboard.auditing.best_lies import best_lies
from aboveboard.auditing.budget import Progress
from aboveboard.auditing.default_claims import examine_defaults
from aboveboard.commands.auditing import AuditReport
from aboveboard.commands.properties import option_name
from aboveboard.errors import InputError, UndefinedProperty
from aboveboard.games.gambit_files import read_game
from aboveboard.games.game import Game
from aboveboard.report.deviations import list_kinds
from aboveboard.report.subject import describe_game_file

SAMPLING_SEED = 0
"""Seed of samples in games that are too large to search; a file of Gambit has none."""


def audit_game_file(
    path: Path,
    properties: Sequence[Property] | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Audit the game in a file of Gambit, each player's first strategy being its truth.

    A game promises nothing: what is found counts for the exit status if the user names the
    properties, or is strict.

    Parameters
    ----------
    path
        The file.
    properties
        What is claimed; None: `list_default_properties`, undecided where one takes too long.
    budget, progress
        As for `audit_collaboration`.

    Raises
    ------
    InputError
        If the file is not a game, or a property that the user names has no meaning on it.
    BudgetExceeded
        If a property that the user names is too large and the budget says to refuse.
    """
    game = read_game(path)
    budget = budget or Budget()
    if properties is None:
        verdicts = examine_defaults(game, budget, SAMPLING_SEED, progress)
    else:
        verdicts = _examine_named(path, game, properties, budget, progress)
    sampling = Budget(rows=budget.rows, memory=budget.memory, samples=budget.samples)
    subject = describe_game_file(path, game, SAMPLING_SEED)
    return AuditReport(
        subject,
        verdicts,
        best_lies(game, budget=sampling, seed=SAMPLING_SEED),
        {"truth": {"text": subject.assumes}},
        named=properties is not None,
        kinds=list_kinds(game),
    )


def _examine_named(
    path: Path,
    game: Game,
    properties: Sequence[Property],
    budget: Budget,
    progress: Progress | None,
) -> Verdicts:
    try:
        return auditing.audit(
            game, properties, budget=budget, seed=SAMPLING_SEED, progress=progress
        )
    except UndefinedProperty as error:
        place = f"--property {option_name(properties, str(error))}"
        problem = str(error).partition("; ")[0]
        remedy = f"omit it; {path.name} does not define this property"
        raise InputError(place, problem, remedy) from error
