"""From a deviation to the witness that a verdict shows."""

from __future__ import annotations

from typing import Any

from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import Deviation, name_row
from aboveboard.auditing.verdict import Witness
from aboveboard.games.actions import AWAY
from aboveboard.games.capabilities import DeviationKind, HasDescriptions, NamesDeviations
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number, from_units, to_number


def make_witness(game: Game, name: str, row: Deviation) -> Witness:
    """Return a row as a witness: who, truth, lie, the others' reports, the gain and its parts."""
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
        row=name_row(game, name, row),
        payoffs=_list_payoffs(game, row),
        kinds={players[i]: find_kind(game, i, AWAY if away else row.lying[i]) for i in members},
    )


def _list_payoffs(game: Game, row: Deviation) -> dict[str, tuple[Number, Number]]:
    """Return each deviator's payoff with the truth and with the lie, as they were compared."""
    if row.part.outside is not None:
        (i,) = row.part.members
        return {
            game.players[i]: (
                _find_payoff(game, row.honest, i, best=False),
                to_number(row.part.outside),
            )
        }
    return {
        game.players[i]: (
            _find_payoff(game, row.honest, i, best=False),
            _find_payoff(game, row.lying, i, best=True),
        )
        for i in row.part.members
    }


def _find_payoff(game: Game, profile: tuple[Any, ...], i: int, *, best: bool) -> Number:
    valuation = PayoffReader(game)
    bounds = valuation.bounds(valuation.columns(profile))
    return from_units(bounds[best][0, i], valuation.unit)


def describe(game: Game, i: int, action: Any) -> Any:
    """Return an action in words where the game has some, else the action itself."""
    return game.describe(i, action) if isinstance(game, HasDescriptions) else action


def find_kind(game: Game, i: int, action: Any) -> DeviationKind:
    """Return what a player does when it takes an action other than its truth."""
    if action is AWAY or (game.absent(i) is not None and action == game.absent(i)):
        return "stays away"
    return game.deviation_kind(i, action) if isinstance(game, NamesDeviations) else "misreports"
