"""Notes, checkpoints, cosignatures and receipts: forged, changed and foreign ones are refused."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aboveboard.errors import InputError
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.log import (
    Log,
    Receipt,
    export_receipt,
    make_receipt,
    verify_checkpoint,
    verify_growth,
    verify_receipt,
)
from aboveboard.evidence.notes import (
    Note,
    cosign_note,
    name_key,
    read_checkpoint,
    read_note,
    sign_note,
)
from aboveboard.evidence.trees import InvalidProofError

ORIGIN = "aboveboard/0123abcd"
KEYS = generate_keys()
SIGNING = KEYS.public.signing
LOG = Log(ORIGIN, tuple(b"entry %d" % k for k in range(7)))
CHECKPOINT = LOG.sign_checkpoint(KEYS)


def test_a_note_reads_back_as_it_was_written() -> None:
    note = read_note(CHECKPOINT.content, "here")
    assert note == CHECKPOINT
    assert note.is_signed_with(ORIGIN, SIGNING)
    assert read_checkpoint(note, "here") == LOG.checkpoint


def test_the_bytes_of_a_checkpoint_are_those_of_the_specification() -> None:
    text, _, line = CHECKPOINT.content.decode().partition("\n\n")
    assert text.split("\n") == [ORIGIN, "7", base64.b64encode(LOG.checkpoint.root).decode()]
    dash, name, encoded = line.strip().split(" ")
    raw = bytes.fromhex(SIGNING.partition(":")[2])
    signed = base64.b64decode(encoded)
    assert (dash, name) == ("—", ORIGIN)
    assert signed[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + raw).digest()[:4]
    Ed25519PublicKey.from_public_bytes(raw).verify(signed[4:], f"{text}\n".encode())


def test_a_cosignature_is_over_its_time_and_the_text() -> None:
    member = generate_keys()
    note = cosign_note(CHECKPOINT, name_key("acme labs"), member, 1_700_000_000)
    again = read_note(note.content, "here")
    assert again.is_signed_with(ORIGIN, SIGNING)
    assert again.is_cosigned_with("acme_labs", member.public.signing)
    assert not again.is_cosigned_with("acme_labs", SIGNING)
    late = replace(again.signatures[1], signature=b"\0" * 8 + again.signatures[1].signature[8:])
    forged = Note(again.text, (again.signatures[0], late))
    assert not forged.is_cosigned_with("acme_labs", member.public.signing)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no signature\n",
        b"text\n\n",
        b"text\n\nunsigned\n",
        "text\n\n— name !!!!\n".encode(),
        "text\n\n— name AAAA\n".encode(),
        "text\r\n\n— name AAAAAAAAAA==\n".encode(),
        b"\xff\xfe\n\n",
        ("text\n\n" + "— name AAAAAAAAAA==\n" * 101).encode(),
        b"x" * 1_000_001,
    ],
)
def test_what_is_no_note_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        read_note(content, "here")


@pytest.mark.parametrize(
    "text",
    ["", f"{ORIGIN}\n7\n", f"{ORIGIN}\n07\n{'A' * 43}=\n", f"{ORIGIN}\n-1\n{'A' * 43}=\n",
     f"{ORIGIN}\n7\nAAAA\n", f"{ORIGIN}\n7\n{'A' * 43}=\nmore\n", f"{ORIGIN}\n٧\n{'A' * 43}=\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_checkpoint(Note(text, ()), "here")


def test_a_receipt_proves_an_entry_and_nothing_else() -> None:
    for k, entry in enumerate(LOG.entries):
        receipt = Receipt.from_dict(make_receipt(LOG, k, CHECKPOINT).as_dict(), "here")
        assert verify_receipt(entry, receipt, ORIGIN, SIGNING) == LOG.checkpoint
        for wrong in (b"another", LOG.entries[(k + 1) % 7]):
            with pytest.raises(InvalidProofError):
                verify_receipt(wrong, receipt, ORIGIN, SIGNING)


def test_a_receipt_of_another_log_or_key_is_refused() -> None:
    receipt, entry = make_receipt(LOG, 2, CHECKPOINT), LOG.entries[2]
    with pytest.raises(InvalidProofError, match="is of the log"):
        verify_receipt(entry, receipt, "another", SIGNING)
    with pytest.raises(InvalidProofError, match="not signed"):
        verify_receipt(entry, receipt, ORIGIN, generate_keys().public.signing)
    with pytest.raises(InvalidProofError, match="not signed"):
        verify_checkpoint(
            replace(CHECKPOINT, text=CHECKPOINT.text.replace("7", "8")), ORIGIN, SIGNING
        )
    with pytest.raises(InvalidProofError, match="not signed"):
        verify_checkpoint(Note(CHECKPOINT.text, ()), ORIGIN, SIGNING)


@pytest.mark.parametrize(
    "change",
    [
        {"index": True}, {"index": "2"}, {"path": ["zz"]}, {"path": None}, {"checkpoint": 3},
        {"checkpoint": "x"}, {"more": 1},
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Receipt.from_dict({**make_receipt(LOG, 2, CHECKPOINT).as_dict(), **change}, "here")


def test_two_logs_come_to_light() -> None:
    longer = LOG.append(b"one more")
    verify_growth(LOG.checkpoint, longer.checkpoint, longer.prove_growth(7))
    other = Log(ORIGIN, (b"changed", *LOG.entries[1:], b"one more"))
    with pytest.raises(InvalidProofError):
        verify_growth(LOG.checkpoint, other.checkpoint, other.prove_growth(7))
    with pytest.raises(InvalidProofError, match="shrank"):
        verify_growth(longer.checkpoint, LOG.checkpoint, [])


def test_scitt_cose_accepts_an_exported_receipt() -> None:
    scitt = pytest.importorskip("scitt_cose", reason="scitt-cose is only an oracle")
    pem = KEYS.signing.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for k, entry in enumerate(LOG.entries):
        receipt = make_receipt(LOG, k, CHECKPOINT)
        exported = export_receipt(receipt, 7, LOG.checkpoint.root, KEYS)
        result = scitt.verify_receipt(exported, leaf_entry_hex=entry.hex(), log_public_key_pem=pem)
        assert result.ok, result.errors
        assert (result.leaf_index, result.tree_size) == (k, 7)
        assert not scitt.verify_receipt(
            exported, leaf_entry_hex=b"another".hex(), log_public_key_pem=pem
        ).ok


def test_a_note_needs_a_line_feed_at_its_end_and_a_name_without_blanks() -> None:
    for text, name in (("no end", "name"), ("text\n", "two words")):
        with pytest.raises(ValueError, match="line feed"):
            sign_note(text, name, KEYS)


def test_a_root_that_is_not_ascii_is_refused() -> None:
    note = Note("origin\n1\nÄÖÜ=\n", ())
    with pytest.raises(InputError, match="not base64"):
        read_checkpoint(note, "here")
