"""Values of coalitions: read, checked, and the rewards that follow from them (Mechanism 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from aboveboard.errors import InputError
from aboveboard.exchange.mechanism import as_fraction
from aboveboard.exchange.participation import MOST_PARTIES, scale_to_integers
from aboveboard.formatting import Number, encode_number, format_quantity
from aboveboard.games.numbers import Array
from aboveboard.mechanisms.file_model import Exact
from aboveboard.mechanisms.user_functions import find_function

LARGEST_TERM = 10**300
"""Largest numerator and denominator of an exact value."""


def compute_rewards(values: Sequence[Number], *, pareto: bool = False) -> Array:
    """Return the rewards if only a coalition joins, for each coalition.

    Parameters
    ----------
    values
        V of each coalition by bit mask, 2^n of them, monotone.
    pareto
        Corollary 2 instead of Mechanism 4.

    Returns
    -------
    array
        Shape (2^n, n): int64 where all values are whole, else fractions; 0 for who stays away.

    Examples
    --------
    >>> compute_rewards([0, 1, 2, 2, 2, 5, 4, 7])[-1].tolist()
    [3, 2, 5]
    """
    table, unit = scale_values(values)
    rewards = reward_coalitions(table, pareto=pareto)
    if unit == 1:
        return rewards
    fractions: Array = rewards.astype(object) * unit
    return fractions


def reward_coalitions(table: Array, *, pareto: bool) -> Array:
    """Return the rewards of every coalition, shape (2^n, n), in the units of the values."""
    n = len(table).bit_length() - 1
    rewards = np.stack([phi(table, i) for i in range(n)], axis=1)
    if pareto:
        top = rewards.max(axis=1)
        masks = np.arange(len(table))
        for i in range(n):
            joined = (masks >> i & 1).astype(np.bool_)
            rewards[joined, i] = np.minimum(top[joined], table[joined] - table[1 << i])
    return rewards


def phi(values: Array, i: int) -> Array:
    """Return party i's rewardable contribution to every coalition, shape (2^n,); 0 without i.

    Definition 1 of the paper: a maximum over subsets, found for all coalitions at once by
    folding in one party at a time. O(n 2^n).

    Examples
    --------
    >>> phi(np.array([0, 0, 0, 2]), 0).tolist()
    [0, 0, 0, 2]
    """
    n = len(values).bit_length() - 1
    masks = np.arange(len(values))
    joined = (masks >> i & 1).astype(np.bool_)
    best = values * 0
    alone = values[1 << i]
    best[joined] = values[joined] - np.maximum(alone, values[masks[joined] ^ (1 << i)])
    # phi_i(S) >= 0 already at T = {i} where V is monotone and V(empty) <= V({i}).
    for k in range(n):
        if k != i:
            halves = best.reshape(-1, 2, 1 << k)
            halves[:, 1, :] = np.maximum(halves[:, 1, :], halves[:, 0, :])
    best[~joined] = best[~joined] * 0
    return best


def scale_values(values: Sequence[Any]) -> tuple[Array, Fraction]:
    """Return the values as integers in a unit; a float means its shortest decimal."""
    if not isinstance(values, tuple):
        return _scale(values)
    # They are checked, rewarded and compared one after the other: the last ones are kept.
    last = _Last.scaled
    if last is None or last[0] is not values:
        table, unit = _scale(values)
        table.flags.writeable = False
        last = _Last.scaled = values, (table, unit)
    return last[1]


class _Last:
    """The values that were scaled last and what they became; a tuple cannot change.

    One field holds both, so that no other thread sees the values of one with the table of another.
    """

    scaled: tuple[tuple[Any, ...], tuple[Array, Fraction]] | None = None


def _scale(values: Sequence[Any]) -> tuple[Array, Fraction]:
    return scale_to_integers(
        [v if type(v) is Fraction else as_fraction(_as_scalar(v)) for v in values]
    )


def find_decrease(values: Sequence[Any]) -> tuple[int, int] | None:
    """Return masks (S, S plus one party) where V falls, or None if V is monotone.

    Examples
    --------
    >>> find_decrease([0, 5, 2, 3])
    (1, 3)
    """
    table, _ = scale_values(values)
    masks = np.arange(len(table))
    for k in range(len(table).bit_length() - 1):
        without = masks[(masks >> k & 1) == 0]
        falls = np.flatnonzero(table[without] > table[without | 1 << k])
        if len(falls):
            low = int(without[falls[0]])
            return low, low | 1 << k
    return None


def tabulate_values(function: Callable[[tuple[str, ...]], Any], names: Sequence[str]) -> list[Any]:
    """Call a value function for every coalition, by bit mask: 2^n calls.

    Examples
    --------
    >>> tabulate_values(len, ["a", "b"])
    [0, 1, 1, 2]
    """
    return [
        function(tuple(name for i, name in enumerate(names) if mask >> i & 1))
        for mask in range(1 << len(names))
    ]


def call_value_function(function: str, names: tuple[str, ...]) -> tuple[Fraction, ...]:
    """Return the values that a user's function gives, exact.

    Raises
    ------
    InputError
        If it cannot be imported or fails, or a value is not finite or too long.
    """
    place = f"function {function!r}"
    found = find_function(function, place)
    try:
        values = tabulate_values(found, names)
    except (Exception, SystemExit) as error:
        raise InputError(
            place,
            f"it failed with {type(error).__name__}: {error}",
            "it takes a tuple of party names and returns the coalition's value, a finite number",
        ) from error
    check_values(values, names, place)
    return tuple(as_fraction(_as_scalar(v)) for v in values)


def check_values(values: Sequence[Any], names: tuple[str, ...], place: str) -> None:
    """Raise `InputError` unless there is a value for each coalition, finite and monotone.

    A value has at most 300 digits, as in a file.
    """
    if not 1 <= len(names) <= MOST_PARTIES:
        raise InputError(
            "parties", f"there are {len(names)}", f"the rule is for 1 to {MOST_PARTIES}"
        )
    if len(values) != 1 << len(names):
        raise InputError(place, *describe_wrong_length(len(values), len(names)))
    for mask, value in enumerate(values):
        _check_value(value, mask, names, place)
    decrease = find_decrease(values)
    if decrease is not None:
        low, high = (_format_coalition(mask, names) for mask in decrease)
        few, many = (encode_number(as_fraction(_as_scalar(values[mask]))) for mask in decrease)
        raise InputError(
            place,
            f"{low} has {few} and {high} only {many}",
            "a larger coalition must not be worth less",
        )


def describe_wrong_length(length: int, n: int) -> tuple[str, str]:
    """Return problem and remedy for a list of values of the wrong length."""
    return (
        f"values has {format_quantity(length, 'entry', 'entries')}",
        f"write {1 << n}, one for each coalition of {format_quantity(n, 'party', 'parties')}, "
        "indexed by bit mask in the order of the parties",
    )


_EXACT: TypeAdapter[Fraction] = TypeAdapter(Exact)


def _check_value(value: Any, mask: int, names: tuple[str, ...], place: str) -> None:
    if (
        isinstance(value, Fraction)
        and abs(value) <= LARGEST_TERM
        and value.denominator <= LARGEST_TERM
    ):
        return  # read from a file: its digits were counted there
    try:
        _EXACT.validate_python(_as_scalar(value))
    except ValidationError as error:
        said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        problem, _, remedy = said.partition("; ")
        raise InputError(
            place,
            f"the value of {_format_coalition(mask, names)} {problem}",
            remedy or "write a finite number or a fraction",
        ) from None


def _as_scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _format_coalition(mask: int, names: tuple[str, ...]) -> str:
    members = [name for i, name in enumerate(names) if mask >> i & 1]
    return "{" + ", ".join(members) + "}"
