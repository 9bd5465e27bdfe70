"""The only place where results become text: a line for the terminal, the page of the docs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Case, Findings, Row, Section, Timing
from benchmarks.machine import Machine
from benchmarks.timing import LONG

KEY = ("what", "size", "against")
"""The columns by which a row is known."""

COLUMNS = (*KEY, "ours", "CPU", "theirs", "CPU", "ratio", "ratio of CPU")

GIB, MIB = 2**30, 2**20


@dataclass(frozen=True)
class Run:
    """One run of the benchmarks: when, where, how, and what came out."""

    machine: Machine
    command: str
    began: str
    minutes: float
    load_before: str
    load_after: str
    repeat: int
    findings: tuple[Findings, ...]


def line(row: Row) -> str:
    """Tell one row on a line."""
    case, ours, theirs = row.case, row.measured.ours, row.measured.theirs
    told = f"{case.what}, {case.size}: {clock(ours)}"
    if theirs is not None:
        told += f"; {case.against}: {clock(theirs)}; ratio {ratio(row.ratio)}"
    return f"{told}; {row.measured.remark}" if row.measured.remark else told


def as_markdown(run: Run) -> str:
    """Write the page."""
    parts = [_opening(run), *map(_section, run.findings)]
    return "\n\n".join(parts) + "\n"


MARK = re.compile(r"\n<!-- as written: (\w+) -->\n\Z")
"""The last line of a page: the digest of what stands above it."""


def choose_place(path: Path) -> Path:
    """Return where a page is to be written: beside the one that is there, if that is by hand."""
    if path.exists() and _is_changed(path.read_text(encoding="utf-8")):
        return path.with_name(f"{path.stem}.new{path.suffix}")
    return path


def save(path: Path, text: str) -> Path:
    """Write a page; beside the one that is there, if somebody has changed that by hand.

    Returns
    -------
    Path
        Where it was written.
    """
    path = choose_place(path)
    path.write_text(f"{text}\n<!-- as written: {_digest(text)} -->\n", encoding="utf-8")
    return path


def _is_changed(page: str) -> bool:
    """Return whether a page is another than the one that was written."""
    mark = MARK.search(page)
    return mark is None or mark[1] != _digest(page[: mark.start()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def key(case: Case) -> tuple[str, str, str]:
    """Return what a row of the page is known by."""
    return case.what, case.size, case.against or "-"


def keys(section: Section) -> list[tuple[str, ...]]:
    """Return what the rows of a section are known by, in order."""
    return [key(case) for case in section.cases] + [(case.what,) for case in section.errors]


def keys_on(page: str) -> dict[str, list[tuple[str, ...]]]:
    """Read the titles of a page's sections, and what their rows are known by."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for part in page.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        rows = [_cells(text) for text in lines if text.startswith("|")]
        if rows:
            head, _, *body = rows
            width = len(KEY) if head[: len(KEY)] == list(KEY) else 1
            found[title] = [tuple(cells[:width]) for cells in body]
    return found


def _cells(text: str) -> list[str]:
    return [cell.strip() for cell in text.strip().strip("|").split("|")]


def _opening(run: Run) -> str:
    facts = [
        *run.machine.facts,
        ("run", f"{run.began} UTC, {run.minutes:.0f} minutes, `{run.command}`"),
        ("load average (1, 5, 15 minutes)", f"{run.load_before} before; {run.load_after} after"),
    ]
    listed = "\n".join(f"- {name}: {told}" for name, told in facts)
    return f"""# Benchmarks

Written by `python -m benchmarks`; no number here is typed by hand. Every row measures ours and
what it is held against in the same run, on the same seeded instance, and the row exists only if
both gave the same answer. It needs the extra `dev`.

{listed}

How to read it:

- Ratio: how many times as long as ours the other took; below 1, ours is the slower. "CPU" is
  processor time, all threads together: on a shared machine it is steadier than the clock.
- Everything is run at the smallest size before, which compiles and imports: that is in no time
  below. Each time is the best of {run.repeat} rounds in turns, after a first call that does not
  count, so that files and processor caches are warm; in brackets the slowest round. What takes more
  than {LONG:g} s is called once ("once").
- Where no other is named ("-"), the code that it could be held against does not reach this size."""


def _section(findings: Findings) -> str:
    section = findings.section
    parts = [part for part in (f"## {section.title}", section.about) if part]
    if findings.rows:
        parts += [_table(COLUMNS, map(_row, findings.rows)), _notes(findings.rows)]
    if findings.errors:
        rows = [
            (case.what, *cells) for case, cells in zip(section.errors, findings.errors, strict=True)
        ]
        parts.append(_table((KEY[0], *section.methods), rows))
    return "\n\n".join(parts)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _row(row: Row) -> tuple[str, ...]:
    ours, theirs = row.measured.ours, row.measured.theirs
    right = ("-", "-") if theirs is None else (clock(theirs), seconds(theirs.cpu))
    ratios = ratio(row.ratio), ratio(row.cpu_ratio)
    return *key(row.case), clock(ours), seconds(ours.cpu), *right, *ratios


def _notes(rows: Sequence[Row]) -> str:
    """Say under the table what each kind of row compares, and what else was found."""
    notes: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        case = row.case
        said = notes.setdefault((case.what, case.against), [case.about])
        if row.measured.remark:
            said.append(f"{case.size}: {row.measured.remark}.")
    lines = []
    for (what, against), said in notes.items():
        name = f"{what}, against {against}" if against else what
        lines.append(f"- **{name}.** {' '.join(said)}")
    return "\n".join(lines)


def clock(timing: Timing) -> str:
    """Tell a time by the clock with its spread, and memory where it was measured."""
    told = seconds(timing.wall)
    told += f" (to {seconds(timing.slowest)})" if timing.rounds > 1 else " (once)"
    return told if timing.peak is None else f"{told}, {size(timing.peak)}"


def seconds(x: float) -> str:
    """Tell a time to three digits."""
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if x >= unit:
            return f"{_three(x / unit)} {name}"
    return f"{x * 1e9:.0f} ns"


def size(bytes_: int) -> str:
    """Tell an amount of memory."""
    return f"{bytes_ / GIB:.2f} GiB" if bytes_ >= GIB else f"{bytes_ / MIB:.1f} MiB"


def ratio(x: float | None) -> str:
    """Tell a ratio, to three digits below a thousand."""
    return "-" if x is None else _three(x)


def _three(x: float) -> str:
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:.1f}" if x >= 10 else f"{x:.2f}"
