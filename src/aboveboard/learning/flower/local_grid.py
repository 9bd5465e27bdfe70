"""A grid of Flower in one process: the same messages and apps, without SuperLink, nodes and ray.

Messages are deep-copied, so that no side sees what the other does with them later. For examples,
tests and first tries; clients are not kept apart from each other or from the center.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.common.constant import SUPERLINK_NODE_ID, ErrorCode
from flwr.serverapp import Grid
from flwr.supercore.task_identity import TaskIdentity

RUN = 1
"""Number of the only run that there is in this process."""

AnswerMessage = Callable[[Message], Message | None]
"""Answers a message; None: it stays silent."""


def make_node(app: ClientApp, number: int, **config: Any) -> AnswerMessage:
    """Return a node that runs a client app.

    Parameters
    ----------
    app
        Answers messages.
    number
        The node's.
    config
        What the app finds in `context.node_config`.
    """
    context = Context(RUN, number, config, RecordDict(), {})

    def answer(message: Message) -> Message:
        try:
            return app(message, context)
        except Exception as error:  # the center gets an error, as from a node
            reason = f"{type(error).__name__}: {error}"
            return Message(Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason), reply_to=message)

    return answer


class LocalGrid(Grid):  # type: ignore[misc]  # Flower is not installed where types are checked
    """Hands each message to its node at once, and keeps the reply until it is pulled.

    Parameters
    ----------
    nodes
        By number: what answers.
    """

    def __init__(self, nodes: Mapping[int, AnswerMessage]) -> None:
        self.nodes, self.pushed = dict(nodes), 0
        self._replies: dict[str, Message] = {}
        # Flower's messages take their sender and their run from here.
        TaskIdentity.task_id, TaskIdentity.run_id = RUN, RUN
        TaskIdentity.node_id = SUPERLINK_NODE_ID

    def set_run(self, run: Any) -> None:
        """Do nothing: there is one run."""

    @property
    def run(self) -> Any:
        """The one run."""
        return SimpleNamespace(run_id=RUN)

    def create_message(self, *args: Any, **more: Any) -> Message:
        """Return a message."""
        return Message(*args, **more)

    def get_node_ids(self) -> Iterable[int]:
        """Return the nodes' numbers."""
        return list(self.nodes)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Have the messages answered; return what their replies are pulled by."""
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
        """Return the replies to these messages that are there."""
        return [self._replies.pop(each) for each in message_ids if each in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Return the replies to messages."""
        return self.pull_messages(self.push_messages(messages))
