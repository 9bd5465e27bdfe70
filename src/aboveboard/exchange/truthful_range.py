"""The exclusivities for which a rule is truthful on these data.

The gain of a deviation is linear in the exclusivity e, so the largest gain is convex and piecewise
linear in e, and the truthful e form an interval. `truthful_range` finds both ends by Newton's
method from outside, exactly, in as many searches as there are kinks on the way: each search gives
the deviation that gains most, whose zero is the next e. `OverRange` says that a property holds for
every exclusivity of a stated range, by checking its two ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from aboveboard.auditing import Property, Verdict
from aboveboard.auditing.budget import Budget, Progress
from aboveboard.auditing.deviations import ExPostIC
from aboveboard.auditing.families import combine_verdicts
from aboveboard.auditing.payoff_reader import PayoffReader
from aboveboard.auditing.rows import Deviation
from aboveboard.auditing.search import search
from aboveboard.auditing.shrink import value_deviation
from aboveboard.errors import UndefinedProperty
from aboveboard.exchange.exclusivity import ExclusivityRange
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.formatting import encode_number
from aboveboard.games.game import Game
from aboveboard.games.numbers import Number

BEYOND_ANYBODY = Fraction(1000)
"""An exclusivity that nobody has; a rule truthful up to here counts as truthful for any."""

SEARCHES = 3
"""How many searches share the time: few walks take more steps."""

RANGE_STEPS = 60
"""Steps of a walk at the most; a handful is usual."""

ExchangeGame = HidingGame | ParticipationGame


@dataclass(frozen=True)
class OverRange(Property):
    """A property of single deviators, for every exclusivity of each party's range.

    Parameters
    ----------
    base
        Ex-post IC, IR or DSIC: the gain of one deviator is linear in its own exclusivity, so that
        none pays within a range if none pays at its two ends.
    ranges
        By party, in the order of the game.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"a": {"elements": ["x", "y"]}, "b": {"elements": ["y", "z"]}}
    >>> union = ab.collaborate("exchange.union", lists, exclusivity=[0, 1])
    >>> sorted(v.property for v in ab.audit(union).values() if "exclusivity" in v.property)
    ['ex-post IC (exclusivity 0 to 1)']
    """

    base: Property
    ranges: tuple[ExclusivityRange, ...]

    @property
    def name(self) -> str:
        """What verdicts call the property."""
        texts = {str(r) for r in self.ranges}
        said = texts.pop() if len(texts) == 1 else "as each party states it"
        return f"{self.base.name} (exclusivity {said})"

    def examine(
        self, game: Game, *, budget: Budget, seed: int, progress: Progress | None = None
    ) -> Verdict:
        """Return the verdict at both ends of the ranges, the weaker of the two.

        Raises
        ------
        UndefinedProperty
            If the game is none of an exchange among as many parties.
        """
        if not isinstance(game, ExchangeGame) or len(game.players) != len(self.ranges):
            raise UndefinedProperty(f"{self.name} is a property of exchanges among its parties")
        games = [
            replace(game, exclusivity=tuple(ends))
            for ends in ([r.low for r in self.ranges], [r.high for r in self.ranges])
        ]
        verdicts = [
            self.base.examine(g, budget=budget, seed=seed, progress=progress) for g in games
        ]
        return replace(combine_verdicts(verdicts, games), property=self.name)

    def implies(self, other: Property) -> bool:
        """Return whether the other is implied: the game's own exclusivity is the upper end."""
        return super().implies(other) or self.base.implies(other)


def promise_over_range(base: Property, ranges: Sequence[ExclusivityRange]) -> tuple[OverRange, ...]:
    """Return the promise for the whole ranges; nothing where each is a single number."""
    if all(r.is_point for r in ranges):
        return ()
    return (OverRange(base, tuple(ranges)),)


@dataclass(frozen=True)
class TruthfulRange:
    """The exclusivities for which no deviation that was looked at pays.

    Parameters
    ----------
    low, high
        The ends, exact; `high` None: no end. Both None: truthful for none.
    exhaustive
        Whether all deviations were looked at; if not, the range may in truth be smaller.
    """

    low: Fraction | None
    high: Fraction | None
    exhaustive: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "low": encode_number(self.low),
            "high": encode_number(self.high),
            "exhaustive": self.exhaustive,
            "text": str(self),
        }

    def __str__(self) -> str:
        basis = "of all lies" if self.exhaustive else "of a sample of lies"
        if self.low is None:
            return f"truthful for no exclusivity ({basis})"
        low, high = encode_number(self.low), encode_number(self.high)
        if self.high is None:
            return f"truthful for every exclusivity from {low} on ({basis})"
        if self.low == self.high:
            return f"truthful for exclusivity {low} alone ({basis})"
        return f"truthful for exclusivity {low} to {high} ({basis})"


def find_truthful_range(
    game: ExchangeGame, *, budget: Budget | None = None, seed: int = 0
) -> TruthfulRange:
    """Find the exclusivities, the same for all parties, at which truth is ex-post optimal.

    Parameters
    ----------
    game
        The game; its own exclusivities play no part.
    budget
        What exhaustive work may cost; see `Budget`.
    seed
        Of the sample, where not all lies are examined.

    Examples
    --------
    >>> from aboveboard.exchange import RULES, Regions
    >>> lists = Regions.from_sets({"a": {0, 1, 2}, "b": {1, 2}, "c": {2}})
    >>> game = HidingGame(lists, RULES["best-group"], (Fraction(1),) * 3)
    >>> find_truthful_range(game).low
    Fraction(1, 1)
    """
    budget = (budget or Budget()).share(SEARCHES)
    low, exhaustive = _find_end(game, Fraction(0), budget, seed)
    if low is None:
        return TruthfulRange(None, None, exhaustive)
    high, whole = _find_end(game, BEYOND_ANYBODY, budget, seed)
    exhaustive &= whole
    if high is None or high < low:
        return TruthfulRange(None, None, exhaustive)
    return TruthfulRange(low, None if high == BEYOND_ANYBODY else high, exhaustive)


def _find_end(
    game: ExchangeGame, start: Fraction, budget: Budget, seed: int
) -> tuple[Fraction | None, bool]:
    """Walk from `start` to the nearest truthful exclusivity; None if there is none that way."""
    exclusivity = start
    for _ in range(RANGE_STEPS):
        current = _with_exclusivity(game, exclusivity)
        if isinstance(current, HidingGame) and current.proof(ExPostIC().name) is not None:
            return exclusivity, True
        scan = search(current, ExPostIC().parts(current), budget=budget, seed=seed)
        budget.finish_search()
        if scan.best is None or scan.best.gain <= (0 if scan.exact else scan.tolerance):
            return exclusivity, not scan.sampled
        zero = _find_zero(game, scan.best)
        inwards = zero is not None and (zero > exclusivity if start == 0 else zero < exclusivity)
        if zero is None or not inwards or not 0 <= zero <= BEYOND_ANYBODY:
            return None, not scan.sampled
        exclusivity = zero
    return None, False


def _find_zero(game: ExchangeGame, row: Deviation) -> Fraction | None:
    """Return the exclusivity at which this deviation neither gains nor loses."""
    at_zero, at_one = (_compute_gain(game, row, Fraction(e)) for e in (0, 1))
    slope = at_one - at_zero
    return None if slope == 0 else Fraction(-at_zero) / Fraction(slope)


def _compute_gain(game: ExchangeGame, row: Deviation, exclusivity: Fraction) -> Number:
    return value_deviation(PayoffReader(_with_exclusivity(game, exclusivity)), row).gain


def _with_exclusivity(game: ExchangeGame, exclusivity: Fraction) -> ExchangeGame:
    return replace(game, exclusivity=(exclusivity,) * len(game.players))
