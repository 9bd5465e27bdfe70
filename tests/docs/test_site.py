"""The site builds without a warning, and its pages fetch nothing from other machines."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from blocks import ROOT

from aboveboard.collaborations.registry import load_mechanisms

FETCHED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
"""Elements that a browser loads by themselves, and the attribute that says from where."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("mkdocs", "material", "mkdocstrings_handlers"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return folder


class _Fetched(HTMLParser):
    """Collects the addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("rel") != "canonical" and (address := given.get(FETCHED.get(tag, ""))):
            self.found.append(address)


@pytest.mark.deep
def test_no_page_fetches_anything_from_another_machine(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = _Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        assert fetched.found
        assert not [found for found in fetched.found if re.match(r"(\w+:)?//", found)], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\"?(https?:)?//|@import", sheet.read_text(encoding="utf-8"))


@pytest.mark.deep
def test_every_mechanism_has_its_page_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    for name in load_mechanisms():
        assert f'href="mechanisms/{name}.html"' in home
        assert f"aboveboard mechanisms {name}" in (site / f"mechanisms/{name}.html").read_text(
            encoding="utf-8"
        ).replace("</span>", "").replace('<span class="w">', "")


@pytest.mark.deep
def test_the_public_face_is_documented(site: Path) -> None:
    import aboveboard as ab

    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html"))
    for name in set(ab.__all__) - {"__version__"}:
        assert re.search(rf'id="aboveboard\.([a-z_]+\.)*{name}"', pages), name


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep requests out of the tests' output."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where a server of the site listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.deep
def test_a_browser_shows_pages_whole_and_asks_nobody_else(browser: Any, address: str) -> None:
    asked, said = [], []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 850})
        for name in (
            "index",
            "tutorial",
            "audit",
            "how-to/operate",
            "mechanisms/index",
            "api/index",
        ):
            page.goto(f"{address}/{name}.html")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()
    assert asked
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert said == []
