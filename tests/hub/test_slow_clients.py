"""Clients that send a byte now and then: they hold no connection, and members are answered."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import time

import httpx
import pytest

from aboveboard.evidence.keys import PrivateKeys, generate_keys
from aboveboard.hub import patience
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import make_hub
from aboveboard.hub.organizations import accept_invitation, invite
from aboveboard.hub.serving import BackgroundServer
from aboveboard.hub.signatures import Target, sign_request


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give clients a few seconds: enough for whole requests, on a busy machine, too."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "REST_SECONDS"):
        monkeypatch.setattr(patience, name, 3.0)


@pytest.fixture
def served(impatient: None, tmp_path: Path) -> Iterator[tuple[BackgroundServer, PrivateKeys]]:
    """Serve a hub with one member."""
    hub, keys = make_hub(tmp_path / "hub", Configuration()), generate_keys()
    token = invite(hub, "acme").link.partition("#")[2].partition(".")[0]
    accept_invitation(hub, token, keys.public)
    with BackgroundServer(hub) as server:
        yield server, keys
    hub.close()


def hear_all(address: str, sent: bytes) -> bytes:
    """Send something, and return what is answered until the hub closes the connection."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(sent)
        heard = b""
        while block := connection.recv(2**16):
            heard += block
    return heard


@pytest.mark.deep
def test_who_sends_no_whole_request_is_given_up(
    served: tuple[BackgroundServer, PrivateKeys],
) -> None:
    server, _ = served
    host = server.address.removeprefix("http://")
    whole = f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    sent = (b"", b"GET /health HT", whole[:-2], whole + b"GET /heal")
    with ThreadPoolExecutor() as pool:
        heard = list(pool.map(partial(hear_all, server.address), sent))
    assert [each.count(b"HTTP/1.1 ") for each in heard] == [0, 0, 0, 1]


@pytest.mark.deep
def test_who_goes_on_with_a_refused_body_is_given_up(
    served: tuple[BackgroundServer, PrivateKeys],
) -> None:
    server, _ = served
    host = server.address.removeprefix("http://")
    head = f"POST /api/v1/sessions HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nab"
    assert hear_all(server.address, head.encode()).startswith(b"HTTP/1.1 401 ")


@pytest.mark.deep
def test_a_members_body_that_does_not_come_is_given_up(
    served: tuple[BackgroundServer, PrivateKeys],
) -> None:
    server, keys = served
    host = server.address.removeprefix("http://")
    digest = hashlib.sha256(b"x" * 1000).hexdigest()
    path = f"/api/v1/collaborations/{'0' * 16}/statements"
    signed = sign_request(Target("POST", host, path), digest, keys, int(time()))
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Length: 1000"]
    lines += [f"{name}: {value}" for name, value in signed.items()]
    heard = hear_all(server.address, ("\r\n".join(lines) + "\r\n\r\nxx").encode())
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"the body comes too slowly" in heard


@pytest.mark.deep
def test_many_strangers_who_say_nothing_keep_no_member_out(
    served: tuple[BackgroundServer, PrivateKeys],
) -> None:
    server, _ = served
    host, port = server.address.removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port)), timeout=60) for _ in range(100)]
    try:
        assert httpx.get(f"{server.address}/health", trust_env=False).status_code in (200, 503)
        assert all(each.recv(1) == b"" for each in idle)
    finally:
        for each in idle:
            each.close()
