"""Requests and answers as bytes, and back: JSON for what is small, arrays as they are, no pickle.

The bytes are four that hold the length of the head, the head, and the arrays one after the other.
The head is JSON, in which a value of our types is an object {"type": its name, "fields": ..}, an
array the position of its bytes, its type and its shape, and a fitted preparation the bytes of a
.skops file. What is read back can only be one of the types listed here, and a preparation only what
skops trusts by itself: types of scikit-learn and NumPy. Equal values give equal bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.learning.training import engine
from aboveboard.learning.training.data_checks import Ranges
from aboveboard.learning.training.estimators import Parameters, format_error
from aboveboard.learning.training.preparation import Preparation
from aboveboard.learning.training.tables import TrainingTerms

TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        engine.StartTraining,
        engine.Fit,
        engine.TrainingStep,
        engine.Compare,
        engine.Batch,
        engine.EndTraining,
        engine.RowCount,
        engine.Coincidences,
        engine.BatchAnswers,
        engine.Failure,
        Parameters,
        Preparation,
        Ranges,
        TrainingTerms,
    )
}
"""What can be sent."""

ARRAYS = ("<f8", "<i8", "<u8")
"""Types of the numbers in arrays."""

HARMLESS = ("numpy.dtype", "sklearn.compose._column_transformer._RemainderColsList")
"""Types that skops does not trust by itself, and that fitted steps of scikit-learn are made of."""

MOST_BYTES = 1 << 31
"""Largest message: what Flower's own limit allows."""

DEEPEST = 12
"""Values within values."""

_LENGTH = struct.Struct(">I")


def pack(value: Any) -> bytes:
    """Return a request or an answer as bytes.

    Raises
    ------
    InputError
        If it holds what cannot be sent, or is too large.
    """
    parts: list[bytes] = []
    head = json.dumps(_encode(value, parts), separators=(",", ":")).encode()
    size = _LENGTH.size + len(head) + sum(map(len, parts))
    if size >= MOST_BYTES:
        raise InputError(
            "training",
            f"a message of {format_count(size)} bytes is too large to send",
            "train a smaller model",
        )
    return b"".join((_LENGTH.pack(len(head)), head, *parts))


def unpack(content: bytes) -> Any:
    """Return the request or answer that bytes hold.

    Raises
    ------
    InputError
        If they hold none.
    """
    try:
        return _read(content)
    except InputError:
        raise
    except Exception as error:  # bytes of strangers can be wrong in every way
        raise InputError(
            "message",
            f"it cannot be read ({type(error).__name__}: {format_error(error)})",
            "install the same version of aboveboard on both sides",
        ) from None


def _read(content: bytes) -> Any:
    (length,) = _LENGTH.unpack_from(content)
    start = _LENGTH.size + length
    if start > len(content):
        raise ValueError("it is cut off")
    head = json.loads(content[_LENGTH.size : start])
    return _Reader(memoryview(content)[start:]).decode(head, DEEPEST)


def _encode(value: Any, parts: list[bytes]) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        return {"array": _add_array(value, parts)}
    if isinstance(value, tuple):
        return {"tuple": [_encode(x, parts) for x in value]}
    if isinstance(value, list):
        return [_encode(x, parts) for x in value]
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    if isinstance(value, dict):
        return {"map": {str(key): _encode(x, parts) for key, x in value.items()}}
    kind = type(value)
    if TYPES.get(kind.__name__) is not kind:
        raise InputError(
            "training.parameters",
            f"{kind.__name__} cannot be sent to parties",
            "write numbers, texts, lists and tables",
        )
    named = {
        each.name: _encode_field(value, each.name, parts) for each in fields(value) if each.init
    }
    return {"type": kind.__name__, "fields": named}


def _encode_field(value: Any, name: str, parts: list[bytes]) -> Any:
    content = getattr(value, name)
    if isinstance(value, Preparation) and name == "transformer" and content is not None:
        from aboveboard.learning.training.handout import serialize_model

        parts.append(serialize_model(content))
        return {"skops": len(parts[-1])}
    return _encode(content, parts)


def _add_array(array: NDArray[Any], parts: list[bytes]) -> list[Any]:
    kind = array.dtype.newbyteorder("<").str
    if kind not in ARRAYS:
        raise InputError("training", f"an array of {array.dtype} cannot be sent", "send numbers")
    # Adding a dimension would make a scalar an array of one.
    parts.append(np.asarray(array, dtype=kind).tobytes())
    return [kind, list(array.shape)]


class _Reader:
    """Reads values; arrays follow one another in the order of the head."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._at = content, 0

    def decode(self, value: Any, depth: int) -> Any:
        if depth < 0:
            raise ValueError("it is nested too deeply")
        if isinstance(value, list):
            return [self.decode(x, depth - 1) for x in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"type", "fields"}:
            kind = TYPES[value["type"]]
            named = {str(k): self.decode(x, depth - 1) for k, x in value["fields"].items()}
            return kind(**named)
        ((what, content),) = value.items()
        readers: dict[str, Callable[[Any, int], Any]] = {
            "array": lambda x, _: self._read_array(*x),
            "tuple": lambda x, left: tuple(self.decode(each, left) for each in x),
            "set": lambda x, _: frozenset(map(str, x)),
            "map": lambda x, left: {k: self.decode(each, left) for k, each in x.items()},
            "skops": lambda x, _: self._read_transformer(x),
        }
        return readers[what](content, depth - 1)

    def _take(self, size: int) -> memoryview:
        if not 0 <= size <= len(self._content) - self._at:
            raise ValueError("it is cut off")
        part = self._content[self._at : self._at + size]
        self._at += size
        return part

    def _read_array(self, kind: str, shape: list[int]) -> NDArray[Any]:
        if kind not in ARRAYS or any(not isinstance(n, int) or n < 0 for n in shape):
            raise ValueError("an array is neither numbers nor of a shape")
        count = 1
        for n in shape:
            count *= n
        data = np.frombuffer(self._take(8 * count), dtype=kind)
        return data.reshape(shape).astype(np.dtype(kind).newbyteorder("="))

    def _read_transformer(self, size: int) -> Any:
        import skops.io

        data = bytes(self._take(size))
        untrusted = sorted(set(skops.io.get_untrusted_types(data=data)) - set(HARMLESS))
        if untrusted:
            raise InputError(
                "message",
                f"its preparation holds {untrusted[0]}, which is not a type of scikit-learn",
                "ask the center for steps of scikit-learn",
            )
        return skops.io.loads(data, trusted=list(HARMLESS))
