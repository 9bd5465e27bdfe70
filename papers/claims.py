"""Claims of the papers as checks that run: what each says, and what was found.

A claim's check gives one finding for the printed form and, where that is false or says less than
is known, one for each corrected form. A finding is computed, never written down:
`search_counterexample` and `search_example` search families of instances and count the checks.
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

PAPERS = ("curation", "exchange", "learning", "valuation", "market", "beyond")
"""Modules of `papers`, one for each paper and one for what goes beyond, that hold `CLAIMS`."""

HEADING = "# The papers' claims, checked"
"""The first line of the page of claims."""

T = TypeVar("T")


class Standing(StrEnum):
    """The outcome of one form of a claim."""

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
class SearchedFamily:
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

    searched: tuple[SearchedFamily, ...]
    checks: int
    unit: str

    def __str__(self) -> str:
        return f"{self.checks:,} {self.unit} on {'; '.join(map(str, self.searched))}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
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
        """Return plain data."""
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
        """Return plain data."""
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
    """The outcome of one instance.

    Parameters
    ----------
    checks
        How many checks were made.
    example
        Plain data: what refutes the claim or, for a claim that something exists, what shows it;
        None where there is no such example.
    """

    checks: int
    example: Any = None


Test = Callable[[T], Trial]


def search_counterexample(
    test: Callable[[Any], Trial],
    *families: Family,
    unit: str,
    correction: str | None = None,
) -> Finding:
    """Return a finding that searches a counterexample and stops at the first.

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


def search_example(test: Callable[[Any], Trial], *families: Family, unit: str) -> Finding:
    """Return a finding that searches an example, for a claim that one exists.

    The arguments are those of `search_counterexample`.
    """
    scope, example = _search(test, families, unit)
    return Finding(Standing.FALSE if example is None else Standing.HOLDS, scope, example)


def _search(
    test: Callable[[Any], Trial], families: Sequence[Family], unit: str
) -> tuple[Scope, Any]:
    searched: list[SearchedFamily] = []
    checks = 0
    for family in families:
        tried = 0
        for instance in family.instances:
            tried += 1
            trial = test(instance)
            checks += trial.checks
            if trial.example is not None:
                searched.append(SearchedFamily(family.kind, tried, family.sampled, complete=False))
                return Scope(tuple(searched), checks, unit), trial.example
        searched.append(
            SearchedFamily(family.kind, tried, family.sampled, complete=not family.sampled)
        )
    return Scope(tuple(searched), checks, unit), None


def list_claims(paper: str | None = None) -> tuple[Claim, ...]:
    """Return the claims of one paper, or of all.

    Raises
    ------
    InputError
        If there is no such paper.
    """
    if paper is not None and paper not in PAPERS:
        raise InputError(f"paper {paper!r}", "there is no such paper", _name_nearest(paper, PAPERS))
    found: list[Claim] = []
    for name in PAPERS if paper is None else (paper,):
        found += import_module(f"papers.{name}").CLAIMS
    return tuple(found)


def find_claim(claim_id: str) -> Claim:
    """Return the claim with this id.

    Raises
    ------
    InputError
        If there is none; it names the nearest id, of a claim or a figure.
    """
    by_id = {claim.id: claim for claim in list_claims()}
    if claim_id not in by_id:
        known = (*by_id, *_figure_ids())
        place = f"claim or figure {claim_id!r}"
        raise InputError(place, "there is no such claim or figure", _name_nearest(claim_id, known))
    return by_id[claim_id]


def _figure_ids() -> tuple[str, ...]:
    """Return the ids of the papers' figures; the same command computes them."""
    modules = (import_module(f"papers.{paper}") for paper in PAPERS)
    return tuple(figure.id for module in modules for figure in getattr(module, "FIGURES", ()))


def _name_nearest(name: str, known: Sequence[str]) -> str:
    """Return a remedy that names the nearest id; the paper's part of an id may be missing."""

    def likeness(each: str) -> float:
        return max(SequenceMatcher(None, x, name).ratio() for x in (each, each.partition("/")[2]))

    return f"the nearest is {max(known, key=likeness)!r}"


def check_claim(claim: Claim, seed: int = 0) -> Result:
    """Run a claim's check and return its findings.

    The same seed gives the same findings, whichever other claims are checked.
    """
    rng = np.random.default_rng([seed, crc32(claim.id.encode())])
    start = perf_counter()
    findings = claim.check(rng)
    return Result(claim, findings, perf_counter() - start)


def format_page(results: Iterable[Result]) -> str:
    """Return results as a page: a table of verdicts, then each claim with its findings."""
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
        found = "; ".join(dict.fromkeys(_summarize(finding) for finding in result.findings))
        seconds = f"{result.seconds:.2f}"
        lines.append(f"| [{claim.id}](#{anchor}) | {claim.place} | {found} | {seconds} |")
    lines += ["", f"All in all {sum(result.seconds for result in results):.0f} seconds."]
    for result in results:
        claim = result.claim
        lines += ["", f"## {claim.id}", "", f"*{claim.place}.* {claim.statement}", ""]
        lines += [_format_bullet(finding) for finding in result.findings]
    return "\n".join(lines) + "\n"


def _summarize(finding: Finding) -> str:
    """Return in short what was found, and on how many instances."""
    if finding.verdict in (Standing.FALSE, Standing.FALSE_CORRECTED):
        shown = "" if finding.counterexample is None else " (counterexample below)"
        return f"{finding.verdict.value}{shown}"
    searched = finding.scope.searched
    whole = sum(s.instances for s in searched if not s.sampled)
    drawn = sum(s.instances for s in searched if s.sampled)
    on = [f"exhaustively on {whole:,}"] * (whole > 0) + [f"on {drawn:,} random"] * (drawn > 0)
    holds = "holds as corrected," if finding.verdict is Standing.HOLDS_CORRECTED else "holds"
    return f"{holds} {' and '.join(on)} instance{'' if whole + drawn == 1 else 's'}"


def _format_bullet(finding: Finding) -> str:
    said = f" {finding.correction}" if finding.correction else ""
    text = f"- **{finding.verdict.value}**{':' if said else ''}{said} ({finding.scope})"
    if finding.counterexample is None:
        return text
    shown = json.dumps(finding.counterexample, ensure_ascii=False)
    kind = "Example" if finding.verdict is Standing.HOLDS else "Counterexample"
    return f"{text}. {kind}: `{shown}`"
