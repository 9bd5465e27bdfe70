"""Several rules applied to the same data, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aboveboard.auditing import Budget, Verdicts
from aboveboard.collaborations.collaboration import make_collaboration, run
from aboveboard.collaborations.loading import find_rule, read_all
from aboveboard.collaborations.source_file import SourceFile, TrustCode, read_source
from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.commands.running import error_context
from aboveboard.errors import BudgetExceeded, InputError, UndefinedProperty
from aboveboard.formatting import encode_number
from aboveboard.mechanisms.file_model import draw_seed
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report.comparison import ComparedRule, render_comparison
from aboveboard.report.subject import describe_collaboration
from aboveboard.storage.atomic import atomic_file

BUDGET = Budget(rows=200_000, samples=500)
"""Budget of the audit of each rule; `audit` looks further."""


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
    problem
        Why it was not audited; empty if it was.
    """

    rule: str
    settlement: Settlement
    audit: AuditReport
    problem: str = ""

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
            **({"promises_stand": None, "not_audited": self.problem} if self.problem else {}),
        }


def compare_rules(
    path: Path, rules: Sequence[str], trust_code: TrustCode = None, *, allow_outside: bool = False
) -> list[RuleResult]:
    """Apply several rules to the data of one collaboration file.

    Parameters
    ----------
    path
        The file.
    rules
        Mechanisms that take the same file, such as "market.vcg", or values of its key `rule`, such
        as "equal-gain".
    trust_code
        As in `aboveboard.load`.
    allow_outside
        As in `aboveboard.load`.

    Raises
    ------
    InputError
        If the file is wrong, or a rule cannot be applied to it.
    """
    if not rules:
        raise InputError("--rules", "there is no rule to compare", "write, say, --rules a,b")
    if twice := [rule for k, rule in enumerate(rules) if rule in rules[:k]]:
        raise InputError("--rules", f"it names {twice[0]} twice", "name each rule once")
    source = read_source(path, trust_code, allow_outside=allow_outside)
    # One seed for all: rules must not differ by what is drawn.
    seed = None if "seed" in source.table else draw_seed()
    return [_apply(source, rule, seed) for rule in rules]


def write_comparison(results: Sequence[RuleResult], path: Path, date: str | None = None) -> None:
    """Write what `compare_rules` returned as one page.

    Parameters
    ----------
    results
        One for each rule.
    path
        The page.
    date
        The day, such as "2026-05-03"; None: today (UTC).

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    rules = [
        ComparedRule(
            each.rule,
            each.settlement,
            each.audit.verdicts,
            each.audit.lies,
            each.audit.kinds,
            each.problem,
            each.audit.subject.source,
        )
        for each in results
    ]
    today = datetime.now(UTC).date().isoformat()
    page = render_comparison(results[0].audit.subject, rules, today if date is None else date)
    with atomic_file(path) as file:
        file.write_text(page, encoding="utf-8", newline="\n")


def _apply(source: SourceFile, rule: str, seed: int | None) -> RuleResult:
    table: Mapping[str, Any] = source.table
    is_mechanism = "." in rule or ":" in rule
    changed = {"mechanism": rule} if is_mechanism else {"rule": rule}
    changed_source = replace(source, table={**table, **changed})
    found = read_all(changed_source, find_rule(changed_source), seed)
    collaboration = make_collaboration(changed_source, found)
    with error_context(collaboration):
        settlement = run(collaboration)
    try:
        return RuleResult(rule, settlement, audit_collaboration(collaboration, budget=BUDGET))
    except (BudgetExceeded, UndefinedProperty) as error:
        # What it hands out can be compared all the same.
        nothing = AuditReport(describe_collaboration(collaboration), Verdicts(()), (), {})
        return RuleResult(rule, settlement, nothing, str(error))
