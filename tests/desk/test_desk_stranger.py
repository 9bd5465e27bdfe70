"""A stranger at the desk's port: another user, another site, another name for this machine."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
from browsers import HOST, Visitor

from aboveboard.desk import Desk, serving
from aboveboard.desk.application import PAGES, STEPS
from aboveboard.desk.serving import DeskServer, open_privately
from aboveboard.errors import InputError

IDENTIFIER = "0123456789abcdef"


def list_paths(table: Any) -> list[str]:
    return [
        pattern.replace(r"(?P<identifier>[0-9a-f]{16})", IDENTIFIER).replace("\\", "")
        for pattern, _ in table
    ]


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    return Visitor(tmp_path / "home")


def test_the_list_of_pages_and_forms_is_complete() -> None:
    assert len(list_paths(PAGES)) == 16
    assert len(list_paths(STEPS)) == 18


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "..", "%00", "TOKEN/.."])
def test_without_the_link_nothing_is_shown(visitor: Visitor, token: str) -> None:
    token = token.replace("TOKEN", visitor.application.guard.token[:-1])
    for path in (*list_paths(PAGES), "/static/x.css"):
        answer = visitor.client.get(f"/{token}{path}")
        assert answer.status_code == 403, path
        assert "desk" in answer.text
        assert "acme" not in answer.text
    for path in list_paths(STEPS):
        answer = visitor.client.post(f"/{token}{path}", data={"link": "x"})
        assert answer.status_code == 403, path


def test_another_name_for_this_machine_is_refused(visitor: Visitor) -> None:
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:8901", f"{HOST}.evil.com"):
        assert visitor.get("/", headers={"Host": host}).status_code == 421, host
    assert visitor.get("/").status_code == 200


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": f"https://{HOST}"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"},
]


def test_a_form_of_another_site_does_nothing(visitor: Visitor) -> None:
    for headers in FOREIGN:
        for path in list_paths(STEPS):
            answer = visitor.client.post(f"{visitor.root}{path}", headers=headers, data={"a": "b"})
            assert answer.status_code == 403, (headers, path)
    bare = visitor.client.post(f"{visitor.root}/join", data={"link": "x"})
    assert bare.status_code == 403
    assert not (visitor.application.desk.home / "keys").exists()


def test_another_site_may_open_the_desk_and_load_nothing_of_it(visitor: Visitor) -> None:
    opens = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    loads = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert visitor.get("/", headers=opens).status_code == 200
    assert visitor.get("/", headers=loads).status_code == 403
    neighbour = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}
    assert visitor.get("/", headers=neighbour).status_code == 403


def test_pages_are_kept_by_nobody_framed_by_nobody_and_run_nothing(visitor: Visitor) -> None:
    shown = [visitor.get(path) for path in ("/", "/keys", "/nothing", f"/round/{IDENTIFIER}")]
    shown.append(visitor.client.get("/"))
    for each in shown:
        assert each.headers["cache-control"] == "no-store"
        policy = each.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "set-cookie" not in each.headers  # other ports of this machine would get it
        assert not re.search(r"<script|\son[a-z]+=|javascript:|\sstyle=", each.text, re.I)


def test_a_page_that_is_not_there_and_a_method_that_is_wrong_are_named(visitor: Visitor) -> None:
    assert visitor.get("/nothing").status_code == 404
    assert visitor.get("/join").status_code == 405
    assert visitor.press("/keys").status_code == 405
    head = visitor.client.head(f"{visitor.root}/")
    assert (head.status_code, head.content) == (200, b"")
    put = visitor.client.put(f"{visitor.root}/join", headers={"Origin": f"http://{HOST}"})
    assert put.status_code == 405


def test_odd_paths_lead_nowhere(visitor: Visitor) -> None:
    for path in (
        "/round/../keys/../../etc/passwd", "/round/%2e%2e/reply", "/round/0123456789ABCDEF",
        "/round/0123456789abcdef%0a", "/static/../../page.css", "//evil.example/", "/round/x/log",
    ):  # fmt: skip
        assert visitor.get(path).status_code in (403, 404), path


def test_a_script_in_a_form_is_shown_as_text(visitor: Visitor) -> None:
    shown = visitor.press("/hub", hub="<script>alert(1)</script>")
    assert "<script>" not in shown.text
    shown = visitor.press("/join", link="http://hub/<script>alert(1)</script>")
    assert "<script>" not in shown.text


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_served_desk_answers_on_this_machine_alone(tmp_path: Path) -> None:
    server = DeskServer(Desk(tmp_path / "home"))
    server.begin()
    try:
        assert server.link.startswith(f"http://127.0.0.1:{server.port}/")
        assert httpx.get(server.link, trust_env=False).status_code == 200
        assert ask(server.port, "/")[0] == 403
        assert ask(server.port, "/", Host="evil.example")[0] == 421
        with pytest.raises(InputError, match="use another port"):
            DeskServer(Desk(tmp_path / "home"), server.port)
    finally:
        server.close()


def send_in_pieces(server: DeskServer, head: str, piece: bytes, pieces: int) -> str:
    """Send a form to a desk, all of it before anything is read; return the answer."""
    host = f"127.0.0.1:{server.port}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sent:
        path = f"{server.application.guard.root}/join"
        start = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{head}\r\n\r\n"
        sent.sendall(start.encode())
        for _ in range(pieces):
            sent.sendall(piece)
        sent.shutdown(socket.SHUT_WR)
        answer = b""
        while block := sent.recv(2**16):
            answer += block
    return answer.decode()


@pytest.mark.deep
def test_a_form_that_is_too_large_or_of_unknown_size_is_told_so(tmp_path: Path) -> None:
    server = DeskServer(Desk(tmp_path / "home"))
    server.begin()
    piece, form = b"x" * 2**20, "Content-Type: multipart/form-data; boundary=x"
    chunk = b"100000\r\n" + piece + b"\r\n"
    try:
        large = send_in_pieces(server, f"{form}\r\nContent-Length: 5000000000", piece, 30)
        unknown = send_in_pieces(server, f"{form}\r\nTransfer-Encoding: chunked", chunk, 30)
        endless = send_in_pieces(server, f"{form}\r\nContent-Length: {'9' * 30}", piece, 1)
        other = send_in_pieces(server, "Content-Type: text/plain\r\nContent-Length: 9", b"x" * 9, 1)
    finally:
        server.close()
    assert large.startswith("HTTP/1.0 413 "), large[:80]
    assert "it is larger than the 2.0 GiB that a round takes" in large
    assert unknown.startswith("HTTP/1.0 411 "), unknown[:80]
    assert "does not say how large it is" in unknown
    assert endless.startswith("HTTP/1.0 413 "), endless[:80]
    assert other.startswith("HTTP/1.0 400 "), other[:80]
    for page in (large, unknown, endless, other):
        assert page.rstrip().endswith("</html>")


def test_who_holds_connections_open_takes_no_more_than_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 4)
    server = DeskServer(Desk(tmp_path / "home"))
    server.begin()
    idle = []
    try:
        for _ in range(4):
            idle.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as refused:
            assert refused.recv(1) == b""
        for each in idle:
            each.close()
        for _ in range(600):  # until the server has noticed
            try:
                assert httpx.get(server.link, trust_env=False).status_code == 200
                break
            except httpx.TransportError:
                sleep(0.1)
        else:
            pytest.fail("it answers nobody any more")
    finally:
        server.close()


def test_who_sends_no_whole_request_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.1)
    server = DeskServer(Desk(tmp_path / "home"))
    server.begin()
    try:
        for begun in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
            with (
                socket.create_connection(("127.0.0.1", server.port), timeout=60) as sent,
                contextlib.suppress(ConnectionError),  # it is given up before all was sent
            ):
                sent.sendall(begun)
                while heard := sent.recv(2**16):
                    assert b" 200 " not in heard
    finally:
        server.close()


def test_a_browser_is_opened_by_a_file_that_only_its_owner_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []

    def look(address: str) -> bool:
        path = Path(address.removeprefix("file://"))
        assert path.stat().st_mode & 0o777 == 0o600
        assert 'url=http://127.0.0.1:1/secret/"' in path.read_text()
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", look)
    with open_privately("http://127.0.0.1:1/secret/") as found:
        assert found
    assert not Path(opened[0].removeprefix("file://")).exists()
