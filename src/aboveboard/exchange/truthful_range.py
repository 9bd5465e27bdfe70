"""The tastes for exclusivity for which a rule is truthful on these data.

The gain of a deviation is linear in the exclusivity e, so the largest gain is convex and piecewise
linear in e, and the truthful e form an interval. Both ends are found by Newton's method from
outside, exactly, in as many searches as there are kinks on the way: each search gives the deviation
that gains most, whose zero is the next e.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from aboveboard.auditing.budget import Budget
from aboveboard.auditing.deviations import ExPostIC
from aboveboard.auditing.search import Deviation, PayoffReader, search
from aboveboard.auditing.shrink import value
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.participation import ParticipationGame
from aboveboard.formatting import encode_number
from aboveboard.games.numbers import Number

MOST = Fraction(1000)
"""A taste beyond which nobody is; a rule truthful up to here counts as truthful for any."""

STEPS = 60  # Newton steps at the most; a handful is usual


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
        """Give plain data."""
        return {
            "low": encode_number(self.low),
            "high": encode_number(self.high),
            "exhaustive": self.exhaustive,
            "text": str(self),
        }

    def __str__(self) -> str:
        basis = "all lies looked at" if self.exhaustive else "a sample of lies looked at"
        if self.low is None:
            return f"truthful for no exclusivity ({basis})"
        if self.high is None:
            return f"truthful for every exclusivity from {encode_number(self.low)} on ({basis})"
        if self.low == self.high:
            return f"truthful for exclusivity {encode_number(self.low)} alone ({basis})"
        return f"truthful for exclusivity {encode_number(self.low)} to {encode_number(self.high)} ({basis})"


def truthful_range(
    game: HidingGame | ParticipationGame, *, budget: Budget | None = None, seed: int = 0
) -> TruthfulRange:
    """Find the exclusivities, the same for all parties, at which truth is ex-post optimal."""
    budget = budget or Budget()
    low, whole = _end(game, Fraction(0), budget, seed)
    if low is None:
        return TruthfulRange(None, None, whole)
    high, _ = _end(game, MOST, budget, seed)
    if high is None or high < low:
        return TruthfulRange(None, None, whole)
    return TruthfulRange(low, None if high == MOST else high, whole)


def _end(
    game: HidingGame | ParticipationGame, start: Fraction, budget: Budget, seed: int
) -> tuple[Fraction | None, bool]:
    """Walk from `start` to the nearest truthful exclusivity; None if there is none that way."""
    taste = start
    for _ in range(STEPS):
        tasted = _with_taste(game, taste)
        scan = search(tasted, ExPostIC().parts(tasted), budget=budget, seed=seed)
        if scan.best is None or scan.best.gain <= (0 if scan.exact else scan.tolerance):
            return taste, not scan.sampled
        zero = _zero(game, scan.best)
        inwards = zero is not None and (zero > taste if start == 0 else zero < taste)
        if zero is None or not inwards or not 0 <= zero <= MOST:
            return None, not scan.sampled
        taste = zero
    return None, False


def _zero(game: HidingGame | ParticipationGame, row: Deviation) -> Fraction | None:
    """Give the exclusivity at which this deviation neither gains nor loses."""
    at_zero, at_one = (_gain(game, row, Fraction(e)) for e in (0, 1))
    slope = at_one - at_zero
    return None if slope == 0 else Fraction(-at_zero) / Fraction(slope)


def _gain(game: HidingGame | ParticipationGame, row: Deviation, taste: Fraction) -> Number:
    return value(PayoffReader(_with_taste(game, taste)), row).gain


def _with_taste(
    game: HidingGame | ParticipationGame, taste: Fraction
) -> HidingGame | ParticipationGame:
    return replace(game, exclusivity=(taste,) * len(game.players))
