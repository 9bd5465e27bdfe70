"""A party's own process goes on whatever a center's messages hold."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("flwr", reason="Flower is an extra")

from cryptography.hazmat.primitives.asymmetric import ec
from flwr.app import ConfigRecord, Error, Message, RecordDict
from flwr.common.serde import message_to_proto
from flwr.proto.message_pb2 import PullObjectResponse
from flwr.proto.node_pb2 import Node
from flwr.supercore.inflatable.inflatable_object import (
    InflatableObject,
    get_all_nested_objects,
    get_object_tree,
)
from flwr.supercore.task_identity import TaskIdentity

from aboveboard.learning.flower.app import compute_app_hash
from aboveboard.learning.flower.messages import make_content
from aboveboard.learning.flower.party_client import PartyClient
from aboveboard.learning.training.engine import BatchAnswers, EndTraining

RUN = 3


class Center:
    """A SuperLink of a center that sends what it likes."""

    def __init__(self, sent: InflatableObject) -> None:
        nested = get_all_nested_objects(sent)
        self.contents = {identity: each.deflate() for identity, each in nested.items()}
        self.replies: list[Any] = []

    def PullObject(self, request: Any) -> PullObjectResponse:
        content = self.contents.get(request.object_id)
        return PullObjectResponse(
            object_found=content is not None,
            object_available=True,
            object_content=content or b"",
        )

    def ConfirmMessageReceived(self, request: Any) -> None:
        pass

    def GetRun(self, request: Any) -> Any:
        return SimpleNamespace(run=SimpleNamespace(fab_hash=compute_app_hash()))

    def PushMessages(self, request: Any) -> Any:
        self.replies += request.messages_list
        return SimpleNamespace(session_id="", objects_to_push=[])

    def PushObject(self, request: Any) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Message:
    """A message that carries a request."""
    for name, value in (("run_id", RUN), ("task_id", 1), ("node_id", 1)):
        monkeypatch.setattr(TaskIdentity, f"_{name}", value, raising=False)
    message = Message(make_content(EndTraining()), 7, "train")
    message.metadata.__dict__["_message_id"] = message.object_id
    return message


def answer(asked: Message, sent: InflatableObject, center: Center, kind: str = "train") -> bool:
    proto = message_to_proto(asked)
    proto.metadata.message_type = kind
    party: Any = SimpleNamespace(respond=lambda request: BatchAnswers(()))
    client: Any = center
    served = PartyClient("127.0.0.1:1", ec.generate_private_key(ec.SECP384R1()), party)
    return served._answer_message(client, Node(node_id=7), proto, get_object_tree(sent))


def make_error(asked: Message) -> Message:
    return Message(Error(1, "no content"), reply_to=asked)


def make_other(asked: Message) -> Message:
    return Message(RecordDict({"x": ConfigRecord({"y": 1})}), reply_to=asked)


def test_the_end_of_a_training_is_answered(asked: Message) -> None:
    center = Center(asked)
    assert answer(asked, asked, center)
    assert len(center.replies) == 1


@pytest.mark.parametrize(
    "make", [make_error, make_other, lambda asked: asked.content["aboveboard"]]
)
def test_what_carries_no_request_is_answered_and_ends_nothing(
    asked: Message, make: Callable[[Message], InflatableObject]
) -> None:
    sent = make(asked)
    center = Center(sent)
    assert not answer(asked, sent, center)
    assert len(center.replies) == 1


@pytest.mark.parametrize("content", [None, b"", b"x", b"Nonsense  0\x00", b"\xff\xff\x00"])
def test_content_that_cannot_be_read_is_answered_and_ends_nothing(
    asked: Message, content: bytes | None
) -> None:
    center = Center(asked)
    if content is None:
        center.contents = {}
    else:
        center.contents = dict.fromkeys(center.contents, content)
    assert not answer(asked, asked, center)
    assert len(center.replies) == 1


def test_a_message_of_no_kind_is_left_unanswered(asked: Message) -> None:
    center = Center(asked)
    assert not answer(asked, asked, center, kind="nonsense")
    assert not center.replies
