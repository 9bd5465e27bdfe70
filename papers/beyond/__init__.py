"""Claims beyond the papers: what nobody had, and what we expected and found false."""

from __future__ import annotations

from papers.beyond import (
    best_group_inside,
    curation_numbers,
    curation_unmixed,
    exchange_remainder,
    inspection,
    market,
    playing,
    valuation_offers,
)

CLAIMS = (
    *inspection.CLAIMS,
    *best_group_inside.CLAIMS,
    *exchange_remainder.CLAIMS,
    *market.CLAIMS,
    *curation_numbers.CLAIMS,
    *curation_unmixed.CLAIMS,
    *playing.CLAIMS,
    *valuation_offers.CLAIMS,
)
"""By system; proofs are in docs/theory.md."""
