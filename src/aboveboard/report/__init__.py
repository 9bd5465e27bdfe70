"""One self-contained HTML page of a run or an audit, made from result objects alone.

`words` writes findings in words, `answers` the first screen, `tables` the rest; the page itself is
`templates/page.html.jinja`. The same results give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aboveboard._version import __version__
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Verdicts
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report import tables
from aboveboard.report.answers import write_answers
from aboveboard.report.statements import STATEMENT, render_statements
from aboveboard.report.templates import load_template
from aboveboard.report.words import (
    format_counterexample,
    format_report,
    is_profitable,
    list_notes,
    round_gain,
)

__all__ = [
    "STATEMENT",
    "format_counterexample",
    "format_report",
    "is_profitable",
    "list_notes",
    "render_page",
    "render_statements",
    "round_gain",
]


def render_page(
    collaboration: Collaboration,
    *,
    settlement: Settlement | None = None,
    lies: Sequence[BestLie] = (),
    verdicts: Verdicts | None = None,
    remarks: Mapping[str, Any] | None = None,
    kinds: Sequence[str] = (),
    date: str = "",
) -> str:
    """Return the page, as HTML.

    Parameters
    ----------
    collaboration
        What was run or audited.
    settlement
        The result of a run.
    lies
        Each party's best lie.
    verdicts
        What was found of the mechanism's promises and of other properties.
    remarks
        Facts that the mechanism adds.
    kinds
        Which kinds of deviations were looked at.
    date
        The day of the run, from its record; empty: none is shown.
    """
    rule = collaboration.mechanism
    unit = rule.UNIT
    return load_template("page.html.jinja").render(
        title=collaboration.file.name or rule.NAME,  # not the file's name: the file may move
        kind="Audit" if settlement is None else "Run",
        mechanism=rule.NAME,
        summary=rule.SUMMARY,
        answers=write_answers(settlement, lies, verdicts, unit, kinds),
        unit=unit,
        parties=tables.tabulate_parties(settlement, unit, collaboration.file.currency),
        exhibits=tables.tabulate_exhibits(settlement),
        chart=tables.draw_chart(lies, unit),
        chart_notes=tables.write_chart_notes(lies),
        lies=tables.tabulate_lies(lies),
        can_stay_away=any(lie.absent is not None for lie in lies),
        verdicts=tables.tabulate_verdicts(verdicts),
        details=tables.list_details(settlement, remarks),
        source=rule.SOURCE,
        assumes=rule.ASSUMES,
        version=__version__,
        seed=collaboration.recorded_seed,
        date=date,
        inputs=_list_fingerprints(collaboration),
    )


def _list_fingerprints(collaboration: Collaboration) -> list[tuple[str, str]]:
    """Return the inputs with their fingerprints, the collaboration file first."""
    from aboveboard.mechanisms.settlement import fingerprint

    return [
        ("collaboration file", fingerprint(collaboration.content)),
        *collaboration.inputs.items(),
    ]
