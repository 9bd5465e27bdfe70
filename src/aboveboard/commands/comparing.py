"""Several rules applied to the same data, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aboveboard.auditing import Budget
from aboveboard.collaborations.collaboration import Collaboration, run
from aboveboard.collaborations.loading import SourceFile, find_rule, read_all, read_source
from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.commands.running import error_context
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number
from aboveboard.mechanisms.settlement import Settlement

BUDGET = Budget(rows=200_000, samples=500)
"""Of the audit of each rule; `audit` looks further."""


@dataclass(frozen=True)
class RuleResult:
    """What one rule does with the data.

    Parameters
    ----------
    rule
        Its name: a mechanism, or a value of the file's key `rule`.
    settlement
        What each party gets.
    audit
        What the rule promises, and each party's best lie.
    """

    rule: str
    settlement: Settlement
    audit: AuditReport

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "rule": self.rule,
            "parties": {
                name: {
                    "benefit": encode_number(share.benefit),
                    "utility": encode_number(share.utility),
                    "payment": encode_number(share.payment),
                }
                for name, share in self.settlement.parties.items()
            },
            **self.audit.as_dict(),
        }


def compare_rules(path: Path, rules: Sequence[str]) -> list[RuleResult]:
    """Apply several rules to the data of one collaboration file.

    Parameters
    ----------
    path
        The file.
    rules
        Mechanisms that take the same file, such as "market.vcg", or values of its key `rule`, such
        as "equal-gain".

    Raises
    ------
    InputError
        If the file is wrong, or a rule cannot be applied to it.
    """
    if not rules:
        raise InputError("--rules", "there is no rule to compare", "write, say, --rules a,b")
    source = read_source(path)
    return [_apply(source, rule) for rule in rules]


def _apply(source: SourceFile, rule: str) -> RuleResult:
    table: Mapping[str, Any] = source.table
    is_mechanism = "." in rule or ":" in rule
    changed = {"mechanism": rule} if is_mechanism else {"rule": rule}
    changed_source = replace(source, table={**table, **changed})
    found = read_all(changed_source, find_rule(changed_source))
    collaboration = Collaboration(
        source.path, source.content, found.file, found.mechanism, found.reports, found.inputs
    )
    with error_context(collaboration):
        settlement = run(collaboration)
    return RuleResult(rule, settlement, audit_collaboration(collaboration, budget=BUDGET))
