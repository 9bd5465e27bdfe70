"""Files that are sealed in frames: cut off, exchanged, repeated or added frames do not open."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.evidence import sealing
from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.evidence.payloads import (
    LARGE_FILE,
    FileRange,
    Payload,
    as_bytes,
    decode_payload,
    open_payload,
)
from aboveboard.evidence.sealing import (
    FRAME,
    MAGIC,
    TAG,
    WRAPPED,
    encode_context,
    open_frames,
    open_message,
    seal_frames,
    seal_message,
)

KEYS = generate_keys()
CONTEXT = encode_context("ab" * 32, "acme", "center", "submit")
HEAD = len(MAGIC) + WRAPPED


def seal(content: bytes, keys: PrivateKeys = KEYS, context: bytes = CONTEXT) -> bytes:
    target = io.BytesIO()
    seal_frames(io.BytesIO(content), target, keys.public.sealing, context)
    return target.getvalue()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> int:
    """Frames of 32 bytes, so that many fit into a test."""
    monkeypatch.setattr(sealing, "FRAME", 32)
    return 32 + TAG


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_whatever_its_length(content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sealing, "FRAME", 32)
        assert open_message(seal(content), KEYS, CONTEXT, "here") == content


@pytest.mark.parametrize("length", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME])
def test_the_last_frame_may_be_short_full_or_empty(length: int) -> None:
    assert open_message(seal(b"x" * length), KEYS, CONTEXT, "here") == b"x" * length


def frames(sealed: bytes, size: int) -> list[bytes]:
    body = sealed[HEAD:]
    return [body[k : k + size] for k in range(0, len(body), size)]


def refuse(sealed: bytes) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        open_message(sealed, KEYS, CONTEXT, "here")


def test_frames_in_another_order_do_not_open(short: int) -> None:
    sealed = seal(bytes(range(160)))
    a, b, *rest = frames(sealed, short)
    refuse(sealed[:HEAD] + b"".join([b, a, *rest]))


def test_a_frame_that_is_repeated_left_out_or_added_does_not_open(short: int) -> None:
    sealed = seal(bytes(range(160)))
    found = frames(sealed, short)
    for changed in (
        [found[0], *found],
        found[1:],
        [found[0], *found[2:]],
        [*found, found[-1]],
        [*found, b"x" * short],
    ):
        refuse(sealed[:HEAD] + b"".join(changed))


def test_a_file_that_is_cut_off_does_not_open_wherever_it_is_cut(short: int) -> None:
    sealed = seal(bytes(range(96)))
    for length in range(len(sealed)):
        if not sealed[:length].startswith(MAGIC):
            continue
        refuse(sealed[:length])
    assert len(frames(sealed, short)) == 3
    refuse(sealed[:HEAD] + b"".join(frames(sealed, short)[:2]))  # whole frames, but not the last


def test_a_changed_byte_anywhere_is_found(short: int) -> None:
    sealed = seal(bytes(range(64)))
    for k in range(len(MAGIC), len(sealed)):
        refuse(sealed[:k] + bytes([sealed[k] ^ 1]) + sealed[k + 1 :])


def test_frames_of_two_files_do_not_mix(short: int) -> None:
    one, other = seal(b"a" * 96), seal(b"b" * 96)
    mixed = [*frames(one, short)[:1], *frames(other, short)[1:]]
    refuse(one[:HEAD] + b"".join(mixed))
    refuse(one[:HEAD] + other[HEAD:])


def test_another_key_or_context_opens_nothing() -> None:
    sealed = seal(b"list")
    with pytest.raises(InputError):
        open_message(sealed, generate_keys(), CONTEXT, "here")
    with pytest.raises(InputError):
        open_message(sealed, KEYS, encode_context("ab" * 32, "bolt", "center", "submit"), "here")


def test_a_whole_message_is_no_file_of_frames() -> None:
    with pytest.raises(InputError):
        open_frames(
            io.BytesIO(seal_message(b"x", KEYS.public.sealing, CONTEXT)),
            io.BytesIO(), KEYS, CONTEXT, "here",
        )  # fmt: skip


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    big, sealed, opened = (tmp_path / name for name in ("big", "sealed", "opened"))
    with big.open("wb") as file:
        file.truncate(64 * FRAME)
    tracemalloc.start()
    with big.open("rb") as source, sealed.open("wb") as target:
        seal_frames(source, target, KEYS.public.sealing, CONTEXT)
    with sealed.open("rb") as source, opened.open("wb") as target:
        open_frames(source, target, KEYS, CONTEXT, "here")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened.stat().st_size == 64 * FRAME
    assert peak < 8 * FRAME


def test_a_large_file_of_a_payload_stays_on_the_disk(tmp_path: Path) -> None:
    content = b"0123456789abcdef" * (LARGE_FILE // 16 + 1)
    payload = Payload(
        {"data": "big.csv"}, {"big.csv": content, "small.csv": b"x"}, bytes(32), bytes(32)
    )
    path = tmp_path / "payload.bin"
    path.write_bytes(payload.encode())
    found = open_payload(path, "here")
    assert isinstance(found.files["big.csv"], FileRange)
    assert found.files["small.csv"] == b"x"
    assert as_bytes(found.files["big.csv"]) == content
    assert found.content == payload.content == decode_payload(path.read_bytes(), "x").content
    assert b"".join(found.encode_blocks()) == path.read_bytes()
    path.write_bytes(payload.encode()[:-1])
    with pytest.raises(InputError, match="length"):
        open_payload(path, "here")
