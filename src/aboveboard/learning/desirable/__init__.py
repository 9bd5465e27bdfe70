"""The desirable mechanism: efficient, truthful, voluntary, no deficit; or the proof of none.

Examples
--------
>>> from fractions import Fraction
>>> from aboveboard.learning.desirable import find_boundary
>>> find_boundary(Fraction(-9, 10), zero=False).boundary
15
"""

from __future__ import annotations

from aboveboard.learning.desirable.certificate import Certificate, verify_certificate
from aboveboard.learning.desirable.growth_boundary import (
    Boundary,
    find_boundary,
    trace_figure_3,
)
from aboveboard.learning.desirable.growth_rate import alpha_star
from aboveboard.learning.desirable.mechanism import Desirable
from aboveboard.learning.desirable.search import SearchResult, search_desirable

__all__ = [
    "Boundary",
    "Certificate",
    "Desirable",
    "SearchResult",
    "alpha_star",
    "find_boundary",
    "search_desirable",
    "trace_figure_3",
    "verify_certificate",
]
