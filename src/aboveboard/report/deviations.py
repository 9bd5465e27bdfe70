"""Which kinds of deviations a search looks at: hides, invents, stays away, misreports, chooses."""

from __future__ import annotations

from collections.abc import Sequence

from aboveboard.auditing import Property
from aboveboard.formatting import join_names
from aboveboard.games.actions import count_actions
from aboveboard.games.capabilities import NamesDeviations
from aboveboard.games.game import Game

LOOKED_AT = 64
"""Actions of a player from which its kinds of deviations are read, spread over all of them."""

ORDER = ("hides", "invents", "misreports", "stays away", "chooses")

GERUNDS = {
    "hides": "hiding data",
    "invents": "inventing data",
    "misreports": "misreporting",
    "stays away": "staying away",
    "chooses": "choosing otherwise",
}


def list_kinds(game: Game, properties: Sequence[Property] = ()) -> tuple[str, ...]:
    """Return the kinds of deviations in a game; none where the game does not name them.

    Parameters
    ----------
    game
        The game that is searched. Of long lists of actions a part is looked at.
    properties
        Properties that were examined and may look at further kinds.
    """
    if not isinstance(game, NamesDeviations):
        return ()
    found: set[str] = {kind for each in properties for kind in each.deviation_kinds}
    for i in range(len(game.players)):
        actions = game.actions(i)
        truth = game.truth(i)
        n = count_actions(actions)
        step = max(1, n // LOOKED_AT)
        spread = [actions[k] for k in range(0, n, step)]
        for action in (*spread, actions[n - 1]):
            if action != truth:
                found.add(game.deviation_kind(i, action))
    return tuple(kind for kind in ORDER if kind in found)


def describe_search(kinds: Sequence[str]) -> str:
    """Return a sentence that says which kinds of lies were looked at; "" for none.

    Examples
    --------
    >>> describe_search(["hides", "stays away"])
    'Looked at: hiding data and staying away. Not looked at: inventing data.'
    >>> describe_search(["stays away"])
    'Looked at: staying away. Not looked at: any other report.'
    """
    if not kinds:
        return ""
    looked = f"Looked at: {join_names([GERUNDS[kind] for kind in kinds])}."
    if "hides" in kinds and "invents" not in kinds:
        return f"{looked} Not looked at: inventing data."
    if set(kinds) == {"stays away"}:
        return f"{looked} Not looked at: any other report."
    return looked


def is_choice(kinds: Sequence[str]) -> bool:
    """Return whether parties only choose, so that no deviation is a lie."""
    return "chooses" in kinds and set(kinds) <= {"chooses", "stays away"}
