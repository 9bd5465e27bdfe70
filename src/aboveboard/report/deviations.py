"""Which kinds of deviations a search looks at, and what they are called together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aboveboard.auditing import Property
from aboveboard.formatting import join_names
from aboveboard.games.actions import count_actions
from aboveboard.games.capabilities import NamesDeviations
from aboveboard.games.game import Game

LOOKED_AT = 64
"""Actions of a player from which its kinds of deviations are read, spread over all of them."""

DEVIATION_ORDER = ("hides", "invents", "widens", "misreports", "stays away", "chooses")

GERUNDS = {
    "hides": "hiding data",
    "invents": "inventing data",
    "widens": "reporting a wider interval",
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
    return tuple(kind for kind in DEVIATION_ORDER if kind in found)


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
    if is_choice(kinds) or _covers_lies(kinds):
        return looked
    missing = "inventing data" if "hides" in kinds else "any other report"
    return f"{looked} Not looked at: {missing}."


LYING, CHOOSING = "lying", GERUNDS["chooses"]

APART = {"ex-post IC against inventing": "invents", "ex-post IC against widening": "widens"}
"""Properties that speak of one kind of lie: where there is one, the others do not speak of it."""


def name_deviations(kinds: Sequence[str], names: Collection[str] = ()) -> str:
    """Return what nobody gains by where nothing is found: no more than was looked at.

    Parameters
    ----------
    kinds
        Which kinds of deviations were looked at; none: it is not known.
    names
        The properties that there are.

    Examples
    --------
    >>> [name_deviations(kinds) for kinds in (["hides", "stays away"], ["misreports"], ["chooses"])]
    ['hiding data or staying away', 'lying', 'choosing otherwise']
    >>> name_deviations(["widens", "stays away"], ["ex-post IC against widening"])
    'staying away'
    >>> name_deviations(["invents"]), name_deviations(["hides", "invents", "stays away"])
    ('inventing data', 'lying or staying away')
    """
    if not kinds:
        return LYING
    if is_choice(kinds):
        return CHOOSING
    own = set(kinds) - {kind for name, kind in APART.items() if name in names} or set(kinds)
    lies = (
        [LYING]
        if _covers_lies(own)
        else [GERUNDS[kind] for kind in DEVIATION_ORDER[:3] if kind in own]
    )
    others = [GERUNDS[kind] for kind in DEVIATION_ORDER[4:] if kind in own]
    return " or ".join([*lies, *others])


@dataclass(frozen=True)
class Nouns:
    """What a page calls a party's truth, and what it is compared with.

    Parameters
    ----------
    truth
        What each does as it is run.
    other, others
        Another report, and several.
    """

    truth: str
    other: str
    others: str


def name_reports(kinds: Sequence[str]) -> Nouns:
    """Return what reports are called: where parties only choose, nothing else is a lie.

    Examples
    --------
    >>> name_reports(["hides"]).other, name_reports(["chooses"]).other
    ('lie', 'other choice')
    """
    if is_choice(kinds):
        return Nouns("choice", "other choice", "other choices")
    return Nouns("truth", "lie", "lies")


def _covers_lies(kinds: Collection[str]) -> bool:
    """Return whether deviations of these kinds are lies of every kind."""
    return "misreports" in kinds or {"hides", "invents"} <= set(kinds)


def is_choice(kinds: Sequence[str]) -> bool:
    """Return whether parties only choose, so that no deviation is a lie."""
    return "chooses" in kinds and set(kinds) <= {"chooses", "stays away"}
