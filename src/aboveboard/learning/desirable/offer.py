"""What `aboveboard design` says: on which grids a desirable mechanism exists.

For section 6.2's market of two parties the boundary of max/step, and alpha*; for any other market
what the search of the file's own grid finds. Cost: one column, or that search. Source: "Mechanism
Design for Multi-Party Machine Learning", section 6.2 and figure 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aboveboard.formatting import (
    encode_number,
    format_count,
    format_number,
    format_rounded,
    join_names,
)
from aboveboard.learning.desirable.algorithms import (
    BY_COLUMNS,
    EXPLOITATION,
    GROWTH_OF_TWO,
    UP_TO_PERMUTATION,
    choose_algorithm,
    is_large,
)
from aboveboard.learning.desirable.certificate import size_as_number
from aboveboard.learning.desirable.file import SizeGrid
from aboveboard.learning.desirable.growth_boundary import (
    Boundary,
    explain_no_loss,
    find_boundary,
)
from aboveboard.learning.desirable.growth_rate import alpha_star
from aboveboard.learning.desirable.search import (
    NO_LOSS_FOUND,
    SHARING_NOTHING,
    SUPPOSED_ALLOCATION,
    SearchAnswer,
    SearchResult,
)
from aboveboard.learning.market.allocation import Market
from aboveboard.learning.market.quality import Identity
from aboveboard.learning.market.valuations import Growth
from aboveboard.mechanisms.settlement import Exhibit

PROMISES = "truthful, fair to join, efficient, without deficit"

WHAT, NONE = f"A desirable mechanism ({PROMISES})", f"No desirable mechanism ({PROMISES})"

ALGORITHM = "the largest payments, size by size against all sizes of the others (Algorithm 1"

FOUND_BY = {
    EXPLOITATION.name: "each pays all that it gains by taking part (Theorem 1)",
    GROWTH_OF_TWO.name: f"{ALGORITHM}, a faster way for two parties)",
    UP_TO_PERMUTATION.name: f"{ALGORITHM}, once for parties who are alike)",
    BY_COLUMNS.name: f"{ALGORITHM})",
}
"""How the payments were found, in plain words, by the way's name."""

FEW_LINKS = 8
"""Links of a chain up to which it is written out."""


@dataclass(frozen=True)
class DesirableOffer:
    """On which grids a desirable mechanism exists.

    Parameters
    ----------
    facts
        What was found, as plain data.
    curve
        Always None: there is no curve to draw.
    """

    facts: dict[str, Any]
    curve: None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return self.facts

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        found = self.facts
        if "max_over_step" not in found:
            if not found["exists"]:
                also = f" In fact {found['alternative']}." if found["alternative"] else ""
                return (
                    f'{NONE} exists on this grid under counterfactual "{found["counterfactual"]}" '
                    "where the best model is handed out efficiently: with the sizes "
                    f"{_join_sizes(found['violated'])} all such payments sum to a loss.{also}"
                )
            doubt = ", up to rounding" if found["verdict"] == "undecided" else ""
            return f"{WHAT} exists on this grid{doubt}."
        reach = f"{format_count(found['max_over_step'])} steps"
        unproved = found["verdict"] == NO_LOSS_FOUND
        grid = f"{NONE if found['verdict'] == 'none' else WHAT} exists on this grid"
        if unproved:
            grid = describe_no_loss(f", of {reach}", f" ({PROMISES})")
        if found["boundary"] is None:
            also = ". No grid is known to have a loss" if unproved else ", and on every other"
            return f"{grid}{also}: {found['reason']}."
        limit = f"two such parties have one up to {format_count(found['boundary'])} steps"
        if unproved:
            return f"{grid}; {limit}."
        if found["alpha"] == -1:
            return (
                f"{grid}, of {reach}, where the best model is handed to both; {limit}. With alpha "
                "= -1 the market is worth the same whatever is shared: sharing nothing, for "
                "nothing, is desirable on every grid."
            )
        return f"{grid}, of {reach}; {limit}."

    def summary_rows(self) -> list[tuple[str, str]]:
        """Return what was found as labels in plain words, with units, and values."""
        return list(
            _describe_growth(self.facts)
            if "max_over_step" in self.facts
            else _describe_search(self.facts)
        )

    def tables(self) -> list[Exhibit]:
        """Return no table: what is found concerns all parties at once."""
        return []


def describe_no_loss(grid: str, promises: str = "") -> str:
    """Return what is known where a grid was not gone through whole, without a full stop."""
    return (
        f"No loss was found on this grid{grid}, which is too large to go through whole: a "
        f"desirable mechanism{promises} exists if the first loss lies at the smallest size, as on "
        "every grid that was gone through whole"
    )


def design_grid(
    market: Market, grid: SizeGrid, searched: Callable[[], SearchResult]
) -> DesirableOffer:
    """Return on which grids a desirable mechanism exists.

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
            _summarize_boundary(
                find_boundary(valuation.alpha, zero=grid.smallest == 0),
                grid,
                whole=not is_large(market, grid.count, choose_algorithm(market, grid.count)),
            )
        )
    return DesirableOffer(_summarize_search(searched()))


def _describe_growth(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield how far the sizes of two parties in a growing market may differ, in rows."""
    limit = found["boundary"]
    yield "largest size on this grid (steps)", f"{format_count(found['max_over_step'])}"
    yield (
        "a desirable mechanism exists up to (steps)",
        "any size" if limit is None else f"{format_count(limit)}",
    )
    if limit is not None:
        yield (
            "  that no smaller grid has a loss is",
            "seen on all grids gone through whole, not proved",
        )
    yield "may a party have nothing (size 0)", "yes" if found["zero"] else "no"
    yield "growth rate of the market (alpha)", f"{format_rounded(found['alpha'])}"
    yield (
        "growth rate from which there is no limit (alpha*)",
        f"{format_rounded(found['alpha_star'])}",
    )
    if limit is None:
        return
    yield "one step beyond, it fails at the sizes", _join_sizes(found["violated"])
    yield (
        "  there all payments together are at most",
        f"{format_rounded(found['loss'])} of what the joint model is worth to one party",
    )
    yield "  reports that bound what the larger party pays", _join_sizes(found["chain"])


def _describe_search(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the search of the file's own grid found, in rows."""
    least = found["smallest_revenue"]
    about = isinstance(least, str) and least.startswith("about")
    shown = str(least) if about else format_number(Fraction(least))
    yield "smallest sum of payments at any sizes", shown
    if "violated" in found:
        yield "  first below 0 at the sizes", _join_sizes(found["violated"])
    yield "how the payments were found", FOUND_BY[found["method"]]
    yield "how far the sizes may differ", "not said: known for two parties in a growth market only"


def _join_sizes(sizes: Sequence[int | float]) -> str:
    """List sizes; of a long chain the first and the last."""
    texts = [format_number(x) for x in sizes]
    if len(texts) > FEW_LINKS:
        return f"{', '.join(texts[: FEW_LINKS - 2])}, .. {texts[-1]} ({len(texts)} in all)"
    return join_names(texts)


def _summarize_boundary(found: Boundary, grid: SizeGrid, *, whole: bool) -> dict[str, Any]:
    """Return facts of a boundary.

    Where neither a run goes through all of the file's grid (`whole`) nor a theorem applies, no more
    is known than that no loss was found.
    """
    reach = grid.smallest + grid.count - 1
    verdict: SearchAnswer = "exists" if whole or explain_no_loss(found.alpha) else NO_LOSS_FOUND
    if found.boundary is not None and reach > found.boundary:
        verdict = "none"
    facts: dict[str, Any] = {
        "boundary": found.boundary,
        "alpha_star": float(alpha_star()),
        "alpha": float(found.alpha),
        "zero": found.zero,
        "max_over_step": reach,
        "exists": None if verdict == NO_LOSS_FOUND else verdict == "exists",
        "verdict": verdict,
        "supposes": SUPPOSED_ALLOCATION,
    }
    facts["alternative"] = SHARING_NOTHING if found.alpha == -1 and verdict == "none" else ""
    if found.loss is None:
        return {**facts, "reason": found.reason}
    return {
        **facts,
        "violated": [size_as_number(size * grid.step) for size in found.loss.profile],
        "chain": [size_as_number(size * grid.step) for size in found.loss.chain],
        "loss": float(found.loss.total),
        "reason": "one step beyond the boundary the payments at 'violated' sum to at most 'loss' "
        "of what the joint model is worth to one party",
    }


def _summarize_search(found: SearchResult) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "exists": found.exists,
        "verdict": found.answer,
        "smallest_revenue": encode_number(found.smallest),
        "method": found.method,
        "counterfactual": found.market.counterfactual,
        "supposes": found.supposes,
        "alternative": found.alternative,
        "reason": "a boundary of max/step is known for the growth market of two parties with "
        "quality identity; for this market the file's grid was searched",
    }
    if found.violated is not None:
        facts["violated"] = [size_as_number(found.sizes[t]) for t in found.violated]
    return facts
