"""The app that a run names: its hash stands for the code that trains, and nothing of it is run.

Flower ties every run to an app bundle. Ours holds no training code: it lists SHA-256 of each of our
modules, so that its own hash stands for all of them. A party computes
the hash from the code that is installed on its machine, and answers only runs of that hash. Should
somebody start the bundle on Flower's own nodes all the same, its two components only refuse.

Equal code gives equal bytes, on every machine. Every module of the package counts, as training uses
what reads tables and writes numbers, too; versions of libraries do not. Cost: some 800 files are
read once.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The package's folder."""

DATE = (2024, 10, 1, 0, 0, 0)
"""The date that Flower gives all files of a bundle."""

PROJECT = """[project]
name = "aboveboard-training"
version = "1.0.0"
description = "Names the code of aboveboard that trains; parties run their own installed copy."
license = "Apache-2.0"
dependencies = []

[tool.flwr.app]
publisher = "aboveboard"

[tool.flwr.app.components]
serverapp = "aboveboard_training:server"
clientapp = "aboveboard_training:client"

[tool.flwr.app.config]
"""

REFUSING = '''"""Refuses: members run `aboveboard party`, the center runs `aboveboard run`."""

from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

WHY = "this app is not run: start the SuperLink with --isolation process, and `aboveboard party`"
client, server = ClientApp(), ServerApp()


@client.train()
def train(message, context):
    raise RuntimeError(WHY)


@server.main()
def main(grid, context):
    raise RuntimeError(WHY)
'''


@cache
def build_app() -> bytes:
    """Return the bundle, a zip file in Flower's format.

    Examples
    --------
    >>> build_app()[:2]
    b'PK'
    """
    files = {
        "pyproject.toml": PROJECT,
        "aboveboard_training.py": REFUSING,
        "code.txt": _list_code(),
    }
    lines = [
        f"{name},{hashlib.sha256(text.encode()).hexdigest()},{8 * len(text.encode())}"
        for name, text in files.items()
    ]
    files[".info/CONTENT"] = "\n".join(lines)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as target:
        for name, text in files.items():
            target.writestr(zipfile.ZipInfo(name, DATE), text)
    return written.getvalue()


def compute_app_hash() -> str:
    """Return SHA-256 of the bundle, as hexadecimal digits: the app's hash.

    Examples
    --------
    >>> compute_app_hash() == compute_app_hash()
    True
    """
    return hashlib.sha256(build_app()).hexdigest()


def _list_code() -> str:
    files = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))
    # Line ends are those of the machine that unpacked them.
    digests = (
        hashlib.sha256((ROOT / name).read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for name in files
    )
    return "".join(f"{digest}  {name}\n" for digest, name in zip(digests, files, strict=True))
