"""Messages between a platform and a user's process: what is sent arrives, all else is refused."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from aboveboard.errors import InputError
from aboveboard.valuation.estimation import wire
from aboveboard.valuation.estimation.federated_user import User
from aboveboard.valuation.estimation.links import CarriedLink, LocalLink, answer_bytes
from aboveboard.valuation.estimation.masks import MODULUS
from aboveboard.valuation.estimation.messages import (
    Keys,
    Pieces,
    SendKeys,
    SendLetters,
    SendMasked,
    SendPieces,
)
from aboveboard.valuation.estimation.secret_sharing import PRIME
from aboveboard.valuation.estimation.secure_sum import secure_sum

KEYS = Keys(bytes(range(32)), bytes(32), bytes(range(1, 33)))
MESSAGES = [
    SendKeys(),
    SendLetters({2: KEYS, 7: KEYS}, 2),
    SendMasked({3: b"letter"}),
    SendPieces(frozenset({1, 5})),
]
ANSWERS: list[Any] = [
    KEYS,
    {2: b"a", 7: b""},
    (0, MODULUS - 1),
    Pieces({1: 0, 2: PRIME - 1}, {4: 5}),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda x: type(x).__name__)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    assert wire.decode_message(wire.encode_message(message)) == message


@pytest.mark.parametrize(("message", "answer"), list(zip(MESSAGES, ANSWERS, strict=True)))
def test_an_answer_arrives_as_it_was_sent(message: Any, answer: Any) -> None:
    assert wire.decode_answer(wire.encode_answer(answer), message) == answer


@pytest.mark.parametrize("asked", range(4))
@pytest.mark.parametrize("answered", range(4))
def test_the_answer_to_another_message_is_refused(asked: int, answered: int) -> None:
    if asked != answered:
        with pytest.raises(wire.MalformedMessage):
            wire.decode_answer(wire.encode_answer(ANSWERS[answered]), MESSAGES[asked])


class _Bomb:
    def __reduce__(self) -> Any:
        return print, ("a pickle was loaded",)


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"\xff",
    pickle.dumps(_Bomb()),
    b"[" * 200_000,
    b'{"vector":' * 100_000,
    b'{"vector": [NaN]}',
    b'{"vector": [1.5]}',
    b'{"vector": [1]}',
    b'{"vector": ["-1"]}',
    b'{"vector": ["' + b"f" * 5_000 + b'"]}',
    json.dumps({"vector": [f"{MODULUS:x}"]}).encode(),
    json.dumps({"vector": ["1"], "more": 1}).encode(),
    json.dumps({"vector": ["1"] * (wire.MOST_ENTRIES + 1)}).encode(),
    b" " * (wire.LONGEST + 1),
    b'{"wrong": ["", "", ""]}',
    b'{"wrong": [1, 2, 3]}',
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_answer_is_refused(content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    for message in MESSAGES:
        with pytest.raises(wire.MalformedMessage):
            wire.decode_answer(content, message)
    with pytest.raises(wire.MalformedMessage):
        wire.decode_message(content)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "data",
    [
        {"send": "letters", "keys": {"0": ["", ""]}, "threshold": 2},
        {"send": "letters", "keys": {"1": [KEYS.letters.hex()]}, "threshold": 2},
        {"send": "letters", "keys": {}, "threshold": True},
        {"send": "letters", "keys": {}, "threshold": -1},
        {"send": "masked", "letters": {"../x": "00"}},
        {"send": "pieces", "came": [1.0]},
        {"send": "elsewhere"},
    ],
)
def test_what_is_no_message_of_a_platform_is_refused(data: Any) -> None:
    with pytest.raises(wire.MalformedMessage):
        wire.decode_message(json.dumps(data).encode())


def test_a_user_s_own_fault_is_an_error_in_its_words() -> None:
    content = wire.encode_answer(InputError("samples.csv", "a sample is not a number", "fix it"))
    with pytest.raises(InputError, match="a sample is not a number"):
        wire.decode_answer(content, SendMasked({}))


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_who_sends_anything_else_is_named_and_the_sum_goes_on(content: bytes) -> None:
    links: dict[int, Any] = {i: LocalLink(User(i, (i,))) for i in (1, 2, 3, 4)}
    links[4] = CarriedLink(lambda _: content)
    found = secure_sum(links, 1)
    assert (found.total, found.members) == ((6,), {1, 2, 3})
    assert found.faults[4].startswith("its answer is malformed")


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_user_says_nothing_to_what_is_no_message(content: bytes) -> None:
    assert answer_bytes(User(1, (1,)), content) is None


def test_a_carrier_that_fails_is_a_user_who_left() -> None:
    def carry(content: bytes) -> bytes:
        raise ConnectionResetError

    links: dict[int, Any] = {i: LocalLink(User(i, (i,))) for i in (1, 2, 3, 4)}
    links[4] = CarriedLink(carry)
    assert secure_sum(links, 1).total == (6,)
