"""Signed statements: what a member or the center says, and that it said so.

A statement is {"body": .., "by": name, "sig": 128 hexadecimal digits}. The signature is Ed25519
over a context line, the signer's name and the body's RFC 8785 bytes, so that no statement can be
taken for one of another kind, another signer or another program.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from aboveboard.collaborations.party_names import PARTY_NAME
from aboveboard.errors import InputError
from aboveboard.evidence.canonical import MOST_BYTES, decode_canonical, encode_canonical
from aboveboard.evidence.keys import PrivateKeys, verify_signature

CONTEXT = b"aboveboard statement v1\n"
"""What is signed begins with this line."""

StatementKind = Literal[
    "terms",
    "agree",
    "commit",
    "submit",
    "tokens",
    "counted",
    "ask",
    "answer",
    "result",
    "accept",
    "dispute",
    "open",
    "ruling",
    "leave",
    "change",
    "rotate",
    "vouch",
    "missing",
    "cancel",
    "archive",
]
KINDS: frozenset[str] = frozenset(get_args(StatementKind))
"""The kinds of statements of a round."""

_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True)
class Statement:
    """Something that was said and signed.

    Parameters
    ----------
    body
        Plain data with at least "kind"; every kind but "terms" names the terms by their hash.
    by
        Who says it: a member's name, or "center".
    signature
        128 hexadecimal digits.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> said = sign_statement({"kind": "leave", "terms": "ab" * 32}, "acme", generate_keys())
    >>> said.kind, said.by, len(said.digest)
    ('leave', 'acme', 64)
    """

    body: Mapping[str, Any]
    by: str
    signature: str

    @property
    def kind(self) -> str:
        """What kind of statement this is."""
        return str(self.body["kind"])

    @cached_property
    def content(self) -> bytes:
        """The canonical bytes, as they stand in a file and in the log."""
        return encode_canonical({"body": dict(self.body), "by": self.by, "sig": self.signature})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal: the name by which others cite it."""
        return hashlib.sha256(self.content).hexdigest()

    def is_signed_with(self, signing: str) -> bool:
        """Return whether the signature was made with the private half of this key."""
        message = _encode_message(self.body, self.by)
        return verify_signature(signing, bytes.fromhex(self.signature), message)


def sign_statement(body: Mapping[str, object], by: str, keys: PrivateKeys) -> Statement:
    """Return the statement that `by` makes.

    Parameters
    ----------
    body
        What is said: plain data; integers of 2^53 and more as text.
    by
        The signer's name.
    keys
        The signer's keys.

    Raises
    ------
    ValueError
        If the body is of no kind or cannot be written as canonical JSON, or the name is not one.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> keys = generate_keys()
    >>> said = sign_statement({"kind": "leave", "terms": "ab" * 32}, "acme", keys)
    >>> said.is_signed_with(keys.public.signing)
    True
    """
    if body.get("kind") not in KINDS:
        raise ValueError(f"a statement is one of {', '.join(sorted(KINDS))}")
    if not PARTY_NAME.fullmatch(by):
        raise ValueError(f"{by!r} is not a name of a signer")
    return Statement(dict(body), by, keys.sign(_encode_message(body, by)).hex())


def read_statement(content: bytes, place: str, *, most: int = MOST_BYTES) -> Statement:
    """Return the statement in some bytes; its signature is not checked here.

    Parameters
    ----------
    content
        The bytes of a file or a message.
    place
        Where they come from, for errors.
    most
        Bytes that are accepted.

    Raises
    ------
    InputError
        If they are not a canonical statement.

    Examples
    --------
    >>> from aboveboard.evidence.keys import generate_keys
    >>> said = sign_statement({"kind": "leave", "terms": "ab" * 32}, "acme", generate_keys())
    >>> read_statement(said.content, "here") == said
    True
    """
    data = decode_canonical(content, place, most=most)
    if not isinstance(data, dict) or set(data) != {"body", "by", "sig"}:
        raise InputError(place, "it is not a statement", "a statement has body, by and sig")
    body, by, signature = data["body"], data["by"], data["sig"]
    kind = body.get("kind") if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(
            place, "it is a statement of no known kind", f"known are {', '.join(sorted(KINDS))}"
        )
    if not isinstance(by, str) or not PARTY_NAME.fullmatch(by):
        raise InputError(place, "it does not name its signer", "a statement has a name in 'by'")
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise InputError(
            place, "its signature is malformed", "a signature has 128 hexadecimal digits"
        )
    statement = Statement(body, by, signature)
    vars(statement)["content"] = bytes(content)  # it has just been found to be canonical
    return statement


def _encode_message(body: Mapping[str, Any], by: str) -> bytes:
    """Return what is signed."""
    return CONTEXT + encode_canonical({"body": dict(body), "by": by})
