"""Serving a hub with uvicorn, in this process or in a thread of it."""

from __future__ import annotations

import errno
import json
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

from aboveboard.errors import InputError
from aboveboard.hub.api import create_application
from aboveboard.hub.home import Hub
from aboveboard.hub.patience import PatientProtocol

ANY = ("0.0.0.0", "::", "")


class HubServer(uvicorn.Server):
    """A server that says when it answers.

    Parameters
    ----------
    config
        Of uvicorn.
    on_start
        Called once requests are answered.
    """

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_start()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket on this address; port 0 is a free one.

    Raises
    ------
    InputError
        If the address is taken, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, so that asyncio sends small answers at once and does not wait for the other side.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise InputError(
            f"{host}:{port}",
            f"it cannot be served ({error.strerror})",
            REMEDIES.get(error.errno or 0, "use an address of this machine, such as 127.0.0.1"),
        ) from error
    return found


REMEDIES = {
    errno.EADDRINUSE: "use another port",
    errno.EACCES: "use a port from 1024 on",
}
"""What helps where an address cannot be served, by the system's error."""


def make_server(hub: Hub, bound: socket.socket, on_start: Callable[[str], None]) -> HubServer:
    """Return a server for a hub on a socket.

    Parameters
    ----------
    hub
        The hub.
    bound
        Where it listens. On a loopback address it also answers by that address itself.
    on_start
        Called with the address once requests are answered.
    """
    host, port = bound.getsockname()[:2]
    address = f"http://{'127.0.0.1' if host in ANY else host}:{port}"
    hosts = {
        hub.configuration.authority,
        f"127.0.0.1:{port}",
        f"localhost:{port}",
        f"{host}:{port}",
    }
    config = uvicorn.Config(
        create_application(hub, hosts),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=10,
        http=PatientProtocol,
    )
    return HubServer(config, lambda: on_start(address))


def serve(hub: Hub, host: str, port: int) -> None:
    """Serve until the process is asked to end; the first line of output is the address, in JSON."""
    bound = bind(host, port)

    def announce(address: str) -> None:
        sys.stdout.write(json.dumps({"address": address, "fingerprint": hub.fingerprint}) + "\n")
        sys.stdout.flush()

    make_server(hub, bound, announce).run(sockets=[bound])


class BackgroundServer:
    """A hub that is served from a thread, for demonstrations and tests.

    Parameters
    ----------
    hub
        The hub.
    bound
        A socket of this machine where it listens; None: on a free port.

    Raises
    ------
    InputError
        If it does not start.
    """

    def __init__(self, hub: Hub, bound: socket.socket | None = None) -> None:
        started = threading.Event()
        self._socket = bound or bind("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = make_server(hub, self._socket, lambda _: started.set())
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        if not started.wait(30):
            raise InputError(self.address, "the hub does not start", "look at its log")

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(15)
        self._socket.close()

    def __enter__(self) -> BackgroundServer:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.close()
