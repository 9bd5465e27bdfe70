"""The outcome of a sealed round, computed without any key: a process that has none can do it.

The center opens the submissions, lets them be computed here, and signs and seals what comes out.
Over folders that happens in one process; the hub runs this part in a child with limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aboveboard.collaborations.collaboration import Collaboration, load, settle_outcome
from aboveboard.commands.running import RunReport, error_context, run_collaboration
from aboveboard.errors import AnswersMissing, BudgetExceeded, InputError
from aboveboard.evidence.asking import Answer, find_asked, publish_answers
from aboveboard.evidence.bundles import Bundle
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.centers import check_committed, check_sum
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.own_part import list_elements, write_collaboration
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.publication import Publication, describe_announcement, publish
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.seeds import commit_nonce, derive_seed
from aboveboard.evidence.verifiers.opened import open_files, open_parts
from aboveboard.faults import list_faults, raise_faults
from aboveboard.mechanisms.reply_files import write_reply
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.mechanisms.settling import draw_settlement
from aboveboard.settlements.writing import reply_path

ROUND_PLACE = "the round"
"""What messages call the collaboration file that is made of terms and parts."""


@dataclass(frozen=True)
class RoundOutcome:
    """What comes out of a round, before the center signs it.

    Parameters
    ----------
    publication
        Public facts, shares, and what only one member gets.
    nonces
        By member's name, in hexadecimal.
    seed
        In hexadecimal.
    replies
        The file of each member's reply.
    keys
        Each member's tree key.
    """

    publication: Publication
    nonces: Mapping[str, str]
    seed: str
    replies: Mapping[str, Path]
    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The rest of the result's body, plain data."""
        return {
            "nonces": dict(self.nonces),
            "seed": self.seed,
            "facts": dict(self.publication.facts),
            "shares": dict(self.publication.shares),
            "replies": {
                name: hide_reply(name, digest_file(path), self.keys[name])
                for name, path in self.replies.items()
            },
        }


@dataclass(frozen=True)
class ReportedOutcome(RoundOutcome):
    """What comes out, with the center's own report of it.

    Parameters
    ----------
    publication, nonces, seed, replies, keys
        As in `RoundOutcome`.
    report
        The run: the settlement, and the folder it was written to.
    """

    report: RunReport


def check_part(round_: Round, name: str, part: Payload) -> None:
    """Raise `InputError` if a member's part is not what it has committed to."""
    commitment = round_.find("commit", name)
    if commitment is None or commit_nonce(part.nonce, name) != commitment.body["nonce"]:
        raise InputError(
            f"submission of {name}",
            "its nonce is not the committed one",
            "submit what was committed",
        )
    check_committed(round_, name, list_elements(round_.terms, name, part), part.key)
    check_sum(round_, name, part)


def compute_outcome(
    round_: Round,
    parts: Mapping[str, Payload],
    out: Path,
    order: bytes | None = None,
    files: Mapping[str, tuple[bytes, bytes]] | None = None,
    answers: Mapping[int, Mapping[str, Answer]] | None = None,
) -> ReportedOutcome:
    """Run a round on its members' parts, all of them checked before, with a report.

    Parameters
    ----------
    round_
        The round, sealed.
    parts
        By member's name.
    out
        The folder that the settlement is written to.
    order
        The secret key of the hand-out order's tree, 32 bytes; None: a new one.
    files
        The center's own files by name, each with its key; None: there are none.
    answers
        What members have answered while the rule ran, by step and member; None: nothing.

    Raises
    ------
    InputError
        If the rule refuses the data, or the folder cannot be written.
    """
    with _load(round_, parts, files, answers) as collaboration:
        # A run that was killed before its result was stated is done anew.
        report = run_collaboration(collaboration, out, force=True)
        outcome = _publish(
            round_, parts, out, collaboration, report.settlement, order, files, answers
        )
    return ReportedOutcome(**vars(outcome), report=report)


def recompute_outcome(
    round_: Round,
    parts: Mapping[str, Payload],
    out: Path,
    order: bytes | None = None,
    files: Mapping[str, tuple[bytes, bytes]] | None = None,
    answers: Mapping[int, Mapping[str, Answer]] | None = None,
) -> RoundOutcome:
    """Return what comes out of a round, without a report: replies alone are written.

    Parameters
    ----------
    round_, parts, order, files, answers
        As in `compute_outcome`.
    out
        The folder that replies are written to.

    Raises
    ------
    InputError
        If the rule refuses the data, or the folder cannot be written.
    """
    with _load(round_, parts, files, answers) as collaboration:
        with error_context(collaboration):
            settlement = draw_settlement(settle_outcome(collaboration), collaboration.file.seed)
        for name, share in settlement.parties.items():
            path = out / reply_path(name, share.reply)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_reply(share.reply, path)
        return _publish(round_, parts, out, collaboration, settlement, order, files, answers)


@contextmanager
def _load(
    round_: Round,
    parts: Mapping[str, Payload],
    files: Mapping[str, tuple[bytes, bytes]] | None,
    answers: Mapping[int, Mapping[str, Answer]] | None,
) -> Iterator[Collaboration]:
    """Yield the collaboration that terms, parts and answers make, in a folder of its own."""
    seed = derive_seed(round_.terms_digest, {name: parts[name].nonce for name in parts})
    own = {name: content for name, (_, content) in (files or {}).items()}
    with TemporaryDirectory() as scratch:
        number = int.from_bytes(seed, "big")
        path = write_collaboration(
            round_.terms, parts, own, Path(scratch), number, answers=answers or {}
        )
        with _name_round(str(path)):
            yield load(path)


@contextmanager
def _name_round(path: str) -> Iterator[None]:
    """Name no file in the place of an error that is gone when somebody reads it."""

    def rename(text: str) -> str:
        return text.replace(f"{path}: ", "").replace(path, ROUND_PLACE)

    try:
        yield
    except AnswersMissing as error:
        place = rename(error.place)
        raise AnswersMissing(
            place, error.problem, error.remedy, path=error.path, content=error.content
        ) from error
    except InputError as error:
        raise_faults(
            [
                InputError(rename(fault.place), fault.problem, fault.remedy)
                for fault in list_faults(error)
            ]
        )
    except BudgetExceeded as error:
        raise BudgetExceeded(rename(str(error))) from error


def _publish(
    round_: Round,
    parts: Mapping[str, Payload],
    out: Path,
    collaboration: Collaboration,
    settlement: Settlement,
    order: bytes | None,
    files: Mapping[str, tuple[bytes, bytes]] | None,
    answers: Mapping[int, Mapping[str, Answer]] | None,
) -> RoundOutcome:
    """Return what is published of a settlement, and opened by the terms."""
    keys = {name: parts[name].key for name in parts}
    publication = publish(collaboration, settlement, keys, order, round_.terms)
    if round_.terms.opened != "nothing":
        opened: dict[str, Any] = {"files": open_files(files or {})}
        if round_.terms.opened == "all":
            opened["parts"] = open_parts(parts)
        publication = replace(publication, facts={**publication.facts, **opened})
    if published := publish_answers(round_.terms, answers or {}):
        facts = {**publication.facts, "answers": published}
        publication = replace(publication, facts=facts)
    shares = settlement.parties
    replies = {name: out / reply_path(name, share.reply) for name, share in shares.items()}
    nonces = {name: part.nonce.hex() for name, part in parts.items()}
    seed = derive_seed(round_.terms_digest, {name: parts[name].nonce for name in parts})
    return RoundOutcome(publication, nonces, seed.hex(), replies, keys)


def draft_question(
    round_: Round,
    parts: Mapping[str, Payload],
    files: Mapping[str, tuple[bytes, bytes]] | None = None,
    answers: Mapping[int, Mapping[str, Answer]] | None = None,
) -> dict[str, Any]:
    """Return the next question of a round: the body of "ask" but for its time.

    Whoever votes sees what was announced: by the proposer, or its best where it announces nothing.

    Parameters
    ----------
    round_
        The round, sealed, and every question so far answered.
    parts, files, answers
        As in `compute_outcome`.

    Raises
    ------
    InputError
        If the rule refuses the data.
    """
    step = len(round_.asked)
    question = round_.terms.asks[step]
    shows: dict[str, Any] = {}
    if question == "votes":
        with _load(round_, parts, files, answers) as collaboration:
            shows = describe_announcement(collaboration)
    members = list(find_asked(round_.terms, round_.present, question))
    return {"step": step, "question": question, "members": members, "shows": shows}


def pack_result(
    name: str,
    reply: Path,
    entries: Sequence[bytes],
    note: str,
    private: Mapping[str, Any],
    cosigned: Sequence[str] = (),
) -> bytes:
    """Return what is sealed to a member: a line of JSON, its bundle, and its reply.

    Parameters
    ----------
    name
        The member.
    reply
        The file of its reply.
    entries, note
        The log with the result in it, and its signed checkpoint.
    private
        What only this member gets.
    cosigned
        Checkpoints that members have cosigned, as text.
    """
    named = {"file": reply.name, "sha256": digest_file(reply)}
    bundle = Bundle(name, tuple(entries), note, named, private, cosigned=tuple(cosigned)).encode()
    header = encode_canonical({"bundle": len(bundle), "file": reply.name})
    return b"\n".join([header, bundle + reply.read_bytes()])


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
