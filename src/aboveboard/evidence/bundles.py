"""A bundle: all that one party needs to verify its part of a round, alone and offline.

JSON with the log's entries, its signed checkpoint, and the evidence of the party's own
reply. The reply itself lies beside it. In a run of one operator the bundle also holds the tree key
of the party's own list, which in a round the member has made itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_json
from aboveboard.evidence.terms import MOST_MEMBERS

FORMAT = 1
"""Version of the bundle."""

MOST_BUNDLE_BYTES = 2**28
"""A bundle of 50,000 handed elements has under 10 MB; a million elements fit."""

EVIDENCE = frozenset({"share", "openings", "order", "invented"})
"""What a mechanism may give one party alone."""

SECRETS = frozenset({"key", "table"})
"""What a run gives its party: its tree key, and its keys in the operator's file."""

REPLY_FILES = frozenset(f"reply.{form}" for form in ("txt", "csv", "parquet", "json", "skops"))
"""Names of the file of a reply, one for each form: nobody signs which one it is, so that it may not
choose what a member writes over, or what its system does with the file."""

_KEYS = {"format", "name", "entries", "checkpoint", "reply", "evidence", "secrets", "cosigned"}


@dataclass(frozen=True)
class Bundle:
    """One party's evidence.

    Parameters
    ----------
    name
        The party.
    entries
        The log's entries: canonical statements.
    checkpoint
        The signed note over them, as text.
    reply
        "file": its name beside the bundle; "sha256": its hash.
    evidence
        What the mechanism's verifier needs for this party, plain data.
    secrets
        "key": the tree key of the party's own list, only in a run of one operator.
    cosigned
        Checkpoints that members have cosigned, as text.

    Examples
    --------
    >>> bundle = Bundle("acme", (), "", {"file": "reply.txt", "sha256": "00" * 32}, {})
    >>> bundle.encode()[:30]
    b'{"checkpoint":"","cosigned":[]'
    """

    name: str
    entries: tuple[bytes, ...]
    checkpoint: str
    reply: Mapping[str, str]
    evidence: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    cosigned: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the bundle's bytes."""
        data = {
            "format": FORMAT,
            "name": self.name,
            "entries": [entry.decode("utf-8") for entry in self.entries],
            "checkpoint": self.checkpoint,
            "reply": dict(self.reply),
            "evidence": dict(self.evidence),
            "secrets": dict(self.secrets),
            "cosigned": list(self.cosigned),
        }
        # Nobody signs a bundle, so that it need not be canonical, which takes ten times as long.
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode("utf-8")


def decode_bundle(content: bytes, place: str) -> Bundle:
    """Return the bundle in some bytes; nothing of it is verified here.

    Raises
    ------
    InputError
        If they are not a bundle.

    Examples
    --------
    >>> from aboveboard.errors import InputError
    >>> try:
    ...     decode_bundle(b"{}", "acme.bundle")
    ... except InputError as error:
    ...     print(error)
    acme.bundle: it is not a bundle of this version; give the bundle.json that the center sent you
    """
    data = decode_json(content, place, most=MOST_BUNDLE_BYTES)
    remedy = "give the bundle.json that the center sent you"
    if (
        not isinstance(data, dict)
        or set(data) != _KEYS
        or type(data["format"]) is not int
        or data["format"] != FORMAT
    ):
        raise InputError(place, "it is not a bundle of this version", remedy)
    entries, reply, cosigned = data["entries"], data["reply"], data["cosigned"]
    shapes = [
        (data["name"], str),
        (data["checkpoint"], str),
        (entries, list),
        (reply, dict),
        (data["evidence"], dict),
        (data["secrets"], dict),
        (cosigned, list),
        *((x, str) for x in _list_values(data["secrets"])),
        *((x, str) for x in (cosigned if isinstance(cosigned, list) else ())),
        *((entry, str) for entry in (entries if isinstance(entries, list) else ())),
        *((x, str) for x in (reply.values() if isinstance(reply, dict) else ())),
    ]
    if any(type(value) is not kind for value, kind in shapes) or set(reply) != {"file", "sha256"}:
        raise InputError(place, "a part of the bundle is of the wrong type", remedy)
    for part, known in (("evidence", EVIDENCE), ("secrets", SECRETS)):
        if unknown := sorted(set(data[part]) - known):
            raise InputError(place, f"its {part} has an unknown key {unknown[0][:60]!r}", remedy)
    if len(cosigned) > MOST_MEMBERS:
        raise InputError(place, "it has more cosigned checkpoints than a round has members", remedy)
    if reply["file"] not in REPLY_FILES:
        raise InputError(place, "its reply has a name that no reply has", remedy)
    return Bundle(
        data["name"],
        tuple(entry.encode("utf-8") for entry in entries),
        data["checkpoint"],
        reply,
        data["evidence"],
        data["secrets"],
        tuple(cosigned),
    )


def _list_values(data: Any) -> list[Any]:
    return list(data.values()) if isinstance(data, dict) else []
