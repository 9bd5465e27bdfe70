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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aboveboard.desk import Desk, DeskServer
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub, make_hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.organizations import invite
from aboveboard.hub.pages.sessions import make_operator_link
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


def press(tab: Any, button: str) -> None:
    """Press a button, and wait for the page that follows."""
    with tab.expect_navigation():
        tab.click(button)


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
    tab.fill("input[name=link]", invite(hub, "acme", address=address).link)
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
    tab.check("input[name=read]")
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
    tab.set_input_files("input[type=file]", files["acme"])
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
    tab.check("input[name=seen]")
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


if __name__ == "__main__":
    main()
