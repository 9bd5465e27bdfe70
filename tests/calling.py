"""The command line called in the tests' own process: a second sooner than in one of its own."""

from __future__ import annotations

import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

import typer

from aboveboard.cli import app, run_app

make_commands = cache(typer.main.get_command)
"""Makes the command line of our functions: once, not once a call."""


def aboveboard(*arguments: object, cwd: Path | None = None) -> CompletedProcess[str]:
    """Call a command of ours in a folder; return its exit status and what it printed."""
    words = ["aboveboard", *map(str, arguments)]
    out, errors = StringIO(), StringIO()
    status: object = 0
    with (
        chdir(cwd or Path.cwd()),
        patch.object(sys, "argv", words),
        patch.object(typer.main, "get_command", make_commands),
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        try:
            run_app(app, "aboveboard")
        except SystemExit as ended:
            status = ended.code
    number = status if isinstance(status, int) else int(status is not None)
    return CompletedProcess(words, number, out.getvalue(), errors.getvalue())
