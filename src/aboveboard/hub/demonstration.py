"""A whole round over a hub in one command: hub, worker and five members, offline.

The five members use the same functions as the command line, over HTTP. A hub that cheats can be
played, to see what the members find.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.commands import rounds
from aboveboard.commands.demo_lists import read_lists
from aboveboard.errors import InputError
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.keys import make_private_folder
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.jobs.settling import Tamper
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import agree, attend, join, list_standings
from aboveboard.hub.organizations import invite
from aboveboard.hub.serving import BackgroundServer, bind

PATIENCE = 300
"""Seconds that the members wait for the result."""

CUT = 3
"""Elements that a cheating hub keeps back."""

MOST_REASON = 500
"""Characters of a dispute's reason."""

SHORT_REPLY = "short-reply"
CHEATS = (SHORT_REPLY,)


@dataclass(frozen=True)
class HubDemonstration:
    """The results of the demonstration.

    Parameters
    ----------
    folder
        Where everything lies: `hub/`, and a folder for each member.
    address
        Of the hub while it ran.
    state
        Of the round at its end.
    findings
        What each member's `verify` found.
    """

    folder: Path
    address: str
    state: str
    findings: Mapping[str, Findings]

    @property
    def exit_status(self) -> int:
        """The worst exit status of the members' `verify`."""
        statuses = {found.exit_status for found in self.findings.values()}
        return next(status for status in (1, 3, 0) if status in statuses)

    @property
    def found(self) -> dict[str, list[str]]:
        """What is contradicted, by the member that found it."""
        contradicted = {
            name: [each.what for each in found.contradicted]
            for name, found in self.findings.items()
        }
        return {name: each for name, each in contradicted.items() if each}

    def as_dict(self) -> dict[str, Any]:
        """Return plain data: what each member's `verify` printed, by name."""
        return {
            "folder": str(self.folder),
            "address": self.address,
            "state": self.state,
            "members": {name: found.as_dict() for name, found in self.findings.items()},
            "found": self.found,
        }


@dataclass(frozen=True)
class Scene:
    """What can be looked at while the demonstration runs.

    Parameters
    ----------
    hub
        The hub, which is served.
    address
        Where.
    collaboration
        The id of the round.
    homes
        The folder of each member, by name.
    """

    hub: Hub
    address: str
    collaboration: str
    homes: Mapping[str, Path]


class Audience:
    """Whoever looks on: told when there is something to see, and when all is done."""

    def begin(self, scene: Scene) -> None:
        """Look at the hub before the round is held."""

    def end(self, result: HubDemonstration) -> None:
        """Look at what came out; the hub is served until this returns."""


def demonstrate_hub(
    out: Path, *, cheat: str | None = None, audience: Audience | None = None
) -> HubDemonstration:
    """Hold a round with five real lists over a hub in a new folder.

    Parameters
    ----------
    out
        The folder to make.
    cheat
        How the hub cheats, such as "short-reply"; None: it does not.
    audience
        Who looks on; None: nobody.

    Raises
    ------
    InputError
        If the folder exists, there is no such way to cheat, or the packages that hold the lists
        are not installed.
    """
    if cheat is not None and cheat not in CHEATS:
        raise InputError(f"cheat {cheat!r}", "there is no such one", f"write {', '.join(CHEATS)}")
    if out.exists():
        raise InputError(str(out), "it exists", "name another folder with --out")
    lists = read_lists()
    out = out.resolve()
    bound = bind("127.0.0.1", 0)  # first: terms name their log by the hub's address
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    hub = make_hub(out / "hub", Configuration(name="demonstration", address=address))
    stop = threading.Event()
    tamper = _cut_reply(min(lists)) if cheat == SHORT_REPLY else None
    worker = threading.Thread(target=Worker(hub, tamper=tamper).run, args=(stop,), daemon=True)
    with BackgroundServer(hub, bound) as server:
        worker.start()
        try:
            identifier = _open(hub, out, server.address, lists)
            audience = audience or Audience()
            homes = {name: out / name for name in lists}
            audience.begin(Scene(hub, server.address, identifier, homes))
            result = _hold(out, server.address, identifier, list(lists))
            audience.end(result)
            return result
        finally:
            stop.set()
            worker.join(30)
            hub.close()


def _cut_reply(victim: str) -> Tamper:
    """Return what cuts a member's reply before the hub signs its hash."""

    def tamper(folder: Path, outcome: dict[str, Any]) -> None:
        path = folder / outcome["replies"][victim]
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:-CUT]), encoding="utf-8")

    return tamper


def _open(hub: Hub, out: Path, address: str, lists: Mapping[str, list[str]]) -> str:
    """Let the members join, and open the collaboration; return its id."""
    for name, elements in lists.items():
        home = out / name
        make_private_folder(home)
        (home / "list.txt").write_text("\n".join(elements) + "\n", encoding="utf-8")
        join(invite(hub, name, address=address).link, home)
    file = out / "lists.toml"
    head = 'name = "Disposable e-mail domains"\nmechanism = "exchange.union"\nkind = "domain"\n'
    parties = "".join(f"[parties.{name}]\n" for name in lists)
    file.write_text(head + parties, encoding="utf-8")
    identifier, _ = open_collaboration(hub, file)
    return identifier


def _hold(out: Path, address: str, identifier: str, names: list[str]) -> HubDemonstration:
    """Let the members hold the round, and verify what they get."""
    for name in names:
        agree(identifier, out / name)
    for name in names:
        here = attend(home=out / name)
        here.hand_over(rounds.commit(here.member, out / name / "list.txt"))
    for name in names:
        here = attend(home=out / name)
        here.hand_over(rounds.submit(here.member))
    _await_result(out / names[0])
    findings = {}
    for name in names:
        here = attend(home=out / name)
        bundle = rounds.fetch(here.member, out / name / "result")
        findings[name] = rounds.verify(bundle, out / name / "list.txt", here.member)
        wrong = [each.what for each in findings[name].contradicted]
        reason = "; ".join(wrong)[:MOST_REASON] or None
        here.hand_over(rounds.accept_or_dispute(here.member, reason))
    state = str(list_standings(out / names[0])[0].view["state"])
    return HubDemonstration(out, address, state, findings)


def _await_result(home: Path) -> None:
    """Wait until the hub has settled the round.

    Raises
    ------
    InputError
        If it does not, or says what is wrong.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        view = list_standings(home)[0].view
        if view["state"] != "sealed":
            return
        if view["fault"]:
            raise InputError("the hub", view["fault"], "look at its worker")
        time.sleep(0.2)
    raise InputError("the hub", "there is no result", "look at its worker")
