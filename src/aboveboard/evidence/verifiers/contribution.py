"""Evidence of exchange.contribution: all rewards follow from the values, which the terms have."""

from __future__ import annotations

from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case, names_code
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.verifiers.learning import verify_against
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.mechanisms.settling import draw_settlement

ON_THE_CENTERS_WORD: tuple[str, ...] = ()


def verify(case: Case, findings: Findings) -> None:
    """Verify all rewards."""
    verify_own_share(case, findings)
    if names_code(case.parameters):
        findings.trust("what coalitions are worth: that is a function of the operator's own")
        return
    try:
        settled = _settle(case)
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.contradict(f"the rule cannot be applied to the values of the terms: {error}")
        return
    verify_against(case, settled, findings)


def _settle(case: Case) -> Any:
    from aboveboard.exchange.contribution import Contribution, ContributionFile

    table = {**case.parameters, "mechanism": "exchange.contribution", "seed": str(case.seed)}
    table["parties"] = {name: {} for name in case.round.terms.ordered}
    file = ContributionFile.model_validate(table)
    reports = Contribution.read_reports(file, None)  # type: ignore[arg-type]  # no files
    present = {name: reports[name] for name in case.round.present}
    return draw_settlement(Contribution.from_file(file).settle(present), case.seed)
