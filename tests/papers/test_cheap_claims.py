"""Claims that take no time are checked in every run; the others in the profile `ci`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from papers import check_claim, find_claim, format_page

DOCS = Path(__file__).parents[2] / "docs" / "claims.md"
ROW = re.compile(r"^\| \[([^\]]+)\]\(.*\) \| (.*) \| ([\d.]+) \|$", re.MULTILINE)
CHEAP = 0.07
"""Seconds on the page up to which a claim is cheap: some eighty claims in two seconds."""

CLAIMS = [
    (name, found)
    for name, found, seconds in ROW.findall(DOCS.read_text(encoding="utf-8"))
    if float(seconds) < CHEAP
]


@pytest.mark.deep
@pytest.mark.parametrize("paper", ["curation", "exchange", "learning", "market", "valuation"])
def test_a_cheap_claim_is_found_as_the_page_says(paper: str) -> None:
    cheap = [(name, found) for name, found in CLAIMS if name.startswith(f"{paper}/")]
    assert cheap
    for name, found in cheap:
        (row,) = ROW.findall(format_page([check_claim(find_claim(name))]))
        assert row[:2] == (name, found)
