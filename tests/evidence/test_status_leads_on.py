"""What `status` says after a result: whoever runs it word for word comes to an acceptance."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rounds_of_files import RoundOfFiles, hold_round
from typer.testing import CliRunner

from aboveboard.cli import app
from aboveboard.cli.member import name_command


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> RoundOfFiles:
    return hold_round("exchange.union", tmp_path_factory.mktemp("held"), opened="nothing")


@pytest.mark.deep
@pytest.mark.parametrize("is_only", [True, False])
def test_the_commands_after_a_result_lead_to_an_acceptance(
    held: RoundOfFiles, monkeypatch: pytest.MonkeyPatch, is_only: bool
) -> None:
    monkeypatch.setenv("ABOVEBOARD_HOME", str(held.tmp / "alpha"))
    said = name_command({"id": held.folder.name, "next": "accept"}, is_only=is_only)
    verify, accept, dispute = re.findall("'([^']+)'", said)
    places = {"result": str(held.result("alpha")), "FILE": str(held.mine("alpha"))}
    for command in (verify, accept):
        given = [places.get(word, word) for word in command.split()]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == 0, (command, done.output)
    for command in (said.split(";")[0], accept, dispute):
        assert command.endswith("--terms round") is not is_only
    Path(held.member("alpha").private / "verified.json").unlink()
