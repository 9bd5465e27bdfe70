"""Games that list only some of what their players could report."""

from __future__ import annotations

from dataclasses import replace

from aboveboard.auditing.verdict import Status, Verdict
from aboveboard.games.capabilities import ListsActions
from aboveboard.games.game import Game


def name_listed(game: Game) -> str:
    """Return what the actions of a game are that leaves out some reports; "" where none is."""
    if not isinstance(game, ListsActions) or game.covers_all_lies:
        return ""
    return game.listed_lies


def limit_to_listed(verdict: Verdict, game: Game) -> Verdict:
    """Return the verdict, "no counterexample" in place of "holds" where more could be reported.

    A scan of a finite list of a continuous space proves nothing of what is not in the list.
    """
    listed = name_listed(game)
    if not listed or verdict.status is not Status.HOLDS or verdict.how != "exhaustive":
        return verdict
    said = f"no counterexample among {listed}; others can be reported"
    return replace(
        verdict,
        status=Status.NO_COUNTEREXAMPLE,
        how="listed",
        statement=said if verdict.statement is None else f"{verdict.statement}; {said}",
    )
