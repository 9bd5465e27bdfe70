"""What a member does at its desk: each step one call of what the command line calls."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomli_w

from aboveboard.commands import rounds
from aboveboard.commands.rounds.member import leave as state_leave
from aboveboard.commands.rounds.outcomes import digest_file
from aboveboard.commands.rounds.own_check import (
    OwnPart,
    check_committed_part,
    check_own_file,
)
from aboveboard.commands.rounds.rules import describe_rule
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import MOST_BUNDLE_BYTES, decode_bundle
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.folders import read_limited
from aboveboard.evidence.keys import PublicKeys, make_private_folder, read_keys, write_private
from aboveboard.evidence.members import PAYLOAD_FILE, read_payload, read_round
from aboveboard.evidence.payloads import copy_content
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.terms import Terms
from aboveboard.hub.members import (
    Attendance,
    KnownHub,
    Mirror,
    Standing,
    agree,
    attend_at_hub,
    join,
    list_hubs,
    list_standings,
    preview,
)
from aboveboard.hub.members.changing import sign_change_at_hub
from aboveboard.hub.members.log_in import LogInLink, ask_for_link

FOLDER = "desk"
"""Folder in the member's own, with the files that it has dropped and the results opened."""


@dataclass(frozen=True)
class Place:
    """A round as it lies on the desk.

    Parameters
    ----------
    id
        Of the round at its hub.
    mirror
        Its copy on this machine.
    round
        What its log tells, checked here.
    name
        The member's name in it.
    view
        The round as the hub shows it: state, next, deadline, fault.
    attendance
        The member in the round; None: it has not agreed to the terms.
    """

    id: str
    mirror: Mirror
    round: Round
    name: str
    view: Mapping[str, Any]
    attendance: Attendance | None

    @property
    def has_agreed(self) -> bool:
        """Whether the member has agreed to the terms that are in force."""
        return self.round.find("agree", self.name) is not None

    @property
    def has_committed(self) -> bool:
        """Whether the member's commitment stands in the log."""
        return self.round.find("commit", self.name) is not None

    @property
    def has_result(self) -> bool:
        """Whether the center has stated a result."""
        return self.round.find("result") is not None


@dataclass(frozen=True)
class OwnResult:
    """A member's own result, opened and verified.

    Parameters
    ----------
    reply
        The file of its reply.
    findings
        What `verify` found.
    share
        What the member gains and pays, where the signed result shows it to nobody and this was
        verified; None elsewhere.
    """

    reply: Path
    findings: Findings
    share: Mapping[str, Any] | None = None


class Desk:
    """A member's desk.

    Parameters
    ----------
    home
        The folder of its keys and rounds.
    passphrase
        Of its keys; None: they are not encrypted.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     desk = Desk(Path(home))
    ...     print(desk.hubs, desk.keys, desk.list_standings())
    [] None []
    """

    def __init__(self, home: Path, passphrase: bytes | None = None) -> None:
        self.home, self.passphrase = home, passphrase
        self._rules: dict[bytes, dict[str, Any]] = {}
        self._verified: dict[str, tuple[tuple[str, str], Findings]] = {}
        self._auditing = threading.Lock()

    @property
    def hubs(self) -> list[KnownHub]:
        """The hubs that the member has joined."""
        return list_hubs(self.home)

    @property
    def keys(self) -> PublicKeys | None:
        """The member's public keys; None before they are made."""
        folder = self.home / rounds.KEYS
        return read_keys(folder, self.passphrase).public if folder.is_dir() else None

    def join(self, link: str) -> KnownHub:
        """Register the member's keys at a hub; they are made if there are none."""
        return join(link, self.home, self.passphrase)

    def list_standings(self) -> list[Standing]:
        """Return the member's collaborations at all hubs; none where it has joined no hub."""
        return list_standings(self.home, self.passphrase) if self.hubs else []

    def look(self, identifier: str) -> Place:
        """Return a round with all that is new in it.

        Raises
        ------
        InputError
            If its hub cannot be reached, or shows another log than before.
        """
        attendance = attend_at_hub(identifier, self.home, self.passphrase)
        if attendance is not None and attendance.mirror is not None:
            member = attendance.member
            round_ = read_round(member.folder, member.private).round
            return Place(
                identifier, attendance.mirror, round_, member.name, attendance.view, attendance
            )
        mirror, view = preview(identifier, self.home, self.passphrase)
        round_ = read_round(mirror.folder).round
        return Place(identifier, mirror, round_, str(view.get("member", "")), view, None)

    def describe_rule(self, terms: Terms) -> dict[str, Any]:
        """Return what the terms' rule is, audited on example data on this machine; once for each.

        Raises
        ------
        InputError
            If the mechanism cannot be described.
        """
        key = encode_canonical({"rule": terms.mechanism, "with": terms.parameters})
        with self._auditing:
            if key not in self._rules:
                self._rules[key] = describe_rule(terms.mechanism, terms.parameters)
            return self._rules[key]

    def agree(self, place: Place) -> None:
        """Sign the terms."""
        agree(place.id, self.home, self.passphrase)

    def sign_change(self, place: Place, read: str) -> None:
        """Sign the change of terms that the member has read, by its hash; it may let it in."""
        sign_change_at_hub(place.id, read, self.home, self.passphrase)

    def leave(self, place: Place) -> None:
        """State that the member leaves the round."""
        attendance = require_attendance(place)
        attendance.hand_over(state_leave(attendance.member))

    def locate(self, place: Place) -> Path:
        """Return the folder of a round on the desk."""
        return self.home / FOLDER / place.id

    def keep_files(self, place: Place, files: list[Path]) -> Path:
        """Keep the member's own files; return the one that is to be committed.

        Parameters
        ----------
        place
            The round.
        files
            One data file; or a TOML file with the member's keys, and the files that it names.

        Raises
        ------
        InputError
            If it is not clear which one is meant, or the member has committed to one.
        """
        if place.has_committed:
            raise InputError(
                "your data",
                "you have committed to a file, and it is that one until the end of the round",
                "keep it as it is: your result is verified with it",
            )
        main = _find_main(files)
        folder = self.locate(place) / "own"
        shutil.rmtree(folder, ignore_errors=True)
        make_private_folder(folder)
        for file in files:
            shutil.move(file, folder / file.name)
        return folder / main.name

    def find_own_file(self, place: Place) -> Path | None:
        """Return the file that the member has dropped, to commit to it; None without one."""
        folder = self.locate(place) / "own"
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return _find_main(files) if files else None

    def check_own_file(self, place: Place, file: Path) -> OwnPart:
        """Return what the check of a file finds, and what of it will leave."""
        return check_own_file(place.round.terms, place.name, file)

    def check_committed_part(self, place: Place) -> OwnPart | None:
        """Return what the member has committed to; None where nothing of it is on this machine."""
        attendance = require_attendance(place)
        if not (attendance.member.private / PAYLOAD_FILE).is_file():
            return None
        return check_committed_part(place.round.terms, place.name, attendance.member.private)

    def commit(self, place: Place) -> None:
        """Commit to the file that was dropped, once the check finds nothing wrong with it.

        Raises
        ------
        InputError
            If there is none, or something is wrong with it.
        """
        attendance, file = require_attendance(place), self.find_own_file(place)
        if file is None:
            raise InputError("your data", "there is no file yet", "choose your file first")
        found = self.check_own_file(place, file)
        if not found.fits:
            raise found.report.faults[0]
        attendance.hand_over(rounds.commit(attendance.member, file))

    def submit(self, place: Place) -> None:
        """Seal the committed data to the center, and send them."""
        attendance = require_attendance(place)
        attendance.hand_over(rounds.submit(attendance.member))

    def open_result(self, place: Place) -> OwnResult:
        """Open the member's own result, and verify it; the same one is verified once.

        It is verified with what was committed, whatever else lies on the desk.

        Raises
        ------
        InputError
            If there is none yet, or it does not open.
        """
        attendance = require_attendance(place)
        bundle = rounds.fetch(attendance.member, self.locate(place) / "result")
        content = read_limited(bundle, MOST_BUNDLE_BYTES, "open it again")
        read = decode_bundle(content, str(bundle))
        reply = bundle.parent / Path(read.reply["file"]).name
        opened = (hashlib.sha256(content).hexdigest(), digest_file(reply) if reply.exists() else "")
        # Only the last one is known, as `accept` rests on what was verified last.
        known, findings = self._verified.get(place.id, (None, None))
        if findings is None or known != opened:
            with restore_committed(attendance.member.private) as file:
                findings = rounds.verify(bundle, file, attendance.member)
            self._verified[place.id] = opened, findings
        share = read.evidence.get("share")
        has_data = (attendance.member.private / PAYLOAD_FILE).is_file()
        is_verified = has_data and not findings.contradicted and isinstance(share, dict)
        return OwnResult(reply, findings, share if is_verified else None)

    def answer(self, place: Place, reason: str | None = None, *, unverified: bool = False) -> None:
        """Accept the result, or with a reason dispute it; see `rounds.answer`."""
        attendance = require_attendance(place)
        attendance.hand_over(
            rounds.accept_or_dispute(attendance.member, reason, unverified=unverified)
        )

    def log_in(self, hub: KnownHub) -> LogInLink:
        """Return a link to the hub's own pages, which works once."""
        return ask_for_link(hub.address, self.home, self.passphrase)


def require_attendance(place: Place) -> Attendance:
    """Return the member's part in a round that it has agreed to.

    Raises
    ------
    InputError
        If it has not.
    """
    if place.attendance is None:
        raise InputError("the round", "you have not agreed to its terms", "read the terms first")
    return place.attendance


@contextmanager
def restore_committed(private: Path) -> Iterator[Path | None]:
    """Yield the file that the member has committed to, in a folder that is removed afterwards.

    Parameters
    ----------
    private
        The member's private folder of the round.

    Yields
    ------
    Path or None
        Its data file, or a TOML file with its keys beside the files that they name; None where it
        has committed on another machine.
    """
    if not (private / PAYLOAD_FILE).is_file():
        yield None
        return
    payload = read_payload(private)
    with TemporaryDirectory(dir=private) as folder:
        for name, content in payload.files.items():
            copy_content(content, Path(folder) / name)
        if list(payload.files) == [payload.table.get("data")] and len(payload.table) == 1:
            yield Path(folder) / payload.table["data"]
            return
        main = Path(folder) / "_own-keys.toml"  # no file of a payload is called so
        write_private(main, tomli_w.dumps(payload.table).encode())
        yield main


def _find_main(files: list[Path]) -> Path:
    """Return the file that is committed: the TOML file, or the only one.

    Raises
    ------
    InputError
        If there are several.
    """
    keys = [file for file in files if file.suffix == ".toml"]
    found = keys or files
    if len(found) != 1:
        raise InputError(
            "your files",
            "there is none" if not found else f"there are {len(found)}",
            "choose one data file, or a .toml file with your keys and the files that it names",
        )
    return found[0]
