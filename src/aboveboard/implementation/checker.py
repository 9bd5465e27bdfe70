"""Checks a certificate from the games alone; it shares no code with what finds certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from aboveboard.games.actions import ActionT
from aboveboard.games.capabilities import HasOutsideOption, HasPayments
from aboveboard.games.game import Game


def check_chain(
    games: Mapping[tuple[ActionT, ...], Game[ActionT]],
    i: int,
    others: Sequence[ActionT],
    types: Sequence[ActionT],
) -> bool:
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


def check_deficit(
    games: Mapping[tuple[ActionT, ...], Game[ActionT]],
    profile: Sequence[ActionT],
    paths: Sequence[Sequence[ActionT]],
) -> bool:
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
            game = games[truth]
            if k:
                instead = _value(game, i, (*others[:i], path[k - 1], *others[i:]))
            else:
                away = _value_absence(game, i, others)
                if away is None:
                    return False  # a player that cannot stay away bounds nothing
                instead = away
            most += _value(game, i, truth) - instead
    return most < 0


def _value(game: Game[ActionT], i: int, profile: Sequence[ActionT]) -> Fraction:
    payments = game.payments(profile)[i] if isinstance(game, HasPayments) else 0
    return Fraction(game.payoffs(profile)[i]) + Fraction(payments)


def _value_absence(game: Game[ActionT], i: int, others: Sequence[ActionT]) -> Fraction | None:
    """Return what a player has when it stays away, where nothing is paid; None if it cannot."""
    absent = game.absent(i)
    if absent is not None:
        return Fraction(game.payoffs((*others[:i], absent, *others[i:]))[i])
    outside = game.outside(i) if isinstance(game, HasOutsideOption) else None
    return None if outside is None else Fraction(outside)
