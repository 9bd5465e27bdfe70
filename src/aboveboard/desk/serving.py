"""Serving a desk on this machine alone, until Ctrl-C."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from aboveboard.desk.application import DeskApplication
from aboveboard.desk.forms import BLOCK
from aboveboard.desk.member import Desk
from aboveboard.errors import InputError
from aboveboard.evidence.keys import write_private

LOOPBACK = "127.0.0.1"

SECONDS = 120
"""How long a connection may say nothing."""

HEAD_SECONDS = 20.0
"""How long the line and the headers of a request may take in all: no browser needs as long."""

PAUSE = 0.1
"""Seconds between two looks whether the desk is closed."""

IDLE = 5
"""Seconds that a refused form may pause before it is given up."""

MOST_CONNECTIONS = 64
"""Connections at a time: a browser has six, and each takes a thread."""


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own; they end with the process."""

    daemon_threads = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def verify_request(self, *_: Any) -> bool:
        """Return whether one more connection is answered; one that is not is closed at once."""
        return self._free.acquire(blocking=False)

    def process_request(self, *given: Any) -> None:
        """Begin a thread that answers a connection."""
        try:
            super().process_request(*given)
        except BaseException:  # such as no thread that could be started
            self._free.release()
            raise

    def process_request_thread(self, *given: Any) -> None:
        """Answer a connection, and make room for another one."""
        try:
            super().process_request_thread(*given)
        finally:
            self._free.release()

    def server_bind(self) -> None:
        """Bind, without asking any name server what we are called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.setup_environ()

    def handle_error(self, *_: Any) -> None:
        """Ignore a browser that went away."""


class _Handler(WSGIRequestHandler):
    timeout = SECONDS

    def handle(self) -> None:
        """Answer a request whose line and headers come in time."""
        self._late = threading.Timer(HEAD_SECONDS, self._give_up)
        self._late.daemon = True
        self._late.start()
        try:
            with contextlib.suppress(OSError):
                super().handle()
        finally:
            self._late.cancel()

    def parse_request(self) -> bool:
        """Return whether it is a request; what follows may take longer."""
        found = super().parse_request()
        self._late.cancel()
        return found

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # whoever reads wakes up

    def finish(self) -> None:
        """Close the connection once the answer can have been read."""
        if getattr(self, "command", "GET") not in ("GET", "HEAD"):
            self._take_rest()
        super().finish()

    def _take_rest(self) -> None:
        """Take what is still being sent: where that is left, closing takes the answer away, too."""
        ends = time.monotonic() + SECONDS
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(IDLE)
            while self.connection.recv(BLOCK) and time.monotonic() < ends:
                pass

    def log_message(self, *_: Any) -> None:
        """Log nothing: paths hold the desk's secret."""


class DeskServer:
    """A desk that is served on a port of this machine.

    Parameters
    ----------
    desk
        Whose.
    port
        Where; 0: a free one.

    Raises
    ------
    InputError
        If the port is taken.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> with TemporaryDirectory() as home:
    ...     server = DeskServer(Desk(Path(home)))
    ...     server.begin()
    ...     print(server.link.startswith(f"http://127.0.0.1:{server.port}/"))
    ...     server.close()
    True
    """

    def __init__(self, desk: Desk, port: int = 0) -> None:
        try:
            self._server = _Server((LOOPBACK, port), _Handler)
        except OSError as error:
            raise InputError(
                f"{LOOPBACK}:{port}", f"it cannot be served ({error.strerror})", "use another port"
            ) from error
        self.port = self._server.server_port
        self.application = DeskApplication(desk, (f"{LOOPBACK}:{self.port}",))
        self._server.set_app(self.application)
        self._thread: threading.Thread | None = None

    @property
    def link(self) -> str:
        """The address of the desk, with its secret."""
        return f"http://{LOOPBACK}:{self.port}{self.application.guard.root}/"

    def run(self) -> None:
        """Serve until Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.serve_forever(PAUSE)
        self._server.server_close()

    def begin(self) -> None:
        """Serve from a thread, until `close`."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(PAUSE,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving what `begin` began."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join(10)


def serve_desk(
    desk: Desk, *, port: int = 0, browser: bool = True, announce: Callable[[str], None]
) -> None:
    """Serve a desk until Ctrl-C.

    Parameters
    ----------
    desk
        Whose.
    port
        Where on this machine; 0: a free one.
    browser
        Whether a browser is opened.
    announce
        Called with the link once it can be opened.

    Raises
    ------
    InputError
        If the port is taken.
    """
    server = DeskServer(desk, port)
    announce(server.link)
    with contextlib.ExitStack() as stack:
        if browser:
            stack.enter_context(open_privately(server.link))
        server.run()


@contextlib.contextmanager
def open_privately(link: str) -> Iterator[bool]:
    """Open a link in a browser so that no other user of this machine reads it.

    Everybody sees the arguments of a process: the browser is given a file instead, which only its
    owner can read and which leads to the link. It is removed at the end.

    Yields
    ------
    bool
        Whether a browser was opened.
    """
    with tempfile.TemporaryDirectory(prefix="aboveboard-") as folder:
        page = Path(folder) / "open.html"
        target = escape(link, quote=True)
        write_private(
            page,
            f'<!doctype html><meta charset="utf-8"><title>aboveboard</title>'
            f'<meta http-equiv="refresh" content="0; url={target}">'
            f'<p><a href="{target}">Open</a></p>\n'.encode(),
        )
        try:
            opened = webbrowser.open(page.as_uri())
        except webbrowser.Error:
            opened = False
        yield opened
