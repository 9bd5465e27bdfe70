"""Signed requests, held against another implementation of RFC 9421, and against changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest

from aboveboard.evidence.keys import generate_keys
from aboveboard.hub.signatures import (
    WINDOW,
    RefusedRequestError,
    Target,
    sign_request,
    verify_request,
)

NOW = 1_800_000_000
TARGET = Target("POST", "hub.example:8000", "/api/v1/collaborations/ab/statements", "a=1&b=%20")
DIGEST = hashlib.sha256(b"body").hexdigest()
KEYS = generate_keys()


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_a_signed_request_names_its_key_and_the_hash_of_its_body() -> None:
    headers = lower(sign_request(TARGET, DIGEST, KEYS, NOW))
    found = verify_request(TARGET, headers, NOW + WINDOW)
    assert (found.key, found.digest) == (KEYS.public.signing, DIGEST)


@pytest.mark.parametrize(
    "other",
    [
        replace(TARGET, method="PUT"),
        replace(TARGET, authority="hub.example"),
        replace(TARGET, path="/api/v1/me"),
        replace(TARGET, query="a=1"),
    ],
)
def test_a_signature_is_good_for_its_own_request_only(other: Target) -> None:
    headers = lower(sign_request(TARGET, DIGEST, KEYS, NOW))
    with pytest.raises(RefusedRequestError, match="signature is wrong"):
        verify_request(other, headers, NOW)


@pytest.mark.parametrize("seconds", [NOW - WINDOW - 1, NOW + WINDOW + 1])
def test_a_signature_is_good_for_some_minutes_only(seconds: int) -> None:
    headers = lower(sign_request(TARGET, DIGEST, KEYS, NOW))
    with pytest.raises(RefusedRequestError, match="clock"):
        verify_request(TARGET, headers, seconds)


def test_every_header_is_covered() -> None:
    headers = lower(sign_request(TARGET, DIGEST, KEYS, NOW))
    other = lower(sign_request(TARGET, hashlib.sha256(b"x").hexdigest(), generate_keys(), NOW + 1))
    for name in headers:
        with pytest.raises(RefusedRequestError):
            verify_request(TARGET, {**headers, name: other[name]}, NOW)
        with pytest.raises(RefusedRequestError):
            verify_request(TARGET, {k: v for k, v in headers.items() if k != name}, NOW)


def test_fewer_covered_parts_are_refused() -> None:
    headers = lower(sign_request(TARGET, DIGEST, KEYS, NOW))
    headers["signature-input"] = headers["signature-input"].replace(' "content-digest"', "")
    with pytest.raises(RefusedRequestError, match="not signed"):
        verify_request(TARGET, headers, NOW)


def test_another_implementation_of_rfc_9421_accepts_our_signatures() -> None:
    oracle = pytest.importorskip("http_message_signatures")
    import requests
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    class Resolver(oracle.HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_id.partition(":")[2]))

        def resolve_private_key(self, key_id: str) -> None:
            raise NotImplementedError

    import time

    headers = sign_request(TARGET, DIGEST, KEYS, int(time.time()))
    address = f"http://{TARGET.authority}{TARGET.path}?{TARGET.query}"
    request = requests.Request(TARGET.method, address, headers, data=b"body").prepare()
    verifier = oracle.HTTPMessageVerifier(
        signature_algorithm=oracle.algorithms.ED25519, key_resolver=Resolver()
    )
    found = verifier.verify(request)
    assert len(found) == 1
    covered = [str(each).strip('"') for each in found[0].covered_components]
    assert {"@method", "@path"} <= {each.split('"')[0] for each in covered}
