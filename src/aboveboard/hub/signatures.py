"""Signed requests: RFC 9421 in one fixed form, with the member's own key; no passwords.

Covered are method, host, path, query and the body's hash (RFC 9530), so that a signature is good
for one request at one hub. `keyid` is the public key itself. A request is good for five minutes.
Whoever repeats it in that time changes nothing: changes are statements, and each counts once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aboveboard.evidence.keys import PrivateKeys, verify_signature

WINDOW = 300
"""Seconds that the clocks of member and hub may differ."""

COVERED = '"@method" "@authority" "@path" "@query" "content-digest"'

_INPUT = re.compile(
    r'sig1=(\("@method" "@authority" "@path" "@query" "content-digest"\)'
    r';created=([0-9]{1,12});alg="ed25519";keyid="(ed25519:[0-9a-f]{64})")'
)
_SIGNATURE = re.compile(r"sig1=:([A-Za-z0-9+/]{86}==):")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class RefusedRequestError(Exception):
    """Raised when a request is not signed, or not so that the hub can believe it."""


@dataclass(frozen=True)
class Target:
    """What a request is for.

    Parameters
    ----------
    method
        In capitals.
    authority
        Host and port, as the Host header has them.
    path
        As sent, with its escapes.
    query
        Without the question mark.
    """

    method: str
    authority: str
    path: str
    query: str = ""


@dataclass(frozen=True)
class SignedRequest:
    """A request whose signature is right.

    Parameters
    ----------
    key
        The signing key.
    digest
        The SHA-256 that the body must have, in hexadecimal.
    """

    key: str
    digest: str


def sign_request(target: Target, digest: str, keys: PrivateKeys, seconds: int) -> dict[str, str]:
    """Return the headers that sign a request.

    Parameters
    ----------
    target
        What it is for.
    digest
        The SHA-256 of its body, in hexadecimal.
    keys
        The member's.
    seconds
        The time, since 1970.
    """
    encoded = base64.b64encode(bytes.fromhex(digest)).decode()
    parameters = f'({COVERED});created={seconds};alg="ed25519";keyid="{keys.public.signing}"'
    signature = keys.sign(_make_base(target, f"sha-256=:{encoded}:", parameters))
    return {
        "Content-Digest": f"sha-256=:{encoded}:",
        "Signature-Input": f"sig1={parameters}",
        "Signature": f"sig1=:{base64.b64encode(signature).decode()}:",
    }


def verify_request(target: Target, headers: Mapping[str, str], seconds: int) -> SignedRequest:
    """Return the key that signed a request.

    Parameters
    ----------
    target
        What the request is for, as it arrived.
    headers
        By lower-case name.
    seconds
        The hub's time, since 1970.

    Raises
    ------
    RefusedRequestError
        If it is not signed in our form, too old, or not with the key that it names.
    """
    given = _INPUT.fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    stated = headers.get("content-digest", "")
    digest = _DIGEST.fullmatch(stated)
    if given is None or signature is None or digest is None:
        raise RefusedRequestError("it is not signed")
    late = seconds - int(given[2])
    if abs(late) > WINDOW:
        raise RefusedRequestError(f"your clock differs from the hub's by {abs(late)} seconds")
    try:
        encoded, body = base64.b64decode(signature[1], validate=True), base64.b64decode(digest[1])
    except binascii.Error as error:
        raise RefusedRequestError("its signature is not base64") from error
    if not verify_signature(given[3], encoded, _make_base(target, stated, given[1])):
        raise RefusedRequestError("its signature is wrong")
    return SignedRequest(given[3], body.hex())


def digest_body(content: bytes) -> str:
    """Return the SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _make_base(target: Target, digest: str, parameters: str) -> bytes:
    """Return the signature base (RFC 9421, section 2.5)."""
    lines = [
        f'"@method": {target.method}',
        f'"@authority": {target.authority.lower()}',
        f'"@path": {target.path}',
        f'"@query": ?{target.query}',
        f'"content-digest": {digest}',
        f'"@signature-params": {parameters}',
    ]
    return "\n".join(lines).encode()
