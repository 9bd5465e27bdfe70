"""A training of Flower's real processes in a round of a running hub, in Flower's environment.

Hub, worker, SuperLink and each member's party are processes of their own, as operator and members
start them; what members state goes over HTTP.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

pytest.importorskip("flwr")

import aboveboard as ab
from aboveboard.commands import rounds
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.members import agree, attend, join, list_standings
from aboveboard.hub.organizations import invite
from aboveboard.learning.flower import compute_app_hash, make_node_key
from aboveboard.learning.training.tables import digest_file
from oracles.flower_processes import find_port, start, start_superlink, wait_for

pytestmark = pytest.mark.slow

ROWS = {"test": 400, "validation": 400, "anna": 160, "bert": 120, "cleo": 40}
MEMBERS = ("anna", "bert", "cleo")
MATRIX = [[9.0, -1.0, -1.0], [-1.0, 6.0, -1.0], [0.0, 0.0, 4.0]]
SECONDS = 300
"""That one command may take."""


def draw_table(rows: int, rng: np.random.Generator) -> str:
    x = rng.normal(size=(rows, 3)).round(5)
    chance = 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1])))
    y = (rng.random(rows) < chance).astype(int)
    lines = ["age,dose,weight,sick"]
    lines += [f"{a},{b},{c},{label}" for (a, b, c), label in zip(x.tolist(), y, strict=True)]
    return "\n".join(lines) + "\n"


def write_files(tmp: Path) -> None:
    rng = np.random.default_rng(7)
    (tmp / "center").mkdir()
    for name, rows in ROWS.items():
        if name in MEMBERS:
            (tmp / name).mkdir()
            (tmp / name / "rows.csv").write_text(draw_table(rows, rng))
        else:
            (tmp / "center" / f"{name}.csv").write_text(draw_table(rows, rng))


def write_terms(center: Path, superlink: str) -> Path:
    table: dict[str, Any] = {
        "mechanism": "learning.payments",
        "name": "machines",
        "training": {
            "estimator": "sklearn.linear_model.LogisticRegression",
            "engine": "flower",
            "rounds": 3,
            "test": "test.csv",
            "validation": "validation.csv",
            "label": "sick",
            "flower": {"superlink": superlink, "app": compute_app_hash(), "patience": 120},
        },
        "valuation": {"kind": "linear", "matrix": MATRIX},
        "parties": {name: {} for name in MEMBERS},
    }
    file = center / "file.toml"
    file.write_text(tomli_w.dumps(table))
    return file


def await_result(home: Path) -> None:
    until = time.monotonic() + SECONDS
    while True:
        view = list_standings(home)[0].view
        if view["state"] == "result":
            return
        assert not view["fault"], view
        assert time.monotonic() < until, view
        time.sleep(0.5)


def read_log(result: Path) -> list[dict[str, Any]]:
    entries = decode_bundle((result / "bundle.json").read_bytes(), "").entries
    return [json.loads(entry) for entry in entries]


def settle_here(tmp: Path, terms: dict[str, Any], seed: int) -> Any:
    """Return the settlement of the same terms, where the rows are in this process."""
    table = {"mechanism": terms["mechanism"], **terms["parameters"], "seed": str(seed)}
    table["training"] = {
        key: value
        for key, value in table["training"].items()
        if key not in ("engine", "flower") and value is not None
    }
    table["parties"] = {name: {"data": str(tmp / name / "rows.csv")} for name in MEMBERS}
    file = tmp / "center" / "here.toml"
    file.write_text(tomli_w.dumps(table))
    return ab.run(ab.load(file, allow_outside=True))


@contextmanager
def serve_hub(tmp: Path) -> Iterator[tuple[Hub, str]]:
    """Start a hub and its worker; yield the operator's hub and its address."""
    address = f"http://127.0.0.1:{find_port()}"
    operator = make_hub(tmp / "hub", Configuration(address=address))
    port = address.rpartition(":")[2]
    serve = ["aboveboard", "hub", "serve", str(tmp / "hub"), "--port", port]
    with (
        closing(operator),
        start(serve, tmp, "serve.log"),
        start(["aboveboard", "hub", "worker", str(tmp / "hub")], tmp, "worker.log"),
    ):
        wait_for(tmp / "serve.log", address)
        yield operator, address


def test_members_of_a_hub_train_on_their_own_machines_and_get_the_same_bytes(
    tmp_path: Path,
) -> None:
    write_files(tmp_path)
    homes = {name: tmp_path / name for name in MEMBERS}
    with ExitStack() as stack:
        superlink = stack.enter_context(start_superlink(tmp_path))
        operator, address = stack.enter_context(serve_hub(tmp_path))
        for name, home in homes.items():
            join(invite(operator, name, address=address).link, home)
        file = write_terms(tmp_path / "center", superlink)
        identifier, opened = open_collaboration(operator, file, opened="center")
        for home in homes.values():
            mine = {
                "key": make_node_key(home / "node.pem"),
                "sha256": digest_file(home / "rows.csv"),
            }
            (home / "mine.toml").write_text(tomli_w.dumps(mine))
            agree(identifier, home)
        for home in homes.values():
            here = attend(home=home)
            here.hand_over(rounds.commit(here.member, home / "mine.toml"))
        for home in homes.values():
            party = [
                "aboveboard", "party", "--terms", opened.terms_digest[:16], "--key", "node.pem",
                "--data", "rows.csv",
            ]  # fmt: skip
            stack.enter_context(start(party, home, "party.log", ABOVEBOARD_HOME=str(home)))
        for home in homes.values():
            wait_for(home / "party.log", "connected to")
            here = attend(home=home)
            here.hand_over(rounds.submit(here.member))
        await_result(homes["anna"])
        for home in homes.values():
            here = attend(home=home)
            rounds.fetch(here.member, home / "result")
            found = rounds.verify(home / "result", home / "mine.toml", here.member)
            assert found.exit_status == 0, str(found)
            assert any("your machine trained on the rows" in each for each in found.verified)
            assert any("your model has the quality" in each for each in found.verified)
            here.hand_over(rounds.accept_or_dispute(here.member))
    log = read_log(homes["anna"] / "result")
    (result,) = [each["body"] for each in log if each["body"]["kind"] == "result"]
    here_settled = settle_here(tmp_path, log[0]["body"], int(result["seed"], 16))
    joint = here_settled.details["training"]["joint_quality"]
    for name, home in homes.items():
        settled = here_settled.parties[name]
        assert len(result["facts"]["rows"][name]) == 64
        assert result["facts"]["rows"][name] != digest_file(home / "rows.csv")
        assert result["facts"]["qualities"][name] == joint
        assert result["shares"][name]["payment"] == settled.payment
        (handed,) = (home / "result").glob("*.skops")
        assert handed.read_bytes() == settled.reply.content
