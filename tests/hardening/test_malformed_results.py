"""A center that publishes facts of another form is contradicted; no verification fails on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.commands.running import run_collaboration
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.centers import CenterKeys
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.log import Log
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.evidence.verification import verify_bundle

OPERATOR = CenterKeys(generate_keys(), generate_keys())
MARKET = (
    'mechanism = "market.propose_and_agree"\nbits = 3\nseed = 5\n[parties.a]\nendowment = ["g"]\n'
    'values = [{goods = ["g"], value = 1}]\n[parties.b]\nvalues = [{goods = ["g"], value = 2}]\n'
)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    (folder / "c.toml").write_text(MARKET)
    run_collaboration(ab.load(folder / "c.toml"), folder / "out", operator=OPERATOR)
    return folder / "out" / "parties" / "a"


@pytest.mark.parametrize("odd", [[[]], {"a": 1}, 3, None, [None], "text", [{}]])
@pytest.mark.parametrize("key", ["players", "goods", "endowment", "announced", "votes", "ending"])
def test_facts_of_another_form_are_contradicted(settled: Path, key: str, odd: Any) -> None:
    bundle = decode_bundle((settled / "bundle.json").read_bytes(), "bundle")
    body = json.loads(bundle.entries[1])["body"]
    body["facts"][key] = odd
    result = sign_statement(body, CENTER, OPERATOR.center)
    log = Log(json.loads(bundle.entries[0])["body"]["log"]["origin"],
              (bundle.entries[0], result.content))  # fmt: skip
    note = log.sign_checkpoint(OPERATOR.log).content.decode()
    changed = type(bundle)(
        bundle.name, log.entries, note, bundle.reply, bundle.evidence, bundle.secrets
    )
    findings = verify_bundle(Delivery(changed, None, settled / "reply.json"))
    assert findings.exit_status in {1, 3} or key == "votes"
