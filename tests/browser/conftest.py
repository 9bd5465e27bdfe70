"""Pages made once, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser.pages import made


@pytest.fixture(scope="module")
def pages(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make all pages; without a browser nothing is made."""
    folder = tmp_path_factory.mktemp("pages")
    files = {}
    for name, html in made(folder):
        files[name] = folder / f"{name.replace('/', '-')}.html"
        files[name].write_text(html, encoding="utf-8", newline="\n")
    return files
