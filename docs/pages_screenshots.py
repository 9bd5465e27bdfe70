"""Make the pictures of the hub's pages and of the desk, from a whole round on this machine.

Needs Chromium and the extra `dev`. Run it from a checkout after a page has changed:

    python docs/pages_screenshots.py

The tests walk the same pages (`tests/desk`, `tests/hub/pages`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aboveboard.commands.rounds.counting import take_counting_step
from aboveboard.commands.rounds.disputes import open_to_auditor
from aboveboard.desk import Desk, DeskServer
from aboveboard.evidence.round_turns import list_turns
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.collaborations.sharing import list_recoveries
from aboveboard.hub.collaborations.steps import state_own
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members.recovering import vouch_for
from aboveboard.hub.organizations import invite, invite_again
from aboveboard.hub.pages.sessions import make_operator_link
from aboveboard.hub.series.repeating import propose_change
from aboveboard.hub.serving import BackgroundServer

PICTURES = Path(__file__).parent / "images" / "pages"
WIDTH, HEIGHT, TALLEST = 960, 640, 1500
PHONE = 390
PATIENCE = 120_000
"""Milliseconds: a loaded machine takes long to settle and to verify."""

LISTS = {
    "acme": [f"spam-{k}.example" for k in range(40)],
    "bolt": [f"spam-{k}.example" for k in range(25, 70)],
    "core": [f"spam-{k}.example" for k in (3, 9, 27, *range(80, 110))],
}
TERMS = 'name = "Blocklists of 2026"\nmechanism = "exchange.union"\nkind = "domain"\n'


class Photographer:
    """Photographs pages in one browser.

    Parameters
    ----------
    browser
        Of Playwright.
    folder
        Where pictures go.
    """

    def __init__(self, browser: Any, folder: Path) -> None:
        self._browser, self._folder = browser, folder
        self.tab = self.open_tab()

    def open_tab(self, width: int = WIDTH) -> Any:
        """Return a tab of a browser that knows nothing of the others."""
        context = self._browser.new_context(viewport={"width": width, "height": HEIGHT})
        context.set_default_timeout(PATIENCE)
        return context.new_page()

    def take(self, name: str, tab: Any = None) -> None:
        """Photograph what a tab shows, from the top."""
        tab = tab or self.tab
        height = min(tab.evaluate("document.documentElement.scrollHeight"), TALLEST)
        size = tab.viewport_size
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height}
        path = self._folder / f"{name}.png"
        tab.screenshot(path=path, full_page=True, clip=clip)
        _shrink(path)


def _shrink(path: Path) -> None:
    """Reduce a picture to 64 colours: pages have few, and the repository stays small."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
        small.save(path, optimize=True)


MOST_STEPS = 80
"""Presses of the Tab key by which everything on a page must be reached."""


def reach(tab: Any, selector: str) -> None:
    """Go to a part of a page with the Tab key alone, as somebody without a mouse does.

    Raises
    ------
    LookupError
        If it is not reached.
    """
    wanted = tab.wait_for_selector(selector)
    for _ in range(MOST_STEPS):
        tab.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise LookupError(f"{tab.url}: {selector} is not reached with the keyboard")


def press(tab: Any, button: str) -> None:
    """Press a button or follow a link, and wait for the page that follows."""
    reach(tab, button)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


def tick(tab: Any, box: str) -> None:
    """Tick a box."""
    reach(tab, box)
    tab.keyboard.press("Space")


def choose(tab: Any, first: str, key: str | None = None) -> None:
    """Choose one of several: the first one that is reached, or from there with an arrow's key."""
    reach(tab, first)
    tab.keyboard.press(key or "Space")


def write(tab: Any, field: str, text: str) -> None:
    """Type a text into a field."""
    reach(tab, field)
    tab.keyboard.type(text)


def choose_file(tab: Any, field: str, file: Path) -> None:
    """Go to a field of files, and give it one.

    The dialog itself is the system's: a browser without a screen does not always open one.
    """
    reach(tab, field)
    tab.locator(field).set_input_files(file)


def settle(hub: Hub) -> None:
    """Let the worker settle what is sealed."""
    worker = Worker(hub)
    while worker.work():
        pass


def photograph(photographer: Photographer, hub: Hub, address: str, scratch: Path) -> None:
    """Walk through a round at acme's desk, and photograph every page on the way."""
    homes = {name: scratch / name for name in LISTS}
    others = {name: Desk(homes[name]) for name in LISTS if name != "acme"}
    files = {name: scratch / f"{name}.txt" for name in LISTS}
    for name, elements in LISTS.items():
        files[name].write_text("".join(f"{x}\n" for x in elements), encoding="utf-8")
    files["acme"].write_text(files["acme"].read_text() + "not a domain!\n", encoding="utf-8")
    server = DeskServer(Desk(homes["acme"]))
    server.begin()
    tab = photographer.tab
    tab.goto(server.link)
    photographer.take("desk-welcome")
    write(tab, "input[name=link]", invite(hub, "acme", address=address).link)
    press(tab, "button:has-text('Join')")
    for name, desk in others.items():
        desk.join(invite(hub, name, address=address).link)
    file = scratch / "lists.toml"
    file.write_text(TERMS + "".join(f"[parties.{name}]\n" for name in LISTS), encoding="utf-8")
    deadlines = {
        step: time.strftime("%Y-%m-%dT12:00:00Z", time.gmtime(time.time() + days * 86400))
        for step, days in (("agree", 3), ("commit", 6), ("submit", 9), ("accept", 14))
    }
    identifier, _ = open_collaboration(hub, file, deadlines=deadlines)
    round_ = f"{server.link}round/{identifier}"
    tab.goto(server.link)
    photographer.take("desk-collaborations")
    tab.goto(round_)
    photographer.take("desk-round")
    tab.goto(f"{round_}/terms")
    photographer.take("desk-terms")
    tick(tab, "input[name=read]")
    press(tab, "button:has-text('Agree')")

    member = photographer.open_tab()
    link = Desk(homes["acme"]).log_in(Desk(homes["acme"]).hubs[0])
    member.goto(link.address)
    photographer.take("hub-log-in", member)
    press(member, "main button")
    photographer.take("hub-collaborations", member)
    member.goto(f"{address}/collaborations/{identifier}")
    photographer.take("hub-overview", member)
    operator = photographer.open_tab()
    operator.goto(make_operator_link(hub, address))
    press(operator, "main button")
    photographer.take("hub-board", operator)

    for desk in others.values():
        desk.agree(desk.look(identifier))
    tab.goto(f"{round_}/data")
    photographer.take("desk-choose")
    choose_file(tab, "input[type=file]", files["acme"])
    press(tab, "button:has-text('Check it')")
    tab.goto(f"{round_}/data")
    photographer.take("desk-check")
    press(tab, "button:has-text('Commit')")
    photographer.take("desk-committed")
    for name, desk in others.items():
        place = desk.look(identifier)
        copy = scratch / f"copy-{name}" / "list.txt"
        copy.parent.mkdir()
        shutil.copy(files[name], copy)
        desk.keep_files(place, [copy])
        desk.commit(desk.look(identifier))
    tab.goto(f"{round_}/send")
    photographer.take("desk-send")
    tick(tab, "input[name=seen]")
    press(tab, "button:has-text('Send')")
    for desk in others.values():
        desk.submit(desk.look(identifier))
    settle(hub)
    tab.goto(f"{round_}/result")
    photographer.take("desk-result")
    press(tab, "button:has-text('Accept')")
    tab.goto(f"{round_}/log")
    photographer.take("desk-log")
    tab.goto(f"{server.link}keys")
    photographer.take("desk-keys")
    small = photographer.open_tab(PHONE)
    small.goto(round_)
    photographer.take("desk-phone", small)
    server.close()

    for page in ("terms", "audit", "result", "log", "log/0"):
        member.goto(f"{address}/collaborations/{identifier}/{page}")
        while "is being computed" in member.content():
            member.wait_for_timeout(1000)
            member.reload()
        photographer.take(f"hub-{page.replace('/0', '-entry')}", member)
    member.goto(f"{address}/keys")
    photographer.take("hub-keys", member)
    stranger = photographer.open_tab()
    stranger.goto(address)
    photographer.take("hub-stranger", stranger)
    stranger.goto(f"{address}/join")
    photographer.take("hub-join", stranger)
    operator.goto(f"{address}/collaborations")
    photographer.take("hub-all", operator)
    stranger.goto(f"{address}/collaborations/{identifier}?x")
    member.goto(f"{address}/collaborations/0000000000000000")
    photographer.take("hub-nothing", member)


MARKET = (
    'name = "Delivery slots"\nmechanism = "market.propose_and_agree"\nproposer = "acme"\nbits = 3\n'
    'currency = "EUR"\n[parties.acme]\n[parties.bolt]\n'
)
SLOTS = {
    "acme": 'endowment = ["evening"]\nvalues = [{goods = ["evening"], value = 1}, '
    '{goods = ["evening", "morning"], value = 3}]\n',
    "bolt": 'endowment = ["morning"]\nbidding = "additive"\n'
    'values = [{goods = ["morning"], value = 1}]\n',
}


class Gathering:
    """Members with desks, an auditor, and a browser before one desk after the other.

    Parameters
    ----------
    hub, address
        The hub, and where it is.
    folder
        For the members' homes.
    names
        The members.
    """

    def __init__(self, hub: Hub, address: str, folder: Path, names: Iterable[str]) -> None:
        self.hub, self.address, self.folder = hub, address, folder
        self.desks = {
            name: self.welcome(name, invite(hub, name, address=address)) for name in names
        }
        self._servers: list[DeskServer] = []

    def welcome(self, name: str, invitation: Any, home: str = "") -> Desk:
        """Return the desk of somebody who has just joined."""
        desk = Desk(self.folder / (home or name))
        desk.join(invitation.link)
        return desk

    def serve(self, desk: Desk, identifier: str) -> str:
        """Serve a desk, and return the address of a round on it."""
        server = DeskServer(desk)
        server.begin()
        self._servers.append(server)
        return f"{server.link}round/{identifier}"

    def bring(self, identifier: str, file: str, contents: Mapping[str, str]) -> None:
        """Commit each member to its part, and send them all."""
        for name, content in contents.items():
            path = self.folder / f"part-{name}" / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
            desk = self.desks[name]
            desk.keep_files(desk.look(identifier), [path])
            desk.commit(desk.look(identifier))
        for desk in self.desks.values():
            desk.submit(desk.look(identifier))

    def count(self, identifier: str) -> None:
        """Let all members blind and count until there is nothing left to count."""
        desk = next(iter(self.desks.values()))
        while turns := list_turns(desk.look(identifier).round):
            for name in turns:
                here = self.desks[name].look(identifier).attendance
                assert here is not None
                for statement in take_counting_step(here.member).statements:
                    here.hand_over(statement)

    def close(self) -> None:
        """Close all desks that are served."""
        for server in self._servers:
            server.close()


def photograph_turns(photographer: Photographer, hub: Hub, address: str, scratch: Path) -> None:
    """Photograph what not every round asks of a member: each page of it once."""
    people = Gathering(hub, address, scratch / "turns", LISTS)
    judge = people.welcome("judge", invite(hub, "judge", address=address))
    file = scratch / "turns.toml"
    file.write_text(TERMS + "".join(f"[parties.{name}]\n" for name in LISTS), encoding="utf-8")
    more = {"counts": "members", "lost_key": "majority"}
    identifier, _ = open_collaboration(hub, file, auditor="judge", more=more)
    acme, tab = people.desks["acme"], photographer.tab
    round_ = people.serve(acme, identifier)
    for desk in people.desks.values():
        desk.agree(desk.look(identifier))

    propose_change(hub, identifier, {"keep_days": 60})
    tab.goto(f"{round_}/terms")
    photographer.take("desk-change")
    for desk in people.desks.values():
        place = desk.look(identifier)
        assert place.round.pending is not None
        desk.sign_change(place, place.round.pending.digest)

    again = invite_again(hub, "core", address=address)
    people.desks["core"] = people.welcome("core", again, "another machine of core")
    other = photographer.open_tab()
    other.goto(f"{people.serve(people.desks['core'], identifier)}/recovery")
    press(other, "button:has-text('Name my new keys')")
    press(other, "a:has-text('The fingerprint')")
    photographer.take("desk-recovery", other)
    tab.goto(f"{round_}/vouch")
    photographer.take("desk-vouch")
    fresh = people.desks["core"].keys
    assert fresh is not None
    for name in ("acme", "bolt"):
        here = people.desks[name].look(identifier).attendance
        assert here is not None
        vouch_for("core", fresh.fingerprint, here.member.private.name, people.desks[name].home)
    with read(hub.engine) as connection:
        (waiting,) = list_recoveries(connection, identifier)
    proved = {key: getattr(waiting, key) for key in ("signing", "sealing", "proof")}
    state_own(hub, identifier, "vouch", {"member": "core", **proved})

    lists = {name: "".join(f"{x}\n" for x in found) for name, found in LISTS.items()}
    people.bring(identifier, "list.txt", lists)
    tab.goto(f"{round_}/count")
    photographer.take("desk-count")
    people.count(identifier)
    settle(hub)
    acme.answer(acme.look(identifier), "one element is missing")
    tab.goto(f"{round_}/open")
    photographer.take("desk-open")
    for desk in people.desks.values():
        here = desk.look(identifier).attendance
        assert here is not None
        here.hand_over(open_to_auditor(here.member))
    ruling = photographer.open_tab()
    ruling.goto(f"{people.serve(judge, identifier)}/ruling")
    photographer.take("desk-ruling", ruling)
    press(ruling, "button:has-text('Compute it again')")
    photographer.take("desk-findings", ruling)

    file.write_text(MARKET, encoding="utf-8")
    identifier, _ = open_collaboration(hub, file, more={"asks": ["votes"]})
    del people.desks["core"]
    for desk in people.desks.values():
        desk.agree(desk.look(identifier))
    people.bring(identifier, "part.toml", SLOTS)
    settle(hub)
    tab.goto(f"{people.serve(people.desks['bolt'], identifier)}/question")
    photographer.take("desk-question")
    choose(tab, "input[name=step_2][value=yes]")
    choose(tab, "input[name=step_3][value=yes]", "ArrowDown")  # no
    press(tab, "button:has-text('Show what will be sent')")
    photographer.take("desk-answer")
    people.close()


@contextmanager
def start_browser() -> Iterator[Any]:
    """Start headless Chromium, Debian's or the one that ABOVEBOARD_CHROMIUM names."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("ABOVEBOARD_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("docs/pages_screenshots.py needs Chromium on the path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def main() -> None:
    """Serve a hub, and photograph its pages and a desk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        limits = {"free_bytes": 0}
        hub = make_hub(
            folder / "hub", Configuration.model_validate({"name": "Example hub", "limits": limits})
        )
        with BackgroundServer(hub) as server, start_browser() as browser:
            photograph(Photographer(browser, out), hub, server.address, folder)
        hub.close()
        (folder / "turns").mkdir()
        hub = make_hub(folder / "hub 2", Configuration.model_validate({"limits": limits}))
        with BackgroundServer(hub) as server, start_browser() as browser:
            photograph_turns(Photographer(browser, out), hub, server.address, folder)
        hub.close()


if __name__ == "__main__":
    main()
