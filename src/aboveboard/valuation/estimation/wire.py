"""Messages of the secure sum as bytes: JSON of a fixed shape, no pickle.

A platform reads what users send, and users what the platform sends; neither trusts the other. So
whatever is longer than `LONGEST`, deeper or of another shape than the protocol's is refused before
anything is done with it. Bytes and large numbers are hexadecimal text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.masks import MODULUS, Vector
from aboveboard.valuation.estimation.messages import (
    Keys,
    Message,
    Pieces,
    SendKeys,
    SendLetters,
    SendMasked,
    SendPieces,
)
from aboveboard.valuation.estimation.secret_sharing import PRIME

LONGEST = 1 << 24
"""Bytes of a message: those of a hundred neighbours' letters take a thousandth."""

MOST_ENTRIES = 100_000
"""Users, or numbers of a vector, in a message."""

LONGEST_TEXT = 2_000
"""Characters of a text."""

HEX = re.compile(r"(?:[0-9a-f]{2})*")

T = TypeVar("T")


class MalformedMessage(ValueError):  # noqa: N818 - named by what it is
    """The bytes are no message of the protocol."""


def encode_message(message: Message) -> bytes:
    """Return a message of the platform as bytes."""
    match message:
        case SendKeys():
            data: dict[str, Any] = {"send": "keys"}
        case SendLetters():
            keys = {str(i): _encode_keys(key) for i, key in message.keys.items()}
            data = {"send": "letters", "keys": keys, "threshold": message.threshold}
        case SendMasked():
            data = {"send": "masked", "letters": _encode_letters(message.letters)}
        case SendPieces():
            data = {"send": "pieces", "came": sorted(message.came)}
    return json.dumps(data).encode()


def decode_message(content: bytes) -> Message:
    """Return a message of the platform.

    Raises
    ------
    MalformedMessage
        If it is none.
    """
    data = _parse(content)
    match data:
        case {"send": "keys", **rest} if not rest:
            return SendKeys()
        case {"send": "letters", "keys": keys, "threshold": threshold, **rest} if not rest:
            return SendLetters(_decode_map(keys, _decode_keys), _decode_count(threshold))
        case {"send": "masked", "letters": letters, **rest} if not rest:
            return SendMasked(_decode_map(letters, _decode_bytes))
        case {"send": "pieces", "came": came, **rest} if not rest:
            return SendPieces(frozenset(map(_decode_count, _decode_list(came))))
    raise MalformedMessage("no such message")


def encode_answer(answer: Any) -> bytes:
    """Return a user's answer as bytes: keys, letters, a masked vector, pieces, or what is wrong."""
    match answer:
        case Keys():
            data: dict[str, Any] = {"keys": _encode_keys(answer)}
        case Pieces():
            data = {"own_masks": _encode_map(answer.own_masks), "keys": _encode_map(answer.keys)}
        case InputError():
            words = (answer.place, answer.problem, answer.remedy)
            data = {"wrong": [text[:LONGEST_TEXT] for text in words]}
        case tuple():
            data = {"vector": [f"{x:x}" for x in answer]}
        case _:
            data = {"letters": _encode_letters(answer)}
    return json.dumps(data).encode()


def decode_answer(content: bytes, message: Message) -> Any:
    """Return the answer to a message.

    Raises
    ------
    MalformedMessage
        If it is none, or the answer to another message.
    InputError
        If the user says that its own samples are wrong.
    """
    data = _parse(content)
    if set(data) == {"wrong"}:
        words = _decode_list(data["wrong"])
        if len(words) != 3 or not all(isinstance(x, str) and x for x in words):
            raise MalformedMessage("no reason")
        raise InputError(*(text[:LONGEST_TEXT] for text in words))
    match message, data:
        case SendKeys(), {"keys": keys, **rest} if not rest:
            return _decode_keys(keys)
        case SendLetters(), {"letters": letters, **rest} if not rest:
            return _decode_map(letters, _decode_bytes)
        case SendMasked(), {"vector": vector, **rest} if not rest:
            return _decode_vector(vector)
        case SendPieces(), {"own_masks": masks, "keys": keys, **rest} if not rest:
            return Pieces(_decode_map(masks, _decode_piece), _decode_map(keys, _decode_piece))
    raise MalformedMessage("the answer to another message")


def _parse(content: bytes) -> dict[str, Any]:
    if len(content) > LONGEST:
        raise MalformedMessage("it is too long")
    try:
        data = json.loads(content, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("it is not JSON") from error
    if not isinstance(data, dict):
        raise MalformedMessage("it is no object")
    return data


def _refuse(text: str) -> Any:
    raise MalformedMessage(f"it holds {text[:20]}")


def _encode_keys(keys: Keys) -> list[str]:
    return [keys.letters.hex(), keys.masks.hex(), keys.own_mask.hex()]


def _encode_letters(letters: Mapping[int, bytes]) -> dict[str, str]:
    return {str(i): letter.hex() for i, letter in letters.items()}


def _encode_map(pieces: Mapping[int, int]) -> dict[str, str]:
    return {str(i): f"{piece:x}" for i, piece in pieces.items()}


def _decode_map(data: Any, decode: Callable[[Any], T]) -> dict[int, T]:
    if not isinstance(data, dict) or len(data) > MOST_ENTRIES:
        raise MalformedMessage("it is not a table of users")
    return {_decode_count(name): decode(value) for name, value in data.items()}


def _decode_list(data: Any) -> list[Any]:
    if not isinstance(data, list) or len(data) > MOST_ENTRIES:
        raise MalformedMessage("it is not a list")
    return data


def _decode_count(value: Any) -> int:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise MalformedMessage("it is not a user's number")
    return int(text)


def _decode_bytes(value: Any) -> bytes:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not HEX.fullmatch(value):
        raise MalformedMessage("it is no hexadecimal text")
    return bytes.fromhex(value)


def _decode_keys(value: Any) -> Keys:
    each = [_decode_bytes(x) for x in _decode_list(value)]
    if len(each) != 3 or any(len(key) != 32 for key in each):
        raise MalformedMessage("these are not keys")
    return Keys(*each)


def _decode_below(value: Any, limit: int) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{1,200}", value):
        raise MalformedMessage("it is no hexadecimal number")
    number = int(value, 16)
    if number >= limit:
        raise MalformedMessage("a number is too large")
    return number


def _decode_piece(value: Any) -> int:
    return _decode_below(value, PRIME)


def _decode_vector(value: Any) -> Vector:
    return tuple(_decode_below(x, MODULUS) for x in _decode_list(value))
