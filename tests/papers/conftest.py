"""Every claim is run once for all tests of the papers."""

from __future__ import annotations

import pytest

from papers import Result, check_claim, list_claims


@pytest.fixture(scope="session")
def all_results() -> dict[str, Result]:
    """Return the result of every claim, by its id."""
    return {claim.id: check_claim(claim) for claim in list_claims()}
