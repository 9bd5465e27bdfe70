"""The page on scaling: a table and a picture for each system, where it ends, what to do beyond."""

from __future__ import annotations

from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.page import choose_place, seconds, size
from benchmarks.scaling import GIB, MOST, Command, Curve, Point

COLUMNS = (
    "system",
    "largest size",
    "time there",
    "memory there",
    "time grows as the size to the power of",
    "24 GiB of memory end at",
)


def make_page(
    path: Path,
    curves: list[Curve],
    commands: list[Command],
    machine: Machine,
    *,
    command: str,
    began: str,
    load: str,
) -> str:
    """Return the page that goes to a path, its pictures written to the folder of the same name.

    A page that somebody has changed by hand keeps its pictures: those of the new one lie beside
    them, as the new one does.
    """
    folder = choose_place(path).with_suffix("")
    folder.mkdir(exist_ok=True)
    for curve in curves:
        draw(curve, folder / f"{curve.workload.system}.svg")
    facts = [*machine.facts, ("run", f"{began} UTC, `{command}`"), ("load average before", load)]
    opening = f"""# Scaling

Written by `python -m benchmarks --scaling`; no number here is typed by hand. Each size runs in a
process of its own, compiled code loaded before; memory is the largest resident set of the process,
Python and libraries included. "CPU" is processor time of all threads.

{chr(10).join(f"- {name}: {said}" for name, said in facts)}

| {" | ".join(COLUMNS)} |
| {" | ".join("---" for _ in COLUMNS)} |
{chr(10).join(_summarize(curve) for curve in curves)}"""
    parts = [opening, *(_describe(curve, folder.name) for curve in curves)]
    if commands:
        parts.append(_describe_commands(commands))
    return "\n\n".join(parts) + "\n"


def _summarize(curve: Curve) -> str:
    last, workload = curve.points[-1], curve.workload
    cells = (
        workload.system, f"{last.size:,} {workload.unit}", seconds(last.wall), size(last.peak),
        _tell_power(curve), _tell_end(curve),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _tell_power(curve: Curve) -> str:
    return "too quick to say" if curve.exponent is None else f"{curve.exponent:.2f}"


def _tell_end(curve: Curve) -> str:
    end = curve.end
    if end is None:
        return "does not grow with the size"
    digits = max(0, len(str(int(end))) - 2)
    return f"about {round(end, -digits):,.0f} {curve.workload.unit}"


def _describe(curve: Curve, pictures: str) -> str:
    workload = curve.workload
    rows = "\n".join(_row(point) for point in curve.points)
    said = ", ".join(f"{p.size:,}: {seconds(p.wall)}, {size(p.peak)}" for p in curve.points)
    title = workload.system[0].upper() + workload.system[1:]
    what = workload.what[0].upper() + workload.what[1:]
    return f"""## {title}

{what}.

| {workload.unit} | time | CPU | memory |
| --- | --- | --- | --- |
{rows}

![Time and memory of {workload.system}: {said}]({pictures}/{workload.system}.svg)

{workload.beyond}"""


def _describe_commands(commands: list[Command]) -> str:
    rows = "\n".join(f"| {c.name} | {seconds(c.cpu)} | {seconds(c.wall)} |" for c in commands)
    return f"""## The smallest

What a command takes on three lists of a few elements, Python's start and all imports included; the
first call, which may compile, does not count.

| command | CPU | time |
| --- | --- | --- |
{rows}"""


def _row(point: Point) -> str:
    cells = (f"{point.size:,}", seconds(point.wall), seconds(point.cpu), size(point.peak))
    return f"| {' | '.join(cells)} |"


def draw(curve: Curve, path: Path) -> None:
    """Draw time and memory over size, both axes logarithmic."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sizes = [point.size for point in curve.points]
    with mpl.rc_context({"svg.hashsalt": "aboveboard", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7, 2.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.loglog(sizes, [point.wall for point in curve.points], "o-", label="by the clock")
        left.loglog(sizes, [point.cpu for point in curve.points], "s--", label="of all threads")
        left.set_title("seconds", loc="left", fontsize=10)
        left.legend(frameon=False)
        right.loglog(sizes, [point.peak / GIB for point in curve.points], "o-")
        right.axhline(MOST / GIB, color="0.5", linewidth=0.8, linestyle=":")
        right.annotate("24 GiB", (sizes[0], MOST / GIB), va="bottom", color="0.4")
        right.set_title("GiB of memory", loc="left", fontsize=10)
        for axes in (left, right):
            axes.set_xlabel(curve.workload.unit)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None})
