"""Puts tests/ on the path, takes the clock out of hypothesis, groups for xdist, one browser."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("aboveboard", deadline=None)
settings.load_profile("aboveboard")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep in one process what shares an expensive fixture: a file, and who wants the claims."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        wanted = getattr(item, "fixturenames", ())
        group = "claims" if "all_results" in wanted else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="module")  # while it runs, no other event loop may
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
