"""Taking in sealed files as they come: memory does not grow with them, nor is the disk filled."""

from __future__ import annotations

import shutil

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from aboveboard.evidence.round_states import RefusedStatementError
from aboveboard.formatting import format_count
from aboveboard.hub.api.authentication import Caller
from aboveboard.hub.api.problems import NoRoomError, TooLargeError
from aboveboard.hub.collaborations import statements
from aboveboard.hub.collaborations.logs import NoCollaborationError
from aboveboard.hub.database.engine import read
from aboveboard.hub.files import Incoming
from aboveboard.hub.home import Hub
from aboveboard.hub.patience import read_in_time
from aboveboard.hub.signatures import RefusedRequestError

BLOCK = 2**20
"""Bytes that are written at once."""


def refuse_upload(hub: Hub, caller: Caller, identifier: str) -> None:
    """Refuse an upload before its body is read, if the round takes none or the disk is full."""
    with read(hub.engine) as connection:
        statements.refuse_upload(connection, hub, caller.organization, identifier)
    _refuse_full_disk(hub)


def _refuse_full_disk(hub: Hub) -> None:
    if shutil.disk_usage(hub.folder).free < hub.configuration.limits.free_bytes:
        raise NoRoomError


def _write(hub: Hub, incoming: Incoming, block: bytes) -> None:
    """Write a block, as long as there is room: many may have begun when there was."""
    _refuse_full_disk(hub)
    incoming.write(block)


def note_upload(hub: Hub, caller: Caller, identifier: str, digest: str, size: int) -> bool:
    """Record an upload; of one that is refused after all nothing stays on the disk."""
    try:
        return statements.note_submission(hub, caller.organization, identifier, digest, size)
    except (RefusedStatementError, NoCollaborationError):
        statements.drop_unnamed_file(hub, digest)
        raise


async def receive(request: Request, hub: Hub, digest: str, most: int) -> int:
    """Write a body to a file as it comes; return its size.

    Raises
    ------
    TooLargeError
        If it has more bytes than are taken.
    TooSlowError
        If it comes too slowly.
    RefusedRequestError
        If it is not the one that was signed.
    """
    with await run_in_threadpool(hub.files.begin) as incoming:
        waiting = bytearray()
        async for part in read_in_time(request):
            waiting += part
            if incoming.size + len(waiting) > most:
                raise TooLargeError(f"the body has more than {format_count(most)} bytes")
            if len(waiting) >= BLOCK:
                await run_in_threadpool(_write, hub, incoming, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(_write, hub, incoming, bytes(waiting))
        if incoming.digest != digest:
            raise RefusedRequestError("the body is not the one that was signed")
        await run_in_threadpool(incoming.keep)
        return incoming.size
