"""One browser, and pages made once, for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.pages import made


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start headless Chromium, Debian's or the one that ABOVEBOARD_CHROMIUM names."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = os.environ.get("ABOVEBOARD_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def pages(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make all pages; without a browser nothing is made."""
    folder = tmp_path_factory.mktemp("pages")
    files = {}
    for name, html in made(folder):
        files[name] = folder / f"{name.replace('/', '-')}.html"
        files[name].write_text(html, encoding="utf-8", newline="\n")
    return files
