"""What `aboveboard design` says: on which grids a desirable mechanism exists.

For section 6.2's market of two parties the boundary of max/step, and alpha*; for any other market
what the search of the file's own grid finds. Cost: one column, or that search. Source: "Mechanism
Design for Multi-Party Machine Learning", section 6.2 and figure 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aboveboard.auditing.verdict import plain
from aboveboard.learning.allocation import Market
from aboveboard.learning.certificate import spoken
from aboveboard.learning.desirable_file import Grid
from aboveboard.learning.desirable_search import Found
from aboveboard.learning.growth_boundary import Boundary, growth_boundary
from aboveboard.learning.growth_rate import alpha_star
from aboveboard.learning.quality import Identity
from aboveboard.learning.valuations import Growth


@dataclass(frozen=True)
class DesirableOffer:
    """On which grids a desirable mechanism exists.

    Parameters
    ----------
    found
        What is said, as plain data.
    curve
        Always None: there is no curve to draw.
    """

    found: dict[str, Any]
    curve: None = None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return self.found


def offer_of(market: Market, grid: Grid, searched: Callable[[], Found]) -> DesirableOffer:
    """Say on which grids a desirable mechanism exists.

    Parameters
    ----------
    market
        The market.
    grid
        The file's grid; for the growth market of two parties only its kind matters (with 0 or
        without) and its largest size.
    searched
        Searches the file's grid.
    """
    valuation = market.valuation
    if market.n == 2 and isinstance(valuation, Growth) and isinstance(market.quality, Identity):
        return DesirableOffer(
            _bounded(growth_boundary(valuation.alpha, zero=grid.smallest == 0), grid)
        )
    return DesirableOffer(_searched(searched()))


def _bounded(found: Boundary, grid: Grid) -> dict[str, Any]:
    reach = grid.smallest + grid.count - 1
    said: dict[str, Any] = {
        "boundary": found.boundary,
        "alpha_star": float(alpha_star()),
        "alpha": float(found.alpha),
        "zero": found.zero,
        "max_over_step": reach,
        "exists": found.boundary is None or reach <= found.boundary,
    }
    if found.loss is None:
        return {**said, "reason": found.reason}
    return {
        **said,
        "violated": [spoken(size * grid.step) for size in found.loss.profile],
        "chain": [spoken(size * grid.step) for size in found.loss.chain],
        "loss": float(found.loss.total),
        "reason": "one step beyond the boundary the payments at 'violated' sum to at most 'loss' "
        "of what the joint model is worth to one party",
    }


def _searched(found: Found) -> dict[str, Any]:
    said: dict[str, Any] = {
        "exists": found.exists,
        "verdict": found.answer,
        "smallest_revenue": plain(found.smallest),
        "method": found.method,
        "reason": "a boundary of max/step is known for the growth market of two parties with "
        "quality identity; for this market the file's grid was searched",
    }
    if found.violated is not None:
        said["violated"] = [spoken(found.sizes[t]) for t in found.violated]
    return said
