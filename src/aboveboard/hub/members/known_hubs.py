"""The hubs that a member has joined, each with the keys by which the member knows it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PrivateKeys, make_private_folder
from aboveboard.evidence.statements import read_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.hub.members.answers import FaceAnswer, RotationAnswer, read_answer
from aboveboard.hub.members.transport import HubConnection
from aboveboard.storage.atomic import atomic_file

HUBS = "hubs"
HUB_FILE = "known-hub.json"

_DAMAGES = (OSError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True)
class KnownHub:
    """A hub that a member has joined.

    Parameters
    ----------
    address
        Where it is.
    name
        What the member is called there.
    hub
        What the hub calls itself.
    center, log
        Its public keys, as they were when the member joined, or as these have named them since:
        terms with others are refused.
    earlier
        Those before, which rounds that were over by then still name: "center" and "log".

    Examples
    --------
    >>> KnownHub("https://hub.example", "acme", "hub", {}, "").name
    'acme'
    """

    address: str
    name: str
    hub: str
    center: dict[str, str]
    log: str
    earlier: tuple[dict[str, Any], ...] = ()

    def has_keys(self, center: Mapping[str, str], log: str, *, over: bool) -> bool:
        """Return whether these are its keys, or were, where the round that names them is over."""
        named = {"center": dict(center), "log": log}
        current = {"center": self.center, "log": self.log}
        return named == current or (over and named in self.earlier)

    def exchange_keys(self, center: Mapping[str, str], log: str) -> KnownHub:
        """Return it with these keys; it keeps others that it had as earlier ones."""
        if self.has_keys(center, log, over=False):
            return self
        old = {"center": self.center, "log": self.log}
        return replace(self, center=dict(center), log=log, earlier=(*self.earlier, old))


def list_hubs(home: Path) -> list[KnownHub]:
    """Return the hubs that a member has joined.

    Raises
    ------
    InputError
        If what was kept of a hub is damaged.

    Examples
    --------
    >>> list_hubs(Path("a folder without hubs"))
    []
    """
    found = []
    for path in sorted((home / HUBS).glob(f"*/{HUB_FILE}")):
        try:
            found.append(_read(path))
        except _DAMAGES as error:
            raise InputError(str(path), "it is damaged", "join the hub once more") from error
    return found


def follow_rotations(known: KnownHub, home: Path, keys: PrivateKeys) -> KnownHub:
    """Return a hub with the keys that its old ones have named since, and remember them.

    Raises
    ------
    InputError
        If the hub does not answer as one, or a statement is not signed with the key before it.
    """
    sent = HubConnection(known.address, keys).get_json("/api/v1/hub")
    face = read_answer(FaceAnswer, sent, known.address)
    fresh = apply_rotations(known, face.rotations)
    if fresh != known:
        remember(fresh, home)
    return fresh


def apply_rotations(known: KnownHub, statements: list[str]) -> KnownHub:
    """Return a hub with the last keys of a chain of statements that begins with its own.

    Raises
    ------
    InputError
        If a statement is not signed with the key before it.
    """
    for text in statements:
        statement = read_statement(text.encode("utf-8"), known.address)
        old = known.center["signing"]
        if statement.kind != "rotate" or statement.by != CENTER or statement.body.get("old") != old:
            continue
        if not statement.is_signed_with(old):
            raise InputError(
                known.address,
                "a statement of new keys is not signed with the old ones",
                "ask the operator why, by other means, before you sign anything",
            )
        form = read_answer(RotationAnswer, statement.body, known.address)
        center = {"signing": form.signing, "sealing": form.sealing}
        known = known.exchange_keys(center, form.log)
    return known


def find_known(address: str, home: Path) -> KnownHub | None:
    """Return a hub that was joined before; None where it was not, or what was kept is damaged.

    Raises
    ------
    InputError
        If another hub is kept in its folder, and would be lost: of http, or with a like name.
    """
    try:
        known = _read(locate_hub(home, address) / HUB_FILE)
    except _DAMAGES:
        return None
    if known.address != address:
        raise InputError(
            address,
            f"you have joined {known.address}, which is kept in the same folder",
            "ask whoever invited you for a link with that address, or use another folder",
        )
    return known


def _read(path: Path) -> KnownHub:
    data = {**json.loads(path.read_text(encoding="utf-8"))}
    return KnownHub(**{**data, "earlier": tuple(data.get("earlier", ()))})


def remember(known: KnownHub, home: Path) -> None:
    """Keep a hub in the member's folder."""
    folder = locate_hub(home, known.address)
    make_private_folder(folder)
    with atomic_file(folder / HUB_FILE) as file:
        file.write_text(json.dumps(asdict(known)), encoding="utf-8")


def locate_hub(home: Path, address: str) -> Path:
    """Return the folder of a hub."""
    return home / HUBS / re.sub(r"[^A-Za-z0-9.]", "-", address.partition("://")[2])
