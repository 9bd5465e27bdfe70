"""A market around a strategy of Flower, on a linear model in NumPy."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from aboveboard.errors import InputError
from aboveboard.flower import Market

flwr = pytest.importorskip("flwr.app")

from flwr.clientapp import ClientApp  # noqa: E402 - once it is known what is installed
from flwr.serverapp.strategy import FedAdam, FedAvg, FedMedian  # noqa: E402 - once it is known what is installed

from aboveboard.flower import LocalGrid, make_node  # noqa: E402 - once it is known what is installed

SLOPES = np.array([1.5, -1.0, 0.5])
ROWS = {"large": 300, "small": 60}
VALUES = [[10, -1, 0], [-2, 8, 0], [0, 0, 5]]
ZERO = [np.zeros(3), np.zeros(1)]


def draw(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return x, (rng.random(n) < 1 / (1 + np.exp(-x @ SLOPES))).astype(int)


X, Y = draw(0, 400)


def say(x: np.ndarray, arrays: Any) -> np.ndarray:
    slopes, shift = arrays.to_numpy_ndarrays()
    p = 1 / (1 + np.exp(-(x @ slopes + shift[0])))
    return np.stack([1 - p, p], axis=1)


def predict(arrays: Any) -> np.ndarray:
    return say(X, arrays)


def improve(arrays: Any, x: np.ndarray, y: np.ndarray, steps: int = 20) -> Any:
    slopes, shift = arrays.to_numpy_ndarrays()
    for _ in range(steps):
        error = 1 / (1 + np.exp(-(x @ slopes + shift[0]))) - y
        slopes, shift = slopes - 0.5 * x.T @ error / len(y), shift - 0.5 * error.mean()
    return flwr.ArrayRecord([slopes, shift])


def reply(message: Any, arrays: Any, claimed: float, **metrics: float) -> Any:
    numbers = flwr.MetricRecord({"num-examples": claimed, **metrics})
    content = flwr.RecordDict({"arrays": arrays, "metrics": numbers})
    return flwr.Message(content, reply_to=message)


class Client:
    """A client of a kind; counts what it is sent."""

    def __init__(self, name: str, kind: str = "honest", claims: float | None = None) -> None:
        self.name, self.kind, self.trained = name, kind, 0
        self.claims, self.served = claims, list[Any]()
        self.app = ClientApp()
        self.app.train()(self.train)
        self.app.evaluate()(self.evaluate)

    def train(self, message: Any, context: Any) -> Any:
        self.trained += 1
        arrays = message.content["arrays"]
        if self.kind == "rider":
            return reply(message, arrays, 1e6)
        if self.kind == "broken":
            raise ValueError("no rows")
        if self.kind == "breaks" and self.trained > 4:
            raise ValueError("the disk is full")
        if self.kind == "infinite":
            nothing = flwr.ArrayRecord([np.full(3, np.nan), np.zeros(1)])
            return reply(message, nothing, 10)
        if self.kind == "misshapen":
            return reply(message, flwr.ArrayRecord([np.zeros(7), np.zeros(1)]), 10)
        x, y = draw(len(self.name), ROWS.get(self.name, 100))
        return reply(message, improve(arrays, x, y), self.claims or len(y))

    def evaluate(self, message: Any, context: Any) -> Any:
        self.served.append(message.content["arrays"].to_numpy_ndarrays())
        return reply(message, message.content["arrays"], 1)


def run(*clients: Client, strategy: Any = None, **more: Any) -> Any:
    grid = LocalGrid({k: make_node(client.app, k) for k, client in enumerate(clients, 1)})
    settings: dict[str, Any] = {
        "predict": predict,
        "truth": Y,
        "values": [row[: len(clients)] for row in VALUES[: len(clients)]],
        "names": {k: client.name for k, client in enumerate(clients, 1)},
        "poll": 0.01,
        **more,
    }
    market = Market(strategy or FedAvg(fraction_evaluate=0.0), **settings)
    return market.start(grid, flwr.ArrayRecord(ZERO), num_rounds=3, timeout=0.2)


def skill(probabilities: np.ndarray) -> float:
    """Return the Brier skill on the center's rows, from its definition."""
    truth = np.eye(2)[Y]
    loss = ((probabilities - truth) ** 2).sum(axis=1).mean()
    return float(1 - loss / ((truth - truth.mean(axis=0)) ** 2).sum(axis=1).mean())


def test_payments_are_what_each_gains_by_taking_part() -> None:
    large, small = Client("large"), Client("small")
    result = run(large, small)
    parties = result.settlement.parties
    own = {}
    for client in (large, small):
        arrays = flwr.ArrayRecord(ZERO)
        x, y = draw(len(client.name), ROWS[client.name])
        for _ in range(3):
            arrays = improve(arrays, x, y)
        own[client.name] = skill(predict(arrays))
        assert parties[client.name].more["own_quality"] == pytest.approx(own[client.name])
    joint = skill(predict(result.arrays))
    # All are served. Had one stayed away, both would use what they have of their own.
    gain = {name: max(joint, each) - each for name, each in own.items()}
    assert float(parties["large"].payment) == pytest.approx(10 * gain["large"] - gain["small"])
    assert float(parties["small"].payment) == pytest.approx(8 * gain["small"] - 2 * gain["large"])


def test_who_is_served_is_sent_the_joint_model_once() -> None:
    large, small = Client("large"), Client("small")
    result = run(large, small)
    assert set(result.models) == {"large", "small"}
    for client in (large, small):
        (sent,) = client.served
        assert all(map(np.array_equal, sent, result.arrays.to_numpy_ndarrays()))


def test_a_free_rider_gets_no_model_and_pays_nothing_and_changes_nothing() -> None:
    rider = Client("rider", "rider")
    with_rider = run(Client("large"), Client("small"), rider)
    share = with_rider.settlement.parties["rider"]
    assert (share.payment, share.reply.data["served"], rider.served) == (0, False, [])
    assert "rider" not in with_rider.models
    assert rider.trained == 3  # its own rounds, in which it is sent nobody's model
    assert any("rider claims 1,000,000 examples" in text
               for text in with_rider.settlement.details["warnings"])  # fmt: skip
    without = run(Client("large"), Client("small"))
    for name in ("large", "small"):
        assert with_rider.settlement.parties[name].payment == pytest.approx(
            float(without.settlement.parties[name].payment)
        )
    assert skill(predict(with_rider.arrays)) == skill(predict(without.arrays))


def test_a_claim_counts_as_far_as_a_client_as_good_claims_as_many() -> None:
    result = run(Client("large"), Client("small", claims=1e8))
    sizes = {name: share.more["size"] for name, share in result.settlement.parties.items()}
    assert sizes == {"large": 300, "small": 300}
    (warning,) = [x for x in result.settlement.details["warnings"] if "counts with" in x]
    assert warning.startswith("small claims 100,000,000 examples and counts with 300")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("broken", "it failed (ValueError: no rows)"),
        ("breaks", "it failed (ValueError: the disk is full)"),
        ("infinite", "it returns what is not a finite number"),
        ("misshapen", "it fails on the model (matmul"),
    ],
)
def test_a_client_that_fails_is_absent_and_the_others_go_on(kind: str, why: str) -> None:
    result = run(Client("large"), Client("small"), Client("third", kind))
    ((who, said),) = result.settlement.details["failed"].items()
    assert (who, said[: len(why)]) == ("third", why)
    third = result.settlement.parties["third"]
    assert (third.payment, third.reply.data["served"]) == (0, False)
    assert set(result.models) == {"large", "small"}


def test_a_client_that_is_silent_is_absent() -> None:
    large = Client("large")
    grid = LocalGrid({1: make_node(large.app, 1), 2: lambda message: None})
    market = Market(
        FedAvg(fraction_evaluate=0.0), predict, Y, [[1, 0], [0, 1]], {1: "large", 2: "mute"},
        poll=0.01,
    )  # fmt: skip
    begun = time.monotonic()
    result = market.start(grid, flwr.ArrayRecord(ZERO), num_rounds=3, timeout=0.2)
    assert result.settlement.details["failed"] == {"mute": "it was silent for 0.2 seconds"}
    assert time.monotonic() - begun < 5


def test_where_nobody_has_anything_nobody_is_served() -> None:
    result = run(Client("one", "rider"), Client("two", "rider"))
    assert result.arrays is None
    assert result.models == {}
    assert all(share.payment == 0 for share in result.settlement.parties.values())


@pytest.mark.parametrize(
    "strategy",
    [FedMedian(fraction_evaluate=0.0), FedAdam(fraction_evaluate=0.0, eta=0.3)],
    ids=["FedMedian", "FedAdam"],
)
def test_other_strategies_keep_their_state_for_each_training(strategy: Any) -> None:
    first = run(Client("large"), Client("small"), strategy=strategy)
    again = run(Client("large"), Client("small"), strategy=strategy)
    assert first.settlement.details["joint_quality"] > 0.2
    for name in ("large", "small"):
        payments = [each.settlement.parties[name].payment for each in (first, again)]
        assert payments[0] == payments[1]


def test_numbers_are_predicted_too() -> None:
    truth = X @ SLOPES
    result = run(
        Client("large"), Client("small"),
        truth=truth, predict=lambda arrays: X @ arrays.to_numpy_ndarrays()[0],
    )  # fmt: skip
    assert 0 < result.settlement.details["joint_quality"] <= 1


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"values": [[1]]}, "there are 2 clients, and the matrix is not 2 by 2"),
        ({"truth": []}, "no list of numbers"),
        ({"truth": [[0], [1]]}, "no list of numbers"),
        ({"truth": [1, 1, 1]}, "not 0, 1"),
        ({"truth": [np.nan, 1.0]}, "not a finite number"),
        ({"predict": lambda arrays: np.zeros((3, 2))}, "instead of \\(400, 2\\)"),
        ({"predict": lambda arrays: np.full((400, 2), np.inf)}, "not a finite number"),
        ({"names": lambda node: "same"}, "the same name"),
        ({"strategy": FedAvg(fraction_train=0.0)}, "it asks no client to train"),
    ],
)
def test_what_does_not_fit_is_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        run(Client("large"), Client("small"), **more)


def test_without_clients_it_says_so() -> None:
    market = Market(FedAvg(), predict, Y, [[1]])
    with pytest.raises(InputError, match="no client is connected"):
        market.start(LocalGrid({}), flwr.ArrayRecord(ZERO))


def test_clients_are_named_by_order_where_nothing_names_them() -> None:
    result = run(Client("large"), Client("small"), names=None)
    assert set(result.settlement.parties) == {"client 1", "client 2"}


def test_the_report_is_a_page(tmp_path: Any) -> None:
    result = run(Client("large"), Client("small"), Client("rider", "rider"))
    page = result.settlement.report(tmp_path / "report.html").read_text()
    assert "What was measured of each client" in page
    assert "rider claims 1,000,000 examples" in page
