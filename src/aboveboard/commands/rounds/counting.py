"""Members count the regions of their lists by blinded tokens: files passed on in a ring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds.member import Membership, note_seen
from aboveboard.errors import InputError
from aboveboard.evidence.blinded_tokens import (
    TOKEN,
    blind_elements,
    blind_tokens,
    count_common,
    decode_tokens,
    encode_tokens,
    find_blinder,
    generate_blinding,
)
from aboveboard.evidence.folders import (
    read_limited,
    read_sealed,
    write_sealed,
    write_statement,
)
from aboveboard.evidence.keys import write_private
from aboveboard.evidence.members import read_payload, read_round
from aboveboard.evidence.own_part import list_elements
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import sign_statement

BLINDING_FILE = "blinding.bin"


@dataclass(frozen=True)
class Counting:
    """What one call of `take_counting_step` has done.

    Parameters
    ----------
    passed
        Whose tokens were blinded and passed on.
    regions
        The regions, once everything was blinded by all: bit mask and count; else None.
    statements
        The files to send.
    """

    passed: tuple[str, ...]
    regions: list[list[Any]] | None
    statements: tuple[Path, ...]

    @property
    def text(self) -> str:
        """What was done, in a sentence."""
        if self.regions is not None:
            return f"counted {len(self.regions)} regions; send your statement to the center"
        if self.passed:
            return f"blinded and passed on the tokens of {', '.join(self.passed)}; send them"
        return "nothing to do yet: wait for the others"


def take_counting_step(member: Membership) -> Counting:
    """Do a member's part of the next step: blind what it is its turn to blind, or count.

    Raises
    ------
    InputError
        If the terms leave counting to the center, not all have committed, or a file is wrong.
    """
    seen = read_round(member.folder, member.private)
    round_ = seen.round
    if round_.terms.counts != "members":
        raise InputError(
            str(member.folder), "by the terms the center counts", "there is nothing to do"
        )
    if round_.committed_at is None:
        raise InputError(str(member.folder), "not all have committed", "wait for the others")
    note_seen(member, seen)
    if round_.tokens_complete:
        return _count(member, round_)
    passed = list_to_blind(round_, member.name)
    written = [
        _pass_on(member, round_, owner, len(round_.tokens.get(owner, ()))) for owner in passed
    ]
    return Counting(passed, None, tuple(written))


def list_to_blind(round_: Round, name: str) -> tuple[str, ...]:
    """Return the members whose tokens it is somebody's turn to blind and pass on.

    Parameters
    ----------
    round_
        A round whose members count.
    name
        Whose turn.
    """
    names = round_.terms.names
    steps = {owner: len(round_.tokens.get(owner, ())) for owner in names}
    return tuple(
        owner
        for owner, step in steps.items()
        if step < len(names) and find_blinder(names, owner, step) == name
    )


def compute_regions(folder: Path, round_: Round) -> list[list[Any]]:
    """Return the regions that the tokens in a public folder have, once all have blinded them.

    Returns
    -------
    list
        For each set of members a bit mask as text, and how many elements just these have.

    Raises
    ------
    InputError
        If a file of tokens is missing, or another one than the log names.
    """
    last = len(round_.terms.names) - 1
    lists = {name: _read_tokens(folder, round_, name, last) for name in round_.terms.names}
    return [[str(mask), count] for mask, count in count_common(lists).items()]


def _pass_on(member: Membership, round_: Round, owner: str, step: int) -> Path:
    """Blind the tokens of a list once more, and pass them on."""
    blinding = _find_blinding(member)
    if step == 0:
        payload = read_payload(member.private)
        elements = list_elements(round_.terms, member.name, payload)
        tokens = blind_elements(elements, blinding, round_.terms_digest)
    else:
        tokens = blind_tokens(_read_tokens(member.folder, round_, owner, step - 1), blinding)
    content = encode_tokens(tokens)
    write_sealed(member.folder, owner, f"tokens-{step}", content)
    body = {
        "kind": "tokens",
        "terms": round_.terms_digest,
        "owner": owner,
        "step": step,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    statement = sign_statement(body, member.name, member.keys)
    return write_statement(member.folder, statement, f"-{owner}-{step}")


def _read_tokens(folder: Path, round_: Round, owner: str, step: int) -> list[bytes]:
    content = read_sealed(folder, owner, f"tokens-{step}", round_.tokens[owner][step])
    commitment = round_.find("commit", owner)
    size = 0 if commitment is None else commitment.body["size"]
    return decode_tokens(content, f"tokens of {owner}, step {step + 1}", size)


def _count(member: Membership, round_: Round) -> Counting:
    regions = compute_regions(member.folder, round_)
    body = {"kind": "counted", "terms": round_.terms_digest, "regions": regions}
    statement = sign_statement(body, member.name, member.keys)
    return Counting((), regions, (write_statement(member.folder, statement),))


def _find_blinding(member: Membership) -> bytes:
    """Return the member's secret number of this round; made once and kept."""
    path = member.private / BLINDING_FILE
    if not path.exists():
        write_private(path, generate_blinding())
    blinding = read_limited(path, TOKEN, "restore it from a backup")
    if len(blinding) != TOKEN:
        raise InputError(str(path), f"it does not have {TOKEN} bytes", "restore it from a backup")
    return blinding
