"""The page of a run or an audit, put together from answers, tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aboveboard._version import __version__
from aboveboard.auditing.best_lies import BestLie
from aboveboard.auditing.verdict import Verdicts
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.report import tables
from aboveboard.report.answers import write_answers
from aboveboard.report.citations import move_citations
from aboveboard.report.deviations import is_choice, name_deviations, name_reports
from aboveboard.report.pictures import Picture
from aboveboard.report.subject import Subject, describe_collaboration
from aboveboard.report.templates import load_template


def render_page(
    subject: Collaboration | Subject,
    *,
    settlement: Settlement | None = None,
    lies: Sequence[BestLie] = (),
    verdicts: Verdicts | None = None,
    remarks: Mapping[str, Json] | None = None,
    kinds: Sequence[str] = (),
    date: str = "",
    picture: Picture | None = None,
) -> str:
    """Return the page, as HTML.

    Parameters
    ----------
    subject
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
    picture
        What the run did, from `report.pictures`; None: there is none.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> page = render_page(union, settlement=ab.run(union), verdicts=ab.audit(union))
    >>> page.startswith("<!doctype html>"), "ex-post IC" in page
    (True, True)
    """
    if isinstance(subject, Collaboration):
        subject = describe_collaboration(subject)
    unit = subject.unit
    appendix: dict[str, str] = {}
    rivals = subject.counts_rivals
    deviating = name_deviations(kinds, () if verdicts is None else (*verdicts, *verdicts.left))
    answers = write_answers(settlement, lies, verdicts, unit, kinds, rivals=rivals)
    shown = move_citations(
        {
            "answers": [asdict(answer) for answer in answers],
            "exhibits": tables.tabulate_exhibits(settlement),
            "verdicts": tables.tabulate_verdicts(verdicts, kinds),
            "left": "" if verdicts is None else verdicts.describe_left(),
            "details": tables.list_details(settlement, remarks),
        },
        appendix,
    )
    return load_template("page.html.jinja").render(
        title=subject.title,
        kind="Audit" if settlement is None else "Run",
        mechanism=subject.mechanism,
        summary=subject.summary,
        unit=unit,
        parties=tables.tabulate_parties(settlement, unit, subject.currency, rivals=rivals),
        **shown,
        appendix=list(appendix.items()),
        picture=picture,
        chart=tables.draw_chart(lies, unit, kinds),
        nouns=name_reports(kinds),
        chooses=is_choice(kinds),
        chart_notes=tables.write_chart_notes(lies, deviating),
        lies=tables.list_reports_in_words(lies),
        can_stay_away=any(lie.absent is not None for lie in lies),
        source=subject.source,
        assumes=subject.assumes,
        operator=subject.operator,
        version=__version__,
        seed=subject.seed,
        date=date,
        inputs=subject.inputs,
    )
