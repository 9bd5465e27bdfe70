"""What is asked of a game of which nobody claims anything.

Cost: that of each property, one after the other where one is too large for the budget.
"""

from __future__ import annotations

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    Efficient,
    ExPostIC,
    ParetoEfficient,
    Property,
    Status,
    UniqueEquilibrium,
    Verdict,
    Verdicts,
    audit,
)
from aboveboard.auditing.budget import Progress
from aboveboard.errors import BudgetExceeded
from aboveboard.games.game import Game


def list_default_properties(game: Game) -> list[Property]:
    """Return what an audit of a game looks at if the user names nothing."""
    pairs: list[Property] = [CoalitionProof(2)] if len(game.players) > 1 else []
    return [
        ExPostIC(),
        DSIC(),
        *pairs,
        ParetoEfficient(),
        Efficient(),
        UniqueEquilibrium(),
    ]


def examine_defaults(
    game: Game, budget: Budget, seed: int, progress: Progress | None = None
) -> Verdicts:
    """Examine the default properties together; one after the other where one takes too long.

    Parameters
    ----------
    game
        Its players' first strategies are their truths.
    budget, seed, progress
        As in `aboveboard.auditing.audit`.

    Examples
    --------
    >>> from aboveboard.games import TabularGame
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    >>> examine_defaults(dilemma, Budget(), 0)["DSIC"].status.value
    'fails'
    """
    claims = list_default_properties(game)
    try:
        return audit(game, claims, budget=budget, seed=seed, progress=progress)
    except BudgetExceeded:
        found: list[Verdict] = []
        for claim in claims:
            try:
                alone = audit(game, [claim], budget=budget, seed=seed, progress=progress)
            except BudgetExceeded as error:
                said = str(error)
                found.append(
                    Verdict(claim.name, Status.UNDECIDED, 0, 0, "exhaustive", statement=said)
                )
            else:
                found += alone.values()
        return Verdicts(found)
