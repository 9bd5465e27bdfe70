"""Make the picture of a report on the site's first page, from a run of a starting file.

Needs Chromium. Run it from a checkout after the report has changed:

    python docs/screenshot.py
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import aboveboard as ab
from aboveboard.collaborations import find_mechanism
from aboveboard.commands import run_collaboration, write_starting_file

PICTURE = Path(__file__).parent / "images" / "report.png"
WIDTH, HEIGHT = 760, 1180
"""Pixels: narrow enough to be read where a page shrinks it, high enough for the first picture."""


def main() -> None:
    """Run the exchange of the starting file and photograph its report."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser is None:
        raise SystemExit("docs/screenshot.py needs Chromium on the path")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "lists.toml")
        write_starting_file(find_mechanism("exchange.union", "docs"), file)
        folder = Path(scratch, "settlement")
        run_collaboration(ab.load(file), folder, date="2026-05-03")
        PICTURE.parent.mkdir(exist_ok=True)
        subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={PICTURE}",
                f"file://{folder / 'report.html'}",
            ],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip


if __name__ == "__main__":
    main()
