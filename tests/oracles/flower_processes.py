"""Flower's real processes on loopback: a SuperLink, and parties as a member starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

BIN = Path(sys.executable).parent
QUIET = {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1"}


def find_port() -> int:
    """Return a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start(
    command: Sequence[str], folder: Path, log: str, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program of this environment; end it afterwards, whatever state it is in."""
    environment = {**os.environ, **QUIET, "FLWR_HOME": str(folder / "home"), **more}
    with (folder / log).open("wb") as stream:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def start_superlink(folder: Path, *more: str) -> Iterator[str]:
    """Start a SuperLink; yield its address once it answers."""
    port = find_port()
    encrypted = "--ssl-certfile" in more
    command = [
        "flower-superlink", *([] if encrypted else ["--insecure"]), "--port", str(port),
        "--isolation", "process", "--disable-runtime-dependency-installation", *more,
    ]  # fmt: skip
    with start(command, folder, "superlink.log"):
        for _ in range(600):
            with suppress(OSError):
                if encrypted:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                else:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"


@contextmanager
def start_party(
    folder: Path, name: str, superlink: str, *more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `aboveboard party` on NAME.csv with the key NAME.pem."""
    command = [
        "aboveboard", "party", "--superlink", superlink, "--key", f"{name}.pem",
        "--data", f"{name}.csv", *more,
    ]  # fmt: skip
    with start(command, folder, f"{name}.log") as process:
        yield process


def wait_for(log: Path, text: str, seconds: float = 120) -> None:
    """Wait until a log says something."""
    until = time.monotonic() + seconds
    while text not in log.read_text(errors="replace"):
        assert time.monotonic() < until, log.read_text(errors="replace")[-2000:]
        time.sleep(0.05)
