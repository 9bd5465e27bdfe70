"""A whole round between organisations with five real lists: each member in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.commands import rounds
from aboveboard.commands.demo_lists import read_lists
from aboveboard.errors import InputError
from aboveboard.evidence.findings import Findings
from aboveboard.storage.atomic import remove_on_failure


@dataclass(frozen=True)
class RoundDemonstration:
    """The results of the demonstration.

    Parameters
    ----------
    folder
        Where everything lies: `center/`, `round/`, and a folder for each member.
    state
        The state of the round at its end.
    findings
        What each member's `verify` found.
    received
        How many elements each member was handed.
    """

    folder: Path
    state: str
    findings: Mapping[str, Findings]
    received: Mapping[str, int]

    @property
    def exit_status(self) -> int:
        """The worst exit status of the members' `verify`."""
        statuses = {found.exit_status for found in self.findings.values()}
        return next(status for status in (1, 3, 0) if status in statuses)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data: what each member's `verify` printed, by name."""
        return {
            "folder": str(self.folder),
            "state": self.state,
            "members": {name: found.as_dict() for name, found in self.findings.items()},
            "received": dict(self.received),
        }


def demonstrate_round(out: Path) -> RoundDemonstration:
    """Hold a round with five real lists in a new folder; offline.

    Parameters
    ----------
    out
        The folder to make. It holds `round/`, which everybody may read, the center's own folders,
        and one folder for each member.

    Raises
    ------
    InputError
        If it exists, or the packages that hold the lists are not installed.
    """
    if out.exists():
        raise InputError(str(out), "it exists", "name another folder with --out")
    lists = read_lists()
    with remove_on_failure(out):
        return _hold_round(out.resolve(), lists)


def _hold_round(out: Path, lists: Mapping[str, list[str]]) -> RoundDemonstration:
    public = out / "center" / "members"
    public.mkdir(parents=True)
    for name, elements in lists.items():
        home = out / name
        rounds.make_keys(home / rounds.KEYS)
        (home / "list.txt").write_text("\n".join(elements) + "\n", encoding="utf-8")
        content = (home / rounds.KEYS / "public.json").read_bytes()
        (public / f"{name}.json").write_bytes(content)
    file = out / "center" / "lists.toml"
    parties = "".join(f"[parties.{name}]\n" for name in lists)
    head = 'name = "Disposable e-mail domains"\nmechanism = "exchange.union"\nkind = "domain"\n'
    file.write_text(head + parties, encoding="utf-8")
    folder = out / "round"
    rounds.open_collaboration(file, public, folder)
    _let_members_speak(out, folder, lists)
    _, report = rounds.settle_round(folder)
    findings, received = {}, {}
    for name in lists:
        member = rounds.find_membership(home=out / name)
        bundle = rounds.fetch(member, out / name / "result")
        findings[name] = rounds.verify(bundle, out / name / "list.txt", member)
        received[name] = int(report.settlement.parties[name].benefit)
        if findings[name].exit_status == 0:
            rounds.accept_or_dispute(member)
    state = rounds.close_step(folder).round.state
    return RoundDemonstration(out, state.value, findings, received)


def _let_members_speak(out: Path, folder: Path, lists: Mapping[str, list[str]]) -> None:
    """Make all members agree, commit and submit, the center closing each step."""
    for name in lists:
        rounds.agree(folder, out / name)
    rounds.close_step(folder)
    for name in lists:
        rounds.commit(rounds.find_membership(home=out / name), out / name / "list.txt")
    rounds.close_step(folder)
    for name in lists:
        rounds.submit(rounds.find_membership(home=out / name))
    rounds.close_step(folder)
