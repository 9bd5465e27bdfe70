"""A collaboration run and written, or its best parameters found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aboveboard.auditing import Budget
from aboveboard.auditing.best_lies import BestLie, best_lies
from aboveboard.collaborations.collaboration import Collaboration, run
from aboveboard.collaborations.registry import allow_imports_from
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.games.actions import size_of
from aboveboard.games.capabilities import HasCost
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms.mechanism import Designs
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.user_functions import attribute_errors
from aboveboard.report import render_page
from aboveboard.settlements import writing as folder

# A run's report shows each party's best lie among this many, so that a run stays a run: the time
# goes into the data. `audit` looks further.
IN_A_RUN = Budget(rows=20_000, samples=100)

# A report of more parties would be no chart that anybody reads, and no run that anybody waits for.
PARTIES_IN_A_REPORT = 100


# Values that the search for lies may take in a run: seconds. Beyond, the page goes without.
VALUES_IN_A_RUN = 1 << 23


def design(collaboration: Collaboration) -> Any:
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
    with error_context(collaboration):
        return collaboration.mechanism.offer()


def settle(
    collaboration: Collaboration, out: Path, *, force: bool = False
) -> tuple[Settlement, list[BestLie]]:
    """Run a collaboration and write its settlement folder with the report.

    Parameters
    ----------
    collaboration
        What is run.
    out
        The folder to make.
    force
        Whether an existing settlement folder is replaced.

    Returns
    -------
    tuple
        The settlement, and each party's best lie where they were searched.

    Raises
    ------
    InputError
        If the folder exists or cannot be written.
    """
    folder.refuse_existing(out, force=force)  # before the work, not after
    with error_context(collaboration):
        settlement = run_and_draw(collaboration)
    lies: list[BestLie] = []

    def report() -> str:
        with error_context(collaboration):
            lies.extend(_lies(collaboration))
        return render_page(collaboration, settlement=settlement, lies=lies)

    folder.write(collaboration, settlement, out, report=report, force=force)
    return settlement, lies


def _lies(collaboration: Collaboration) -> list[BestLie]:
    """Give each party's best lie; none where the search would make a run no run any more."""
    if len(collaboration.reports) > PARTIES_IN_A_REPORT:
        return []
    try:
        game = collaboration.game()
    except BudgetExceeded:
        return []  # the rule runs on more parties than its game can be written out for
    if _lies_cost(game) > VALUES_IN_A_RUN:
        return []
    return in_order(best_lies(game, budget=IN_A_RUN, seed=collaboration.file.seed), collaboration)


@contextmanager
def error_context(collaboration: Collaboration) -> Iterator[None]:
    """Let functions beside the file run, and say in which file the place of an error lies.

    Raises
    ------
    InputError, BudgetExceeded
        If what is done inside does; an error of a user's own mechanism becomes the first.
    """
    path = str(collaboration.path)
    try:
        with allow_imports_from(collaboration.path.parent), attribute_errors(collaboration.file.mechanism):
            yield
    except InputError as error:
        if error.place.startswith(path):
            raise
        raise InputError(f"{path}: {error.place}", error.problem, error.remedy) from error
    except BudgetExceeded as error:
        raise BudgetExceeded(f"{path}: {error}") from error


def _lies_cost(game: Game) -> int:
    """Say how many values a search of every lie takes, where the game knows; else 0."""
    if not isinstance(game, HasCost):
        return 0
    return game.weight * sum(size_of(game.actions(i)) for i in range(len(game.players)))


def run_and_draw(collaboration: Collaboration) -> Settlement:
    """Run a collaboration; where its rule tosses coins, toss them by the seed."""
    import numpy as np

    outcome = run(collaboration)
    if isinstance(outcome, Lottery):
        return outcome.draw(np.random.default_rng(collaboration.file.seed))
    return outcome


def in_order(lies: Sequence[BestLie], collaboration: Collaboration) -> list[BestLie]:
    """Give the lies in the order in which the file lists the parties."""
    place = {name: k for k, name in enumerate(collaboration.reports)}
    return sorted(lies, key=lambda lie: place.get(lie.party, len(place)))
