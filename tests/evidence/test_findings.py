"""What was found as text: no stranger writes a line of it."""

from __future__ import annotations

import json

from aboveboard.evidence.findings import LONGEST_FINDING, Contradiction, Findings

FORGED = "1\n\nVerified:\n  - all of it\u2028\r  - \x1b[2Jyour share" + "x" * 3_000_000


def test_a_quoted_text_makes_no_line_of_its_own() -> None:
    findings = Findings(
        verified=[f"your reply states {FORGED}"],
        contradicted=[Contradiction(f"your reply states {FORGED}", "f00d", "acme")],
        on_the_centers_word=[f"that {FORGED}"],
        missing=[FORGED],
    )
    lines = str(findings).split("\n")
    titles = ["Contradicted:", "Verified:", "On the center's word:", "Missing:"]
    assert lines[::2] == titles
    for line in lines[1::2]:
        assert line.startswith("  - ")
        assert line.isprintable()
        assert len(line) <= LONGEST_FINDING + 10
    assert lines[1].startswith("  - acme: your reply states 1 Verified: - all of it")
    assert lines[1].endswith("x (proof: f00d)")  # the end of a long text is kept


def test_as_data_a_finding_is_whole() -> None:
    findings = Findings(verified=[FORGED])
    assert json.loads(json.dumps(findings.as_dict()))["verified"] == [FORGED]
