"""Finite games to and from pygambit (16.7 and 17), payoffs exact in both directions.

pygambit is GPL and compiles for minutes where there is no wheel: it is imported only when one of
the two functions is called, and comes with the extra `gambit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from aboveboard.games.game import TabularGame

if TYPE_CHECKING:
    import pygambit


class MissingPygambitError(ImportError):
    """Raised when pygambit is needed and not installed."""


def to_gambit(game: TabularGame) -> pygambit.Game:
    """Return the game as a strategic game of pygambit, with players and actions named.

    Payoffs keep their exact value: integers and fractions as they are, a float as the binary
    fraction that it is. Which action is the truth, and payments, have no place there.

    Raises
    ------
    MissingPygambitError
        If pygambit is not installed.
    ValueError
        If names are repeated, or are not labels for pygambit (printable, not empty).
    """
    gambit = _import_pygambit()
    n = len(game.players)
    strategies = [[str(game.describe(i, a)) for a in game.actions(i)] for i in range(n)]
    for what, names in [("players", list(game.players)), *(("actions", s) for s in strategies)]:
        if len(set(names)) < len(names):
            raise ValueError(f"{what} in pygambit need names of their own; these repeat: {names}")
    arrays = [_list_fractions(game, i) for i in range(n)]
    # 17 has a class for strategic games, with labels in place of objects; 16.7 does not.
    table = getattr(gambit, "StrategicGame", gambit.Game).from_arrays(*arrays)
    if hasattr(table, "relabel_players"):
        table.relabel_players(dict(zip(list(table.players), game.players, strict=True)))
        for player, names in zip(game.players, strategies, strict=True):
            numbered = table.get_strategies(player)
            table.relabel_strategies(player, dict(zip(numbered, names, strict=True)))
        return table
    _label(table.players, game.players)
    for player, names in zip(table.players, strategies, strict=True):
        _label(player.strategies, names)
    return table


def _label(things: Iterable[Any], names: Sequence[str]) -> None:
    """Set labels in two steps: a new one must not meet one that is still to be replaced."""
    listed = list(things)
    for k, thing in enumerate(listed):
        thing.label = f"to be named {k}"
    for thing, name in zip(listed, names, strict=True):
        thing.label = name


def from_gambit(game: pygambit.Game) -> TabularGame:
    """Return a finite game of pygambit, extensive games in their reduced strategic form.

    The truth is each player's first strategy; give another with `TabularGame(..., truth=...)`.

    Raises
    ------
    MissingPygambitError
        If pygambit is not installed.
    """
    _import_pygambit()
    if hasattr(game, "get_strategies"):
        players = [str(player) for player in game.players]
        labels = [list(game.get_strategies(player)) for player in players]
    else:
        players = [player.label for player in game.players]
        labels = [[strategy.label for strategy in player.strategies] for player in game.players]
    arrays = game.to_arrays(dtype=Fraction)
    payoffs = np.empty((len(players), *(len(names) for names in labels)), dtype=object)
    for i, array in enumerate(arrays):
        payoffs[i] = array
    return TabularGame(
        payoffs, players=_fill_names(players), labels=[_fill_names(s) for s in labels]
    )


def _list_fractions(game: TabularGame, i: int) -> Any:
    """Return a player's payoffs as an array of fractions."""
    entries = game.table[i].ravel().tolist()
    array = np.empty(len(entries), dtype=object)
    array[:] = [Fraction(entry) * game.unit for entry in entries]
    return array.reshape(game.shape)


def _fill_names(labels: Sequence[str]) -> Sequence[str]:
    """Return labels, with numbers where they are missing, as pygambit 16 allows."""
    return [label or str(k + 1) for k, label in enumerate(labels)]


def _import_pygambit() -> Any:
    try:
        import pygambit
    except ImportError as error:
        raise MissingPygambitError(
            "converting games needs pygambit, which is not installed; "
            "install it with: pip install 'aboveboard[gambit]'"
        ) from error
    return pygambit
