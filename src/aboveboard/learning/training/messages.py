"""The messages between the center and a party's process: counters and arrays of numbers, no rows.

A message is a line of JSON and the bytes of its arrays. The line gives the kind, the scalars
(numbers and short texts), and of each array its name, type and shape. Nothing is unpickled or
evaluated. What a party may send is in `FROM_PARTY`; anything else is refused by the center.

    center                                   party
    welcome (terms, estimator, scaling)  ->
                                         <-  rows (how many distinct ones it says it has)
    fit (a part of the rows, a weight)   ->                     before any model is sent
                                         <-  parameters
    compare (digests of test rows)       ->
                                         <-  found (how many it has)
    step (the averaged parameters)       ->                     in every round
                                         <-  parameters
    (closes the party's input)           ->
    at any time                          <-  refused (what is wrong with its file)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LONGEST_LINE = 1 << 20
"""Bytes of a message's first line: thousands of columns are named in it and none takes more."""
MOST_BYTES = 1 << 28
"""Of a message's arrays: ten million parameters and more."""
DTYPES = ("<f8", "<u8")

FROM_PARTY: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "rows": (frozenset({"count"}), frozenset()),
    "parameters": (frozenset(), frozenset({"coef", "intercept"})),
    "found": (frozenset({"count", "line"}), frozenset()),
    "refused": (frozenset({"place", "problem", "remedy"}), frozenset()),
}
"""Of each kind that a party may send: the scalars and the arrays in it."""


class ProtocolError(Exception):
    """What came is no message, or not one that may come now."""


@dataclass(frozen=True)
class Message:
    """One message.

    Parameters
    ----------
    kind
        What it is.
    scalars
        Plain data.
    arrays
        float64 or uint64.
    """

    kind: str
    scalars: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def send(stream: BinaryIO, message: Message) -> int:
    """Write a message; give the number of bytes."""
    arrays = {name: _plain(array) for name, array in message.arrays.items()}
    heads = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    head = {"kind": message.kind, "scalars": dict(message.scalars), "arrays": heads}
    content = json.dumps(head).encode() + b"\n" + b"".join(a.tobytes() for a in arrays.values())
    stream.write(content)
    stream.flush()
    return len(content)


def receive(stream: BinaryIO) -> tuple[Message, int]:
    """Read a message, and say how many bytes it had.

    Raises
    ------
    EOFError
        If the other side has ended.
    ProtocolError
        If what comes is no message.
    """
    line = stream.readline(LONGEST_LINE)
    if not line:
        raise EOFError
    try:
        head = json.loads(line)
        kind, scalars = str(head["kind"]), dict(head["scalars"])
        heads = [(str(name), str(dtype), tuple(map(int, shape)))
                 for name, dtype, shape in head["arrays"]]  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProtocolError("it sent what is no message") from None
    arrays, read = {}, len(line)
    for name, dtype, shape in heads:
        if dtype not in DTYPES or any(k < 0 for k in shape):
            raise ProtocolError(f"it sent an array of type {dtype[:20]!r} and shape {shape}")
        size = 8
        for k in shape:
            size *= k
        read += size
        if read > MOST_BYTES:
            raise ProtocolError(f"it sent more than {MOST_BYTES:,} bytes")
        content = stream.read(size)
        if len(content) < size:
            raise EOFError
        arrays[name] = np.frombuffer(content, dtype=dtype).reshape(shape)
    return Message(kind, scalars, arrays), read


def check_from_party(message: Message) -> None:
    """Raise `ProtocolError` unless this is something a party may send."""
    if message.kind not in FROM_PARTY:
        raise ProtocolError(f"it sent a message of kind {message.kind[:40]!r}")
    scalars, arrays = FROM_PARTY[message.kind]
    if set(message.scalars) != scalars or set(message.arrays) != arrays:
        raise ProtocolError(f"its message {message.kind!r} is not made as it must be")
    for name, value in message.scalars.items():
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
        if not (whole if name == "count" else isinstance(value, str)):
            raise ProtocolError(f"its message {message.kind!r} has an odd {name}")


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    unsigned = array.dtype.kind == "u"
    return np.asarray(array, dtype="<u8" if unsigned else "<f8", order="C")
