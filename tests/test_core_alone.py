"""The core works where there is nothing else: no module of an extra is needed to run lists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXTRAS = (
    "scipy sklearn skops ortools fastapi starlette sqlalchemy alembic psycopg uvicorn limits nacl "
    "opendp dask distributed shapiq fastexcel zstandard pyarrow pandas flwr pygambit httpx"
)
"""What the extras bring; a core module may import it where it is used only."""

WITHOUT = f"""
import importlib, importlib.abc, pkgutil, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS.split()!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
"""

IMPORTS = """
import aboveboard
own = ("aboveboard.hub", "aboveboard.desk", "aboveboard.flower", "aboveboard.learning.flower")
own += ("aboveboard.cli.demonstrating",)  # holds a round over the hub, imported by its command
for module in pkgutil.walk_packages(aboveboard.__path__, "aboveboard."):
    if not module.name.startswith(own) and module.name != "aboveboard.__main__":
        importlib.import_module(module.name)
"""


def run_without_extras(code: str, folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT + code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.deep
def test_every_module_of_the_core_is_imported_without_the_extras(tmp_path: Path) -> None:
    run_without_extras(IMPORTS, tmp_path)


@pytest.mark.deep
def test_lists_are_run_audited_and_replayed_without_the_extras(tmp_path: Path) -> None:
    commands = (
        ["init", "exchange.union", "--out", "lists.toml"],
        ["check", "lists.toml"],
        ["run", "lists.toml", "--out", "out"],
        ["audit", "lists.toml"],
        ["replay", "out"],
    )
    for command in commands:
        code = f"from aboveboard.start import main\nsys.argv = ['aboveboard', *{command!r}]\nmain()"
        run_without_extras(code, tmp_path)
