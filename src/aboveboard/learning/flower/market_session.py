"""A market's trainings with Flower: each client alone, all of value together, and without each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.learning.flower.client_models import ClientModel, ModelMeter
from aboveboard.learning.flower.client_trainings import (
    ClientError,
    Clients,
    JointTraining,
    copy_strategy,
    make_view,
    replace_arrays,
    train_together,
)
from aboveboard.learning.market.allocation import Market as Rule
from aboveboard.learning.payments.measured_market import DrawnQualities, MeasuredMarket

SERVING_SECONDS = 60.0
"""Seconds within which a client that is served should say that it has the model."""


@dataclass(frozen=True)
class MeasuredClients:
    """What a market's trainings have measured.

    Parameters
    ----------
    names
        By node: the client's name.
    own
        By node: its own model.
    valid
        By node of those who take part: the weight that counts.
    joint
        The joint model; None where nobody takes part.
    without
        By node of those who take part: the joint model without it.
    failed
        By name of who is absent: why.
    left_out
        By name: how many of its updates were left out of the joint model.
    """

    names: Mapping[int, str]
    own: Mapping[int, ClientModel]
    valid: Mapping[int, float]
    joint: ClientModel | None
    without: Mapping[int, ClientModel | None]
    failed: Mapping[str, str]
    left_out: Mapping[str, int]

    def make_market(self, rule: Rule, meter: ModelMeter) -> MeasuredMarket:
        """Return the market on these qualities, and on those of rows that are drawn again."""
        owns = [self.own[node] if node in self.valid else None for node in self.names]
        rests = [self.without.get(node) for node in self.names]
        models = [self.joint, *owns, *rests]
        there = [k for k, model in enumerate(models) if model is not None]
        measured = np.array([[model.skill.value if model else 0.0 for model in models]])
        drawn = np.zeros((0, len(models)))
        if there:
            found = meter.resample([model for model in models if model is not None])
            drawn = np.zeros((len(found), len(models)))
            drawn[:, there] = found
        present = np.array([node in self.valid for node in self.names])
        parties = tuple(self.names.values())
        return MeasuredMarket(
            parties,
            rule,
            present,
            _split(measured, len(parties)),
            _split(drawn, len(parties)),
            trained=self.joint is not None,
        )


def _split(table: NDArray[np.float64], n: int) -> DrawnQualities:
    joint, own, without = table[:, 0], table[:, 1 : 1 + n], table[:, 1 + n :]
    # Hiding is not measured: nobody is asked what less data would give.
    return DrawnQualities(joint, own, own, without, np.repeat(joint[:, None], n, axis=1))


@dataclass
class MarketSession:
    """One market's trainings.

    Parameters
    ----------
    strategy
        The user's.
    meter
        Measures models.
    clients
        Sends messages and waits for replies.
    names
        By node: the client's name.
    initial
        The model that all start from.
    rounds, alone_rounds
        How many rounds there are together, and of each client alone.
    config
        Sent to clients that train.

    Attributes
    ----------
    failed
        By client: why it is absent.
    """

    strategy: Any
    meter: ModelMeter
    clients: Clients
    names: Mapping[int, str]
    initial: Any
    rounds: int
    alone_rounds: int
    config: Any
    failed: dict[str, str] = field(default_factory=dict, init=False)

    def run(self) -> MeasuredClients:
        """Return what the trainings measured; a client that fails on the way is absent from all."""
        own = self._train_alone()
        while True:
            valid = self._find_valid(own)
            try:
                joint, without, left_out = self._train_jointly(own, valid)
            except ClientError as gone:
                self._note(gone)
                del own[gone.node]
            else:
                return MeasuredClients(
                    self.names, own, valid, joint, without, self.failed, left_out
                )

    def serve(self, nodes: Sequence[int], arrays: Any) -> None:
        """Send a model to those who are served, as a message to evaluate it."""
        from flwr.app import ArrayRecord, ConfigRecord, Message, MessageType, RecordDict

        if not nodes:
            return
        (pattern, *_) = self._make_patterns(1, nodes)
        content = {
            key: arrays if isinstance(record, ArrayRecord) else ConfigRecord({"served": True})
            for key, record in pattern.content.items()
        }
        messages = [
            Message(RecordDict(content), node, MessageType.EVALUATE, group_id="served")
            for node in nodes
        ]
        self.clients.collect(messages, min(self.clients.timeout, SERVING_SECONDS))

    def _note(self, gone: ClientError) -> None:
        self.failed[self.names[gone.node]] = gone.problem

    def _train_alone(self) -> dict[int, ClientModel]:
        """Return each client's own model; who fails is left out."""
        current = dict.fromkeys(self.names, self.initial)
        claimed: dict[int, float] = {}
        for k in range(1, self.alone_rounds + 1):
            if not current:
                break
            (pattern, *_) = self._make_patterns(k, list(current))
            updates = self._ask_each(
                {
                    node: replace_arrays(pattern, arrays, node, f"alone-{k}")
                    for node, arrays in current.items()
                }
            )
            current = {node: update.arrays for node, update in updates.items()}
            claimed = {node: update.claimed for node, update in updates.items()}
        found = {}
        for node, arrays in current.items():
            try:
                found[node] = self.meter.measure(arrays, claimed.get(node, 0.0))
            except InputError as error:
                self.failed[self.names[node]] = error.problem
        return found

    def _make_patterns(self, number: int, nodes: Sequence[int]) -> list[Any]:
        """Return the messages with which the strategy would ask these nodes to train."""
        strategy = copy_strategy(self.strategy, len(nodes))
        view = make_view(self.clients.grid, nodes)
        made = list(strategy.configure_train(number, self.initial, self.config, view))
        if not made:
            raise InputError("strategy", "it asks no client to train", "let it train all clients")
        return made

    def _ask_each(self, messages: Mapping[int, Any]) -> dict[int, Any]:
        """Return the replies of those who reply; the others have failed."""
        collected = self.clients.collect(list(messages.values()), self.clients.timeout)
        found = {}
        for node, reply in zip(messages, collected, strict=True):
            try:
                found[node] = self.clients.read(node, reply)
            except ClientError as gone:
                self._note(gone)
        return found

    def _find_valid(self, own: Mapping[int, ClientModel]) -> dict[int, float]:
        """Return the weights of the clients whose models are better than the one they were sent."""
        start = self.meter.measure(self.initial)
        valid = [node for node, model in own.items() if self.meter.is_better(model, start)]
        return {
            node: min(
                max(own[other].claimed, 1.0)
                for other in valid
                if own[other].skill.value >= own[node].skill.value
            )
            for node in valid
        }

    def _train_jointly(
        self, own: Mapping[int, ClientModel], valid: Mapping[int, float]
    ) -> tuple[ClientModel | None, dict[int, ClientModel | None], dict[str, int]]:
        """Return the joint model, by node the one without it, and what was left out."""
        rests = {
            node: {other: size for other, size in valid.items() if other != node} for node in valid
        }
        several = [group for group in (valid, *rests.values()) if len(group) > 1]
        trainings = [self._make_training(own, group) for group in several]
        train_together(self.clients, trainings, self.rounds, self.config)
        models = iter(
            [None if each.best is None else self.meter.measure(each.best) for each in trainings]
        )

        def find(group: Mapping[int, float]) -> ClientModel | None:
            if len(group) > 1:
                return next(models)
            return own[next(iter(group))] if group else None

        joint = find(valid)
        without = {node: find(rest) for node, rest in rests.items()}
        left_out = trainings[0].left_out if trainings else {}
        return joint, without, {self.names[node]: count for node, count in left_out.items()}

    def _make_training(
        self, own: Mapping[int, ClientModel], sizes: Mapping[int, float]
    ) -> JointTraining:
        return JointTraining(
            copy_strategy(self.strategy, len(sizes)),
            sizes,
            self.initial,
            {node: own[node].skill.value - own[node].skill.error for node in sizes},
            self.meter.find_quality,
            self.clients.weighted_by,
        )
