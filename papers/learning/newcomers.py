"""Section 6.1, after figure 2: one more small company against more data of one who takes part.

Cost: 2n + 3 allocations a market of n parties.
"""

from __future__ import annotations

import numpy as np

from aboveboard.learning import Linear
from papers.claims import Claim, Family, Finding, Trial, search_counterexample
from papers.learning.averages import average, coefficients, play_market
from papers.learning.instances import RULES

SMALL = 0.5


def _newcomer_pays_more(instance: tuple[str, int, int], rng: np.random.Generator) -> Trial:
    """Compare revenue with one more party of size 1/2, and with 1/2 more for one who is there."""
    rule, n, count = instance
    ahead = []
    for _ in range(count):
        entries = coefficients(rng, n + 1).matrix
        sizes = rng.uniform(0, 1, n).tolist()
        before = Linear(tuple(row[:n] for row in entries[:n]))
        grown = play_market(before, [sizes[0] + SMALL, *sizes[1:]], rule)  # type: ignore[arg-type]  # fractions
        joined = play_market(Linear(entries), [*sizes, SMALL], rule)  # type: ignore[arg-type]  # fractions
        ahead.append(float(joined.revenue) - float(grown.revenue))
    found = average(ahead)
    if found.is_above:
        return Trial(1)
    return Trial(1, {"absent": rule, "parties": n, "more revenue by a newcomer": found.as_dict()})


def _attract(rng: np.random.Generator) -> tuple[Finding, ...]:
    found = [(rule, n, 150) for rule in RULES for n in (2, 4, 8)]
    family = Family("rules and numbers of parties, 150 markets each", found, sampled=True)
    return (search_counterexample(lambda x: _newcomer_pays_more(x, rng), family, unit="averages"),)


CLAIMS = (
    Claim(
        "learning/more-small-companies",
        "learning",
        "Section 6.1, after figure 2",
        "The platform earns more by one more small company than by as much more data of one who "
        "takes part.",
        _attract,
    ),
)
