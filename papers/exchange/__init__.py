"""Claims of "Sharing information with competitors" (arXiv 1809.10637), as checks that run."""

from __future__ import annotations

from papers.exchange import (
    any_number,
    beyond,
    few,
    general,
    lemmas,
    open_problem,
    powers,
    pseudocode,
)

CLAIMS = (
    *few.CLAIMS,
    *pseudocode.CLAIMS,
    *open_problem.CLAIMS,
    *lemmas.CLAIMS,
    *any_number.CLAIMS,
    *beyond.CLAIMS,
    *powers.CLAIMS,
    *general.CLAIMS,
)
"""Roughly in the order of the paper."""
