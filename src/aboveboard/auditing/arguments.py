"""The arguments of an audit, checked before anything else: games, properties, budget, seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from aboveboard.auditing.budget import Budget
from aboveboard.auditing.property import Property
from aboveboard.games.game import Game
from aboveboard.games.numbers import as_integer


def check_games(subject: Any) -> list[Game]:
    """Return one game, or those of a family, as a list.

    Raises
    ------
    TypeError
        If something is not a game.
    ValueError
        If there is none, or one has no players.
    """
    if isinstance(subject, Game):
        if not subject.players:
            raise ValueError("a game has no players; it needs at least one")
        return [subject]
    if isinstance(subject, str | bytes) or not isinstance(subject, Iterable):
        needed = ("players", "actions", "truth", "absent", "payoffs")
        lacking = ", ".join(name for name in needed if not hasattr(subject, name))
        raise TypeError(f"{type(subject).__name__} is not a game: it lacks {lacking}")
    games = [game for member in subject for game in check_games(member)]
    if not games:
        raise ValueError("there is no game to audit")
    return games


def check_properties(properties: Any) -> list[Property]:
    """Return the properties as a list.

    Raises
    ------
    TypeError
        If they are not a list, one of them is not a property, or two that differ have one name:
        the verdict on one would hide that on the other.
    """
    if isinstance(properties, Property):
        raise TypeError(f"{properties!r} is not a list; write a list, such as [{properties!r}]")
    if isinstance(properties, str | bytes) or not isinstance(properties, Iterable):
        raise TypeError(f"properties are {properties!r}; write a list, such as [DSIC()]")
    listed: Sequence[Any] = list(properties)
    for prop in listed:
        if isinstance(prop, type):
            raise TypeError(f"{prop.__name__} is a class; write {prop.__name__}()")
        if not isinstance(prop, Property):
            raise TypeError(f"{prop!r} is not a property; write one such as DSIC()")
    named: dict[str, Property] = {}
    for prop in listed:
        first = named.setdefault(prop.name, prop)
        if not (first == prop or (type(first) is type(prop) and vars(first) == vars(prop))):
            raise TypeError(
                f"{first!r} and {prop!r} are both called {prop.name!r}; "
                "let each property have a name of its own"
            )
    return list(listed)


def check_budget(budget: Any, seconds: Any = None) -> Budget:
    """Return the budget, or the default; limited to some seconds where they are given.

    Raises
    ------
    TypeError
        If it is something else, or `seconds` is not a number.
    ValueError
        If `seconds` is not above 0.
    """
    if budget is None:
        return Budget(seconds=seconds)
    if not isinstance(budget, Budget):
        raise TypeError(f"budget is {budget!r}; write Budget(rows=..)")
    return budget if seconds is None else replace(budget, seconds=seconds)


def check_seed(seed: Any) -> int:
    """Return the seed.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is negative.
    """
    return as_integer(seed, "seed", least=0)
