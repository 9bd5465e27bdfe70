"""Runs of one operator for tests: each mechanism's own starting file, and a result made anew."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from aboveboard.collaborations.collaboration import load, run
from aboveboard.commands import rounds
from aboveboard.commands.running import plan_bundles
from aboveboard.evidence.bundles import Bundle, decode_bundle
from aboveboard.evidence.centers import CenterKeys
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import hide_reply, hide_share
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.log import Log
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER
from aboveboard.settlements.writing import write

ROOT = Path(__file__).parents[2]
STARTING = ROOT / "src" / "aboveboard" / "starting_files"
OPERATOR = CenterKeys(generate_keys(), generate_keys())

Change = Callable[[dict[str, Any]], None]
"""Changes a result's body in place."""


@dataclass(frozen=True)
class RunOfOneOperator:
    """A settlement folder with bundles, and each party's own file."""

    folder: Path
    names: tuple[str, ...]

    def home(self, name: str) -> Path:
        return self.folder / "parties" / name

    def mine(self, name: str) -> Path:
        return self.folder.parent / f"{name}.toml"

    def bundle(self, name: str) -> Bundle:
        content = (self.home(name) / "bundle.json").read_bytes()
        return decode_bundle(content, "bundle")

    def verify(self, name: str) -> Findings:
        return rounds.verify(self.home(name), self.mine(name))

    def state(self, name: str, change: Change, folder: Path) -> Findings:
        """Let the operator state another result, and the party verify it."""
        bundle = self.bundle(name)
        body = json.loads(bundle.entries[1])["body"]
        key = bytes.fromhex(bundle.secrets["key"])
        evidence = restate(bundle, body, change, key)
        result = sign_statement(body, CENTER, OPERATOR.center)
        origin = json.loads(bundle.entries[0])["body"]["log"]["origin"]
        log = Log(origin, (bundle.entries[0], result.content))
        note = log.sign_checkpoint(OPERATOR.log).content.decode()
        changed = replace(bundle, entries=log.entries, checkpoint=note, evidence=evidence)
        (folder / "bundle.json").write_bytes(changed.encode())
        file = bundle.reply["file"]
        (folder / file).write_bytes((self.home(name) / file).read_bytes())
        return rounds.verify(folder, self.mine(name))

    def reply_with(self, name: str, content: bytes, folder: Path) -> Findings:
        """Let the operator hand out another reply, named in the result."""
        digest = hashlib.sha256(content).hexdigest()
        key = bytes.fromhex(self.bundle(name).secrets["key"])
        hidden = hide_reply(name, digest, key)
        self.state(name, lambda body: body["replies"].update({name: hidden}), folder)
        bundle = decode_bundle((folder / "bundle.json").read_bytes(), "bundle")
        changed = replace(bundle, reply={**bundle.reply, "sha256": digest})
        (folder / "bundle.json").write_bytes(changed.encode())
        (folder / bundle.reply["file"]).write_bytes(content)
        return rounds.verify(folder, self.mine(name))


def restate(bundle: Bundle, body: dict[str, Any], change: Change, key: bytes) -> dict[str, Any]:
    """Change a result's body, the party's own share in it opened; return its evidence.

    A share that only the party sees is hidden again, as a center does that lies.
    """
    evidence = json.loads(json.dumps(dict(bundle.evidence)))
    public = body["shares"][bundle.name]
    if "hidden" not in public:
        change(body)
        return evidence
    body["shares"][bundle.name] = dict(evidence["share"])
    change(body)
    share = body["shares"].get(bundle.name)
    if not isinstance(share, dict):
        return evidence
    shown = frozenset(public) - {"hidden"}
    body["shares"][bundle.name] = hide_share(bundle.name, share, key, shown)
    return {**evidence, "share": share}


def run_starting_file(
    mechanism: str, folder: Path, changes: Mapping[str, Any] | None = None
) -> RunOfOneOperator:
    """Run a mechanism's starting file with bundles."""
    table = tomllib.loads((STARTING / f"{mechanism}.toml").read_text())
    return run_file(tomli_w.dumps(table | {"seed": "5", **(changes or {})}), folder)


def run_file(text: str, folder: Path) -> RunOfOneOperator:
    """Run a collaboration file, written into a folder, with bundles."""
    table = tomllib.loads(text)
    path = folder / "collaboration.toml"
    path.write_text(text)
    out = folder / "out"
    collaboration = load(path)
    settlement = run(collaboration)
    bundles = plan_bundles(collaboration, settlement, OPERATOR)
    write(collaboration, settlement, out, report=lambda: "", bundles=bundles)
    for name, own in table["parties"].items():
        (folder / f"{name}.toml").write_text(tomli_w.dumps(own))
    return RunOfOneOperator(out, tuple(table["parties"]))
