"""Results of the claims' checks and of the figures as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aboveboard.formatting import format_quantity
from papers.claims import Finding, Result
from papers.reproduction import ComputedFigure, Reproduction


def format_claims(results: Sequence[Result]) -> str:
    """Return the text of several results; of a single one with each finding."""
    lines = []
    for result in results:
        lines.append(f"{result.claim.id}  ({result.claim.place}, {result.seconds:.1f} s)")
        lines.append(f"    {result.claim.statement}")
        lines.append(f"    found: {_join_verdicts(result)}")
        if len(results) == 1:
            lines += [f"    - {_format_finding(finding)}" for finding in result.findings]
    return "\n".join(lines)


def format_figure(computed: ComputedFigure) -> str:
    """Return the text of a figure: its results, how many points it has, what was written."""
    figure, data = computed.figure, computed.data
    lines = [f"{figure.id}  ({figure.place})", f"    {figure.statement}"]
    lines += [f"    {key.replace('_', ' ')}: {value}" for key, value in data.results.items()]
    lines.append(f"    points: {data.table.height:,}")
    lines += [f"    wrote {path}" for path in computed.files]
    if not computed.files:
        lines.append("    --out DIR writes the table (CSV) and the picture (PNG)")
    return "\n".join(lines)


def format_reproduction(reproduction: Reproduction) -> str:
    """Return the text of all results and figures, then how many claims got which verdict."""
    results, figures = reproduction.results, reproduction.figures
    seconds = sum(x.seconds for x in results) + sum(x.seconds for x in figures)
    counts = Counter(map(_join_verdicts, results))
    what = format_quantity(len(results), "claim")
    if figures:
        what += f" and {format_quantity(len(figures), 'figure')}"
    end = [f"{what} in {seconds:.0f} s"]
    end += [f"{counts[verdicts]:>5}  {verdicts}" for verdicts in sorted(counts)]
    if reproduction.page is not None:
        end.append(f"wrote {reproduction.page}")
    return "\n\n".join([format_claims(results), *map(format_figure, figures), "\n".join(end)])


def _join_verdicts(result: Result) -> str:
    return "; ".join(dict.fromkeys(result.verdicts))


def _format_finding(finding: Finding) -> str:
    correction = f": {finding.correction}" if finding.correction else ""
    example = "" if finding.counterexample is None else f"; for example {finding.counterexample}"
    return f"{finding.verdict.value}{correction} ({finding.scope}){example}"
