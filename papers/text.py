"""TODO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from papers.claims import Finding, Result
from papers.reproduction import Reproduced, Reproduction


def claims_text(results: Sequence[Result]) -> str:
    """Show what was found of each claim: a line a claim, and what departs from the printed form."""
    lines = []
    for result in results:
        verdicts = "; ".join(dict.fromkeys(result.verdicts))
        lines.append(f"{result.claim.id}  ({result.claim.place}, {result.seconds:.1f} s)")
        lines.append(f"    {result.claim.statement}")
        lines.append(f"    found: {verdicts}")
        if len(results) == 1:
            lines += [f"    - {_finding(finding)}" for finding in result.findings]
    return "\n".join(lines)


def _finding(finding: Finding) -> str:
    said = f": {finding.correction}" if finding.correction else ""
    shown = "" if finding.counterexample is None else f"; for example {finding.counterexample}"
    return f"{finding.verdict.value}{said} ({finding.scope}){shown}"


def reproduction_text(found: Reproduction) -> str:
    """Show what was found of every claim, the figures, and how long it took."""
    figures = [figure_text(figure) for figure in found.figures]
    seconds = sum(x.seconds for x in found.results) + sum(x.seconds for x in found.figures)
    counts = Counter("; ".join(dict.fromkeys(result.verdicts)) for result in found.results)
    told = [f"{counts[verdicts]:>5}  {verdicts}" for verdicts in sorted(counts)]
    what = f"{len(found.results)} claims" + (f" and {len(figures)} figures" if figures else "")
    end = [f"{what} in {seconds:.0f} s", *told]
    if found.page is not None:
        end.append(f"wrote {found.page}")
    return "\n\n".join([claims_text(found.results), *figures, "\n".join(end)])


def figure_text(found: Reproduced) -> str:
    """Show a figure's results, its points in short, and where they were written."""
    lines = [f"{found.figure.id}  ({found.figure.place})", f"    {found.figure.statement}"]
    lines += [f"    {key.replace('_', ' ')}: {value}" for key, value in found.drawn.results.items()]
    lines.append(f"    points: {found.drawn.table.height:,}")
    lines += [f"    wrote {path}" for path in found.files]
    if not found.files:
        lines.append("    --out DIR writes the table (CSV) and the picture (PNG)")
    return "\n".join(lines)
