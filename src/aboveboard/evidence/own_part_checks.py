"""A party's own part in the verification of its bundle: read, completed, compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer, check_opened
from aboveboard.evidence.canonical import decode_hex, decode_json
from aboveboard.evidence.cases import Delivery, describe
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.own_part import list_elements, read_own_file
from aboveboard.evidence.payloads import Payload, PayloadContent
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.seeds import NONCE

IN_PLACE = ("elements",)
"""Keys of a party's table that a data file may take the place of."""


def read_own_part(
    given: Delivery, round_: Round, findings: Findings
) -> tuple[Payload | None, bytes | None]:
    """Return the party's own part and the key of its commitment; None for what it has not given.

    Raises
    ------
    InputError
        If its file, or the keys in the bundle, cannot be read.
    """
    # In a round a member has its secrets itself: what the center sends of them is not looked at.
    secrets = given.bundle.secrets if round_.terms.protocol == "run" else {}
    try:
        key = given.key or decode_hex(secrets.get("key", ""))
    except ValueError:
        key = b""
    if given.mine is None:
        findings.miss("your own file: that your data were used whole (--mine FILE)")
        return None, key or None
    table, files = read_own_file(given.mine)
    if "table" in secrets:
        stated = decode_json(secrets["table"].encode("utf-8"), "bundle")
        if not isinstance(stated, dict):
            raise InputError(
                "bundle",
                "the keys that it adds to your file are not a table",
                "ask for it once more",
            )
        table, files = _combine(stated, table, files, findings)
    return Payload(table, files, key, bytes(NONCE)), key or None


def _combine(
    stated: dict[str, Any],
    table: dict[str, Any],
    files: dict[str, PayloadContent],
    findings: Findings,
) -> tuple[dict[str, Any], dict[str, PayloadContent]]:
    """Return a party's part in a run: its own file, and the keys that the operator wrote for it.

    The operator may have the file under another name.
    """
    rest = {key: x for key, x in stated.items() if key not in table and key not in IN_PLACE}
    if rest:
        findings.trust(f"your further keys, as the operator's file has them: {describe(rest)}")
    named, mine = stated.get("data"), table.get("data")
    if isinstance(named, str) and mine in files:
        files = {**{k: x for k, x in files.items() if k != mine}, named: files[mine]}
        table = {**table, "data": named}
    return {**rest, **table}, files


def verify_own_part(
    given: Delivery,
    round_: Round,
    part: Payload | None,
    key: bytes | None,
    commitments: Mapping[str, tuple[bytes, int]],
    findings: Findings,
) -> None:
    """Verify that the party's commitment is of its own data."""
    if part is None:
        return
    if given.bundle.name not in commitments:
        findings.trust("that your data were used: they stand in a table of all parties")
        return
    if key is None:
        findings.miss("the key of your committed list: that your data were used whole")
        return
    name = given.bundle.name
    try:
        committed = commit_elements(list_elements(round_.terms, name, part), key)
    except ValueError as error:
        findings.contradict(f"the key of your committed list is not valid: {error}")
        return
    findings.check(
        commitments.get(name) == (committed.root, committed.size),
        "your own data are what was committed, whole",
        "your own data are not what was committed: another list, or a part of it, was used",
        "commit",
    )


def add_own_answers(
    given: Delivery, round_: Round, part: Payload | None, findings: Findings
) -> Payload | None:
    """Return the party's part with the bits that it has sent as answers."""
    name, bits = given.bundle.name, []
    for step, question in enumerate(round_.terms.asks):
        if (
            question != "bits"
            or (step, name) not in round_.answers
            or str(step) not in given.answers
        ):
            continue
        answer = Answer.from_dict(given.answers[str(step)], f"your answer {step + 1}")
        try:
            bits += check_opened(round_, step, name, answer)
        except InputError as error:
            findings.contradict(f"your answer {step + 1}: {error.problem}")
    if part is None or not bits:
        return part
    table = {**part.table, "bits": [*part.table.get("bits", []), *bits]}
    return replace(part, table=table)
