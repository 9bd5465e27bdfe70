"""A round's rule in words, and its audit on example data with the parameters of the terms.

The members' data are not known before a round, so that the promises are examined on the data of the
mechanism's own starting file. Nothing of a user is executed: a rule that is the operator's own code
is only named. Until they are signed the terms are a stranger's, whose parameters may be such that
an audit has no end: a child makes it, within limits of time and memory.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic.fields import FieldInfo

from aboveboard.auditing import Budget
from aboveboard.collaborations.collaboration import load
from aboveboard.collaborations.registry import find_mechanism
from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.errors import AboveboardError, InputError
from aboveboard.evidence.disclosures import list_facts
from aboveboard.evidence.own_part import drop_missing
from aboveboard.evidence.terms import NOT_PARAMETERS
from aboveboard.evidence.verifiers import list_trusted
from aboveboard.formatting import format_rounded
from aboveboard.mechanisms.child_processes import ask_child, limit_child
from aboveboard.report.answers import write_answers
from aboveboard.report.tables import list_reports_in_words, tabulate_verdicts

logger = logging.getLogger(__name__)

SAMPLES_FOR_EACH = 2_000
"""Samples for each party in an audit for a page, where there are too many cases for all."""

SEARCH_SECONDS = 20.0
"""Seconds that the searches of such an audit share; one that they end says so."""

PATIENCE = 30.0
"""Seconds after which the child is ended, whatever it does."""

EXAMPLE_SEED = 1
"""Seed of the example, so that all members see the same audit."""

OWN_CODE = (
    "the rule is code of the operator's own: read it, and audit it yourself with "
    "'aboveboard audit' before you agree"
)
NO_AUDIT = "the rule could not be audited on an example"


def describe_rule(
    mechanism: str, parameters: Mapping[str, Any], *, patience: float = PATIENCE
) -> dict[str, Any]:
    """Return what a rule is and what an audit on example data says of it, plain data.

    Parameters
    ----------
    mechanism
        Its name.
    parameters
        As the terms have them.
    patience
        Seconds after which there is no audit.

    Returns
    -------
    dict
        "summary", "guarantees", "assumes", "source": texts; "keys": what each key of the
        collaboration file means; "told": what all members are told of the others; "trusted": what
        stays on the center's word; "note": what the
        audit was made on, or why there is none; "audit": answers, verdicts and lies; None without.
    """
    texts = _describe_in_words(mechanism, parameters)
    return texts if "note" in texts else {**texts, **_audit_apart(mechanism, parameters, patience)}


def describe_rule_here(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `describe_rule` does, audited in this process, which nothing ends.

    Parameters
    ----------
    mechanism, parameters
        As for `describe_rule`.
    """
    texts = _describe_in_words(mechanism, parameters)
    return texts if "note" in texts else {**texts, **_audit_example(mechanism, parameters)}


def _describe_in_words(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts of a rule; a "note" besides where it has none, and cannot be audited."""
    if ":" in mechanism:
        return {"note": OWN_CODE, "audit": None}
    try:
        rule = find_mechanism(mechanism, "the terms")
    except InputError as error:
        return {"note": str(error), "audit": None}
    return {
        "summary": rule.SUMMARY,
        "guarantees": rule.GUARANTEES,
        "assumes": rule.ASSUMES,
        "source": rule.SOURCE,
        "keys": {name: _describe_key(field) for name, field in rule.FILE.model_fields.items()},
        "told": list(list_facts(mechanism)),
        "trusted": list(list_trusted(mechanism, parameters)),
    }


def _describe_key(field: FieldInfo) -> str:
    """Return what a key means; its marks for code are those of a page in Markdown."""
    return (field.description or "").replace("`", "'")


def _audit_apart(mechanism: str, parameters: Mapping[str, Any], patience: float) -> dict[str, Any]:
    """Return the audit of a child with its note; the child is ended after some seconds."""
    given = {"mechanism": mechanism, "parameters": dict(parameters)}
    try:
        found = ask_child(__name__, given, patience=patience)
    except subprocess.TimeoutExpired:
        limit = format_rounded(patience, 3)
        note = f"with these parameters the audit took more than {limit} seconds, and was ended"
        return {"note": note, "audit": None}
    except ValueError:  # it ended for want of memory
        return {"note": NO_AUDIT, "audit": None}
    return {key: found[key] for key in ("note", "audit")}


def _audit_example(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    example = tomllib.loads(find_mechanism(mechanism, "the terms").STARTING_FILE)
    given = {key: x for key, x in parameters.items() if key not in NOT_PARAMETERS}
    for table, note in (
        (
            {**example, **given},
            "on the data of an example, with the parameters of these terms",
        ),
        (
            example,
            "on an example with parameters of its own: with those of these terms none can be made",
        ),
    ):
        try:
            return {"note": note, "audit": _tabulate(_audit(table))}
        except (AboveboardError, ValueError):
            continue
        except Exception:
            # A defect of an installed mechanism: the rest of the terms can be read all the same.
            logger.exception("the audit of %s failed", mechanism)
            break
    return {"note": NO_AUDIT, "audit": None}


def _audit(table: dict[str, Any]) -> AuditReport:
    import tomli_w

    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "example.toml"
        path.write_text(
            tomli_w.dumps(drop_missing({**table, "seed": EXAMPLE_SEED})), encoding="utf-8"
        )
        return audit_collaboration(
            load(path), budget=Budget(samples=SAMPLES_FOR_EACH, seconds=SEARCH_SECONDS)
        )


def _tabulate(report: AuditReport) -> dict[str, Any]:
    answers = write_answers(None, report.lies, report.verdicts, report.subject.unit, report.kinds)
    return {
        "answers": [asdict(answer) for answer in answers],
        "verdicts": tabulate_verdicts(report.verdicts, report.kinds),
        "lies": list_reports_in_words(report.lies),
        "stands": report.verdicts.promises_stand,
    }


def main() -> None:
    """Read a mechanism and its parameters from standard input, and print what they are, as JSON."""
    limit_child()
    given = json.load(sys.stdin)
    json.dump(describe_rule_here(given["mechanism"], given["parameters"]), sys.stdout)


if __name__ == "__main__":
    main()
