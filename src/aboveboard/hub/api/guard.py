"""What every request passes first: the Host check, safe headers, and one line in the log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aboveboard.hub.api.problems import make_problem

access = logging.getLogger("aboveboard.hub.access")

OPEN_TO_ANY_HOST = "/health"
"""A load balancer asks for it by address."""

SAFE = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
"""Headers of every response that does not state its own."""


class Guard:
    """Middleware of the hub.

    Parameters
    ----------
    app
        What it guards.
    hosts
        Values of the Host header that are this hub's. Others are refused: signatures cover the
        host, so that a request made for another hub is good for nothing here.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower().encode() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                stated = {name.lower() for name, _ in message.get("headers", ())}
                missing = (each for each in SAFE if each[0] not in stated)
                message["headers"] = [*message.get("headers", ()), *missing]
            await send(message)

        try:
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if scope["path"] == OPEN_TO_ANY_HOST or (
                len(hosts) == 1 and hosts[0].lower() in self._hosts
            ):
                await self._app(scope, receive, send_safely)
            else:
                refusal = make_problem(
                    421, "header Host", "this hub has another address", "use the hub's own address"
                )
                await refusal(scope, receive, send_safely)
        finally:
            if access.isEnabledFor(logging.INFO):
                line = {
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round((time.perf_counter() - begun) * 1000, 1),
                }
                access.info(json.dumps(line))
