"""Claims beyond the papers: what nobody had, and what we expected and found false."""

from __future__ import annotations

from papers.beyond import best_group_inside, exchange_remainder, inspection, market

CLAIMS = (
    *inspection.CLAIMS,
    *best_group_inside.CLAIMS,
    *exchange_remainder.CLAIMS,
    *market.CLAIMS,
)
"""By system; proofs are in docs/theory.md."""
