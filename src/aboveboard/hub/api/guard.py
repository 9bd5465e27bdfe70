"""What every request passes first: the Host check, safe headers, and one line in the log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aboveboard.hub.api.problems import make_problem

access = logging.getLogger("aboveboard.hub.access")

OPEN_TO_ANY_HOST = "/health"
"""A load balancer asks for it by address."""

SAFE = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


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
        self._hosts = frozenset(host.lower() for host in hosts)

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
                headers = MutableHeaders(scope=message)
                for name, value in SAFE.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            hosts = Headers(scope=scope).getlist("host")
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
