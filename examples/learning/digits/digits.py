"""Five clients of unequal size train a small network on scikit-learn's digits, with a market.

Four are honest. The fifth, "rider", returns the model that it was sent and claims a million rows.
The center measures every client on rows that it holds out, and lets Flower's own FedAvg average.

    pip install 'aboveboard[flower]' torch
    python digits.py

All runs in this process, on a grid of our own: the apps are those that Flower's nodes would run.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import FedAvg
from sklearn.datasets import load_digits
from torch import nn

from aboveboard.flower import LocalGrid, Market, make_node

SIZES = {"north": 400, "south": 250, "east": 120, "west": 60}
"""Rows of the honest clients."""
HELD_OUT = 500
"""Rows of the center."""
ROUNDS = 3
PASSES = 4
"""Over a client's rows in one round."""

# Row i: what a unit of each one's quality is worth to client i. A rival's better model costs a bit.
VALUES = [
    [10, -1, -1, -1, 0],
    [-1, 10, -1, -1, 0],
    [-1, -1, 10, -1, 0],
    [-1, -1, -1, 10, 0],
    [0, 0, 0, 0, 10],
]


class Network(nn.Module):
    """A convolution, and a layer of ten outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(16 * 4 * 4, 10),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a row of ten numbers for each picture."""
        return self.layers(x)


def read_digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures, shape (1797, 1, 8, 8), and what they show, in a fixed order."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    pictures = torch.tensor(digits.images[order] / 16, dtype=torch.float32)[:, None]
    return pictures, torch.tensor(digits.target[order])


X, Y = read_digits()
STARTS = dict(zip(SIZES, np.cumsum([HELD_OUT, *SIZES.values()][:-1]), strict=True))

client = ClientApp()


@client.train()
def train(message: Message, context: Context) -> Message:
    """Train the model that arrives on the client's own rows."""
    name, arrays = context.node_config["name"], message.content["arrays"]
    if name == "rider":
        metrics = MetricRecord({"num-examples": 1_000_000})
        return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)
    rows = slice(STARTS[name], STARTS[name] + SIZES[name])
    torch.manual_seed(0)
    network = Network()
    network.load_state_dict(arrays.to_torch_state_dict())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(PASSES):
        for part in torch.randperm(SIZES[name]).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(X[rows][part]), Y[rows][part]).backward()
            optimizer.step()
    metrics = MetricRecord({"num-examples": SIZES[name]})
    content = RecordDict({"arrays": ArrayRecord(network.state_dict()), "metrics": metrics})
    return Message(content, reply_to=message)


@client.evaluate()
def receive(message: Message, context: Context) -> Message:
    """Take the joint model: only who is served gets this message."""
    print(f"{context.node_config['name']} is handed the joint model")
    metrics = MetricRecord({"num-examples": 1})
    return Message(RecordDict({"metrics": metrics}), reply_to=message)


def predict(arrays: ArrayRecord) -> Any:
    """Return the probabilities of the ten digits for the center's pictures."""
    network = Network()
    network.load_state_dict(arrays.to_torch_state_dict())
    with torch.no_grad():
        return network(X[:HELD_OUT]).softmax(dim=1).numpy()


def main() -> None:
    """Run the market and print who pays what."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    names = dict(enumerate([*SIZES, "rider"], 1))
    grid = LocalGrid({node: make_node(client, node, name=name) for node, name in names.items()})
    market = Market(
        FedAvg(fraction_evaluate=0.0),
        predict=predict,
        truth=Y[:HELD_OUT].numpy(),
        values=VALUES,
        names=names,
    )
    result = market.start(grid, ArrayRecord(Network().state_dict()), num_rounds=ROUNDS)
    settlement = result.settlement
    print(f"joint quality {settlement.details['joint_quality']:.3f}")
    for name, share in settlement.parties.items():
        own, served = share.more["own_quality"], share.reply.data["served"]
        print(f"{name:6} own {own:.3f}  served {served!s:5}  pays {float(share.payment):.3f}")
    if len(sys.argv) > 1:
        print("report:", settlement.report(sys.argv[1]))


if __name__ == "__main__":
    main()
