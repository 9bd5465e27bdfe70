"""Every page of hub and desk in a real browser, on a desktop, on a phone and in print.

The walk is the one that makes the pictures of the docs: an analyst who only clicks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import pages_screenshots  # noqa: E402 - once it is known what is installed

from aboveboard.hub.configuration import Configuration  # noqa: E402 - once it is known what is installed
from aboveboard.hub.home import make_hub  # noqa: E402 - once it is known what is installed
from aboveboard.hub.serving import BackgroundServer  # noqa: E402 - once it is known what is installed

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]  # some 35 pages in a real browser

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# Text that stands beyond the page's edge.
CUT = """() => [...document.querySelectorAll('th, td, p, dd, h1, h2, li')].filter(element =>
  element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
  && !element.closest('.scroll, .skip')
).map(element => element.textContent.slice(0, 40))"""

# Commands and fingerprints that are shown in other letters than they have.
CHANGED = """() => [...document.querySelectorAll('code')].filter(code => {
  const block = code.closest('p, h1, h2, li, dd, td');
  return block && block.textContent.trim().startsWith(code.textContent.trim())
    && getComputedStyle(block, '::first-letter').textTransform !== 'none';
}).map(code => code.textContent)"""


class Inspector(pages_screenshots.Photographer):
    """Looks at each page in place of photographing it."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.found: dict[str, list[str]] = {}
        self.loaded: list[str] = []
        super().__init__(browser, folder)

    def open_tab(self, width: int = pages_screenshots.WIDTH) -> Any:
        tab = super().open_tab(width)
        tab.on("request", lambda request: self.loaded.append(request.url))
        return tab

    def take(self, name: str, tab: Any = None) -> None:
        tab = tab or self.tab
        faults = [f"in other letters: {text}" for text in tab.evaluate(CHANGED)]
        before = tab.viewport_size
        for width in (pages_screenshots.PHONE, before["width"]):
            tab.set_viewport_size({"width": width, "height": before["height"]})
            if tab.evaluate(OVERFLOW) > 0:
                faults.append(f"it overflows at {width} pixels")
            violations = axe.Axe().run(tab).response["violations"]
            faults += [
                f"{v['id']} at {width} pixels: {v['nodes'][0]['html'][:80]}"
                for v in violations
                if v["impact"] in ("serious", "critical", "moderate")
            ]
        tab.emulate_media(media="print")
        tab.set_viewport_size({"width": 680, "height": 1009})
        faults += [f"cut in print: {text}" for text in tab.evaluate(CUT)]
        tab.emulate_media(media="screen")
        tab.set_viewport_size(before)
        self.found[name] = faults


@pytest.fixture(scope="module")
def inspector(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Inspector:
    folder = tmp_path_factory.mktemp("walk")
    limits = {"free_bytes": 0}
    hub = make_hub(folder / "hub", Configuration.model_validate({"limits": limits}))
    looks = Inspector(browser, folder)
    with BackgroundServer(hub) as server:
        pages_screenshots.photograph(looks, hub, server.address, folder)
    hub.close()
    hub = make_hub(folder / "hub 2", Configuration.model_validate({"limits": limits}))
    (folder / "turns").mkdir()
    with BackgroundServer(hub) as server:
        looks.tab = looks.open_tab()
        pages_screenshots.photograph_turns(looks, hub, server.address, folder)
    hub.close()
    return looks


def test_no_page_has_a_barrier_overflows_or_is_cut_in_print(inspector: Inspector) -> None:
    assert {name: faults for name, faults in inspector.found.items() if faults} == {}
    assert len(inspector.found) >= 34


def test_pages_load_nothing_from_elsewhere(inspector: Inspector) -> None:
    assert inspector.loaded
    assert all(url.startswith(("http://127.0.0.1:", "data:")) for url in inspector.loaded)


def test_every_page_has_its_picture_in_the_docs(inspector: Inspector) -> None:
    pictures = {path.stem for path in pages_screenshots.PICTURES.glob("*.png")}
    assert pictures == set(inspector.found)
