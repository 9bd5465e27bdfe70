"""Checks a certificate from the games alone; it shares no code with what finds certificates."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any


def check_chain(games: Mapping[tuple[Any, ...], Any], i: int, others: Any, types: Any) -> bool:
    """Return whether a chain of lies pays whatever is paid, the others reporting the truth.

    Parameters
    ----------
    games
        By profile of types, as actions.
    i
        The player.
    others
        The others' types.
    types
        The player's types: each reports the one before it.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def sell_to_the_lowest(bids):
    ...     return min(bids, key=bids.get)
    >>> def value(party, type_, winner):
    ...     return type_ if party == winner else 0
    >>> types = {"ann": [1, 3], "bob": [2]}
    >>> listed = ab.tabulate_all(sell_to_the_lowest, value, types)
    >>> games = {(game.truth(0), game.truth(1)): game for game in listed}
    >>> check_chain(games, 0, (0,), (0, 1))
    True
    """
    total = Fraction(0)
    for k, own in enumerate(types):
        truth = (*others[:i], own, *others[i:])
        lie = (*others[:i], types[k - 1], *others[i:])
        total += _value(games[truth], i, truth) - _value(games[truth], i, lie)
    return total < 0


def check_deficit(games: Mapping[tuple[Any, ...], Any], profile: Any, paths: Any) -> bool:
    """Return whether payments that nobody minds must sum to less than 0 at a profile.

    Parameters
    ----------
    games
        By profile of types, as actions.
    profile
        The types.
    paths
        For each player types that end at its own: the first takes part only if it pays no more
        than it gains, each other one lies unless it pays at most its loss more than the one before.

    Examples
    --------
    >>> import aboveboard as ab
    >>> def trade(reports):
    ...     return min(reports.values()) >= 0 and reports["buyer"] > reports["seller"]
    >>> def value(party, type_, traded):
    ...     return (type_ if party == "buyer" else -type_) if traded else 0
    >>> reports = {"buyer": [-1, 1, 3], "seller": [-1, 0, 2]}
    >>> listed = ab.tabulate_all(trade, value, reports, absent=-1)
    >>> games = {(game.truth(0), game.truth(1)): game for game in listed}
    >>> check_deficit(games, (2, 1), [(1, 2), (2, 1)])
    True
    """
    most = Fraction(0)
    for i, path in enumerate(paths):
        others = (*profile[:i], *profile[i + 1 :])
        if path[-1] != profile[i]:
            return False
        for k, own in enumerate(path):
            truth = (*others[:i], own, *others[i:])
            other = path[k - 1] if k else games[truth].absent(i)
            most += _value(games[truth], i, truth)
            most -= _value(games[truth], i, (*others[:i], other, *others[i:]), paid=bool(k))
    return most < 0


def _value(game: Any, i: int, profile: Any, *, paid: bool = True) -> Fraction:
    payments = game.payments(profile)[i] if paid and hasattr(game, "payments") else 0
    return Fraction(game.payoffs(profile)[i]) + Fraction(payments)
