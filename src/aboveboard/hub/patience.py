"""How long a client may take: who sends a byte now and then holds no connection.

A proxy in front of the hub may limit that, too; the hub does not rely on it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import h11
from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
"""How long the line and the headers of a request may take."""

REST_SECONDS = 120.0
"""How long a client may go on sending a body that was refused, before it has read so."""

BODY_SECONDS = 60.0
"""How long the hub waits for a body in all, and for each `SLOWEST` bytes of it one more second."""

SLOWEST = 1024
"""Bytes a second."""


class TooSlowError(Exception):
    """Raised when a body does not come."""


class PatientProtocol(H11Protocol):
    """The protocol of uvicorn, with an end to a client's time between requests."""

    _given_up: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # as uvicorn narrows it
    ) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Take what was sent; as long as that is no request, the time goes on."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._given_up is None:
            refused = self.conn.their_state is h11.SEND_BODY
            self._wait(REST_SECONDS if refused else HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._given_up = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def _give_up(self) -> None:
        """Close the connection, unless a request was begun at this moment."""
        self._given_up = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


async def read_in_time(request: Request) -> AsyncIterator[bytes]:
    """Yield a body as it comes, as long as it comes.

    Only the time counts in which the hub waits.

    Raises
    ------
    TooSlowError
        If it comes too slowly.
    """
    parts, left = request.stream(), BODY_SECONDS
    while True:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(left):  # no task for each part, as `wait_for` makes
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlowError from None
        left += len(part) / SLOWEST - (time.monotonic() - begun)
        yield part
