"""Statements: canonical bytes, signatures, keys on disk; whatever was changed is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.evidence.canonical import decode_canonical, decode_json, encode_canonical
from aboveboard.evidence.keys import (
    PublicKeys,
    generate_keys,
    read_keys,
    read_public,
    write_keys,
)
from aboveboard.evidence.statements import Statement, read_statement, sign_statement

KEYS = generate_keys()
TERMS = "ab" * 32
SAID = sign_statement({"kind": "agree", "terms": TERMS}, "acme", KEYS)

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_canonical_data_reads_back(data: object) -> None:
    assert decode_canonical(encode_canonical(data), "here") == data


# The examples of RFC 8785, section 3.2.2 and appendix B.
@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        (
            [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27],
            "[333333333.3333333,1e+30,4.5,0.002,1e-27]",
        ),
        ('€$\x0f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ({"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}, None),
    ],
)
def test_the_examples_of_the_standard(data: object, text: str | None) -> None:
    content = encode_canonical(data).decode()
    if text is None:
        assert list(json.loads(content).values()) == [2, 4, 6, 7, 1, 5, 3]
    else:
        assert content == text


@pytest.mark.parametrize("data", [2**53, -(2**53), float("nan"), float("inf"), "\ud800"])
def test_what_has_no_canonical_form_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="canonical"):
        encode_canonical(data)


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1,"a":1}', b'{"a": 1}', b'{"b":1,"a":2}', b"NaN", b"[1.0]", b"[1e2]", b"", b"[1",
        b"\xff", b'"\\ud800"', b'"\\u0041"', b" 1", b"[" * 65 + b"]" * 65, b"[" * 100_000,
        b"9007199254740993",
    ],
)  # fmt: skip
def test_what_is_not_canonical_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        decode_canonical(content, "here")


def test_too_long_a_message_is_refused_before_it_is_read() -> None:
    with pytest.raises(InputError, match="send at most 10 bytes"):
        decode_json(b"[1,2,3,4,5,6]", "here", most=10)


def test_brackets_within_text_are_no_depth() -> None:
    text = "[" * 200 + '\\"' + "{" * 200
    assert decode_canonical(encode_canonical([text]), "here") == [text]


def test_a_statement_is_signed_by_its_signer_alone() -> None:
    assert SAID.is_signed_with(KEYS.public.signing)
    assert not SAID.is_signed_with(generate_keys().public.signing)
    assert read_statement(SAID.content, "here") == SAID


@pytest.mark.parametrize(
    "changed",
    [
        replace(SAID, body={"kind": "agree", "terms": "cd" * 32}),
        replace(SAID, body={"kind": "accept", "terms": TERMS}),
        replace(SAID, by="bolt"),
        replace(SAID, by="acme "),
        replace(SAID, signature="00" * 64),
    ],
)
def test_a_changed_statement_is_not_signed(changed: Statement) -> None:
    assert not changed.is_signed_with(KEYS.public.signing)


def test_the_signature_is_over_the_context_the_name_and_the_body() -> None:
    message = b"aboveboard statement v1\n" + rfc8785.dumps({"body": dict(SAID.body), "by": "acme"})
    KEYS.signing.public_key().verify(bytes.fromhex(SAID.signature), message)


@pytest.mark.parametrize(
    "change",
    [
        {"sig": "zz" * 64}, {"sig": "AB" * 64}, {"sig": "ab"}, {"by": ""}, {"by": "../up"},
        {"by": None}, {"body": []}, {"body": {}}, {"body": {"kind": "boast"}}, {"more": 1},
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused(change: dict[str, object]) -> None:
    data = {"body": dict(SAID.body), "by": SAID.by, "sig": SAID.signature, **change}
    with pytest.raises(InputError):
        read_statement(encode_canonical(data), "here")


def test_a_body_of_no_kind_and_a_bad_name_cannot_be_signed() -> None:
    with pytest.raises(ValueError, match="a statement is one of"):
        sign_statement({"kind": "boast"}, "acme", KEYS)
    with pytest.raises(ValueError, match="not a name"):
        sign_statement({"kind": "leave", "terms": TERMS}, "a/b", KEYS)


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_keys_read_back_and_only_their_owner_can(tmp_path: Path, passphrase: bytes | None) -> None:
    write_keys(KEYS, tmp_path / "keys", passphrase)
    assert read_keys(tmp_path / "keys", passphrase).public == KEYS.public
    assert read_public(tmp_path / "keys" / "public.json") == KEYS.public
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    for name in ("signing.pem", "sealing.pem"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o777 == 0o600


def test_keys_are_never_written_over(tmp_path: Path) -> None:
    write_keys(KEYS, tmp_path / "keys")
    with pytest.raises(InputError, match="it exists"):
        write_keys(generate_keys(), tmp_path / "keys")
    assert read_keys(tmp_path / "keys").public == KEYS.public


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    write_keys(KEYS, tmp_path / "keys")
    (tmp_path / "keys" / "signing.pem").chmod(0o644)
    with pytest.raises(InputError, match="others can read this private key"):
        read_keys(tmp_path / "keys")


@pytest.mark.parametrize("passphrase", [None, b"wrong"])
def test_a_wrong_or_missing_passphrase_is_refused(tmp_path: Path, passphrase: bytes | None) -> None:
    write_keys(KEYS, tmp_path / "keys", b"right")
    with pytest.raises(InputError, match="passphrase"):
        read_keys(tmp_path / "keys", passphrase)


@pytest.mark.parametrize("content", [b"", b"junk", b"{}", b'{"signing":"x","sealing":"y"}', b"[]"])
def test_what_are_no_public_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "public.json").write_bytes(content)
    with pytest.raises(InputError):
        read_public(tmp_path / "public.json")


def test_swapped_public_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="no ed25519 key"):
        PublicKeys(KEYS.public.sealing, KEYS.public.signing)


@pytest.mark.parametrize("kind", [[], {}, 3, None, ["agree"]])
def test_a_kind_that_is_no_text_is_refused_and_not_a_failure(kind: object) -> None:
    content = encode_canonical({"body": {"kind": kind}, "by": "acme", "sig": "00" * 64})
    with pytest.raises(InputError, match="a statement of no known kind"):
        read_statement(content, "statement")


@pytest.mark.parametrize("text", ["\\ud800", "\\uDFFF", "a\\udc00b", "\\ud800\\ud800"])
def test_half_a_character_is_no_text(text: str) -> None:
    with pytest.raises(InputError, match="surrogates not allowed"):
        decode_json(f'["{text}"]'.encode(), "here")


def test_a_whole_character_may_be_written_in_halves() -> None:
    assert decode_json(b'["\\ud83d\\ude00"]', "here") == ["\N{GRINNING FACE}"]
