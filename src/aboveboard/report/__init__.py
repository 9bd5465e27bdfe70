"""One self-contained HTML page of a run or an audit, made from result objects alone.

`words` writes numbers and findings for people, `answers` makes the first screen, `tables` the rest;
the page itself is `templates/page.html.jinja`. The same results give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Verdicts
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.formatting import LEGIBLE, format_number
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report import tables
from aboveboard.report.answers import write_answers, is_profitable
from aboveboard.report.words import counterexample, format_report, largest_gain, smallest

__all__ = [
    "LEGIBLE",
    "counterexample",
    "format_number",
    "format_report",
    "largest_gain",
    "render_page",
    "is_profitable",
    "smallest",
]

TEMPLATES = Path(__file__).parents[1] / "templates"


def render_page(
    collaboration: Collaboration,
    *,
    settlement: Settlement | None = None,
    lies: Sequence[BestLie] = (),
    verdicts: Verdicts | None = None,
    remarks: Mapping[str, Any] | None = None,
) -> str:
    """Make the page.

    Parameters
    ----------
    collaboration
        What was run or audited.
    settlement
        What came out of a run.
    lies
        Each party's best lie.
    verdicts
        What an audit found.
    remarks
        What else the mechanism has to say.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    rule = collaboration.mechanism
    unit = rule.UNIT
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.jinja").render(
        title=collaboration.file.name or rule.NAME,  # not the file's: it may move
        kind=_kind(settlement, verdicts),
        mechanism=rule.NAME,
        summary=rule.SUMMARY,
        answers=write_answers(settlement, lies, verdicts, unit, remarks),
        unit=unit,
        parties=tables.parties(settlement, unit),
        exhibits=tables.exhibits(settlement),
        chart=tables.chart(lies, unit),
        chart_notes=tables.chart_notes(lies),
        lies=tables.best_lies(lies),
        can_stay_away=any(lie.absent is not None for lie in lies),
        verdicts=tables.verdicts(verdicts),
        details=tables.details(settlement, remarks),
        source=rule.SOURCE,
        assumes=rule.ASSUMES,
        version=__version__,
        seed=collaboration.file.seed,
    )


def _kind(settlement: Settlement | None, verdicts: Verdicts | None) -> str:
    if settlement is None:
        return "Audit"
    return "Run" if verdicts is None else "Run and audit"
