"""A grid of Flower in one process: the same messages, deep-copied, and no SuperLink."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from flwr.app import Error, Message
from flwr.common.constant import SUPERLINK_NODE_ID, ErrorCode
from flwr.serverapp import Grid
from flwr.supercore.task_identity import TaskIdentity

RUN = 1


class GridInProcess(Grid):
    """Hands each message to a function of its node, and keeps the reply until it is pulled.

    A node whose function returns None is silent; one that is not there is unavailable.
    """

    def __init__(self, nodes: Mapping[int, Callable[[Message], Message | None]]) -> None:
        self.nodes, self._replies = dict(nodes), dict[str, Message]()
        self.pushed = 0
        TaskIdentity.task_id, TaskIdentity.run_id = RUN, RUN
        TaskIdentity.node_id = SUPERLINK_NODE_ID

    def set_run(self, run: Any) -> None:
        pass

    @property
    def run(self) -> Any:
        return SimpleNamespace(run_id=RUN)

    def create_message(self, *args: Any, **more: Any) -> Message:
        return Message(*args, **more)

    def get_node_ids(self) -> Iterable[int]:
        return list(self.nodes)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        identities = []
        for message in messages:
            self.pushed += 1
            identity = str(self.pushed)
            message.metadata.__dict__["_message_id"] = identity
            sent = copy.deepcopy(message)
            node = self.nodes.get(sent.metadata.dst_node_id)
            gone = Error(ErrorCode.NODE_UNAVAILABLE, "Node Unavailable")
            reply = node(sent) if node else Message(gone, reply_to=sent)
            if reply is not None:
                self._replies[identity] = copy.deepcopy(reply)
            identities.append(identity)
        return identities

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        return [self._replies.pop(each) for each in message_ids if each in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        return self.pull_messages(self.push_messages(messages))
