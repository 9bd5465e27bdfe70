"""Run the benchmarks: `python -m benchmarks [SECTION ..] [--out PATH] [--repeat N]`.

Without a section all are run, and docs/benchmarks.md is written. Some sections only print, unless
--out says where to write them.

With --scaling it measures time and memory over size instead, for the named systems or all, and
writes docs/scaling.md and a picture of each: `python -m benchmarks --scaling [SYSTEM ..]`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aboveboard.kernels import compile_always
from benchmarks import (
    audit,
    curation,
    evidence,
    exchange,
    hub,
    learning,
    market,
    sampled,
    scaling,
    storage,
    valuation,
)
from benchmarks.comparison import DisagreementError, Findings, Row, Scale, Section
from benchmarks.machine import ROOT, load, machine, now
from benchmarks.page import Run, as_markdown, line, save
from benchmarks.scaling_page import make_page

MODULES = {
    "audit": audit,
    "exchange": exchange,
    "valuation": valuation,
    "sampled": sampled,
    "learning": learning,
    "market": market,
    "curation": curation,
    "evidence": evidence,
    "hub": hub,
    "storage": storage,
}
PAGE = ROOT / "docs" / "benchmarks.md"
SCALING = ROOT / "docs" / "scaling.md"
REPEAT = 3


def sections(scale: Scale = "full", names: Sequence[str] = ()) -> list[Section]:
    """Return the named sections, or all, without running anything."""
    return [MODULES[name].section(scale) for name in names or MODULES]


def loaded(names: Sequence[str]) -> None:
    """Run every comparison at the smallest size, so that what is compiled or imported is there."""
    print("== Loading: every comparison at the smallest size", flush=True)
    compile_always()
    for section in sections("small", names):
        for case in section.cases:
            case.measure(1)


def findings(section: Section, repeat: int) -> Findings:
    """Run a section, and print each row as it is there."""
    print(f"== {section.title}", flush=True)
    rows = []
    for case in section.cases:
        rows.append(Row(case, case.measure(repeat)))
        print(line(rows[-1]), flush=True)
    errors = []
    for case in section.errors:
        errors.append(case.measure())
        told = ", ".join(f"{m} {e}" for m, e in zip(section.methods, errors[-1], strict=True))
        print(f"{case.what}: {told}", flush=True)
    return Findings(section, tuple(rows), tuple(errors))


def measure_scaling(names: Sequence[str], scale: Scale, out: Path | None, command: str) -> int:
    """Measure time and memory over size, and write the page if all systems are measured."""
    begin, before = now(), load()
    curves = [scaling.measure(scaling.SYSTEMS[name], scale) for name in names or scaling.SYSTEMS]
    commands = [] if names else scaling.measure_commands(REPEAT)
    out = out or (None if names or scale == "small" else SCALING)
    if out is not None:
        began = f"{begin:%Y-%m-%d %H:%M}"
        text = make_page(
            out, curves, commands, machine(), command=command, began=began, load=before
        )
        _report(out, save(out, text))
    return 0


def _report(wanted: Path, written: Path) -> None:
    """Print where a page is, and what is to be done if that is not where it was wanted."""
    if written != wanted:
        print(f"{wanted} was changed by hand, and is as it was: take over what is to stay")
    print(f"written: {written}")


def main(words: Sequence[str]) -> int:
    """Run what is asked for; the status is 1 if contestants disagree, or one is not installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = f"of {', '.join(MODULES)}; all if none is named"
    parser.add_argument("section", nargs="*", metavar="SECTION", help=names)
    parser.add_argument("--out", type=Path, help=f"the page to write; {PAGE.name} if all are run")
    parser.add_argument("--repeat", type=int, default=REPEAT, help="best of so many rounds")
    parser.add_argument("--scale", choices=("full", "small"), default="full", help="of instances")
    parser.add_argument("--scaling", action="store_true", help="time and memory over size")
    given = parser.parse_args(words)
    listed = scaling.SYSTEMS if given.scaling else MODULES
    unknown = sorted(set(given.section) - set(listed))
    if unknown:
        parser.error(f"no section is called {', '.join(unknown)}; there are {', '.join(listed)}")
    if given.repeat < 1:
        parser.error(f"--repeat is {given.repeat}; it must be at least 1")
    command = " ".join(("python -m benchmarks", *words))
    if given.scaling:
        return measure_scaling(given.section, given.scale, given.out, command)
    out = given.out or (None if given.section or given.scale == "small" else PAGE)
    begin, before, start = now(), load(), time.perf_counter()
    try:
        if given.scale == "full":
            loaded(given.section)
        found = [findings(s, given.repeat) for s in sections(given.scale, given.section)]
    except DisagreementError as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed; the extra dev brings it", file=sys.stderr)
        return 1
    if out is not None:
        run = Run(
            machine=machine(),
            command=command,
            began=f"{begin:%Y-%m-%d %H:%M}",
            minutes=(time.perf_counter() - start) / 60,
            load_before=before,
            load_after=load(),
            repeat=given.repeat,
            findings=tuple(found),
        )
        _report(out, save(out, as_markdown(run)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
