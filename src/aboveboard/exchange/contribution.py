"""`exchange.contribution`: the general rule; everybody is rewarded by what it adds to a coalition.

What: V(S) is the value of what a coalition knows together, V monotone. Those who join, S, are
handed information worth phi_i(S) = max over T in S with i of V(T) - max(V({i}), V(T minus i));
with `pareto` everybody gets min(max phi, V(S) - V({i})). Cost: one pass over the subsets for each
party gives phi of every coalition, O(n^2 2^n). Source: Branzei, Orlandi, Yang (arXiv 1809.10637),
appendix C, Mechanism 4, Theorem C.1, Corollary 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from aboveboard.auditing import (
    DSIC,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    Property,
    StrongDominance,
    Symmetric,
)
from aboveboard.errors import InputError
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    make_shares,
    resolve_exclusivity,
)
from aboveboard.exchange.participation import MOST_PARTIES, ParticipationGame
from aboveboard.formatting import encode_number, format_quantity
from aboveboard.games.game import Game
from aboveboard.games.numbers import Array, from_units
from aboveboard.mechanisms.file_model import CollaborationFile, Exact
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Reply, Settlement
from aboveboard.mechanisms.user_functions import function_named


class ContributionParty(ExclusiveParty):
    """One party; its input is in the values of the coalitions."""


class ContributionFile(ExclusiveFile):
    """The collaboration file of `exchange.contribution`."""

    mechanism: Literal["exchange.contribution"]
    pareto: bool = Field(
        default=False, description="top everybody up to the largest reward (Corollary 2)"
    )
    values: tuple[Exact, ...] | None = Field(
        default=None,
        description="what each coalition's knowledge is worth, by bit mask in the order of the "
        "parties",
    )
    function: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:[\w.]+$",
        description='instead of values: "module:function" of a tuple of names',
    )
    parties: dict[str, ContributionParty] = Field(
        min_length=1, max_length=MOST_PARTIES, description="by name: a table a party"
    )

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        if (self.values is None) == (self.function is None):
            raise ValueError('give either values = [..] or function = "module:function"')
        n = len(self.parties)
        if self.values is not None and len(self.values) != 1 << n:
            raise ValueError(
                f"values has {format_quantity(len(self.values), 'entry', 'entries')}; give {1 << n}, "
                f"one for each coalition of {format_quantity(n, 'party', 'parties')}, indexed by bit mask "
                "in the order of the parties"
            )
        return self


def tabulate_values(function: Callable[[tuple[str, ...]], Any], names: Sequence[str]) -> list[Any]:
    """Call a value function for every coalition, by bit mask: 2^n calls."""
    return [
        function(tuple(name for i, name in enumerate(names) if mask >> i & 1))
        for mask in range(1 << len(names))
    ]


def compute_rewards(values: Sequence[Any], *, pareto: bool = False) -> Array:
    """Give the rewards if only a coalition joins, for each coalition.

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
    """
    table = _array(values)
    n = len(table).bit_length() - 1
    given = np.zeros((len(table), n), dtype=table.dtype)
    for i in range(n):
        given[:, i] = phi(table, i)
    if pareto:
        top = given.max(axis=1)
        masks = np.arange(len(table))
        for i in range(n):
            joined = (masks >> i & 1).astype(np.bool_)
            given[joined, i] = np.minimum(top[joined], table[joined] - table[1 << i])
    return given


def phi(values: Array, i: int) -> Array:
    """Give party i's rewardable contribution to every coalition, shape (2^n,); 0 without i.

    Definition 1 of the paper: a maximum over subsets, found for all coalitions at once by
    folding in one party at a time. O(n 2^n).
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


def _array(values: Sequence[Any]) -> Array:
    exact = [Fraction(v) if not isinstance(v, float) else Fraction(repr(v)) for v in values]
    if all(v.denominator == 1 and abs(v) < 2**60 for v in exact):
        return np.array([int(v) for v in exact], dtype=np.int64)
    objects = np.empty(len(exact), dtype=object)
    objects[:] = exact
    return objects


def find_decrease(values: Sequence[Any]) -> tuple[int, int] | None:
    """Give masks (S, S plus one party) where V falls, or None if V is monotone."""
    table = _array(values)
    masks = np.arange(len(table))
    for k in range(len(table).bit_length() - 1):
        without = masks[(masks >> k & 1) == 0]
        falls = np.flatnonzero(table[without] > table[without | 1 << k])
        if len(falls):
            low = int(without[falls[0]])
            return low, low | 1 << k
    return None


@dataclass(frozen=True)
class Contribution:
    """Rewards by contribution.

    Parameters
    ----------
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    pareto
        Corollary 2 instead of Mechanism 4.
    values
        V of every coalition, by bit mask in the order of the parties.
    """

    exclusivity: Mapping[str, Fraction]
    pareto: bool
    values: tuple[Any, ...]

    NAME: ClassVar[str] = "exchange.contribution"
    UNIT: ClassVar[str] = "value"
    SUMMARY: ClassVar[str] = (
        "any information with a value for each coalition; rewards by what one adds"
    )
    ASSUMES: ClassVar[str] = (
        "each joins with its true input or stays away; values are monotone; information of any "
        "value up to a coalition's can be handed out"
    )
    GUARANTEES: ClassVar[str] = "DSIC and IR for exclusivity 0 to 1, symmetric, strong dominance"
    COST: ClassVar[str] = "O(n^2 2^n): every coalition counts in a run as in the game"
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018, appendix C, Mechanism 4"
    FILE: ClassVar[type[CollaborationFile]] = ContributionFile
    STARTING_FILE: ClassVar[str] = """\
name = "who adds what"
mechanism = "exchange.contribution"
# How much a party minds what its best rival gains.
exclusivity = 1
# true: everybody is topped up to the largest reward as far as there is something to give.
pareto = false
# The value of what each coalition knows together, by bit mask in the order of the parties:
# nobody, a, b, a+b, c, a+c, b+c, all. Or function = "module:function" of a tuple of names.
values = [0, 3, 2, 4, 1, 4, 3, 5]

[parties.a]
[parties.b]
[parties.c]
"""

    @classmethod
    def from_file(cls, file: ContributionFile) -> Contribution:
        """Take the parameters from a validated collaboration file; call the value function.

        Raises
        ------
        InputError
            If a larger coalition is worth less, or the value function fails.
        """
        names = tuple(file.parties)
        values = file.values if file.values is not None else _called(str(file.function), names)
        fall = find_decrease(values)
        if fall is not None:
            place = "values" if file.function is None else f"function {file.function!r}"
            low, high = (_spoken(mask, names) for mask in fall)
            raise InputError(
                place,
                f"{low} has {encode_number(values[fall[0]])} and {high} only {encode_number(values[fall[1]])}",
                "a larger coalition must not be worth less",
            )
        return cls(resolve_exclusivity(file, file.parties), file.pareto, tuple(values))

    @staticmethod
    def read_reports(file: ContributionFile, read: Read) -> dict[str, int]:
        """Give each party its bit: its input is known through the values only."""
        return {name: 1 << i for i, name in enumerate(file.parties)}

    def settle(self, reports: Mapping[str, int]) -> Settlement:
        """Reward everybody who joins."""
        full = sum(reports.values())
        given = compute_rewards(self.values, pareto=self.pareto)[full]
        amounts = {
            name: Fraction(from_units(x, Fraction(1)))
            for name, x in zip(self.exclusivity, given, strict=True)
        }
        benefits = {name: amounts[name] for name in reports}
        replies = [Reply("json", data={"value": encode_number(b)}) for b in benefits.values()]
        parties = make_shares(benefits, self.exclusivity, replies)
        details = {"pareto": self.pareto, "value": encode_number(self.values[full])}
        return Settlement(self.NAME, parties, details)

    def game(self, types: Mapping[str, int]) -> Game:
        """Give the game of joining or staying away."""
        values = _array(self.values)
        table = compute_rewards(self.values, pareto=self.pareto)
        alone = np.array([values[bit] for bit in types.values()], dtype=values.dtype)

        def compare(mask: int) -> NDArray[np.bool_]:
            result = alone + table[mask]
            return np.asarray(result[:, None] <= result[None, :], dtype=np.bool_)

        return ParticipationGame(
            tuple(types),
            table,
            tuple(self.exclusivity[name] for name in types),
            _worth_no_more(values),
            compare,
        )

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        return (
            ExPostIC(),
            IndividualRationality(),
            DSIC(),
            CoalitionProof(2),
            Symmetric(),
            StrongDominance(),
        )


def _worth_no_more(values: Array) -> NDArray[np.bool_]:
    """Give [k, i] = k adds no more than i to every coalition without the two."""
    n = len(values).bit_length() - 1
    masks = np.arange(len(values))
    order = np.eye(n, dtype=np.bool_)
    for k in range(n):
        for i in range(n):
            rest = masks[((masks >> k | masks >> i) & 1) == 0]
            order[k, i] = bool((values[rest | 1 << k] <= values[rest | 1 << i]).all())
    return order


def _called(function: str, names: tuple[str, ...]) -> tuple[Any, ...]:
    place = f"function {function!r}"
    found = function_named(function, place)
    try:
        return tuple(_exact(v) for v in tabulate_values(found, names))
    except Exception as error:
        raise InputError(
            place,
            f"it failed with {type(error).__name__}: {error}",
            "it takes a tuple of party names and returns the coalition's value, a finite number",
        ) from error


def _exact(value: Any) -> Fraction:
    value = value.item() if isinstance(value, np.generic) else value
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _spoken(mask: int, names: tuple[str, ...]) -> str:
    members = [name for i, name in enumerate(names) if mask >> i & 1]
    return "{" + ", ".join(members) + "}"
