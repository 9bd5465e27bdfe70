"""The one way out of a child that trains: a socket in its folder that leads to the SuperLink.

A child has no network. Where the terms name a training on the members' own machines, the worker
passes bytes between a Unix socket in the child's folder and the SuperLink's address in the terms,
and no other address. Encryption is the child's and the SuperLink's: the worker reads nothing.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SOCKET_FILE = "superlink.socket"

MOST_CONNECTIONS = 64
"""Most connections at once: a training needs a handful."""

CONNECT_SECONDS = 20.0
"""Seconds in which the SuperLink must answer."""
SEND_SECONDS = 120.0
"""Seconds that one end may take to accept what the other has sent."""

PAUSE = 0.5
"""Seconds between two looks whether the child is over."""

BLOCK = 2**16
"""Bytes that are passed on at once."""


def find_superlink(parameters: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return host and port of the SuperLink that terms name; None where they name none."""
    training = parameters.get("training")
    if not isinstance(training, Mapping) or training.get("engine") != "flower":
        return None
    host, _, port = str(training["flower"]["superlink"]).rpartition(":")
    return host.strip("[]"), int(port)


@contextmanager
def relay_superlink(folder: Path, target: tuple[str, int] | None) -> Iterator[None]:
    """Serve a socket in a child's folder that leads to this address, and nowhere without one."""
    if target is None:
        yield
        return
    relay = _Relay(folder, target)
    try:
        yield
    finally:
        relay.close()


class _Relay:
    """Passes bytes on, one thread for each connection."""

    def __init__(self, folder: Path, target: tuple[str, int]) -> None:
        self._target = target
        self._over = threading.Event()
        self._places = threading.Semaphore(MOST_CONNECTIONS)
        self._listener = _listen(folder)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End all connections, and wait for their threads."""
        self._over.set()
        for thread in self._threads:
            thread.join(CONNECT_SECONDS + PAUSE)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError, OSError):
                near, _ = self._listener.accept()
                if not self._places.acquire(blocking=False):
                    near.close()
                    continue
                self._threads = [each for each in self._threads if each.is_alive()]
                thread = threading.Thread(target=self._pass_on, args=(near,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, near: socket.socket) -> None:
        """Pass bytes between the child and the SuperLink until one of them is done."""
        try:
            with near, socket.create_connection(self._target, CONNECT_SECONDS) as far:
                near.settimeout(SEND_SECONDS)
                far.settimeout(SEND_SECONDS)
                other = {near: far, far: near}
                with selectors.DefaultSelector() as selector:
                    for end in other:
                        selector.register(end, selectors.EVENT_READ)
                    while not self._over.is_set():
                        for key, _ in selector.select(PAUSE):
                            source: Any = key.fileobj
                            block = source.recv(BLOCK)
                            if not block:
                                return
                            other[source].sendall(block)
        except OSError:
            return  # the child sees a broken connection, and says so
        finally:
            self._places.release()


def _listen(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.settimeout(PAUSE)
    if not sys.platform.startswith("linux"):
        listener.bind(str(folder / SOCKET_FILE))
    else:
        # The system takes a path of 107 bytes at most; a folder's may be longer.
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            listener.bind(f"/proc/self/fd/{place}/{SOCKET_FILE}")
        finally:
            os.close(place)
    listener.listen()
    return listener
