"""The center's side of a round: it opens it, takes statements in, and gives the result.

All keys and the settlement lie in the center's own folder (0700); the public folder holds what
members may read. Nothing is appended to the log that the round's state machine does not accept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.folders import (
    TERMS_FILE,
    list_statements,
    read_log,
    read_sealed,
    read_statement_file,
    read_terms_file,
    write_log,
)
from aboveboard.evidence.log import Log
from aboveboard.evidence.own_part import list_elements, read_point
from aboveboard.evidence.payloads import Payload, decode_payload
from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.evidence.rounds import Round, begin_round, replay_log
from aboveboard.evidence.sealing import encode_context, open_message
from aboveboard.evidence.seeds import commit_nonce
from aboveboard.evidence.statements import Statement, sign_statement
from aboveboard.evidence.sum_commitments import commit_point
from aboveboard.evidence.terms import CENTER, parse_terms
from aboveboard.storage.atomic import atomic_file


@dataclass(frozen=True)
class RoundIntake:
    """What the center took in.

    Parameters
    ----------
    round
        The round afterwards.
    accepted
        Files whose statements were appended to the log.
    refused
        Files whose statements cannot follow, with the reason.
    """

    round: Round
    accepted: tuple[Path, ...]
    refused: Mapping[Path, str]


def open_round(folder: Path, body: Mapping[str, Any], keys: CenterKeys) -> Round:
    """Begin a round: write the signed terms and a log that holds them.

    Parameters
    ----------
    folder
        The public folder to make.
    body
        The terms as plain data; see `aboveboard.evidence.terms.Terms`.
    keys
        The center's.

    Raises
    ------
    InputError
        If the terms are not valid, or the folder exists or cannot be made.
    """
    parse_terms(body, str(folder))
    terms = sign_statement(body, CENTER, keys.center)
    round_ = begin_round(terms.content, str(folder))
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            str(folder), f"it cannot be made ({error.strerror})", "name a folder that is new"
        ) from error
    log = Log(round_.terms.log.origin, (terms.content,))
    write_log(folder, log, log.sign_checkpoint(keys.log))
    with atomic_file(folder / TERMS_FILE) as file:
        file.write_bytes(terms.content + b"\n")
    return round_


def read_own_round(folder: Path) -> tuple[Round, Log]:
    """Return the round and the log in the center's own public folder.

    Raises
    ------
    InputError
        If they are damaged.
    """
    statement = read_terms_file(folder)
    log = read_log(folder, parse_terms(statement.body, str(folder)).log.origin)
    return replay_log(log.entries, str(folder)), log


def take_in(folder: Path, keys: CenterKeys) -> RoundIntake:
    """Append what members have said and what may follow; publish a new checkpoint.

    Statements are tried until none is accepted any more, so that their order in the folder does
    not matter. One that stands in the log already is passed over.

    Raises
    ------
    InputError
        If the folder is damaged or cannot be written.
    """
    round_, log = read_own_round(folder)
    waiting, refused = {}, {}
    for path in list_statements(folder):
        try:
            statement = read_statement_file(path)
        except InputError as error:
            refused[path] = error.problem
            continue
        if statement.content not in log.entries:
            waiting[path] = statement
    accepted: list[Path] = []
    moved = True
    while moved:
        moved = False
        for path, statement in list(waiting.items()):
            try:
                round_ = _accept(round_, folder, statement, keys)
            except RefusedStatementError as error:
                refused[path] = str(error)
                continue
            log = log.append(statement.content)
            accepted.append(path)
            del waiting[path]
            refused.pop(path, None)
            moved = True
    if accepted:
        write_log(folder, log, log.sign_checkpoint(keys.log))
    return RoundIntake(round_, tuple(accepted), refused)


def _accept(round_: Round, folder: Path, statement: Statement, keys: CenterKeys) -> Round:
    """Return the round with a statement; a submission must open and be what was committed."""
    after = round_.accept(statement)
    if statement.kind == "submit":
        try:
            part = open_submission(round_, folder, statement, keys)
            check_committed(
                round_, statement.by, list_elements(round_.terms, statement.by, part), part.key
            )
            check_sum(round_, statement.by, part)
        except (InputError, ValueError) as error:
            raise RefusedStatementError(_explain(error)) from error
    return after


def _explain(error: InputError | ValueError) -> str:
    return f"{error.problem}; {error.remedy}" if isinstance(error, InputError) else str(error)


def open_submission(round_: Round, folder: Path, statement: Statement, keys: CenterKeys) -> Payload:
    """Return what a member has submitted, its nonce checked against its commitment.

    Raises
    ------
    InputError
        If the ciphertext is missing, does not open, or holds another nonce.
    """
    name = statement.by
    sealed = read_sealed(folder, name, "submit", statement.body["sealed"])
    context = encode_context(round_.terms_digest, name, CENTER, "submit")
    place = f"submission of {name}"
    payload = decode_payload(open_message(sealed, keys.center, context, place), place)
    commitment = round_.find("commit", name)
    if commitment is None or commit_nonce(payload.nonce, name) != commitment.body["nonce"]:
        raise InputError(place, "its nonce is not the committed one", "submit what was committed")
    return payload


def check_committed(round_: Round, name: str, elements: Sequence[bytes], key: bytes) -> None:
    """Raise `InputError` if a list is not the one that a member committed to."""
    commitment = round_.find("commit", name)
    found = commit_elements(elements, key)
    if commitment is None or (found.root.hex(), found.size) != (
        commitment.body["root"],
        commitment.body["size"],
    ):
        raise InputError(
            f"submission of {name}",
            "it is another list than the committed one",
            "submit what was committed",
        )


def check_sum(round_: Round, name: str, part: Payload) -> None:
    """Raise `InputError` if a member's numbers are not those of which it committed to the sum."""
    if round_.terms.sums != "committed":
        return
    commitment = round_.find("commit", name)
    found = commit_point(read_point(round_.terms, name, part), part.key)
    if commitment is None or found != commitment.body["sum"]:
        raise InputError(
            f"submission of {name}",
            "its point is not the one in its commitment to the sum",
            "submit what was committed",
        )


def state(
    folder: Path, keys: CenterKeys, kind: str, make_body: Callable[[Round], Mapping[str, Any]]
) -> tuple[Round, Statement]:
    """Append a statement of the center's own; return the round and the statement.

    Parameters
    ----------
    folder
        The public folder.
    keys
        The center's.
    kind
        "result", "missing" or "cancel".
    make_body
        Returns the rest of its body.

    Raises
    ------
    InputError
        If it cannot follow.
    """
    round_, log = read_own_round(folder)
    body = {**make_body(round_), "kind": kind, "terms": round_.terms_digest}
    statement = sign_statement(body, CENTER, keys.center)
    try:
        round_ = round_.accept(statement)
    except RefusedStatementError as error:
        raise InputError(str(folder), str(error), "close the open step first") from error
    log = log.append(statement.content)
    write_log(folder, log, log.sign_checkpoint(keys.log))
    return round_, statement
