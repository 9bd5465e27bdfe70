"""From a deviation to the witness that a verdict shows."""

from __future__ import annotations

from typing import Any

from aboveboard.auditing.payoff_reader import PayoffReader, settles_ties
from aboveboard.auditing.rows import Deviation, row_name
from aboveboard.auditing.verdict import Witness
from aboveboard.games.actions import AWAY
from aboveboard.games.capabilities import Described, DeviationKind, Exact, NamesDeviations
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units, to_number


def make_witness(game: Game, name: str, row: Deviation) -> Witness:
    """Put a row into words: who, truth, lie, the others' reports, the gain and its parts."""
    players, members = game.players, row.part.members
    others = {
        players[j]: "truth" if a == game.truth(j) else describe(game, j, a)
        for j, a in enumerate(row.lying)
        if j not in members
    }
    away = row.part.outside is not None
    return Witness(
        parties=tuple(players[i] for i in members),
        truth={players[i]: describe(game, i, game.truth(i)) for i in members},
        lie={players[i]: AWAY if away else describe(game, i, row.lying[i]) for i in members},
        others=others,
        gain=row.gain,
        row=row_name(game, name, row),
        payoffs=_payoffs(game, row),
    )


def _payoffs(game: Game, row: Deviation) -> dict[str, tuple[Number, Number]]:
    """Give each deviator's payoff with the truth and with the lie, as they were compared."""
    if row.part.outside is not None:
        (i,) = row.part.members
        return {
            game.players[i]: (_one(game, row.honest, i, best=False), to_number(row.part.outside))
        }
    return {
        game.players[i]: (
            _one(game, row.honest, i, best=False),
            _one(game, row.lying, i, best=True),
        )
        for i in row.part.members
    }


def _one(game: Game, profile: tuple[Any, ...], i: int, *, best: bool) -> Number:
    if settles_ties(game) and isinstance(game, Exact):
        return to_number(game.exact(profile)[i])
    valuation = PayoffReader(game)
    bounds = valuation.bounds(valuation.columns(profile))
    return from_units(bounds[best][0, i], valuation.unit)


def describe(game: Game, i: int, action: Any) -> Any:
    """Return an action in words where the game has some, else the action itself."""
    return game.describe(i, action) if isinstance(game, Described) else action


def find_kind(game: Game, i: int, action: Any) -> DeviationKind:
    """Return what a player does when it takes an action other than its truth."""
    if action is AWAY or (game.absent(i) is not None and action == game.absent(i)):
        return "stays away"
    return game.deviation_kind(i, action) if isinstance(game, NamesDeviations) else "misreports"
