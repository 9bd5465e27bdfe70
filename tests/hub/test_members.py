"""A member's side: the same functions as the command line, over real HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from houses import LISTS
from typer.testing import CliRunner

from aboveboard.commands import rounds
from aboveboard.commands.rounds.member import leave
from aboveboard.errors import InputError
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.archiving import archive_ended
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import agree, find_mirror, join, list_standings, pull, push
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.organizations import invite
from aboveboard.hub.series.repeating import open_next, propose_change
from aboveboard.hub.serving import BackgroundServer
from databases import start_hub


@dataclass
class Town:
    """A hub that is served, and members with folders of their own."""

    hub: Hub
    server: BackgroundServer
    folder: Path

    def home(self, name: str) -> Path:
        return self.folder / name

    def join(self) -> None:
        for name, elements in LISTS.items():
            self.home(name).mkdir()
            (self.home(name) / "list.txt").write_text("\n".join(elements) + "\n")
            join(invite(self.hub, name, address=self.server.address).link, self.home(name))

    def open(self, **more: Any) -> str:
        file = self.folder / "lists.toml"
        head = 'name = "lists"\nmechanism = "exchange.union"\nkind = "domain"\n'
        file.write_text(head + "".join(f"[parties.{name}]\n" for name in LISTS))
        return open_collaboration(self.hub, file, more=more)[0]

    def follow_on(self, identifier: str) -> str:
        """Begin the next round, and let all agree to it; return its id."""
        following, _ = open_next(self.hub, identifier)
        for name in LISTS:
            agree(following, self.home(name))
        return following

    def follow(self, name: str, round_: str | None = None) -> tuple[rounds.Membership, Mirror]:
        member = rounds.find_membership(round_, self.home(name))
        mirror = find_mirror(member.folder)
        assert mirror is not None
        pull(mirror, member.keys)
        return member, mirror

    def commit(self) -> None:
        for name in LISTS:
            member, mirror = self.follow(name)
            push(mirror, rounds.commit(member, self.home(name) / "list.txt"), member.keys)

    def submit(self) -> None:
        for name in LISTS:
            member, mirror = self.follow(name)
            push(mirror, rounds.submit(member), member.keys)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    hub = start_hub(tmp_path / "hub", Configuration.model_validate({"limits": {"free_bytes": 0}}))
    with BackgroundServer(hub) as server:
        yield Town(hub, server, tmp_path)
    hub.close()


def test_members_join_and_hold_a_round_and_verify_it(town: Town) -> None:
    town.join()
    identifier = town.open()
    assert list_standings(town.home("acme"))[0].view["next"] == "agree"
    for name in LISTS:
        agree(identifier, town.home(name))
    town.commit()
    town.submit()
    assert Worker(town.hub).work()
    for name in LISTS:
        member, mirror = town.follow(name)
        rounds.fetch(member, town.home(name) / "result")
        found = rounds.verify(town.home(name) / "result", town.home(name) / "list.txt", member)
        assert found.exit_status == 0, str(found)
        push(mirror, rounds.accept_or_dispute(member), member.keys)
    assert list_standings(town.home("acme"))[0].view["state"] == "settled"


def test_a_member_leaves_and_the_round_ends_as_the_terms_say(town: Town) -> None:
    town.join()
    identifier = town.open()
    agree(identifier, town.home("acme"))
    member, mirror = town.follow("acme")
    assert push(mirror, leave(member), member.keys)["state"] == "declined"
    assert list_standings(town.home("bolt"))[0].view["next"] is None


def test_a_hub_that_forgot_what_it_showed_is_refused_and_both_notes_are_kept(town: Town) -> None:
    town.join()
    identifier = town.open()
    backup = town.folder / "old.sqlite"
    town.hub.engine.dispose()
    shutil.copy(town.hub.folder / "hub.sqlite", backup)
    mirror, _ = agree(identifier, town.home("acme"))
    town.hub.engine.dispose()
    for leftover in town.hub.folder.glob("hub.sqlite*"):
        leftover.unlink()
    shutil.copy(backup, town.hub.folder / "hub.sqlite")
    with pytest.raises(InputError, match="not the one that it showed you before"):
        town.follow("acme")
    assert (mirror.folder / "checkpoint.note").read_text().split("\n")[1] == "2"
    assert (mirror.folder / "checkpoint-refused.note").read_text().split("\n")[1] == "1"


def test_a_link_to_a_hub_with_other_keys_is_refused(town: Town) -> None:
    link = invite(town.hub, "acme", address=town.server.address).link
    with pytest.raises(InputError, match="somebody may stand between"):
        join(f"{link[:-16]}{'0' * 16}", town.home("acme"))


def test_terms_of_another_center_are_not_signed(town: Town) -> None:
    town.join()
    identifier = town.open()
    place = next((town.home("acme") / "hubs").glob("*/known-hub.json"))
    known = json.loads(place.read_text())
    known["center"]["signing"] = known["log"]
    place.write_text(json.dumps(known))
    with pytest.raises(InputError, match="other keys than the hub had"):
        agree(identifier, town.home("acme"))


@pytest.mark.deep
def test_a_hub_that_is_not_there_is_named(town: Town) -> None:
    town.join()
    town.server.close()
    with pytest.raises(InputError, match="cannot be reached"):
        list_standings(town.home("acme"))


def run(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    environment = {**os.environ, "ABOVEBOARD_HOME": str(home or "")}
    command = [sys.executable, "-m", "aboveboard", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=240
    )


def call(home: Path, *arguments: str) -> str:
    """Run the command line of a member in this process; return what it prints."""
    from aboveboard.cli import app

    done = CliRunner().invoke(app, arguments, env={"ABOVEBOARD_HOME": str(home)})
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return done.output


@pytest.mark.deep
def test_the_command_line_takes_members_through_a_round_and_a_change(town: Town) -> None:
    links = {n: invite(town.hub, n, address=town.server.address).link for n in LISTS}
    for name, elements in LISTS.items():
        town.home(name).mkdir()
        (town.home(name) / "list.txt").write_text("\n".join(elements) + "\n")
        call(town.home(name), "join", links[name])
    file = town.folder / "lists.toml"
    file.write_text('mechanism = "exchange.union"\n[parties.acme]\n[parties.bolt]\n')
    identifier, _ = open_collaboration(town.hub, file)
    for name in ("acme", "bolt"):
        call(town.home(name), "agree", identifier)
    propose_change(town.hub, identifier, {"members": list(LISTS), "missing": "continue"})
    for name in ("acme", "bolt"):
        assert "members.core" in call(town.home(name), "sign-change", "--yes")
    # Who has signed nothing yet must name the round, and `status` does.
    assert f"sign-change {identifier}" in call(town.home("core"), "status")
    assert "has your signature" in call(town.home("core"), "sign-change", identifier, "--yes")
    for name in LISTS:
        call(town.home(name), "commit", str(town.home(name) / "list.txt"))
    for name in LISTS:
        call(town.home(name), "submit")
    assert Worker(town.hub).work()
    for name in LISTS:
        home = town.home(name)
        call(home, "fetch", "--out", str(home / "result"))
        call(home, "verify", str(home / "result"), "--mine", str(home / "list.txt"))
        call(home, "accept")
    seen = json.loads(call(town.home("acme"), "status", "--format", "json"))
    assert seen[0]["state"] == "settled"


def test_a_member_of_two_rounds_is_shown_commands_that_work(town: Town) -> None:
    town.join()
    first, second = town.open(), town.open()
    for identifier in (first, second):
        agree(identifier, town.home("acme"))
    with pytest.raises(InputError, match=f"2 rounds fit; .*{first}.*") as refused:
        rounds.find_membership(home=town.home("acme"))
    assert second in str(refused.value)
    for identifier in (first, second):
        member = rounds.find_membership(identifier, town.home("acme"))
        assert member.folder.name == identifier
        by_hash = rounds.find_membership(member.private.name[:12], town.home("acme"))
        assert by_hash.folder == member.folder
    for name in ("bolt", "core"):
        agree(first, town.home(name))
    assert f"your turn: aboveboard commit FILE --terms {first}" in call(town.home("acme"), "status")


@pytest.mark.deep
def test_serve_prints_its_address_as_its_first_line(tmp_path: Path) -> None:
    folder = str(tmp_path / "hub")
    assert run("hub", "init", folder).returncode == 0
    command = [sys.executable, "-m", "aboveboard", "hub", "serve", folder, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        from urllib.request import ProxyHandler, build_opener

        with build_opener(ProxyHandler({})).open(f"{said['address']}/health", timeout=60) as answer:
            assert json.load(answer)["status"] == "ok"
        server.terminate()
        assert server.wait(20) in (0, -15, 143)


@pytest.mark.deep
def test_a_member_sees_before_it_commits_that_its_list_has_changed_too_much(town: Town) -> None:
    town.join()
    first = town.open(repeats={"added": 1}, keep_days=0)
    for name in LISTS:
        agree(first, town.home(name))
    town.commit()
    town.submit()
    assert Worker(town.hub).work()
    mine = town.home("acme") / "list.txt"
    mine.write_text(mine.read_text() + "new1.example\nnew2.example\n")
    second = town.follow_on(first)
    with pytest.raises(InputError, match="2 elements that your last list had not"):
        rounds.commit(town.follow("acme", second)[0], mine)
    state_own(town.hub, second, "cancel", {"reason": "nobody has got anything by it"})
    third = town.follow_on(second)
    with pytest.raises(InputError, match="2 elements that your last list had not"):
        rounds.commit(town.follow("acme", third)[0], mine)
    for name in LISTS:
        member, mirror = town.follow(name, first)
        push(mirror, rounds.accept_or_dispute(member, unverified=True), member.keys)
    archive_ended(replace(town.hub, clock=lambda: time() + 2))
    town.follow("acme", first)  # the log says that nothing is left with which the center compares
    member, mirror = town.follow("acme", third)
    assert push(mirror, rounds.commit(member, mine), member.keys)["state"] == "committing"


def test_an_invitation_leads_to_where_the_hub_is_served(town: Town) -> None:
    from aboveboard.cli import app

    runner = CliRunner()
    folder = str(town.hub.folder)
    asked = ["hub", "invite", folder, "delta", "--format", "json", "--address"]
    given = runner.invoke(app, [*asked, town.server.address])
    link = json.loads(given.stdout)["link"]
    assert join(link, town.home("delta")).name == "delta"
    again = ["hub", "recover", folder, "delta", "--format", "json", "--address"]
    renewed = runner.invoke(app, [*again, town.server.address])
    assert json.loads(renewed.stdout)["link"].startswith(f"{town.server.address}/join#")
    for wrong in ("", "nope", "https://hub.example/", "https://a@hub.example", "ftp://hub.example"):
        refused = runner.invoke(app, [*asked[:3], "echo", *asked[4:], wrong])
        assert isinstance(refused.exception, InputError), wrong
        assert "it is not the address of a hub" in str(refused.exception)
