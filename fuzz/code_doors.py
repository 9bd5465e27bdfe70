"""The doors for code and for messages between processes: a spoilt one is read, none of it runs."""

from __future__ import annotations

import random
from pathlib import Path

from aboveboard.mechanisms.user_code import list_code
from aboveboard.valuation.estimation import wire
from aboveboard.valuation.estimation.messages import (
    Keys,
    Pieces,
    SendKeys,
    SendLetters,
    SendMasked,
    SendPieces,
)

MODULE, HELPER, MESSAGE = "mine.py", "helper.py", "message.json"
KEYS = Keys(bytes(32), bytes(32), bytes(32))
SENT = (
    SendKeys(),
    SendLetters({1: KEYS}, 2),
    SendMasked({1: b"letter"}),
    SendPieces(frozenset({1})),
)
CODE = {
    MODULE: b"import helper\nfrom os import path\n\n\ndef f(x):\n    from . import o\n",
    HELPER: b"ONE = 1\n",
}
MESSAGES = {
    **{f"message {k}": wire.encode_message(message) for k, message in enumerate(SENT)},
    "answer keys": wire.encode_answer(KEYS),
    "answer vector": wire.encode_answer((1, 2)),
    "answer pieces": wire.encode_answer(Pieces({1: 2}, {3: 4})),
}
"""By name of a seed: its bytes."""


def bring_code(folder: Path, _: random.Random) -> str:
    """List the code of a module, which is read and parsed and never run."""
    code = list_code(["mine:f"], folder)
    assert "mine" not in code.files
    return "done" if code.digest else "refused"


def bring_message(folder: Path, _: random.Random) -> str:
    """Read bytes as every message and every answer."""
    content = (folder / MESSAGE).read_bytes()
    read = 0
    try:
        wire.decode_message(content)
        read += 1
    except wire.MalformedMessage:
        pass
    for message in SENT:
        try:
            wire.decode_answer(content, message)
            read += 1
        except wire.MalformedMessage:
            continue
    return "done" if read else "refused"
