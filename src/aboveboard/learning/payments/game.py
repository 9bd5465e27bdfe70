"""The game among parties who report how much valid data they have, or stay away.

A party reports any size of a grid up to its own. Who is handed a model worse than its own uses its
own: q_i = max(x_i(t'), Q(t_i)). Payoffs are valuations minus maximal exploitation payments. Cost:
n + 1 allocations a profile; payments of up to `MOST_TABLED` profiles are kept. Source:
"Mechanism Design for Multi-Party Machine Learning", section 2.2, Definitions 2 to 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import lcm, prod
from typing import Any, ClassVar

import numpy as np

from aboveboard.errors import BudgetExceeded
from aboveboard.formatting import encode_number
from aboveboard.games.actions import AWAY, Codes, unravel
from aboveboard.games.capabilities import DeviationKind, Proof
from aboveboard.games.numbers import (
    LARGEST_ENTRY,
    Array,
    BoolArray,
    Number,
    as_objects,
    from_units,
    to_units,
)
from aboveboard.learning.market.allocation import (
    MOST_SETS,
    Market,
    assign_models,
    compute_qualities_in_use,
    hand_out,
    list_subsets,
)
from aboveboard.learning.market.quality import Identity
from aboveboard.learning.market.valuations import Growth, Linear
from aboveboard.learning.payments.budget import prove_balance
from aboveboard.learning.payments.exploitation_payment import (
    ProfilePayoffs,
    compute_joining_gains,
    compute_payoffs,
    exploitation_payments,
)

MOST_TABLED = 300_000
"""Profiles up to which all payments are kept: at 10 parties, 24 MiB."""

MOST_WAYS = 7_000
"""Ways to hand out lesser models that are compared where they could be better."""

MOST_IN_FRACTIONS = 2_000
"""Profiles up to which a growth market of a whole rate is audited in fractions: about a second."""

CHUNK = 1 << 14
"""Profiles whose payments are found in one call."""

SizeOrAway = Number | str


@dataclass(frozen=True)
class _GameArrays:
    """The game's numbers as arrays of one kind, in units of `unit`: true sizes of shape (n,)."""

    market: Market
    unit: Fraction
    true: Array
    reports: tuple[Array, ...]


@dataclass(frozen=True)
class MarketGame:
    """A market as a game.

    Parameters
    ----------
    players
        The parties.
    market
        The rule.
    sizes
        The valid data size that each truly has.
    reports
        By party: the sizes that it can report, ascending, its own among them.

    Raises
    ------
    ValueError
        If a party can report less than 0 or more than its own size, or not its own.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from aboveboard.learning import Identity, Linear, Market, MarketGame
    >>> matrix = ((Fraction(3, 10), Fraction(4, 5)), (Fraction(-9, 10), Fraction(1, 5)))
    >>> market = Market(Identity(), Linear(matrix), 2)
    >>> game = MarketGame(("anna", "bert"), market, (1, 2), ((0, 1), (0, 2)))
    >>> game.players
    ('anna', 'bert')
    """

    players: tuple[str, ...]
    market: Market
    sizes: tuple[Number, ...]
    reports: tuple[tuple[Number, ...], ...]

    def __post_init__(self) -> None:
        for name, own, sizes in zip(self.players, self.sizes, self.reports, strict=True):
            if own not in sizes or max(sizes) > own or min(sizes) < 0:
                raise ValueError(
                    f"{name} has {own} and can report {sizes}; reports are sizes from 0 to its own"
                )

    covers_all_lies = False
    """Sizes are a continuum, of which the game lists some."""

    listed_lies = "the listed sizes"

    @property
    def unlisted_outcomes(self) -> str:
        """What an examination of efficiency does not compare with; empty where nothing is left.

        In linear and growth markets the total rises or falls with each quality, so that the best
        model or none is best for each party. Elsewhere lesser models could be better; some are
        compared.
        """
        if isinstance(self.market.valuation, Linear | Growth | _IntegerLinear):
            return ""
        return f"lesser models other than in {_count_levels(self.market.n)} steps of quality"

    def proof(self, name: str) -> Proof | None:
        """Return why a property holds for all sizes, not only for those that are listed."""
        valuation, n = self.market.valuation, self.market.n
        if name == "IR":
            return Proof(
                "each pays what it gains by taking part, so that the truth leaves it what "
                "staying away leaves it (Theorem 1)",
                n,
            )
        rises = isinstance(valuation, Linear) and bool((valuation.exact.diagonal() >= 0).all())
        if name == "ex-post IC" and rises:
            return Proof(
                "values are linear and no party's own coefficient is negative, so that no report "
                "leaves it more than staying away does, and the truth leaves it that (Theorem 1)",
                n,
            )
        if name == "weak budget balance" and (reason := prove_balance(self.market)) is not None:
            return Proof(f"payments never sum to less than 0: {reason}", n * n)
        return None

    def deviation_kind(self, i: int, action: SizeOrAway, /) -> DeviationKind:
        """Return what a party does that does not report its size."""
        return "stays away" if action == AWAY else "hides"

    def actions(self, i: int, /) -> tuple[SizeOrAway, ...]:
        """Stay away, or report a size."""
        return (AWAY, *self.reports[i])

    def truth(self, i: int, /) -> SizeOrAway:
        """Report all."""
        return self.sizes[i]

    def absent(self, i: int, /) -> SizeOrAway:
        """Stay away."""
        return AWAY

    def describe(self, i: int, action: SizeOrAway) -> str:
        """Return what is reported, in words."""
        return action if isinstance(action, str) else f"reports size {encode_number(action)}"

    def payoffs(self, profile: Sequence[SizeOrAway], /) -> list[Number]:
        """Return valuations minus payments of one profile."""
        return self._decode_row(self._compute_payoffs(self._encode(profile)).payoffs)

    def payments(self, profile: Sequence[SizeOrAway], /) -> list[Number]:
        """Return what each party pays; the budget asks for all profiles, so they are kept."""
        extents = [len(sizes) + 1 for sizes in self.reports]
        columns = self._encode(profile)
        if prod(extents) > MOST_TABLED:
            return self._decode_row(
                exploitation_payments(self._arrays.market, *self._decode_reports(columns))
            )
        position = 0
        for column, extent in zip(columns, extents, strict=True):
            position = position * extent + int(column[0])
        return self._decode_row(self._payment_table[position : position + 1])

    @property
    def unit(self) -> Fraction:
        """What one unit of an integer payoff is worth."""
        return self._arrays.unit

    def payoff_rows(self, columns: Sequence[Codes]) -> Array:
        """Return payoffs in units, shape (m, players)."""
        return self._compute_payoffs(columns).payoffs

    def outcomes(self, profile: Sequence[SizeOrAway], /, *, giving_no_less: bool) -> Array:
        """Return the payoffs, and what the center takes in, for each set that could be served.

        Where values are neither linear nor of a growth market, also for lesser models, in steps of
        quality for each party that is served. Payments are
        the rule's: they change hands, and no outcome has more of them. Shape (sets, players + 1),
        in units.

        Raises
        ------
        BudgetExceeded
            If more than 16 parties take part.
        """
        working, columns = self._arrays, self._encode(profile)
        sizes, present = self._decode_reports(columns)
        if int(present.sum()) > MOST_SETS:
            raise BudgetExceeded(
                f"efficiency compares 2^{int(present.sum())} sets of parties that could be served; "
                f"{MOST_SETS} parties at most"
            )
        market = working.market
        best = hand_out(market, sizes, present, present)
        x = (
            list_handouts(present[0], _count_levels(market.n) if self.unlisted_outcomes else 1)
            * best
        )
        if giving_no_less:
            x = x[x.sum(axis=-1) >= assign_models(market, sizes, present).sum()]
        q = compute_qualities_in_use(market, x, working.true)
        table = []
        for i, party in enumerate(compute_joining_gains(market, sizes, present)):
            values = market.valuation.compute_addends(q, i)
            table.append(party.subtract_payment(values) if present[0, i] else values.sum(axis=-1))
        taken = exploitation_payments(market, sizes, present).sum(axis=-1)
        return np.stack([*table, np.broadcast_to(taken, len(x))], axis=-1)

    def _encode(self, profile: Sequence[SizeOrAway]) -> list[Codes]:
        return [
            np.array([self.actions(i).index(action)], dtype=np.int64)
            for i, action in enumerate(profile)
        ]

    def _decode_row(self, rows: Array) -> list[Number]:
        return [from_units(x, self.unit) for x in rows[0].tolist()]

    @cached_property
    def _arrays(self) -> _GameArrays:
        """Whole numbers where the market is linear in sizes; fractions, or else float64."""
        exact = _convert_to_integers(self) or _convert_to_fractions(self)
        if exact is not None:
            return exact
        return _GameArrays(
            self.market,
            Fraction(1),
            np.array([float(x) for x in self.sizes]),
            tuple(np.array([0.0, *map(float, sizes)]) for sizes in self.reports),
        )

    def _decode_reports(self, columns: Sequence[Codes]) -> tuple[Array, BoolArray]:
        """Return sizes and who is present, shapes (m, n)."""
        codes = np.stack(np.broadcast_arrays(*columns), axis=-1)
        reports = self._arrays.reports
        sizes = np.stack([reports[i][codes[:, i]] for i in range(len(reports))], axis=-1)
        return sizes, codes > 0

    def _compute_payoffs(self, columns: Sequence[Codes]) -> ProfilePayoffs:
        working = self._arrays
        return compute_payoffs(working.market, working.true, *self._decode_reports(columns))

    @cached_property
    def _payment_table(self) -> Array:
        """Payments of all profiles, in row-major order."""
        extents = [len(sizes) + 1 for sizes in self.reports]
        total, parts = prod(extents), []
        for start in range(0, total, CHUNK):
            columns = unravel(np.arange(start, min(start + CHUNK, total)), extents)
            parts.append(exploitation_payments(self._arrays.market, *self._decode_reports(columns)))
        return np.concatenate(parts)


def list_handouts(there: BoolArray, levels: int) -> Array:
    """Return all ways to hand out parts of the best quality, shape (ways, n), the fullest first.

    With one level: the best model or none, as whole numbers.

    Parameters
    ----------
    there
        Who can be served, shape (n,).
    levels
        In how many steps quality is handed out.
    """
    if levels == 1:
        return np.stack(list_subsets(there)).astype(np.int64)
    steps = [k / levels for k in range(levels, -1, -1)]
    return np.array(list(product(*(steps if yes else [0.0] for yes in there))))


def _count_levels(n: int) -> int:
    """Return in how many steps of quality lesser models are compared."""
    return next((levels for levels in (8, 4, 3, 2) if (levels + 1) ** n <= MOST_WAYS), 1)


def _convert_to_integers(game: MarketGame) -> _GameArrays | None:
    """Return the game in whole numbers of 64 bits: sizes and coefficients over common denominators.

    None unless the market is linear in the sizes themselves, all are exact, and all sums fit.
    """
    market, valuation = game.market, game.market.valuation
    if not (isinstance(market.quality, Identity) and isinstance(valuation, Linear)):
        return None
    everything = [x for sizes in game.reports for x in sizes]
    if any(isinstance(x, float) for x in everything):
        return None
    step = Fraction(1, lcm(*(Fraction(x).denominator for x in everything)))
    flat = [x for row in valuation.matrix for x in row]
    grain = Fraction(1, lcm(*(x.denominator for x in flat)))
    # Twice for what is paid, twice again for a difference of payoffs.
    most = sum(Fraction(x) for x in game.sizes) / step * sum(abs(x / grain) for x in flat) * 4
    if most > LARGEST_ENTRY:
        return None
    whole = np.array([int(x / grain) for x in flat], dtype=np.int64)
    scaled = replace(market, valuation=_IntegerLinear(valuation, whole.reshape(market.n, market.n)))
    return _GameArrays(
        scaled,
        step * grain,
        np.array([to_units(x, step) for x in game.sizes], dtype=np.int64),
        tuple(
            np.array([0, *(to_units(x, step) for x in sizes)], dtype=np.int64)
            for sizes in game.reports
        ),
    )


def _convert_to_fractions(game: MarketGame) -> _GameArrays | None:
    """Return the game in fractions; None unless it is a small growth market of a whole rate.

    At the rate -1 all serve alike and payments can sum to exactly 0: floats could not tell.
    """
    market, valuation = game.market, game.market.valuation
    if not (isinstance(market.quality, Identity) and isinstance(valuation, Growth)):
        return None
    everything = [x for sizes in game.reports for x in sizes]
    if valuation.alpha.denominator != 1 or any(isinstance(x, float) for x in everything):
        return None
    if prod(len(sizes) + 1 for sizes in game.reports) > MOST_IN_FRACTIONS:
        return None
    return _GameArrays(
        market,
        Fraction(1),
        as_objects([Fraction(x) for x in game.sizes]),
        tuple(as_objects([Fraction(0), *(Fraction(x) for x in sizes)]) for sizes in game.reports),
    )


@dataclass(frozen=True)
class _IntegerLinear:
    """A linear market in whole numbers of 64 bits."""

    linear: Linear
    matrix: Array

    KIND: ClassVar[str] = "linear"
    quasi_monotone: ClassVar[bool] = True

    def evaluate(self, q: Any) -> Array:
        """Return the matrix times each profile, in int64."""
        values: Array = np.asarray(q, dtype=np.int64) @ self.matrix.T
        return values

    def compute_addends(self, q: Any, i: int) -> Array:
        """Return the products with row i, in int64."""
        products: Array = np.asarray(q, dtype=np.int64) * self.matrix[i]
        return products

    def find_served(self, counted: BoolArray) -> BoolArray:
        """Serve whom the market serves: a common factor changes no sign."""
        return self.linear.find_served(counted)

    def find_punishing(self, absent: BoolArray) -> BoolArray:
        """Serve whom the market serves to punish: a common factor changes no sign."""
        return self.linear.find_punishing(absent)
