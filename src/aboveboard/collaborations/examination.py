"""What a collaboration's mechanism promises, examined on the rule that runs.

The game that is audited is compared with `settle` first: a verdict on another rule says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aboveboard import auditing
from aboveboard.auditing import Budget, Property, Verdicts
from aboveboard.auditing.budget import Progress
from aboveboard.games.game import Game
from aboveboard.games.lottery import Lottery
from aboveboard.mechanisms.consistency import compare_game_with_settle
from aboveboard.mechanisms.settlement import Settlement

if TYPE_CHECKING:
    from aboveboard.collaborations.collaboration import Collaboration


def list_properties(collaboration: Collaboration) -> list[Property]:
    """Return what the mechanism promises for these parameters and data, then what it examines."""
    rule, types = collaboration.mechanism, collaboration.reports
    return list(dict.fromkeys([*rule.promises(types), *rule.examines(types)]))


def examine(
    collaboration: Collaboration,
    properties: Sequence[Property] | None = None,
    *,
    game: Game | None = None,
    outcome: Settlement | Lottery[Settlement] | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Return the verdicts on a collaboration, those on promises marked.

    Parameters
    ----------
    collaboration
        What is examined, with the seed of its file.
    properties
        What is claimed; None: what the mechanism promises and examines.
    game, outcome
        The game among the parties, and the result of `settle`, if they are at hand.
    budget, progress
        As in `aboveboard.auditing.audit`.

    Raises
    ------
    InputError
        If the game differs from the rule that runs.
    UndefinedProperty, BudgetExceeded
        As in `aboveboard.auditing.audit`.
    """
    game = collaboration.game() if game is None else game
    comparison = compare_game_with_settle(
        collaboration.mechanism,
        collaboration.reports,
        seed=collaboration.search_seed,
        game=game,
        outcome=outcome,
    )
    claims = list_properties(collaboration) if properties is None else properties
    verdicts = auditing.audit(
        game, claims, budget=budget, seed=collaboration.search_seed, progress=progress
    )
    promised = [claim.name for claim in collaboration.mechanism.promises(collaboration.reports)]
    return verdicts.mark(promised, str(comparison))
