"""Claims of "Budget-balanced maximization of social welfare" (2011), as checks that run."""

from __future__ import annotations

from papers.market import remarks, roots, simple, votes

CLAIMS = (*votes.CLAIMS, *roots.CLAIMS, *remarks.CLAIMS, *simple.CLAIMS)
"""By subject: the votes, the root, the remarks, and the mechanisms that fail."""
