"""The one way out of a child that trains: a socket that leads to the SuperLink of the terms."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aboveboard.hub.jobs import relay
from aboveboard.hub.jobs.relay import SOCKET_FILE, find_superlink, relay_superlink
from aboveboard.hub.jobs.spawning import _make_environment

SECONDS = 10


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PAUSE", 0.02)


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Serve an address that answers each connection with what it gets, in capitals."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)

        def answer() -> None:
            try:
                while True:
                    near, _ = server.accept()
                    with near:
                        near.settimeout(SECONDS)
                        near.sendall(near.recv(100).upper())
            except OSError:
                return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[:2]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(SECONDS)


def ask(path: Path, text: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as near:
        near.settimeout(SECONDS)
        near.connect(str(path))
        near.sendall(text)
        return near.recv(100)


def test_a_child_reaches_the_superlink_through_its_folder_as_long_as_it_runs(
    tmp_path: Path, echo: tuple[str, int]
) -> None:
    with relay_superlink(tmp_path, echo):
        assert [ask(tmp_path / SOCKET_FILE, each) for each in (b"one", b"two")] == [b"ONE", b"TWO"]
        environment = _make_environment(tmp_path, own=True)
        assert environment["ABOVEBOARD_SUPERLINK_SOCKET"] == SOCKET_FILE
    with pytest.raises(ConnectionRefusedError):
        ask(tmp_path / SOCKET_FILE, b"late")


@pytest.mark.deep
def test_a_superlink_that_is_not_there_is_a_broken_connection(tmp_path: Path) -> None:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        with relay_superlink(tmp_path, gone.getsockname()):
            assert ask(tmp_path / SOCKET_FILE, b"") == b""


@pytest.mark.deep
def test_a_long_folder_has_a_socket_too(tmp_path: Path, echo: tuple[str, int]) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with relay_superlink(folder, echo):
        assert (folder / SOCKET_FILE).is_socket()


def test_terms_without_machines_open_no_way_out(tmp_path: Path) -> None:
    assert find_superlink({"training": {"engine": "in-process"}}) is None
    assert find_superlink({}) is None
    table = {"training": {"engine": "flower", "flower": {"superlink": "[::1]:9092"}}}
    assert find_superlink(table) == ("::1", 9092)
    with relay_superlink(tmp_path, None):
        assert not list(tmp_path.iterdir())
        assert "ABOVEBOARD_SUPERLINK_SOCKET" not in _make_environment(tmp_path, own=True)
