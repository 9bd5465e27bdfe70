"""Games that list only some of what their players could report."""

from __future__ import annotations

from dataclasses import replace

from aboveboard.auditing.verdict import Status, Verdict
from aboveboard.games.capabilities import ListsActions
from aboveboard.games.game import Game


def limit_to_listed(verdict: Verdict, game: Game) -> Verdict:
    """Return the verdict, "no counterexample" in place of "holds" where more could be reported.

    A scan of a finite list of a continuous space proves nothing of what is not in the list.
    """
    if not isinstance(game, ListsActions) or game.covers_all_lies:
        return verdict
    if verdict.status is not Status.HOLDS or verdict.how != "exhaustive":
        return verdict
    said = f"no counterexample among {game.listed_lies}; others can be reported"
    return replace(
        verdict,
        status=Status.NO_COUNTEREXAMPLE,
        how="listed",
        statement=said if verdict.statement is None else f"{verdict.statement}; {said}",
    )
