"""Five real lists exchanged and audited, offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aboveboard.auditing import Budget
from aboveboard.collaborations.collaboration import load
from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.commands.running import settle
from aboveboard.errors import InputError
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.settlement import MANIFEST, Settlement
from aboveboard.report import render_page
from aboveboard.settlements import writing as folder
from aboveboard.storage.atomic import atomic_file, remove_on_failure


@dataclass(frozen=True)
class Demonstration:
    """The results of the demonstration.

    Parameters
    ----------
    settlement
        What each party gets.
    audit
        The audit of the exchange.
    report
        The report page.
    """

    settlement: Settlement
    audit: AuditReport
    report: Path

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        return {
            **folder.summarize(self.settlement),
            **self.audit.as_dict(),
            "report": str(self.report),
        }


def demo(out: Path) -> Demonstration:
    """Exchange five real lists into `out` and audit the exchange.

    Writes `out/lists` (the lists and their collaboration file), `out/settlement` (the replies)
    and `out/report.html`; files of an earlier demonstration are replaced.

    Raises
    ------
    InputError
        If the packages that hold the lists are not installed, or `out` cannot be written.
    """
    if out.exists() and not (out / "settlement" / MANIFEST).is_file():
        raise InputError(
            str(out),
            "it exists and is not a demonstration's folder",
            "name another folder with --out",
        )
    with remove_on_failure(out):
        return _run_demo(out)


def _run_demo(out: Path) -> Demonstration:
    from aboveboard.commands.demo_lists import write_lists

    try:
        path = write_lists(out / "lists")
    except OSError as error:
        raise InputError(
            str(out), f"it cannot be written ({error.strerror})", "name another folder with --out"
        ) from error
    collaboration = load(path)
    settlement, _ = settle(collaboration, out / "settlement", force=True)
    result = audit_collaboration(collaboration, budget=Budget(samples=2_000))
    report = out / "report.html"
    shown = render_page(
        collaboration,
        settlement=settlement,
        lies=result.lies,
        verdicts=result.verdicts,
        remarks=result.remarks,
        kinds=result.kinds,
    )
    with atomic_file(report) as file:
        file.write_text(shown, encoding="utf-8", newline="\n")
    return Demonstration(settlement, result, report)
