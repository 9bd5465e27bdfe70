"""A round in which members train on their own machines: agreed, committed to and verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from rounds_of_files import RoundOfFiles
from trained_rounds import MEMBERS, ROWS, draw_table
from typer.testing import CliRunner

from aboveboard.cli import app as cli
from aboveboard.commands import rounds, training_party
from aboveboard.commands.training_party import read_round_agreement
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.learning.flower import compute_app_hash, make_node_key, read_node_key, superlink
from aboveboard.learning.flower.guard import GuardedParty
from aboveboard.learning.flower.party_client import PartyClient
from aboveboard.learning.training.engine import PartyAnswer, Request
from aboveboard.learning.training.party import PartyTrainer
from aboveboard.learning.training.tables import digest_file
from aboveboard.learning.training.wire import pack, unpack

pytest.importorskip("skops", reason="training is an extra")


class Machines:
    """The members' machines, each with its own file and agreement: bytes in, bytes out."""

    together = True
    compares_rows = False

    def __init__(self, files: dict[str, Path], accepts: dict[str, Any]) -> None:
        self.parties = {
            name: GuardedParty(PartyTrainer(path).answer, accepts=accepts[name])
            for name, path in files.items()
        }

    def ask(self, requests: Any) -> dict[str, PartyAnswer]:
        def answer(name: str, request: Request) -> PartyAnswer:
            return unpack(pack(self.parties[name].respond(unpack(pack(request)))))

        return {name: answer(name, request) for name, request in requests.items()}


def open_round(tmp: Path) -> RoundOfFiles:
    """Hold the round up to the members' commitments."""
    rng = np.random.default_rng(7)
    tables = {name: draw_table(rows, rng) for name, rows in ROWS.items()}
    center = tmp / "center"
    (center / "members").mkdir(parents=True)
    for name in ("test", "validation"):
        (center / f"{name}.csv").write_text(tables[name])
    for name in MEMBERS:
        folder = tmp / name
        rounds.make_keys(folder / "keys")
        public = (folder / "keys" / "public.json").read_bytes()
        (center / "members" / f"{name}.json").write_bytes(public)
        (folder / "rows.csv").write_text(tables[name])
        mine = {
            "key": make_node_key(folder / "node.pem"),
            "sha256": digest_file(folder / "rows.csv"),
        }
        (folder / "mine.toml").write_text(tomli_w.dumps(mine))
    table: dict[str, Any] = {
        "mechanism": "learning.payments",
        "name": "machines",
        "training": {
            "estimator": "sklearn.linear_model.LogisticRegression",
            "engine": "flower",
            "rounds": 2,
            "test": "test.csv",
            "validation": "validation.csv",
            "label": "sick",
            "flower": {"superlink": "127.0.0.1:9092", "app": compute_app_hash()},
        },
        "valuation": {
            "kind": "linear",
            "matrix": [[9.0, -1.0, -1.0], [-1.0, 6.0, -1.0], [0.0, 0.0, 4.0]],
        },
        "parties": {name: {} for name in MEMBERS},
    }
    (center / "file.toml").write_text(tomli_w.dumps(table))
    made = RoundOfFiles(tmp, MEMBERS)
    rounds.open_collaboration(
        center / "file.toml", center / "members", made.folder, opened="center"
    )
    for name in MEMBERS:
        rounds.agree(made.folder, tmp / name)
    rounds.close_step(made.folder)
    for name in MEMBERS:
        rounds.commit(made.member(name), made.mine(name))
    rounds.close_step(made.folder)
    return made


def settle(made: RoundOfFiles, monkeypatch: pytest.MonkeyPatch, **files: Path) -> list[Any]:
    """Let the members submit and the center settle; return the tables that reached the engine."""
    agreed = {name: read_round_agreement(made.member(name)).check_start for name in MEMBERS}
    here = {name: made.tmp / name / "rows.csv" for name in MEMBERS} | files
    reached: list[Any] = []

    @contextmanager
    def connect(table: Any, reports: Any) -> Iterator[Machines]:
        reached.append((table, reports))
        yield Machines(here, agreed)

    monkeypatch.setattr(superlink, "connect_parties", connect)
    for name in MEMBERS:
        rounds.submit(made.member(name))
    rounds.settle_round(made.folder)
    for name in MEMBERS:
        rounds.fetch(made.member(name), made.result(name))
    return reached


def read_facts(made: RoundOfFiles) -> dict[str, Any]:
    content = (made.result("anna") / "bundle.json").read_bytes()
    facts: dict[str, Any] = json.loads(decode_bundle(content, "").entries[-1])["body"]["facts"]
    return facts


@pytest.mark.deep
def test_the_terms_bind_the_app_and_the_result_covers_what_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = open_round(tmp_path)
    agreement = read_round_agreement(made.member("anna"))
    assert agreement.training.flower is not None
    assert agreement.training.flower.app == compute_app_hash()
    assert agreement.training.flower.superlink == "127.0.0.1:9092"
    agreement.check_app()
    agreement.check_own(read_node_key(tmp_path / "anna" / "node.pem"), tmp_path / "anna/rows.csv")
    (reached, *_) = settle(made, monkeypatch)
    _, reports = reached
    # No rows were sent to the center: a key and a digest of them were.
    assert all(report.data is None and report.key for report in reports.values())
    assert not any(b"," in part for part in made.part("anna").files.values())
    facts = read_facts(made)
    for name in MEMBERS:
        digest = digest_file(tmp_path / name / "rows.csv")
        assert len(facts["rows"][name]) == 64
        assert facts["rows"][name] != digest  # others could try what a few rows may be
        found = made.verify(name)
        assert found.exit_status == 0, str(found)
        assert any("your machine trained on the rows" in each for each in found.verified)
        assert any("your model has the quality" in each for each in found.verified)


@pytest.mark.deep
def test_a_machine_with_other_rows_than_committed_to_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = open_round(tmp_path)
    other = tmp_path / "other.csv"
    other.write_text(draw_table(200, np.random.default_rng(1)))
    settle(made, monkeypatch, cleo=other)
    assert read_facts(made)["rows"]["cleo"] == ""
    found = made.verify("cleo")
    assert "that your machine took no part in the training" in found.on_the_centers_word
    with pytest.raises(InputError, match="not the file that you committed to"):
        read_round_agreement(made.member("cleo")).check_own(
            read_node_key(tmp_path / "cleo" / "node.pem"), other
        )
    with pytest.raises(InputError, match="not the key that you committed to"):
        read_round_agreement(made.member("cleo")).check_own(
            read_node_key(tmp_path / "anna" / "node.pem"), other
        )


@pytest.mark.deep
def test_rows_that_the_center_states_otherwise_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = open_round(tmp_path)
    settle(made, monkeypatch)
    folder = tmp_path / "lie"
    folder.mkdir()
    found = made.state("anna", lambda body: body["facts"]["rows"].update(anna="0" * 64), folder)
    assert found.exit_status == 1
    assert "you committed to rows of SHA-256" in str(found)


def test_the_command_finds_its_superlink_and_what_was_committed_to_by_the_terms_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = open_round(tmp_path)
    served: list[PartyClient] = []
    monkeypatch.setattr(PartyClient, "serve", lambda self: served.append(self))
    monkeypatch.setattr(training_party, "require_flower", lambda place: None)
    monkeypatch.setattr("aboveboard.learning.flower.require_flower", lambda place: None)
    monkeypatch.setenv("ABOVEBOARD_HOME", str(tmp_path / "anna"))
    terms = made.member("anna").private.name[:10]

    def start(name: str) -> Any:
        key, data = tmp_path / name / "node.pem", tmp_path / name / "rows.csv"
        command = ["party", "--terms", terms, "--key", str(key), "--data", str(data)]
        return CliRunner().invoke(cli, command)

    assert start("anna").exit_code == 0
    assert [client.superlink for client in served] == ["127.0.0.1:9092"]
    assert isinstance(start("bert").exception, InputError)
