"""The auditor's command: a round computed again from opened parts, and who contradicts what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aboveboard._version import __version__
from aboveboard.commands.rounds.outcomes import RoundOutcome, check_part, recompute_outcome
from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer, check_opened, read_answers
from aboveboard.evidence.canonical import MOST_BYTES, decode_json
from aboveboard.evidence.cosigning import list_cosigned, verify_cosigned
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import (
    MOST_SEALED_BYTES,
    read_checkpoint_file,
    read_limited,
    read_log,
    read_terms_file,
)
from aboveboard.evidence.log import verify_checkpoint
from aboveboard.evidence.numbers import is_same_data
from aboveboard.evidence.payloads import Payload, decode_payload
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.terms import CENTER, read_terms
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.evidence.verifiers.opened import NOT_COMPARED, digest_file, read_files

OPENED_FILES = "files.json"
"""The center's own files with their keys, in its private folder and among what is opened."""


def audit_round(folder: Path, opened: Path) -> Findings:
    """Compute a round again from its members' opened parts.

    Parameters
    ----------
    folder
        The round's public folder.
    opened
        A folder with NAME.bin for each member, its payload as it committed to it; and files.json
        where the center has files of its own.

    Returns
    -------
    Findings
        Each contradiction names who stated what is not so: a member whose opened part is not what
        it committed to, or the center.

    Raises
    ------
    InputError
        If a folder cannot be read.
    """
    if not opened.is_dir():
        raise InputError(str(opened), "there is no such folder", "name the folder with NAME.bin")
    findings = Findings()
    round_ = _read_round(folder, findings)
    if round_ is None:
        return findings
    result = round_.find("result")
    if result is None:
        findings.miss("the result: the round has none yet")
    parts = _read_parts(round_, opened, findings)
    files = _read_files(round_, opened, findings)
    if result is None or files is None or len(parts) < len(round_.present):
        return findings
    answers = _read_answers(round_, result.body["facts"], opened, findings)
    if answers is None:
        return findings
    with TemporaryDirectory() as scratch:
        try:
            outcome = recompute_outcome(
                round_, parts, Path(scratch) / "settlement", files=files, answers=answers
            )
        except InputError as error:  # perhaps for want of a package here: the auditor decides
            findings.miss(f"what the rule makes of all parts, which it refuses here: {error}")
            return findings
        _compare(round_, result.body, outcome, result.digest, findings)
    return findings


def _read_round(folder: Path, findings: Findings) -> Round | None:
    terms = read_terms(read_terms_file(folder), str(folder))
    log = read_log(folder, terms.log.origin)
    note = read_checkpoint_file(folder)
    try:
        round_ = replay_log(log.entries, str(folder))
        key = round_.find_log_key(len(log.entries))
        checkpoint = verify_checkpoint(note, log.origin, key)
    except (InputError, InvalidProofError) as error:
        findings.contradict(f"the log is not in order: {error}", who=CENTER)
        return None
    findings.check(
        checkpoint == log.checkpoint,
        f"all {len(log.entries)} statements are signed, in order, and in the log {log.origin}",
        "the checkpoint is of another log than log.jsonl",
        who=CENTER,
    )
    notes = [each.note.content.decode("utf-8") for each in list_cosigned(folder, round_)]
    verify_cosigned(notes, round_, findings, CENTER)
    return round_


def _read_parts(round_: Round, opened: Path, findings: Findings) -> dict[str, Payload]:
    """Return the parts that are what their members committed to."""
    parts = {}
    for name in round_.present:
        path = opened / f"{name}.bin"
        if not path.exists():
            findings.miss(f"the part of {name}: {path}")
            continue
        commitment = round_.find("commit", name)
        proof = "" if commitment is None else commitment.digest
        try:
            part = decode_payload(read_limited(path, MOST_SEALED_BYTES, "copy it anew"), str(path))
            check_part(round_, name, part)
        except (InputError, ValueError) as error:
            problem = error.problem if isinstance(error, InputError) else str(error)
            findings.contradict(
                f"what {name} opens is not what it committed to: {problem}", proof, name
            )
            continue
        findings.verify(f"what {name} opens is what it committed to")
        parts[name] = part
    return parts


def _read_files(
    round_: Round, opened: Path, findings: Findings
) -> dict[str, tuple[bytes, bytes]] | None:
    """Return the center's own files; None where one is missing or not that of the terms."""
    stated = round_.terms.files
    if not stated:
        return {}
    path = opened / OPENED_FILES
    if not path.exists():
        findings.miss(f"the center's own files: {path}")
        return None
    try:
        content = read_limited(path, MOST_BYTES, "copy it once more")
        files = read_files(decode_json(content, str(path)))
    except InputError as error:
        findings.contradict(f"the center's own files cannot be read: {error.problem}", who=CENTER)
        return None
    wrong = [n for n in stated if n not in files or digest_file(*files[n]) != stated[n]]
    holds = findings.check(
        not wrong,
        "the center's own files are those of the terms",
        f"{', '.join(sorted(wrong))} is not the file of the terms",
        round_.terms_digest,
        CENTER,
    )
    return {name: files[name] for name in stated} if holds else None


def _read_answers(
    round_: Round, facts: Mapping[str, Any], opened: Path, findings: Findings
) -> dict[int, dict[str, Answer]] | None:
    """Return all answers: those that were published, and those that members open here."""
    if not round_.terms.asks:
        return {}
    try:
        answers = read_answers(round_, facts)
    except InputError as error:
        findings.contradict(f"{error.place}: {error.problem}", who=CENTER)
        return None
    for step, name in sorted(round_.answers):
        if name in answers.get(step, {}):
            continue
        path = opened / f"{name}.answers.json"
        if not path.exists():
            findings.miss(f"the answers of {name}: {path}")
            return None
        try:
            data = decode_json(read_limited(path, MOST_BYTES, "copy it anew"), str(path))
            answer = Answer.from_dict(data.get(str(step)), str(path))
            check_opened(round_, step, name, answer)
        except (InputError, AttributeError) as error:
            findings.contradict(f"what {name} opens is not what it answered: {error}", who=name)
            return None
        answers.setdefault(step, {})[name] = answer
    return answers


def _compare(
    round_: Round, body: Mapping[str, Any], outcome: RoundOutcome, proof: str, findings: Findings
) -> None:
    """Compare what the center stated with what comes out."""
    due = outcome.body
    same_engine = round_.terms.engine == f"aboveboard {__version__}"
    for key, what in (("nonces", "the nonces are"), ("seed", "the seed is")):
        findings.check(
            body[key] == due[key],
            f"{what} those of the members" if key == "nonces" else "the seed follows from them",
            f"{what} not that of the members",
            proof,
            CENTER,
        )
    shares = [
        f"the {number} of {name} is stated as {_find(body['shares'], name, number)}, and is {value}"
        for name, share in due["shares"].items()
        for number, value in share.items()
        if not is_same_data(value, _find(body["shares"], name, number))
    ]
    _report(shares, "all gains and payments are what the rule makes of all parts", proof, findings)
    facts = [
        f"the published {key!r} is not what the rule makes of all parts"
        for key in sorted((set(due["facts"]) | set(body["facts"])) - NOT_COMPARED)
        if not is_same_data(due["facts"].get(key), body["facts"].get(key))
    ]
    _report(facts, "all that was published is what the rule makes of all parts", proof, findings)
    replies = [
        f"the reply of {name} is not what the rule gives"
        for name, digest in due["replies"].items()
        if body["replies"].get(name) != digest
    ]
    if replies and not same_engine:
        findings.miss(f"{round_.terms.engine}, which ran the round: {replies[0]}")
        return
    _report(replies, "all replies are what the rule gives, byte for byte", proof, findings)


def _report(wrong: list[str], otherwise: str, proof: str, findings: Findings) -> None:
    for what in wrong:
        findings.contradict(what, proof, CENTER)
    if not wrong:
        findings.verify(otherwise)


def _find(shares: Any, name: str, number: str) -> Any:
    share = shares.get(name)
    return share.get(number) if isinstance(share, dict) else None
