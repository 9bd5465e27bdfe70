"""Every claim of the papers as a check that runs the product's own mechanisms and audit."""

from papers.claims import (
    Claim,
    Finding,
    Result,
    Scope,
    Standing,
    as_markdown,
    claims,
    find,
    reproduce,
)

__all__ = [
    "Claim",
    "Finding",
    "Result",
    "Scope",
    "Standing",
    "as_markdown",
    "claims",
    "find",
    "reproduce",
]
