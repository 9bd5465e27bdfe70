"""One audit: properties of a game, or of a family of games, the strongest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aboveboard.auditing import families
from aboveboard.auditing.arguments import (
    check_budget,
    check_games,
    check_properties,
    check_seed,
)
from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.implications import implies
from aboveboard.auditing.property import Property
from aboveboard.auditing.verdict import Verdict, Verdicts
from aboveboard.games.game import Game


def audit(
    game: Game | Iterable[Game],
    properties: Sequence[Property],
    *,
    budget: Budget | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
) -> Verdicts:
    """Audit a game, or a family of games (one for each profile of types), for some properties.

    Parameters
    ----------
    game
        Any `Game`; or several, over which every property must hold.
    properties
        What is claimed.
    budget
        What exhaustive work may cost; see `Budget`.
    seed
        Seed of the samples, where one is drawn.
    progress
        Called with the number of rows just checked.
    seconds
        How long to search, in place of the budget's `seconds`.

    Returns
    -------
    Verdicts
        One for each property, in the order given.

    Raises
    ------
    TypeError
        If `game` is not a game, or a property, the budget or the seed is something else.
    ValueError
        If there is no game, a payoff is not a finite number, or the seed is negative.
    UndefinedProperty
        If a property has no meaning on the game.
    BudgetExceeded
        If a check is larger than the budget allows and cannot, or shall not, be sampled.

    Examples
    --------
    >>> from aboveboard import DSIC, Efficient, TabularGame
    >>> from aboveboard.auditing import audit
    >>> dilemma = TabularGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], truth=1)
    >>> verdicts = audit(dilemma, [DSIC(), Efficient()])
    >>> verdicts["DSIC"].status.value, verdicts["efficient"].witness.gain
    ('holds', 4)
    """
    games, properties = check_games(game), check_properties(properties)
    budget, seed = check_budget(budget, seconds), check_seed(seed)
    budget = budget.start(len(properties) * len(games))
    known: dict[Property, Verdict] = {}
    # The strongest first: what it settles need not be checked again.
    order = sorted(properties, key=lambda p: -sum(implies(p, q) for q in properties if q != p))
    for prop in order:
        if prop in known:
            continue
        inferred = families.infer_verdict(prop, known, games)
        if inferred is None:
            found = [_examine(g, prop, budget, seed, progress) for g in games]
            known[prop] = families.combine_verdicts(found, games)
        else:
            known[prop] = inferred
            budget.finish_search(len(games))
    settled = families.reconcile(known, games)
    return Verdicts(settled[prop] for prop in properties)


def _examine(
    game: Game, prop: Property, budget: Budget, seed: int, progress: Progress | None
) -> Verdict:
    verdict = prop.examine(game, budget=budget, seed=seed, progress=progress)
    budget.finish_search()
    if not isinstance(verdict, Verdict) or verdict.property != prop.name:
        raise TypeError(
            f"{type(prop).__name__}.examine must return a Verdict whose property is {prop.name!r}"
        )
    return verdict
