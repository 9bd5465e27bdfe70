"""Small runs stay small: what takes longer to import than the run itself is not imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LISTS = """\
mechanism = "exchange.union"
seed = 7
[parties.acme]
elements = ["a.example", "b.example", "c.example"]
[parties.bolt]
elements = ["b.example", "d.example"]
[parties.coil]
elements = ["c.example", "e.example"]
"""

LARGE = ("numba", "scipy", "matplotlib", "sklearn", "ortools", "dask", "sqlalchemy", "starlette")

PROGRAM = """
import json, sys
sys.argv = ["aboveboard", *sys.argv[1:]]
from aboveboard.start import main
try:
    main()
except SystemExit as ended:
    status = ended.code
names = sorted({name.partition(".")[0] for name in sys.modules} | set(sys.modules))
sys.stderr.write("\\n" + json.dumps([status, names]))
"""


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (("check", "lists.toml"), ("cryptography", "jinja2", "aboveboard.evidence")),
        (("run", "lists.toml", "--out", "settlement"), ()),
        pytest.param(("audit", "lists.toml"), ("jinja2",), marks=pytest.mark.deep),
    ],
    ids=["check", "run", "audit"],
)
def test_a_small_run_imports_nothing_large(
    command: tuple[str, ...], more: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "lists.toml").write_text(LISTS)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    status, names = json.loads(ended.stderr.splitlines()[-1])
    assert status in (0, None)
    assert not set(names) & {*LARGE, *more}


def test_a_command_looks_for_cycles_seldom_and_not_at_its_end() -> None:
    """What is registered before a command starts runs after all that the command registers."""
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000, gc.get_threshold()[0]))\n"
        "import sys; sys.argv = ['aboveboard', '--version']\n"
        "from aboveboard.start import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert ended.stdout.splitlines()[-1] == "True 50000"
