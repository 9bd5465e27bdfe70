"""The center's commands of a round over a folder: open it, close a step, settle."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import time

from aboveboard.commands.rounds.auditor import OPENED_FILES
from aboveboard.commands.rounds.drafting import (
    Draft,
    choose_sums,
    collect_files,
    draft_table,
    draft_terms,
    read_sees,
)
from aboveboard.commands.rounds.member import KEYS
from aboveboard.commands.rounds.outcomes import (
    RoundOutcome,
    check_part,
    compute_outcome,
    draft_question,
    pack_result,
)
from aboveboard.commands.rounds.questions import ask_again, open_answers
from aboveboard.commands.running import RunReport
from aboveboard.errors import AnswersMissing, InputError
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.centers import (
    RoundIntake,
    open_round,
    open_submission,
    read_own_round,
    state,
    take_in,
)
from aboveboard.evidence.cosigning import list_cosigned
from aboveboard.evidence.folders import (
    read_log,
    write_sealed,
)
from aboveboard.evidence.keys import (
    PRIVATE_FOLDER,
    generate_keys,
    read_keys,
    read_public,
    write_keys,
    write_private,
)
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.sealing import encode_context, seal_message
from aboveboard.evidence.terms import CENTER
from aboveboard.evidence.verifiers.opened import digest_file, open_files
from aboveboard.storage.atomic import atomic_file

LOG_KEYS = "log-keys"
FILES = "files"
SETTLEMENT = "settlement"


def locate_center(folder: Path) -> Path:
    """Return the center's private folder of a round: beside the public one."""
    whole = folder.resolve()
    return whole.with_name(f"{whole.name}-center")


def open_collaboration(
    file: Path | Draft,
    members: Path,
    folder: Path,
    *,
    missing: str = "cancel",
    serial: int = 1,
    opened: str = "nothing",
    counts: str = "center",
    sums: str | None = None,
    sees: Mapping[str, str] | None = None,
    lost_key: str = "nobody",
    auditor: Path | None = None,
    deadlines: Mapping[str, str] | None = None,
) -> Round:
    """Begin a round: terms from a collaboration file and the members' public keys.

    Parameters
    ----------
    file
        The collaboration file, or what was drafted of it. What stands in `[parties.NAME]` is public
        but for what a party reports, such as its data, which is left out; members add the rest.
    members
        A folder with NAME.json, the public keys of each party.
    folder
        The public folder to make; the center's private one is made beside it.
    missing
        What happens if a member is late or leaves: "cancel" or "continue".
    serial
        Number of the round.
    opened
        What all see afterwards besides the result: "nothing", the "center"'s own files, or "all"
        members' parts too.
    counts
        Who counts the regions of exchanged lists: "center" or "members".
    sums
        "committed": members commit to their points of an average, so that the sum is verified;
        "center": they do not. None: the former where the mechanism has a sum and PyNaCl is here.
    sees
        Who sees which output: "shares" and "regions"; see `aboveboard.evidence.terms.Sees`.
    lost_key
        Who vouches for a member that has lost its key: "nobody", "center", "majority" or "all".
    auditor
        The public keys of the auditor that all agree on; None: there is none.
    deadlines
        By step; None: there are none.

    Raises
    ------
    InputError
        If the file is not a collaboration, a party has no key file, or a folder exists.
    """
    draft = file if isinstance(file, Draft) else draft_table(file)
    keys = {name: read_public(members / f"{name}.json") for name in draft.table["parties"]}
    private = locate_center(folder)
    own = CenterKeys(generate_keys(), generate_keys())
    if folder.exists():
        raise InputError(str(folder), "it exists", "name a folder that is new")
    origin = f"aboveboard/{secrets.token_hex(8)}"
    table, contents = collect_files(draft.table, draft.file.parent)
    files = {name: (own.derive_key(name), content) for name, content in contents.items()}
    body = draft_terms(
        table,
        keys,
        own,
        origin,
        missing=missing,
        serial=serial,
        deadlines=deadlines,
        opened=opened,
        files={name: digest_file(*each) for name, each in files.items()},
    )
    body |= {
        "counts": counts,
        "sums": sums or choose_sums(body["mechanism"]),
        "sees": {**read_sees(table), **(sees or {})},
        "lost_key": lost_key,
        "auditor": None if auditor is None else read_public(auditor).as_dict(),
    }
    try:
        round_ = open_round(folder, body, own)
    except ValueError as error:
        raise InputError(
            str(draft.file), str(error), "write dates and large numbers as text"
        ) from error
    _write_center(private, own, files)
    return round_


def _write_center(private: Path, own: CenterKeys, files: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Write the center's private folder: its keys, its own files, and the keys of their hashes."""
    write_keys(own.center, private / KEYS)
    write_keys(own.log, private / LOG_KEYS)
    if not files:
        return
    (private / FILES).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    for name, (_, content) in files.items():
        write_private(private / FILES / name, content)
    write_private(private / OPENED_FILES, encode_canonical(open_files(files)))


def read_center_files(folder: Path, keys: CenterKeys) -> dict[str, tuple[bytes, bytes]]:
    """Return the center's own files of a round, each with the key that hides its hash."""
    place = locate_center(folder) / FILES
    paths = sorted(place.iterdir()) if place.is_dir() else []
    return {p.name: (keys.derive_key(p.name), p.read_bytes()) for p in paths}


def read_center_keys(folder: Path) -> CenterKeys:
    """Return the center's keys of a round, from its private folder."""
    private = locate_center(folder)
    return CenterKeys(read_keys(private / KEYS), read_keys(private / LOG_KEYS))


def close_step(folder: Path, *, without: tuple[str, ...] = ()) -> RoundIntake:
    """Take in what members have said, and publish a new checkpoint.

    Parameters
    ----------
    folder
        The public folder.
    without
        Members that are late: the round goes on without them, or is cancelled, as the terms say.

    Raises
    ------
    InputError
        If the folder is damaged, or a member named is not awaited.
    """
    keys = read_center_keys(folder)
    intake = take_in(folder, keys)
    if without:
        round_, _ = state(folder, keys, "missing", lambda _: {"members": sorted(without)})
        intake = RoundIntake(round_, intake.accepted, intake.refused)
    return intake


def settle_round(folder: Path) -> tuple[Round, RunReport]:
    """Run a round that is sealed; seal each member's reply and bundle to it.

    Raises
    ------
    InputError
        If a submission is missing or not what was committed, or the rule refuses the data.
    """
    keys = read_center_keys(folder)
    take_in(folder, keys)
    round_, _ = read_own_round(folder)
    _refuse_open_steps(round_, folder)
    parts = _open_parts(round_, folder, keys)
    files = read_center_files(folder, keys)
    answers, _ = open_answers(round_, [keys.center])
    private = locate_center(folder)
    try:
        outcome = compute_outcome(round_, parts, private / SETTLEMENT, files=files, answers=answers)
    except AnswersMissing as error:  # people inspect: the questions join the center's files
        path = private / FILES / error.path.name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with atomic_file(path) as file:
            file.write_text(error.content, encoding="utf-8", newline="\n")
        raise InputError(
            error.place,
            error.problem,
            f"write yes or no into the column real of {path}, and settle again",
        ) from None
    round_, _ = state(folder, keys, "result", lambda _: outcome.body)
    _seal_results(round_, folder, keys, outcome)
    return round_, outcome.report


def ask_next(folder: Path) -> Round | None:
    """Ask the next question of the terms, or again those whose answers are not valid.

    Returns
    -------
    Round or None
        The round that waits for answers; None where everything has been asked and answered.

    Raises
    ------
    InputError
        If the round is not sealed, or a submission is not what was committed.
    """
    keys = read_center_keys(folder)
    take_in(folder, keys)
    round_, _ = read_own_round(folder)
    if not round_.terms.asks or round_.find("result") is not None:
        return None
    if round_.list_unanswered():
        return round_
    answers, faults = open_answers(round_, [keys.center])
    if not faults and len(round_.asked) == len(round_.terms.asks):
        return None
    if faults:
        body = ask_again(round_, faults)
    else:
        parts = _open_parts(round_, folder, keys)
        body = draft_question(round_, parts, read_center_files(folder, keys), answers)
        body |= {"until": find_until(round_, time())}
    return state(folder, keys, "ask", lambda now: {**body, "number": len(now.leaves)})[0]


def find_until(round_: Round, seconds: float) -> str:
    """Return until when a question that is asked now is answered; empty: the terms set no time."""
    hours = round_.terms.answer_hours
    if hours is None:
        return ""
    return datetime.fromtimestamp(int(seconds) + hours * 3600, UTC).isoformat()


def _refuse_open_steps(round_: Round, folder: Path) -> None:
    """Raise `InputError` before any work if the result could not be stated afterwards."""
    if round_.find("result") is not None:
        raise InputError(str(folder), "the round has a result", "begin another round")
    if len(round_.asked) < len(round_.terms.asks) or round_.list_unanswered():
        raise InputError(
            str(folder), "not all questions have been asked and answered", "ask the next one"
        )
    waiting = round_.list_awaited("counted") if round_.terms.counts == "members" else ()
    if waiting:
        raise InputError(
            str(folder),
            f"{', '.join(waiting)} have not counted the regions",
            "let members run 'aboveboard count', and close the step",
        )


def _open_parts(round_: Round, folder: Path, keys: CenterKeys) -> dict[str, Payload]:
    """Return every member's part, checked against its commitment."""
    parts = {}
    for name in round_.present:
        statement = round_.find("submit", name)
        if statement is None:
            raise InputError(str(folder), f"{name} has not submitted", "wait, or close without it")
        parts[name] = open_submission(round_, folder, statement, keys)
        check_part(round_, name, parts[name])
    return parts


def _seal_results(round_: Round, folder: Path, keys: CenterKeys, outcome: RoundOutcome) -> None:
    log = read_log(folder, round_.terms.log.origin)
    note = log.sign_checkpoint(keys.log).content.decode("utf-8")
    cosigned = [each.note.content.decode("utf-8") for each in list_cosigned(folder, round_)]
    for name, path in outcome.replies.items():
        private = outcome.publication.private.get(name, {})
        content = pack_result(name, path, log.entries, note, private, cosigned)
        context = encode_context(round_.terms_digest, CENTER, name, "result")
        member = round_.find_keys(name)
        if member is not None:
            sealed = seal_message(content, member.sealing, context)
            write_sealed(folder, name, "result", sealed)
