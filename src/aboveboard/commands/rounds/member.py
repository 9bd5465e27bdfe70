"""A member's commands of a round: keys, agree, commit, submit, leave; `results` has the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from aboveboard.commands.rounds.repeats import refuse_large_change
from aboveboard.errors import InputError
from aboveboard.evidence.cosigning import write_cosigned
from aboveboard.evidence.folders import (
    write_statement,
)
from aboveboard.evidence.keys import (
    PrivateKeys,
    PublicKeys,
    generate_keys,
    read_keys,
    write_keys,
    write_private,
)
from aboveboard.evidence.member_statements import (
    make_commitment,
    make_rotation,
    seal_submission,
)
from aboveboard.evidence.members import (
    SeenRound,
    begin_membership,
    drop_void_payload,
    find_home,
    list_memberships,
    locate_private,
    make_agreement,
    make_payload,
    read_membership,
    read_payload,
    read_round,
    remember_seen,
)
from aboveboard.evidence.own_part import list_elements, read_own_file
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.statements import sign_statement

KEYS = "keys"


def make_keys(folder: Path | None = None, passphrase: bytes | None = None) -> PublicKeys:
    """Make keys in a new folder and return their public half.

    Parameters
    ----------
    folder
        Where; None: the member's own folder.
    passphrase
        Encrypts the private keys; None: they are not encrypted.
    """
    keys = generate_keys()
    write_keys(keys, folder or find_home() / KEYS, passphrase)
    return keys.public


@dataclass(frozen=True)
class Membership:
    """A member in one round.

    Parameters
    ----------
    name
        Its name.
    keys
        Its keys.
    private
        Its private folder of this round.
    folder
        The round's public folder.
    """

    name: str
    keys: PrivateKeys
    private: Path
    folder: Path


def agree(terms: Path, home: Path | None = None, passphrase: bytes | None = None) -> Path:
    """Agree to the terms in a round's public folder; return the statement's file.

    Parameters
    ----------
    terms
        The round's public folder, or a file in it.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If the terms are not signed, or none of their members has these keys.
    """
    home = home or find_home()
    folder = terms if terms.is_dir() else terms.parent
    keys = read_keys(home / KEYS, passphrase)
    seen = read_round(folder)
    round_ = seen.round
    mine = [n for n, m in round_.terms.members.items() if m.keys and m.keys.public == keys.public]
    if not mine:
        raise InputError(
            str(folder),
            "no member of these terms has your keys",
            "send the center your public.json",
        )
    private = locate_private(home, round_.first_terms, mine[0])
    begin_membership(private, mine[0], folder)
    note_seen(Membership(mine[0], keys, private, folder), seen)
    return write_statement(folder, make_agreement(round_, mine[0], keys))


def find_membership(
    terms: str | None = None, home: Path | None = None, passphrase: bytes | None = None
) -> Membership:
    """Return the round that a member takes part in.

    Parameters
    ----------
    terms
        The beginning of the terms' hash, or the round's folder by its name, which is its id at a
        hub; None: the only round there is.
    home
        The member's folder; None: `find_home()`.
    passphrase
        Of its keys.

    Raises
    ------
    InputError
        If there is none, or several.
    """
    home = home or find_home()
    found = _list_fitting(home, terms)
    if len(found) != 1:
        named = ", ".join(f"{Path(at['folder']).name} ({p.name[:12]})" for p, at in found.items())
        raise InputError(
            str(home / "rounds"),
            f"{len(found)} rounds fit" if found else "you have agreed to no such terms",
            f"give --terms and one of: {named}" if found else "run 'aboveboard agree' first",
        )
    ((private, notes),) = found.items()
    rotated = private / KEYS
    keys = read_keys(rotated if rotated.is_dir() else home / KEYS, passphrase)
    return Membership(notes["name"], keys, private, Path(notes["folder"]))


def _list_fitting(home: Path, terms: str | None) -> dict[Path, dict[str, Any]]:
    """Return the private folders of the rounds that are meant, with their notes.

    A folder that is damaged is named if it is meant, and stands in no other round's way.

    Raises
    ------
    InputError
        If the notes of the only round that is meant cannot be read.
    """
    fitting: dict[Path, dict[str, Any]] = {}
    damaged: list[InputError] = []
    for place in list_memberships(home):
        meant = terms is None or place.name.startswith(terms)
        try:
            notes = read_membership(place)
            folder = Path(notes["folder"])
        except (LookupError, TypeError) as error:
            damage = InputError(str(place), "its notes name no round", "restore it from a backup")
            damage.__cause__ = error
            damaged += [damage] if meant else []
            continue
        except InputError as error:
            damaged += [error] if meant else []
            continue
        if meant or folder.name == terms:
            fitting[place] = notes
    if damaged and not fitting:
        raise damaged[0]
    return fitting


def note_seen(member: Membership, seen: SeenRound) -> None:
    """Keep the checkpoint that was seen, and cosign it for the others."""
    remember_seen(member.private, seen.checkpoint)
    write_cosigned(member.folder, member.name, member.keys, seen.checkpoint, int(time()))


def rotate_keys(member: Membership, passphrase: bytes | None = None) -> Path:
    """Make new keys for this round and state them with the old ones; return the statement's file.

    From here on the member signs with the new keys; the old ones open what was sealed to them.

    Raises
    ------
    InputError
        If the keys were rotated before, or cannot be written.
    """
    seen = read_round(member.folder, member.private)
    fresh = generate_keys()
    statement = make_rotation(seen.round, member.name, member.keys, fresh)
    write_keys(fresh, member.private / KEYS, passphrase)
    note_seen(member, seen)
    return write_statement(member.folder, statement)


def commit(member: Membership, file: Path) -> Path:
    """Commit to a member's own part; return the statement's file.

    Raises
    ------
    InputError
        If the file cannot be read, another one was committed before, or it has changed by more
        than the terms allow since the last round.
    """
    seen = read_round(member.folder, member.private)
    table, files = read_own_file(file)
    round_ = seen.round
    drop_void_payload(member.private, round_)
    # Read before anything is signed: a list that the center could not read is refused here.
    probe = Payload(table, files, bytes(32), bytes(32))
    found = list_elements(round_.terms, member.name, probe)
    home = member.private.parent.parent
    refuse_large_change(home, round_, member.name, found, str(file))
    payload = make_payload(member.private, table, files)
    elements = list_elements(round_.terms, member.name, payload)
    note_seen(member, seen)
    statement = make_commitment(round_, member.name, member.keys, payload, elements)
    return write_statement(member.folder, statement)


def submit(member: Membership) -> Path:
    """Seal the committed part to the center; return the statement's file.

    Raises
    ------
    InputError
        If not all have committed yet: nothing leaves before.
    """
    seen = read_round(member.folder, member.private)
    if seen.round.committed_at is None:
        waiting = ", ".join(seen.round.list_awaited("commit")) or "all members"
        raise InputError(
            str(member.folder), f"not yet committed: {waiting}", "submit when all have committed"
        )
    statement, _ = seal_submission(seen, member.name, member.keys, member.private)
    note_seen(member, seen)
    return write_statement(member.folder, statement)


def leave(member: Membership) -> Path:
    """State that the member leaves the round before it has submitted; return the statement's file.

    What happens to the round then, the terms say.
    """
    seen = read_round(member.folder, member.private)
    body = {"kind": "leave", "terms": seen.round.terms_digest}
    note_seen(member, seen)
    return write_statement(member.folder, sign_statement(body, member.name, member.keys))


def open_part(member: Membership, out: Path) -> Path:
    """Write the member's committed part to a new file, for the agreed auditor; return the file.

    Raises
    ------
    InputError
        If nothing was committed, or the file exists.
    """
    content = read_payload(member.private).encode()
    try:
        write_private(out, content)
    except OSError as error:
        raise InputError(
            str(out), f"it cannot be written ({error.strerror})", "name a new file"
        ) from error
    return out
