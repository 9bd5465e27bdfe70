"""What an audit of `valuation.payments` adds to verdicts: axioms and assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

from aboveboard.formatting import format_count, format_number
from aboveboard.games.numbers import Number
from aboveboard.valuation.levels import NOTHING, encode_level
from aboveboard.valuation.levels_game import LevelsGame
from aboveboard.valuation.offers.design import Design
from aboveboard.valuation.shares import axioms
from aboveboard.valuation.shares.axioms import Check
from aboveboard.valuation.shares.division import find_negative
from aboveboard.valuation.shares.shapley import shapley_among_users
from aboveboard.valuation.utilities.utilities import (
    Utility,
    as_values,
    evaluate_all,
    tabulate_two_levels,
)

MOST_USERS = 14
"""Beyond, the axioms are not looked at pair by pair; they are theorems anyway."""
MOST_PROFILES = 10_000

WHOLE = "the axioms are about all that the data are worth, before alpha or the platform's part"


def check_claims(
    utility: Utility, design: Design | None, game: LevelsGame, seed: int
) -> Mapping[str, Any]:
    """Check axioms and assumptions; what would take too long is said to be left out.

    Parameters
    ----------
    utility
        What the platform gains.
    design
        The two levels on offer, where the file gives them.
    game
        The game among the users at the levels they have chosen.
    seed
        For the random utilities of the additivity check.
    """
    found = game.division(game.chosen)
    said_of: dict[str, Any] = {}
    below = find_negative(game.players, found)
    text = ", ".join(f"{name} {format_number(x)}" for name, x in below.items()) or "none"
    said_of["negative shares"] = {"holds": not below, "text": text}
    said_of["nothing for nothing"] = _at_nothing(found.at_nothing)
    for check in _axioms(utility, game, seed):
        said_of[check.name] = check.as_dict()
    said_of["monotone"] = _monotone(utility, game)
    said_of["diminishing returns"] = _diminishing(utility, design, game)
    return said_of


def check_sampled_claims(game: LevelsGame) -> Mapping[str, Any]:
    """Say what can be said of shares that are sampled, and what is not checked."""
    found = game.division(game.chosen)
    told = zip(game.players, found.users, found.standard_errors or (), strict=True)
    below = [
        f"{name} {format_number(x)} (standard error {format_number(error)})"
        for name, x, error in told
        if x < 0
    ]
    why = "shares are sampled"
    return {
        "negative shares": {"holds": not below, "text": ", ".join(below) or "none"},
        "nothing for nothing": _at_nothing(found.at_nothing),
        "other levels": _left_out(f"{why}, so no user is given a choice in this audit"),
        "axioms": _left_out(f"{why}; they hold for exact shares (Shapley)"),
        "monotone": _left_out(why),
        "diminishing returns": _left_out(why),
    }


def _at_nothing(worth: Number) -> dict[str, Any]:
    """Say whether a platform without any data gains nothing, as Theorem 2 takes it."""
    gains = format_number(worth) if worth else "nothing (U = 0)"
    return {"holds": worth == 0, "text": f"without any user's data the platform gains {gains}"}


def _axioms(utility: Utility, game: LevelsGame, seed: int) -> Sequence[Check]:
    if len(game.players) > MOST_USERS:
        return ()
    table = utility.table(game.chosen)
    each = shapley_among_users(table)
    shares = each.users.tolist()
    slack = 0 if table.dtype == object else axioms.TOLERANCE * max(1.0, abs(float(table[-1])))
    whole = axioms.check_efficiency(shares, table[-1] - table[0], slack)
    return (
        axioms.check_fairness(table, shares, game.players),
        axioms.check_null_player(table, shares, game.players),
        replace(whole, text=f"{whole.text}; {WHOLE}"),
        axioms.check_additivity(table, lambda values: shapley_among_users(values).users, seed),
    )


def _monotone(utility: Utility, game: LevelsGame) -> dict[str, Any]:
    size = prod(len(levels) for levels in game.levels)
    if size > MOST_PROFILES:
        return _left_out(f"{format_count(size)} profiles of levels")
    values = as_values(evaluate_all(utility, list(product(*game.levels))))
    shape = tuple(len(levels) for levels in game.levels)
    names = [[encode_level(x) for x in levels] for levels in game.levels]
    return axioms.check_monotone(values.reshape(shape), game.players, names).as_dict()


def _diminishing(utility: Utility, design: Design | None, game: LevelsGame) -> dict[str, Any]:
    n = len(game.players)
    low = NOTHING if design is None else design.levels[0]
    high = max(game.chosen) if design is None else design.levels[-1]
    if n > MOST_USERS or low == high:
        return _left_out(f"{n} users" if low != high else "nobody takes part")
    check = axioms.check_diminishing_returns(
        tabulate_two_levels(utility, n, low, high), game.players
    )
    between = f"between levels {encode_level(low)} and {encode_level(high)}: "
    return {**check.as_dict(), "text": between + check.text}


def _left_out(why: str) -> dict[str, Any]:
    return {
        "text": f"not checked: {why} are too many" if why[0].isdigit() else f"not checked: {why}"
    }
