"""Numbers of members that stand in the terms: what was used must be what all have signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number


def is_same(stated: Any, used: Any) -> bool:
    """Return whether two plain values are the same, numbers as `is_same_number` says."""
    if isinstance(stated, list) and isinstance(used, list):
        return len(stated) == len(used) and all(map(is_same, stated, used))
    return bool(type(stated) is type(used) and stated == used) or is_same_number(stated, used)


def verify_public(
    case: Case,
    used: Mapping[str, Mapping[str, Any]],
    columns: Mapping[str, str],
    findings: Findings,
) -> None:
    """Compare what was used of each member with what the terms state of it.

    Parameters
    ----------
    case
        What is verified.
    used
        By member: the published numbers.
    columns
        By key of a party's table: the published number that it becomes.
    findings
        Where a difference goes.
    """
    compared, wrong = 0, []
    for name in case.round.present:
        stated = case.round.terms.members[name].parameters
        for key in sorted(set(stated) & set(columns)):
            compared += 1
            if not is_same(stated[key], used.get(name, {}).get(columns[key])):
                wrong.append(f"{key} of {name}")
    if compared:
        findings.check(
            not wrong,
            "the numbers that the terms state of members were used",
            f"{', '.join(wrong)} was used otherwise than the terms state",
            case.proof,
        )
