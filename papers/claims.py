"""Claims of the papers as checks that run: what each says, and what was found.

A claim's check gives one finding for the printed form and, where that is false or says less than
is known, one for each corrected form. A finding is computed, never written down: `survey` looks
for a counterexample in families of instances, `exhibit` for an example, and both count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from importlib import import_module
from time import perf_counter
from typing import Any, TypeVar
from zlib import crc32

import numpy as np

from aboveboard.errors import InputError

PAPERS = ("curation", "exchange", "learning", "valuation", "market")
"""Modules of `papers`, one for each paper, that hold `CLAIMS`."""

HEADING = "# The papers' claims, checked"
"""The first line of the page of claims."""

T = TypeVar("T")


class Standing(StrEnum):
    """What became of one form of a claim."""

    HOLDS = "holds"
    HOLDS_ON_RANDOM = "holds on random instances"
    FALSE = "false as printed"
    HOLDS_CORRECTED = "holds as corrected"
    FALSE_CORRECTED = "false as corrected"


@dataclass(frozen=True)
class Family:
    """Instances of one kind on which a claim is tried.

    Parameters
    ----------
    kind
        What they are, in the plural: "Venn diagrams of 3 parties with at most 4 elements".
    instances
        The instances; the smallest first, so that the first counterexample is small.
    sampled
        True: drawn at random. False: all there are of this kind.
    """

    kind: str
    instances: Iterable[Any]
    sampled: bool = False


@dataclass(frozen=True)
class Searched:
    """How many instances of a family were looked at.

    Parameters
    ----------
    kind, sampled
        Of the family.
    instances
        How many.
    complete
        Whether these are all; not where the search has found what it looked for.
    """

    kind: str
    instances: int
    sampled: bool
    complete: bool

    def __str__(self) -> str:
        how = "random" if self.sampled else ("all" if self.complete else "the first")
        count = f"{self.instances:,}"
        return f"{count} {how} {self.kind}" if self.sampled else f"{how} {count} {self.kind}"


@dataclass(frozen=True)
class Scope:
    """How far a finding reaches.

    Parameters
    ----------
    searched
        The families, in the order in which they were searched.
    checks
        Single checks in all.
    unit
        What one check is: "deviations".
    """

    searched: tuple[Searched, ...]
    checks: int
    unit: str

    def __str__(self) -> str:
        return f"{self.checks:,} {self.unit} on {'; '.join(map(str, self.searched))}"

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        families = [
            {"kind": s.kind, "instances": s.instances, "sampled": s.sampled, "all": s.complete}
            for s in self.searched
        ]
        return {"checks": self.checks, "unit": self.unit, "families": families}


@dataclass(frozen=True)
class Finding:
    """What was found of one form of a claim.

    Parameters
    ----------
    verdict
        See `Standing`.
    scope
        How many checks of what kind it rests on.
    counterexample
        Plain data: what refutes the form, or the example where the claim is that there is one.
    correction
        What the corrected form says; None for the printed one.
    """

    verdict: Standing
    scope: Scope
    counterexample: Any = None
    correction: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "verdict": self.verdict.value,
            "scope": self.scope.as_dict(),
            "counterexample": self.counterexample,
            "correction": self.correction,
        }


Check = Callable[[np.random.Generator], tuple[Finding, ...]]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Parameters
    ----------
    id
        "exchange/theorem-2.1".
    paper
        The folder of the product that implements the paper.
    place
        Where the paper says it.
    statement
        What it says, in our words.
    check
        From a generator to the findings, the printed form first.
    """

    id: str
    paper: str
    place: str
    statement: str
    check: Check


@dataclass(frozen=True)
class Result:
    """What a run of a claim's check found.

    Parameters
    ----------
    claim
        Which.
    findings
        Of each form of the claim, the printed one first.
    seconds
        How long the check took; not part of what is compared.
    """

    claim: Claim
    findings: tuple[Finding, ...]
    seconds: float = field(compare=False)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The verdicts, the printed form's first."""
        return tuple(finding.verdict.value for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "id": self.claim.id,
            "paper": self.claim.paper,
            "place": self.claim.place,
            "statement": self.claim.statement,
            "findings": [finding.as_dict() for finding in self.findings],
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Trial:
    """What came of one instance.

    Parameters
    ----------
    checks
        How many were made.
    example
        Plain data: what breaks the claim, or shows it where it says that there is something; None
        where nothing does.
    """

    checks: int
    example: Any = None


Test = Callable[[T], Trial]


def survey(
    test: Callable[[Any], Trial],
    *families: Family,
    unit: str,
    correction: str | None = None,
) -> Finding:
    """Look for a counterexample; stop at the first.

    Parameters
    ----------
    test
        Tries the claim on one instance.
    families
        Where to look, in this order.
    unit
        What one check is, in the plural.
    correction
        What the form that is tested says, if it is not the printed one.
    """
    scope, example = _search(test, families, unit)
    if example is not None:
        false = Standing.FALSE if correction is None else Standing.FALSE_CORRECTED
        return Finding(false, scope, example, correction)
    if correction is not None:
        return Finding(Standing.HOLDS_CORRECTED, scope, None, correction)
    exhaustive = any(not family.sampled for family in families)
    return Finding(Standing.HOLDS if exhaustive else Standing.HOLDS_ON_RANDOM, scope)


def exhibit(test: Callable[[Any], Trial], *families: Family, unit: str) -> Finding:
    """Look for an example, where the claim is that there is one; arguments as in `survey`."""
    scope, example = _search(test, families, unit)
    return Finding(Standing.FALSE if example is None else Standing.HOLDS, scope, example)


def _search(
    test: Callable[[Any], Trial], families: Sequence[Family], unit: str
) -> tuple[Scope, Any]:
    searched: list[Searched] = []
    checks = 0
    for family in families:
        tried = 0
        for instance in family.instances:
            tried += 1
            trial = test(instance)
            checks += trial.checks
            if trial.example is not None:
                searched.append(Searched(family.kind, tried, family.sampled, complete=False))
                return Scope(tuple(searched), checks, unit), trial.example
        searched.append(Searched(family.kind, tried, family.sampled, complete=not family.sampled))
    return Scope(tuple(searched), checks, unit), None


def claims(paper: str | None = None) -> tuple[Claim, ...]:
    """Give the claims of one paper, or of all.

    Raises
    ------
    InputError
        If there is no such paper.
    """
    if paper is not None and paper not in PAPERS:
        raise InputError(f"paper {paper!r}", "there is none of that name", _nearest(paper, PAPERS))
    found: list[Claim] = []
    for name in PAPERS if paper is None else (paper,):
        found += import_module(f"papers.{name}").CLAIMS
    return tuple(found)


def find(claim_id: str) -> Claim:
    """Give the claim of that id.

    Raises
    ------
    InputError
        If there is none; it names the nearest id, of a claim or a figure.
    """
    by_id = {claim.id: claim for claim in claims()}
    if claim_id not in by_id:
        known = (*by_id, *_figures())
        place = f"claim or figure {claim_id!r}"
        raise InputError(place, "there is none of that id", _nearest(claim_id, known))
    return by_id[claim_id]


def _figures() -> tuple[str, ...]:
    """Give the ids of the papers' figures, which are asked for by the same command."""
    modules = (import_module(f"papers.{paper}") for paper in PAPERS)
    return tuple(figure.id for module in modules for figure in getattr(module, "FIGURES", ()))


def _nearest(name: str, known: Sequence[str]) -> str:
    """Name the nearest, whole or without its paper: figure-66 is near valuation/figure-6."""

    def likeness(each: str) -> float:
        return max(SequenceMatcher(None, x, name).ratio() for x in (each, each.partition("/")[2]))

    return f"the nearest is {max(known, key=likeness)!r}"


def reproduce(claim: Claim, seed: int = 0) -> Result:
    """Run a claim's check.

    The same seed gives the same findings, whichever other claims are run.
    """
    rng = np.random.default_rng([seed, crc32(claim.id.encode())])
    start = perf_counter()
    findings = claim.check(rng)
    return Result(claim, findings, perf_counter() - start)


def as_markdown(results: Iterable[Result]) -> str:
    """Write results as a page: a table of verdicts, then each claim with what was found."""
    results = list(results)
    lines = [
        HEADING,
        "",
        "Written by `python -m papers` from a run of every check; a test compares the two, but "
        "for the seconds, which are those of that run. `holds exhaustively` means that every "
        "instance of a family was checked, not that a proof was given. Running times that a paper "
        "claims are not checked here.",
        "",
        "| claim | where | found | seconds |",
        "|---|---|---|--:|",
    ]
    for result in results:
        claim = result.claim
        anchor = claim.id.replace("/", "").replace(".", "")
        found = "; ".join(dict.fromkeys(_told(finding) for finding in result.findings))
        seconds = f"{result.seconds:.2f}"
        lines.append(f"| [{claim.id}](#{anchor}) | {claim.place} | {found} | {seconds} |")
    lines += ["", f"All in all {sum(result.seconds for result in results):.0f} seconds."]
    for result in results:
        claim = result.claim
        lines += ["", f"## {claim.id}", "", f"*{claim.place}.* {claim.statement}", ""]
        lines += [_bullet(finding) for finding in result.findings]
    return "\n".join(lines) + "\n"


def _told(finding: Finding) -> str:
    """Say in short what was found, and on how many instances."""
    if finding.verdict in (Standing.FALSE, Standing.FALSE_CORRECTED):
        shown = "" if finding.counterexample is None else " (counterexample below)"
        return f"{finding.verdict.value}{shown}"
    searched = finding.scope.searched
    whole = sum(s.instances for s in searched if not s.sampled)
    drawn = sum(s.instances for s in searched if s.sampled)
    on = [f"exhaustively on {whole:,}"] * (whole > 0) + [f"on {drawn:,} random"] * (drawn > 0)
    holds = "holds as corrected," if finding.verdict is Standing.HOLDS_CORRECTED else "holds"
    return f"{holds} {' and '.join(on)} instance{'' if whole + drawn == 1 else 's'}"


def _bullet(finding: Finding) -> str:
    said = f" {finding.correction}" if finding.correction else ""
    text = f"- **{finding.verdict.value}**{':' if said else ''}{said} ({finding.scope})"
    if finding.counterexample is None:
        return text
    shown = json.dumps(finding.counterexample, ensure_ascii=False)
    kind = "Example" if finding.verdict is Standing.HOLDS else "Counterexample"
    return f"{text}. {kind}: `{shown}`"
