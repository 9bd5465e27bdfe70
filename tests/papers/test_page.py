"""The page of claims in the documentation is what the checks find."""

from __future__ import annotations

import re
from pathlib import Path

from papers import Result, Standing, format_page, list_claims

DOCS = Path(__file__).parents[2] / "docs" / "claims.md"


def without_seconds(page: str) -> str:
    """Take away what differs from run to run."""
    page = re.sub(r"\| [\d.]+ \|$", "|", page, flags=re.MULTILINE)
    return re.sub(r"^All in all \d+ seconds\.$", "", page, flags=re.MULTILINE)


def test_the_page_of_claims_is_that_of_a_fresh_run(all_results: dict[str, Result]) -> None:
    written = DOCS.read_text(encoding="utf-8")
    fresh = format_page(all_results.values())
    assert without_seconds(written) == without_seconds(fresh), (
        "docs/claims.md differs from a run: 'python -m papers' rewrites it"
    )


def test_the_page_says_how_long_each_claim_took(all_results: dict[str, Result]) -> None:
    page = format_page(all_results.values())
    for result in all_results.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| [{result.claim.id}]"))
        assert row.endswith(f"| {result.seconds:.2f} |")
        assert without_seconds(row).count("|") == row.count("|") - 1


def test_every_finding_rests_on_checks_and_shows_what_refutes(
    all_results: dict[str, Result],
) -> None:
    for result in all_results.values():
        for finding in result.findings:
            assert finding.scope.checks > 0
            if finding.verdict in (Standing.FALSE, Standing.FALSE_CORRECTED):
                assert finding.counterexample is not None
            if finding.verdict == Standing.HOLDS_CORRECTED:
                assert finding.correction
                assert finding.counterexample is None


def test_ids_are_unique_and_begin_with_their_paper() -> None:
    ids = [claim.id for claim in list_claims()]
    assert len(set(ids)) == len(ids)
    assert all(claim.id.startswith(f"{claim.paper}/") for claim in list_claims())
