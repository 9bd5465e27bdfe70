"""Signed requests to a hub, with the standard library alone."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PrivateKeys
from aboveboard.formatting import format_count
from aboveboard.hub.addresses import split_address
from aboveboard.hub.signatures import Target, sign_request

SECONDS = 60
"""How long a member waits for an answer."""

ATTEMPTS = 3
"""How often a request is sent where the hub cannot be reached: each may be repeated safely."""

MOST_ANSWER = 2**31
"""Bytes of an answer: a reply of a million elements."""

MOST_JSON = 2**28
"""Bytes of an answer in JSON: a page of a log."""

MOST_PROBLEM = 2**16
"""Bytes of an error that are read: a few lines."""

_LOCAL = ("127.0.0.1", "localhost", "::1")


class _NoRedirects(HTTPRedirectHandler):
    """A signed request is for one address: it is not sent to another one."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse every redirect."""


class HubConnection:
    """Requests to one hub, signed with one member's keys.

    Parameters
    ----------
    address
        Of the hub, without a path.
    keys
        The member's.

    Raises
    ------
    InputError
        If the address is none.
    """

    def __init__(self, address: str, keys: PrivateKeys) -> None:
        parts = split_address(address)
        if parts is None or parts.path not in ("", "/"):
            raise InputError(
                address, "it is not an address of a hub", "write it as https://hub.example"
            )
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._keys, self._authority = keys, parts.netloc
        self._opener = _make_opener(local=parts.hostname in _LOCAL)

    def get(self, path: str, *, most: int = MOST_ANSWER) -> bytes:
        """Return what the hub answers, at most so many bytes."""
        return self._send("GET", path, b"", hashlib.sha256(b"").hexdigest(), most)

    def get_json(self, path: str) -> Any:
        """Return what the hub answers, plain data.

        Raises
        ------
        InputError
            If it is not JSON.
        """
        return self._decode(self.get(path, most=MOST_JSON))

    def post_json(self, path: str, content: bytes) -> Any:
        """Send some bytes and return the answer, plain data."""
        digest = hashlib.sha256(content).hexdigest()
        return self._decode(self._send("POST", path, content, digest))

    def put_bytes(self, path: str, content: bytes) -> None:
        """Send some bytes to be kept there."""
        self._send("PUT", path, content, hashlib.sha256(content).hexdigest())

    def put_file(self, path: str, file: Path, digest: str) -> None:
        """Send a file whose hash is known; memory does not grow with it."""
        self._send("PUT", path, file, digest)

    def _decode(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(
                self.address, "it does not answer as a hub", "check its address"
            ) from error

    def _send(
        self, method: str, path: str, content: bytes | Path, digest: str, most: int = MOST_JSON
    ) -> bytes:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._send_once(method, path, content, digest, most)
            except HTTPError as error:
                if error.code != 503 or attempt == ATTEMPTS:
                    raise _read_problem(self.address, error) from error
            except (URLError, http.client.HTTPException, OSError) as error:
                if attempt == ATTEMPTS:
                    reason = getattr(error, "reason", error)
                    raise InputError(
                        self.address,
                        f"the hub cannot be reached ({reason})",
                        "check the address and try again: nothing is done twice",
                    ) from error
            time.sleep(attempt)
        raise AssertionError

    def _send_once(
        self, method: str, path: str, content: bytes | Path, digest: str, most: int
    ) -> bytes:
        plain, _, query = path.partition("?")
        target = Target(method, self._authority, plain, query)
        headers: dict[str, str] = sign_request(target, digest, self._keys, int(time.time()))
        headers["User-Agent"] = "aboveboard"
        if isinstance(content, Path):
            headers |= {
                "Content-Length": str(content.stat().st_size),
                "Content-Type": "application/octet-stream",
            }
            with content.open("rb") as file:
                request = Request(self.address + path, file, headers, method=method)
                return self._exchange(request, most)
        if method != "GET":
            headers["Content-Type"] = "application/json"
        data = None if method == "GET" else content
        return self._exchange(Request(self.address + path, data, headers, method=method), most)

    def _exchange(self, request: Request, most: int) -> bytes:
        with self._opener.open(request, timeout=SECONDS) as answer:
            content: bytes = answer.read(most + 1)
        if len(content) > most:
            raise InputError(
                self.address,
                f"it answers more than {format_count(most)} bytes",
                "check its address, or tell its operator",
            )
        return content


def _make_opener(*, local: bool) -> OpenerDirector:
    """Return what sends requests; to this machine without a proxy."""
    handlers: list[Any] = [_NoRedirects()]
    if local:
        handlers.append(ProxyHandler({}))
    return build_opener(*handlers)


def _read_problem(address: str, error: HTTPError) -> InputError:
    """Return what a hub says is wrong, as an error of ours."""
    try:
        data = json.loads(error.read(MOST_PROBLEM))
    except (ValueError, RecursionError, OSError, http.client.HTTPException):
        data = {}
    if not isinstance(data, Mapping) or not {"problem", "remedy"} <= set(data):
        return InputError(address, f"it answers {error.code}", "check the address, or try later")
    return InputError(address, str(data["problem"]), str(data["remedy"]))
