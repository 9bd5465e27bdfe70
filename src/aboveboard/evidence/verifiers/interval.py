"""Evidence of exchange.interval: a party's new interval lies in its own, and its gain follows.

How far the others' intervals allow it to shrink, only who has them all can tell.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number, parse_point
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.formatting import encode_number

ON_THE_CENTERS_WORD = (
    "that your interval is what the rule makes of all intervals",
    "what the others gain",
)


def verify(case: Case, findings: Findings) -> None:
    """Verify a party's gain from its own interval and its reply."""
    verify_own_share(case, findings)
    findings.trust(*ON_THE_CENTERS_WORD)
    if case.part is None or case.reply is None:
        findings.miss("your own interval and your reply: that your gain follows from them")
        return
    reply = case.read_reply() or {}
    own, new = read_interval(case.own_table.get("interval")), read_interval(reply.get("interval"))
    if own is None or new is None:
        findings.contradict("your reply is not an interval", case.proof)
        return
    findings.check(
        own[0] <= new[0] <= new[1] <= own[1],
        "your new interval lies in your own",
        "your new interval does not lie in your own",
        case.proof,
    )
    gain = encode_number((own[1] - own[0]) - (new[1] - new[0]))
    findings.check(
        is_same_number(gain, case.find_share(case.name, "benefit")),
        "your gain is by how much your interval gets shorter",
        f"your interval gets shorter by {gain}, which is not your stated gain",
        case.proof,
    )


def read_interval(data: Any) -> tuple[Fraction, Fraction] | None:
    """Return two finite numbers of plain data; None where there are none."""
    numbers = parse_point(data)
    return None if numbers is None or len(numbers) != 2 else (numbers[0], numbers[1])
