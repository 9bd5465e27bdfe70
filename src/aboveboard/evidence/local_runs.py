"""Evidence of a run of one operator: a bundle for each party, beside its reply.

The operator states terms and result alone, signed with a key that is made on first use. Each
party's bundle opens its own commitment; it holds nothing of the others but what the mechanism
publishes: see `publication`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.collaborations.collaboration import Collaboration
from aboveboard.currencies import describe_rounding
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import Bundle
from aboveboard.evidence.canonical import as_plain, encode_canonical
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.keys import PRIVATE_FOLDER, generate_keys, read_keys, write_keys
from aboveboard.evidence.log import Log
from aboveboard.evidence.members import HOME, find_home
from aboveboard.evidence.on_demand import OnDemand
from aboveboard.evidence.own_part import PATH_KEYS, WITH_ELEMENTS
from aboveboard.evidence.public_parameters import list_public_parameters
from aboveboard.evidence.publication import publish, publishes_seed
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER, MOST_MEMBERS, parse_terms
from aboveboard.formatting import format_bytes, format_count
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.storage.limits import find_memory

BUNDLE = "bundle.json"
"""The file beside a party's reply."""

OPERATOR_FOLDER = "operator"
"""Folder of the operator's keys, in the home of this machine's user."""

BYTES_FOR_AN_ELEMENT = 600
"""Memory for each element of a list: measured with ten lists of 100,000 elements (2026-11)."""

SHARE_OF_MEMORY = 0.6
"""Part of this machine's memory that evidence may take."""

_CENTER_KEYS, _LOG_KEYS = "keys", "log-keys"


@dataclass(frozen=True)
class ReplyFile:
    """A party's reply as it was written.

    Parameters
    ----------
    file
        Its name, beside the bundle.
    sha256
        Its hash.
    """

    file: str
    sha256: str


def find_operator_keys(passphrase: bytes | None = None, home: Path | None = None) -> CenterKeys:
    """Return the operator's keys; they are made on first use.

    Parameters
    ----------
    passphrase
        Of the keys; encrypts them where they are made.
    home
        Where they lie; None: `find_home()`.

    Raises
    ------
    InputError
        If they cannot be read or made.
    """
    folder = (home or find_home()) / OPERATOR_FOLDER
    if not folder.exists():
        _make_operator_keys(folder, passphrase)
    return CenterKeys(
        read_keys(folder / _CENTER_KEYS, passphrase), read_keys(folder / _LOG_KEYS, passphrase)
    )


def _make_operator_keys(folder: Path, passphrase: bytes | None) -> None:
    """Make the keys beside their place and rename them: two runs may begin at once."""
    from tempfile import TemporaryDirectory

    try:
        folder.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{OPERATOR_FOLDER}-", dir=folder.parent) as scratch:
            fresh = Path(scratch) / OPERATOR_FOLDER
            write_keys(generate_keys(), fresh / _CENTER_KEYS, passphrase)
            write_keys(generate_keys(), fresh / _LOG_KEYS, passphrase)
            fresh.chmod(PRIVATE_FOLDER)
            fresh.rename(folder)
    except OSError as error:
        if folder.is_dir():
            return  # another run has made them
        raise InputError(
            str(folder),
            f"the operator's keys cannot be made there ({error.strerror})",
            f"name a folder of yours in {HOME}, or run with --no-bundles",
        ) from error


def find_obstacle(collaboration: Collaboration) -> str:
    """Return why a run cannot leave bundles; empty where it can."""
    names = list(collaboration.reports)
    if len(names) > MOST_MEMBERS:
        return f"there are more than {format_count(MOST_MEMBERS)} parties"
    reserved = sorted({CENTER, "auditor"} & set(names))
    if reserved:
        return f"a party is called {reserved[0]!r}"
    if too_large := _measure_lists(collaboration):
        return too_large
    return collaboration.mechanism.unverifiable


def _measure_lists(collaboration: Collaboration) -> str:
    """Return why lists are too large for evidence, which holds all their elements in memory."""
    if collaboration.mechanism.NAME not in WITH_ELEMENTS:
        return ""
    lists: Mapping[str, Any] = collaboration.reports
    elements = sum(map(len, lists.values()))
    memory = find_memory()
    needed = elements * BYTES_FOR_AN_ELEMENT
    if memory is None or needed <= SHARE_OF_MEMORY * memory:
        return ""
    return (
        f"bundles for lists of {format_count(elements)} elements take about "
        f"{format_bytes(needed)} of memory, and this machine has {format_bytes(memory)}"
    )


def make_bundles(
    collaboration: Collaboration,
    settlement: Settlement,
    keys: CenterKeys,
    replies: Mapping[str, ReplyFile],
) -> Mapping[str, bytes]:
    """Return each party's bundle, made when it is read.

    Parameters
    ----------
    collaboration, settlement
        What was run, and what came out.
    keys
        The operator's.
    replies
        By party: its reply as it was written.

    Raises
    ------
    InputError
        If the collaboration cannot be written down as terms.
    """
    parts = _read_parts(collaboration)
    derive = partial(_derive_key, _digest_inputs(collaboration), keys)
    tree_keys = {name: derive("tree", name) for name in settlement.parties}
    terms = sign_statement(_make_terms(collaboration, settlement, keys), CENTER, keys.center)
    agreed = parse_terms(terms.body, str(collaboration.path))
    publication = publish(collaboration, settlement, tree_keys, derive("order", ""), agreed)
    commitments = dict(publication.commitments)
    for name, part in parts.items():
        if name in tree_keys and name not in commitments:
            committed = commit_elements([part.encode()], tree_keys[name])
            commitments[name] = (committed.root, committed.size)
    shown = {name: {"root": root.hex(), "size": n} for name, (root, n) in commitments.items()}
    result = sign_statement(
        {
            "kind": "result",
            "terms": terms.digest,
            "nonces": {},
            "seed": _write_seed(collaboration),
            "facts": {**publication.facts, "commitments": shown},
            "shares": dict(publication.shares),
            "replies": {
                name: hide_reply(name, reply.sha256, tree_keys[name])
                for name, reply in replies.items()
            },
        },
        CENTER,
        keys.center,
    )
    log = Log(terms.body["log"]["origin"], (terms.content, result.content))
    note = log.sign_checkpoint(keys.log).content.decode("utf-8")

    def make(name: str) -> bytes:
        return Bundle(
            name,
            log.entries,
            note,
            {"file": replies[name].file, "sha256": replies[name].sha256},
            publication.private.get(name, {}),
            _list_secrets(tree_keys[name], parts.get(name)),
        ).encode()

    return OnDemand(list(replies), make)


def _write_seed(collaboration: Collaboration) -> str:
    """Return the run's seed, 64 hexadecimal digits; empty where it stays with the operator."""
    if not publishes_seed(collaboration.mechanism.NAME):
        return ""
    return collaboration.file.seed.to_bytes(32, "big").hex()


def _digest_inputs(collaboration: Collaboration) -> bytes:
    """Return a hash of everything that the run depends on."""
    inputs = [dict(collaboration.inputs), str(collaboration.file.seed)]
    return hashlib.sha256(collaboration.content + encode_canonical(inputs)).digest()


def _derive_key(inputs: bytes, keys: CenterKeys, purpose: str, name: str) -> bytes:
    """Return a secret key that only the operator can make: the same inputs give the same bytes."""
    secret = keys.center.signing.private_bytes_raw()
    text = f"aboveboard run v1\n{purpose}\n{name}\n".encode()
    return hashlib.blake2b(text + inputs, key=secret, digest_size=32).digest()


@dataclass(frozen=True)
class _Part:
    """A party's part of a collaboration file."""

    table: Mapping[str, Any]
    files: Mapping[str, str]

    def encode(self) -> bytes:
        """Return what `payloads.encode_content` returns for the same part."""
        return encode_canonical({"files": dict(self.files), "table": dict(self.table)})


def read_table(collaboration: Collaboration) -> dict[str, Any]:
    """Return the collaboration file as plain data; empty where there is no file."""
    table: dict[str, Any] = as_plain(tomllib.loads(collaboration.content.decode("utf-8-sig")))
    return table


def _read_parts(collaboration: Collaboration) -> dict[str, _Part]:
    parties = read_table(collaboration).get("parties", {})
    parts = {}
    for name, table in parties.items():
        own, files = dict(table), {}
        for key in PATH_KEYS:
            digest = collaboration.inputs.get(str(own.get(key)))
            if digest is not None:
                own[key] = Path(own[key]).name
                files[own[key]] = digest
        parts[name] = _Part(own, files)
    return parts


def _list_secrets(key: bytes, part: _Part | None) -> dict[str, str]:
    secrets = {"key": key.hex()}
    if part is not None:
        secrets["table"] = json.dumps(part.table, ensure_ascii=False, sort_keys=True)
    return secrets


def _make_terms(
    collaboration: Collaboration, settlement: Settlement, keys: CenterKeys
) -> dict[str, Any]:
    table = read_table(collaboration)
    name, currency = collaboration.mechanism.NAME, collaboration.file.currency
    own = ":" in collaboration.file.mechanism  # a rule beside the file: we know not what it hides
    return {
        "kind": "terms",
        "format": 1,
        "protocol": "run",
        "name": collaboration.file.name[:200],
        "serial": 1,
        "previous": None,
        "engine": f"aboveboard {__version__}",
        "mechanism": collaboration.file.mechanism if own else name,
        "parameters": list_public_parameters(collaboration, table),
        "members": {name: {"keys": None, "parameters": {}} for name in settlement.parties},
        "order": list(settlement.parties),
        "center": keys.center.public.as_dict(),
        "log": {
            "origin": f"aboveboard/{keys.log.public.fingerprint}",
            "signing": keys.log.public.signing,
        },
        "auditor": None,
        "missing": "cancel",
        "sees": collaboration.file.sees.model_dump(),
        "currency": currency or None,
        "rounding": describe_rounding(currency) if currency else "",
    }
