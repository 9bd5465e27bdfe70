"""Report pages for Python: of a collaboration that is run, and of a settlement alone."""

from __future__ import annotations

from pathlib import Path

from aboveboard.collaborations.collaboration import Collaboration, settle_outcome
from aboveboard.commands.outputs import refuse_file
from aboveboard.commands.running import error_context, examine_run
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.settling import draw_settlement
from aboveboard.report import draw_picture, render_page
from aboveboard.report.subject import Subject
from aboveboard.storage.atomic import atomic_file


def write_run_page(collaboration: Collaboration, path: Path) -> Path:
    """Run a collaboration and write its report page; nothing is published or noted as spent.

    Raises
    ------
    InputError
        If the file cannot be written, or the collaboration cannot be run.
    """
    refuse_file("report", path)
    collaboration = collaboration.with_spending("none")
    with error_context(collaboration):
        outcome = settle_outcome(collaboration)
        settlement = draw_settlement(outcome, collaboration.file.seed)
        found = examine_run(collaboration, outcome, settlement)
        picture = draw_picture(collaboration, settlement)
    page = render_page(
        collaboration,
        settlement=settlement,
        lies=found.lies,
        verdicts=found.verdicts,
        kinds=found.kinds,
        picture=picture,
    )
    return _write(page, path)


def write_settlement_page(settlement: Settlement, path: Path) -> Path:
    """Write what a settlement gives each party as a page; lies are not searched.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    refuse_file("report", path)
    subject = Subject(settlement.mechanism, settlement.mechanism, "", "not recorded", ())
    return _write(render_page(subject, settlement=settlement), path)


def _write(page: str, path: Path) -> Path:
    with atomic_file(path) as file:
        file.write_text(page, encoding="utf-8", newline="\n")
    return path
