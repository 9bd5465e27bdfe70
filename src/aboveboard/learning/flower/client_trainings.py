"""Trainings with a Flower strategy: several at once, round by round.

A strategy makes the messages of a round and averages the replies; who takes part and what weight
counts is said here. Each training has a copy of the strategy, which may keep a state of its own.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from aboveboard.formatting import format_number
from aboveboard.learning.flower.requirement import POLL

if TYPE_CHECKING:
    from flwr.app import ArrayRecord, ConfigRecord, Message
    from flwr.serverapp import Grid
    from flwr.serverapp.strategy import Strategy

FEWEST_OPTIONS = ("min_available_nodes", "min_train_nodes", "min_evaluate_nodes")
"""What strategies wait for: a training without one client has one less."""


class ClientError(Exception):
    """A client is silent, fails, or sends no model: it is absent from then on.

    Parameters
    ----------
    node
        Its number.
    problem
        What is wrong.
    """

    def __init__(self, node: int, problem: str) -> None:
        super().__init__(f"node {node}: {problem}")
        self.node, self.problem = node, problem


@dataclass(frozen=True)
class Update:
    """What a client sends back.

    Parameters
    ----------
    message
        The reply.
    arrays
        Its model.
    claimed
        On how many examples it says the model was trained; 0 where it says nothing.
    """

    message: Message
    arrays: ArrayRecord
    claimed: float


@dataclass
class Clients:
    """Sends messages to clients and waits for all replies.

    Parameters
    ----------
    grid
        Flower's.
    timeout
        Seconds that a round may take.
    weighted_by
        The number in a reply's metrics by which the strategy weighs it.
    poll
        Seconds between two looks for replies.
    """

    grid: Grid
    timeout: float
    weighted_by: str
    poll: float = POLL

    def ask(self, messages: Sequence[Message]) -> list[Update]:
        """Return what clients make of messages, in their order.

        Raises
        ------
        ClientError
            If a client does not reply in time, fails, or sends no model.
        """
        replies = self.collect(messages, self.timeout)
        return [
            self.read(message.metadata.dst_node_id, reply)
            for message, reply in zip(messages, replies, strict=True)
        ]

    def collect(self, messages: Sequence[Message], timeout: float) -> list[Message | None]:
        """Return the replies to messages, in their order; None where none came in time."""
        if not messages:
            return []
        identities = list(self.grid.push_messages(messages))
        waiting = {each for each in identities if each}
        found: dict[str, Message] = {}
        until = time.monotonic() + timeout
        while waiting:
            for reply in self.grid.pull_messages(list(waiting)):
                found[reply.metadata.reply_to_message_id] = reply
            waiting -= found.keys()
            if time.monotonic() > until:
                break
            if waiting:
                time.sleep(self.poll)
        return [found.get(identity) for identity in identities]

    def read(self, node: int, reply: Message | None) -> Update:
        """Return what a client's reply holds.

        Raises
        ------
        ClientError
            If there is no reply, it is an error, or it holds no model.
        """
        from flwr.app import ArrayRecord, MetricRecord

        if reply is None:
            raise ClientError(node, f"it was silent for {format_number(self.timeout)} seconds")
        if reply.has_error():
            raise ClientError(
                node, f"it failed ({' '.join(str(reply.error.reason).split())[:200]})"
            )
        records = list(reply.content.values())
        arrays = [record for record in records if isinstance(record, ArrayRecord)]
        if len(arrays) != 1:
            raise ClientError(node, "it sent no model")
        numbers = [
            record[self.weighted_by]
            for record in records
            if isinstance(record, MetricRecord) and self.weighted_by in record
        ]
        claimed = float(numbers[0]) if numbers and isinstance(numbers[0], int | float) else 0.0
        return Update(reply, arrays[0], claimed if isfinite(claimed) else 0.0)


def make_view(grid: Grid, nodes: Sequence[int]) -> Grid:
    """Return a grid that knows these nodes only, for a strategy that samples among all."""
    view: Any = copy.copy(grid)  # a copy whose method is another
    view.get_node_ids = lambda: list(nodes)
    made: Grid = view
    return made


def copy_strategy(strategy: Strategy, clients: int) -> Strategy:
    """Return a strategy of its own for a training of so many clients."""
    own = copy.deepcopy(strategy)
    for name in FEWEST_OPTIONS:
        fewest = getattr(own, name, None)
        if isinstance(fewest, int):
            setattr(own, name, min(fewest, clients))
    return own


def replace_arrays(message: Message, arrays: ArrayRecord, node: int, group: str) -> Message:
    """Return a message like another one, with another model, for another node."""
    from flwr.app import ArrayRecord, Message, RecordDict

    content = RecordDict(
        {
            key: arrays if isinstance(record, ArrayRecord) else copy.deepcopy(record)
            for key, record in message.content.items()
        }
    )
    return Message(content, node, message.metadata.message_type, group_id=group)


@dataclass
class JointTraining:
    """One training of several clients together, that goes on round by round.

    Parameters
    ----------
    strategy
        Its own copy.
    sizes
        By node: the weight that counts.
    arrays
        The model of the last round.
    floors
        By node: how good an update must be, unless the model that was sent is worse itself.
    quality
        Measures a model; the best round's is the result.
    weighted_by
        Where the weight stands in a reply's metrics.

    Attributes
    ----------
    best, best_quality
        The best round's model, and its quality.
    left_out
        By node: in how many rounds its update was too bad.
    """

    strategy: Strategy
    sizes: Mapping[int, float]
    arrays: ArrayRecord
    floors: Mapping[int, float]
    quality: Callable[[ArrayRecord], float]
    weighted_by: str
    best: ArrayRecord | None = field(default=None, init=False)
    best_quality: float = field(default=float("-inf"), init=False)
    left_out: dict[int, int] = field(default_factory=dict, init=False)

    def make_messages(self, round_: int, config: ConfigRecord, grid: Grid) -> list[Message]:
        """Return the messages of a round, one for each client that the strategy samples."""
        view = make_view(grid, list(self.sizes))
        made = self.strategy.configure_train(round_, self.arrays, copy.deepcopy(config), view)
        # Strategies hand the same content to several messages, in an order of chance.
        ordered = sorted(made, key=lambda message: message.metadata.dst_node_id)
        return [copy.deepcopy(message) for message in ordered]

    def take(self, round_: int, nodes: Iterable[int], updates: Iterable[Update]) -> None:
        """Average a round's updates, each weighing what was measured and not what it claims."""
        counted, sent = [], self.quality(self.arrays)
        for node, update in zip(nodes, updates, strict=True):
            if self.quality(update.arrays) >= min(self.floors[node], sent):
                counted.append(self._weigh(update.message, self.sizes[node]))
            else:
                self.left_out[node] = self.left_out.get(node, 0) + 1
        if not counted:
            return
        averaged, _ = self.strategy.aggregate_train(round_, counted)
        if averaged is None:
            return
        self.arrays = averaged
        reached = self.quality(averaged)
        if reached > self.best_quality:
            self.best, self.best_quality = averaged, reached

    def _weigh(self, reply: Message, size: float) -> Message:
        from flwr.app import MetricRecord

        own = copy.deepcopy(reply)
        for record in own.content.values():
            if isinstance(record, MetricRecord) and self.weighted_by in record:
                record[self.weighted_by] = size
        return own


def train_together(
    clients: Clients, trainings: Sequence[JointTraining], rounds: int, config: ConfigRecord
) -> None:
    """Do all rounds of several trainings; in each, all messages go out together."""
    for round_ in range(1, rounds + 1):
        made = [training.make_messages(round_, config, clients.grid) for training in trainings]
        updates = iter(clients.ask([message for messages in made for message in messages]))
        for training, messages in zip(trainings, made, strict=True):
            nodes = [message.metadata.dst_node_id for message in messages]
            training.take(round_, nodes, [next(updates) for _ in nodes])
