"""Bodies of forms: fields, files, and what is no form."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.desk import forms
from aboveboard.desk.forms import BadFormError, Form, read_form, tidy_name
from aboveboard.errors import InputError
from aboveboard.evidence.payloads import FILE_NAME

PLAIN = "application/x-www-form-urlencoded"


class Trickle(io.BytesIO):
    """A body that arrives in small pieces."""

    def __init__(self, content: bytes, piece: int) -> None:
        super().__init__(content)
        self.piece = piece

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self.piece if size is None or size < 0 else min(size, self.piece)
        return super().read(wanted)


def send(folder: Path, piece: int = 2**16, **options: object) -> Form:
    """Return what is read of a form that another library has written."""
    request = httpx.Request("POST", "http://x/", **options)
    body = request.read()
    return read_form(Trickle(body, piece), request.headers["content-type"], len(body), folder)


def test_fields_are_read(tmp_path: Path) -> None:
    form = send(tmp_path, data={"link": "https://hub/join#ä&b=c", "empty": ""})
    assert form.fields == {"link": "https://hub/join#ä&b=c", "empty": ""}


def test_an_announcement_among_many_members_is_read(tmp_path: Path) -> None:
    names = [f"member{k}" for k in range(200)]
    fields = {f"{what} {name}": "" for name in names for what in ("goods", "price")}
    assert send(tmp_path, data=fields).fields == fields


@given(
    content=st.binary(max_size=300) | st.sampled_from([b"\r\n--", b"\r\n\r\n--x--\r\n", b"--"]),
    piece=st.integers(1, 70),
)
def test_a_file_arrives_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, piece: int
) -> None:
    folder = tmp_path_factory.mktemp("files")
    form = send(folder, piece, files={"file": ("list.txt", content)}, data={"a": "b"})
    assert [path.name for path in form.files] == ["list.txt"]
    assert (folder / "list.txt").read_bytes() == content
    assert form.fields == {"a": "b"}
    assert (folder / "list.txt").stat().st_mode & 0o777 == 0o600


@given(st.text(max_size=200))
def test_names_of_files_are_plain_and_stay_in_their_folder(given_name: str) -> None:
    assert FILE_NAME.fullmatch(tidy_name(given_name))


def test_a_form_without_a_chosen_file_has_none(tmp_path: Path) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )
    form = read_form(io.BytesIO(body), "multipart/form-data; boundary=x", len(body), tmp_path)
    assert form.files == []


def test_two_files_of_one_name_and_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two files have this name"):
        send(tmp_path, files=[("file", ("a.txt", b"1")), ("file", ("x/a.txt", b"2"))])
    with pytest.raises(InputError, match="two files have this name"):
        send(tmp_path, files=[("file", ("b.txt", b"1")), ("file", ("B.TXT", b"2"))])
    many = [("file", (f"{k}.txt", b"1")) for k in range(17)]
    with pytest.raises(InputError, match="more than 16"):
        send(tmp_path, files=many)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "MOST_SEALED_BYTES", 1000)
    with pytest.raises(InputError, match="too large"):
        send(tmp_path, files={"file": ("a.txt", b"x" * 1001)})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("text/plain", b"a=b"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=", b"--x--"),
        ("multipart/form-data; boundary=" + "x" * 71, b"--x--"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x"),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--xy\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: " + b"b" * 10_000),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"b" * 70_000,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 60 + b"--x--",
        ),
        (PLAIN, b"&".join(b"a%d=b" % k for k in range(3000))),
        (PLAIN, b"a=" + b"b" * 70_000),
        (PLAIN, b"a=\xff"),
    ],
)
def test_what_is_no_form_of_ours_is_refused(tmp_path: Path, kind: str, body: bytes) -> None:
    if not body:
        assert read_form(io.BytesIO(body), kind, 0, tmp_path) == Form()
        return
    with pytest.raises(BadFormError):
        read_form(io.BytesIO(body), kind, len(body), tmp_path)


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_form_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + tail
    folder = tmp_path_factory.mktemp("odd")
    with contextlib.suppress(BadFormError, InputError):
        read_form(io.BytesIO(body), "multipart/form-data; boundary=x", len(body), folder)
