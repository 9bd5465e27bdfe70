"""Rounds over folders with any mechanism: members bring their own keys of `[parties.NAME]`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w
from runs_by_hand import restate

from aboveboard.commands import rounds
from aboveboard.commands.rounds.outcomes import digest_file, recompute_outcome
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.log import Log
from aboveboard.evidence.members import read_payload
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.rounds import replay_log
from aboveboard.evidence.statements import sign_statement
from aboveboard.evidence.terms import CENTER

ROOT = Path(__file__).parents[2]
STARTING = ROOT / "src" / "aboveboard" / "starting_files"


@dataclass(frozen=True)
class RoundOfFiles:
    """A round: a center, and a folder for each member."""

    tmp: Path
    names: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.tmp / "center" / "round"

    def member(self, name: str) -> rounds.Membership:
        return rounds.find_membership(home=self.tmp / name)

    def mine(self, name: str) -> Path:
        return self.tmp / name / "mine.toml"

    def result(self, name: str) -> Path:
        return self.tmp / name / "result"

    def verify(self, name: str) -> Findings:
        return rounds.verify(self.result(name), self.mine(name), self.member(name))

    def part(self, name: str) -> Payload:
        return read_payload(self.member(name).private)

    def use_other_parts(self, victim: str, parts: Mapping[str, Payload], folder: Path) -> Findings:
        """Let the center run the round on other parts than were sent; a member verifies that."""
        keys = rounds.read_center_keys(self.folder)
        bundle = decode_bundle((self.result(victim) / "bundle.json").read_bytes(), "bundle")
        round_ = replay_log(bundle.entries[:-1], "log")
        files = rounds.center.read_center_files(self.folder, keys)
        outcome = recompute_outcome(round_, parts, folder / "lie", bytes(32), files)
        body = {"kind": "result", "terms": round_.terms_digest, **outcome.body}
        entries = (*bundle.entries[:-1], sign_statement(body, CENTER, keys.center).content)
        note = Log(round_.terms.log.origin, entries).sign_checkpoint(keys.log).content.decode()
        reply = outcome.replies[victim]
        changed = replace(
            bundle,
            entries=entries,
            checkpoint=note,
            reply={"file": reply.name, "sha256": digest_file(reply)},
            evidence=dict(outcome.publication.private.get(victim, {})),
        )
        (folder / "bundle.json").write_bytes(changed.encode())
        (folder / reply.name).write_bytes(reply.read_bytes())
        return rounds.verify(folder, self.mine(victim), self.member(victim))

    def state(self, name: str, change: Callable[[dict[str, Any]], None], folder: Path) -> Findings:
        """Let the center state another result, and the member verify it."""
        keys = rounds.read_center_keys(self.folder)
        bundle = decode_bundle((self.result(name) / "bundle.json").read_bytes(), "bundle")
        body = json.loads(bundle.entries[-1])["body"]
        evidence = restate(bundle, body, change, self.part(name).key)
        entries = (*bundle.entries[:-1], sign_statement(body, CENTER, keys.center).content)
        origin = json.loads(entries[0])["body"]["log"]["origin"]
        note = Log(origin, entries).sign_checkpoint(keys.log).content.decode()
        changed = replace(bundle, entries=entries, checkpoint=note, evidence=evidence)
        (folder / "bundle.json").write_bytes(changed.encode())
        file = bundle.reply["file"]
        (folder / file).write_bytes((self.result(name) / file).read_bytes())
        return rounds.verify(folder, self.mine(name), self.member(name))


def hold_round(
    mechanism: str,
    tmp: Path,
    *,
    opened: str = "all",
    table: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    public: tuple[str, ...] = (),
    sums: str = "center",
    inspect: Callable[[Path], None] | None = None,
) -> RoundOfFiles:
    """Hold a round up to the members' results with a starting file's data.

    `public` are keys of a party that stand in the terms; the rest its member brings. `inspect`
    fills in the questions that people must answer, in the center's folder.
    """
    whole = dict(tomllib.loads((STARTING / f"{mechanism}.toml").read_text()))
    whole.pop("seed", None)
    whole |= table or {}
    parties = whole.pop("parties")
    center = tmp / "center"
    (center / "members").mkdir(parents=True)
    for name, content in (files or {}).items():
        (center / name).write_text(content)
    for name, own in parties.items():
        home = tmp / name
        rounds.make_keys(home / "keys")
        keys = (home / "keys" / "public.json").read_bytes()
        (center / "members" / f"{name}.json").write_bytes(keys)
        mine = {key: x for key, x in own.items() if key not in public}
        (home / "mine.toml").write_text(tomli_w.dumps(mine))
    shown = {name: {k: x for k, x in own.items() if k in public} for name, own in parties.items()}
    (center / "file.toml").write_text(tomli_w.dumps({**whole, "parties": shown}))
    made = RoundOfFiles(tmp, tuple(parties))
    rounds.open_collaboration(
        center / "file.toml", center / "members", made.folder, opened=opened, sums=sums
    )
    for name in made.names:
        rounds.agree(made.folder, tmp / name)
    rounds.close_step(made.folder)
    for name in made.names:
        rounds.commit(made.member(name), made.mine(name))
    rounds.close_step(made.folder)
    for name in made.names:
        rounds.submit(made.member(name))
    while inspect is not None:
        try:
            rounds.settle_round(made.folder)
            break
        except InputError:
            inspect(rounds.locate_center(made.folder) / "files")
    else:
        rounds.settle_round(made.folder)
    for name in made.names:
        rounds.fetch(made.member(name), made.result(name))
    return made
