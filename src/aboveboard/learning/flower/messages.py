"""Requests and answers in Flower's messages: bytes in one record."""

from __future__ import annotations

from typing import Any

from aboveboard.errors import InputError
from aboveboard.learning.training.wire import pack, unpack

RECORD, KEY = "aboveboard", "content"

TYPE = "train"
"""Flower's kind of message; it has no other meaning here."""


def make_message(node: int, request: Any, *, group: str, lifetime: float) -> Any:
    """Return a message that carries a request.

    Parameters
    ----------
    node
        Whom it goes to.
    request
        What is asked.
    group
        Shown in Flower's logs.
    lifetime
        Seconds after which nobody waits for the answer.
    """
    from flwr.app import Message

    return Message(make_content(request), node, TYPE, ttl=lifetime, group_id=group)


def make_content(value: Any) -> Any:
    """Return the content of a message that carries a request or an answer."""
    from flwr.app import ConfigRecord, RecordDict

    return RecordDict({RECORD: ConfigRecord({KEY: pack(value)})})


def read_message(message: Any) -> Any:
    """Return the request or the answer that a message carries.

    Raises
    ------
    InputError
        If it carries none.
    """
    records = message.content if message.has_content() else {}
    if RECORD not in records or not isinstance(records[RECORD].get(KEY), bytes):
        raise InputError(
            "message", "it carries no request of aboveboard", "install the same version"
        )
    return unpack(records[RECORD][KEY])
