"""Every claim of the papers as a check that runs the product's own mechanisms and audit."""

from papers.claims import (
    Claim,
    Finding,
    Result,
    Scope,
    Standing,
    check_claim,
    find_claim,
    format_page,
    list_claims,
)

__all__ = [
    "Claim",
    "Finding",
    "Result",
    "Scope",
    "Standing",
    "check_claim",
    "find_claim",
    "format_page",
    "list_claims",
]
