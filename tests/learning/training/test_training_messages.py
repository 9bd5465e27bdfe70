"""Messages: numbers pass unchanged, and nothing else passes."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from aboveboard.learning.training.messages import (
    FROM_PARTY,
    Message,
    ProtocolError,
    check_from_party,
    receive,
    send,
)


@given(arrays(np.float64, array_shapes(min_dims=0, max_dims=3)), st.integers(0, 10**9))
def test_numbers_arrive_as_they_were_sent(array: np.ndarray, count: int) -> None:
    stream = io.BytesIO()
    size = send(stream, Message("rows", {"count": count}, {"coef": array}))
    stream.seek(0)
    message, read = receive(stream)
    assert read == size
    assert message.scalars == {"count": count}
    assert message.arrays["coef"].tobytes() == array.tobytes()
    assert message.arrays["coef"].shape == array.shape


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"kind": "rows"}) + b"\n",
        b"hello\n",
        b"[]\n",
        b'{"kind": "rows"}\n',
        json.dumps({"kind": "p", "scalars": {}, "arrays": [["x", "|O", [1]]]}).encode() + b"\n",
        json.dumps({"kind": "p", "scalars": {}, "arrays": [["x", "<f8", [-1]]]}).encode() + b"\n",
        json.dumps({"kind": "p", "scalars": {}, "arrays": [["x", "<f8", [10**12]]]}).encode()
        + b"\n",
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ProtocolError):
        receive(io.BytesIO(content))


def test_a_stream_that_ends_in_the_middle_is_an_end() -> None:
    stream = io.BytesIO()
    send(stream, Message("parameters", arrays={"coef": np.ones(4)}))
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:-1]))


@pytest.mark.parametrize(
    "message",
    [
        Message("table", arrays={"rows": np.ones((5, 3))}),
        Message("parameters", arrays={"coef": np.ones(2)}),
        Message(
            "parameters",
            arrays={"coef": np.ones(2), "intercept": np.ones(1), "rows": np.ones((5, 3))},
        ),
        Message("rows", {"count": "many"}),
        Message("rows", {"count": -1}),
        Message("rows", {"count": True}),
        Message("rows", {"count": 5, "first": [1.0, 2.0]}),
    ],
)
def test_a_party_can_send_counters_and_parameters_only(message: Message) -> None:
    with pytest.raises(ProtocolError):
        check_from_party(message)


def test_nothing_that_a_party_may_send_holds_rows() -> None:
    sent = {name for _, arrays_of in FROM_PARTY.values() for name in arrays_of}
    assert sent == {"coef", "intercept"}
