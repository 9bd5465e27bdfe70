"""A round's rule in words, and its audit on example data with the parameters of the terms.

The members' data are not known before a round, so that the promises are examined on the data of the
mechanism's own starting file. Nothing of a user is executed: a rule that is the operator's own code
is only named.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aboveboard.auditing import Budget
from aboveboard.collaborations.collaboration import load
from aboveboard.collaborations.registry import find_mechanism
from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.errors import AboveboardError, InputError
from aboveboard.evidence.disclosures import list_facts
from aboveboard.evidence.verifiers import list_trusted
from aboveboard.report.answers import write_answers
from aboveboard.report.tables import tabulate_lies, tabulate_verdicts

logger = logging.getLogger(__name__)

SAMPLES = 2_000
"""Cases beyond which an audit for a page samples."""

SEED = 1
"""Seed of the example, so that all members see the same audit."""

OWN_CODE = (
    "the rule is code of the operator's own: read it, and audit it yourself with "
    "'aboveboard audit' before you agree"
)


def describe_rule(mechanism: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule is and what an audit on example data says of it, plain data.

    Parameters
    ----------
    mechanism
        Its name.
    parameters
        As the terms have them.

    Returns
    -------
    dict
        "summary", "guarantees", "assumes", "source": texts; "keys": what each key of the
        collaboration file means; "told": what all members are told of the others; "trusted": what
        stays on the center's word; "note": what the
        audit was made on, or why there is none; "audit": answers, verdicts and lies; None without.
    """
    if ":" in mechanism:
        return {"note": OWN_CODE, "audit": None}
    try:
        rule = find_mechanism(mechanism, "the terms")
    except InputError as error:
        return {"note": str(error), "audit": None}
    keys = {name: field.description or "" for name, field in rule.FILE.model_fields.items()}
    texts = {
        "summary": rule.SUMMARY,
        "guarantees": rule.GUARANTEES,
        "assumes": rule.ASSUMES,
        "source": rule.SOURCE,
        "keys": keys,
        "told": list(list_facts(mechanism)),
        "trusted": list(list_trusted(mechanism, parameters)),
    }
    example = tomllib.loads(rule.STARTING_FILE)
    for table, note in (
        (
            {**example, **parameters},
            "on the data of an example, with the parameters of these terms",
        ),
        (
            example,
            "on an example with parameters of its own: with those of these terms none can be made",
        ),
    ):
        try:
            return {**texts, "note": note, "audit": _tabulate(_audit(table))}
        except (AboveboardError, ValueError):
            continue
        except Exception:
            # A defect of an installed mechanism: the rest of the terms can be read all the same.
            logger.exception("the audit of %s failed", mechanism)
            break
    return {**texts, "note": "the rule could not be audited on an example", "audit": None}


def _audit(table: dict[str, Any]) -> AuditReport:
    import tomli_w

    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "example.toml"
        path.write_text(tomli_w.dumps({**table, "seed": SEED}), encoding="utf-8")
        return audit_collaboration(load(path), budget=Budget(samples=SAMPLES))


def _tabulate(report: AuditReport) -> dict[str, Any]:
    answers = write_answers(None, report.lies, report.verdicts, report.subject.unit, report.kinds)
    return {
        "answers": [asdict(answer) for answer in answers],
        "verdicts": tabulate_verdicts(report.verdicts),
        "lies": tabulate_lies(report.lies),
        "stands": report.verdicts.promises_stand,
    }


def main() -> None:
    """Read a mechanism and its parameters from standard input, and print what they are, as JSON."""
    import sys

    given = json.load(sys.stdin)
    json.dump(describe_rule(given["mechanism"], given["parameters"]), sys.stdout)


if __name__ == "__main__":
    main()
