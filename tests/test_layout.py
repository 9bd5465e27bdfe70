"""Text in a narrow terminal: sentences wrap, and tables that do not fit are stacked."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aboveboard.cli import app, layout
from aboveboard.cli.layout import fit_table, print_text
from aboveboard.cli.options import echo_json
from aboveboard.collaborations.registry import load_mechanisms

HEAD = ["party", "gains", "that lie"]
ROWS = [["anna", "5", "hides one, two, three"], ["bert", "1,200", ""]]

LISTS = """
mechanism = "exchange.union"
kind = "domain"
seed = 7
[parties."a company with a rather long name"]
elements = ["a.example", "b.example", "c.example", "d.example"]
[parties.bert]
elements = ["c.example", "d.example", "e.example"]
[parties.cleo]
elements = ["d.example", "x.example", "y.example"]
"""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    path = tmp_path / "l.toml"
    path.write_text(LISTS)
    return path


def test_a_table_that_fits_is_set_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert fit_table(HEAD, ROWS, right=[1]).splitlines()[1] == "anna       5  hides one, two, three"


def test_a_table_that_is_too_wide_is_stacked_and_loses_no_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    wide = [[*row, "x" * 20] for row in ROWS]
    shown = fit_table([*HEAD, "more"], wide, right=[1], notes=[("a note",), ()])
    assert max(map(len, shown.splitlines())) <= 40
    for cell in ("anna", "5", "hides one, two,", "three", "1,200", "x" * 20, "a note"):
        assert cell in shown


def test_in_a_pipe_a_wide_table_stays_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    wide = [["anna", "x" * 200], ["bert", "y" * 200]]
    assert len(fit_table(["party", "text"], wide).splitlines()) == 3


@pytest.mark.parametrize("command", ["run", "audit", "check", "compare"])
def test_no_line_is_longer_than_sixty_columns(
    command: str, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.chdir(lists.parent)
    options = {"run": ["--out", "s"], "compare": ["--rules", "equal-gain,best-group"]}
    result = CliRunner().invoke(app, [command, "l.toml", *options.get(command, [])])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    longest = max(result.stdout.splitlines(), key=len)
    assert len(longest) <= 60, longest


def show_in_terminal(
    columns: int, *arguments: str, folder: Path, both: bool = True
) -> tuple[int, str]:
    """Run a command in a terminal of some columns; return its status and what the terminal got.

    Without `both` only standard error is the terminal, as before a pager.
    """
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command = [sys.executable, "-m", "aboveboard", *arguments]
    environment = {key: x for key, x in os.environ.items() if key not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=side if both else subprocess.DEVNULL,
        stderr=side,
        cwd=folder,
        env={**environment, "TERM": "xterm"},
    ) as process:
        os.close(side)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal says that its other side is closed
            while block := os.read(main, 65536):
                shown += block
        os.close(main)
        status = process.wait(60)
    return status, shown.decode().replace("\r\n", "\n")


FAULTY = 'mechanism = "exchange.union"\nseed = -1\nrule = "a rule that nobody knows"\n'


@pytest.mark.parametrize(
    "both",
    [True, pytest.param(False, marks=pytest.mark.deep)],
    ids=["terminal", "before a pager"],
)
def test_faults_wrap_on_a_terminal_and_are_one_line_each_in_a_pipe(
    tmp_path: Path, *, both: bool
) -> None:
    (tmp_path / "l.toml").write_text(FAULTY)
    status, shown = show_in_terminal(40, "run", "l.toml", "-o", "s", folder=tmp_path, both=both)
    assert status == 2
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 40
    assert [line[:2] for line in lines].count("ab") >= 2  # each fault begins at the margin
    assert {line[:2] for line in lines} == {"ab", "  "}  # and what follows stands below it
    command = [sys.executable, "-m", "aboveboard", "run", "l.toml", "-o", "s"]
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    faults = piped.stderr.splitlines()
    assert all(each.startswith("aboveboard: l.toml: ") for each in faults)
    assert " ".join(shown.split()) == " ".join(piped.stderr.split())
    assert len(faults) == [line[:2] for line in lines].count("ab")


@pytest.mark.parametrize(
    "command",
    [
        ("audit", "l.toml"),
        pytest.param(("run", "l.toml", "-o", "s"), marks=pytest.mark.deep),
        pytest.param(("design", "v.toml"), marks=pytest.mark.deep),
    ],
)
def test_long_work_shows_its_progress_and_leaves_nothing_of_it(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "l.toml").write_text(LISTS)
    (tmp_path / "v.toml").write_text(load_mechanisms()["valuation.payments"].STARTING_FILE)
    status, shown = show_in_terminal(60, *command, folder=tmp_path)
    assert status == 0
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)  # what moves the cursor and colours
    assert "\x1b" not in said
    assert "[0m" not in said
    assert max(map(len, re.split(r"[\r\n]", said))) <= 60


def test_warnings_wrap_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "l.toml").write_text(LISTS)
    status, shown = show_in_terminal(40, "check", "l.toml", folder=tmp_path)
    assert status == 0
    assert max(map(len, shown.splitlines())) <= 40
    assert "\n  " in shown.partition("warning: ")[2].partition("l.toml: ")[0]


def test_what_a_stranger_wrote_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_text("acme\x1b[2J\rbolt\n\u202etxt.exe\x9b1m \ud800")
    assert capsys.readouterr().out == "acme\\x1b[2J\\rbolt\n\\u202etxt.exe\\x9b1m \\ud800\n"


@pytest.mark.parametrize(
    ("encoding", "option"),
    [
        ("ascii", "text"),
        *(
            pytest.param(encoding, option, marks=pytest.mark.deep)
            for encoding, option in [
                ("cp1252", "text"),
                ("utf-8", "text"),
                ("ascii", "json"),
                ("cp1252", "json"),
                ("utf-8", "json"),
            ]
        ),
    ],
)
def test_what_an_output_cannot_write_is_spelt_out(
    tmp_path: Path, encoding: str, option: str
) -> None:
    file = tmp_path / os.fsdecode(b"l\xff \xe2\x82\xac.toml")
    file.write_text(LISTS)
    ran = subprocess.run(
        [sys.executable, "-m", "aboveboard", "check", file.name, "--format", option],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"},
    )
    assert ran.returncode == 0, ran.stderr
    shown = ran.stdout.decode(encoding)
    if option == "json":
        assert json.loads(shown)["file"] == file.name
    else:
        euro = "\\u20ac" if encoding == "ascii" else "€"
        assert f"l\\udcff {euro}.toml: exchange.union" in shown


def test_whatever_is_said_goes_through_one_function() -> None:
    folder = Path(layout.__file__).parent
    direct = {
        path.name: found
        for path in folder.glob("*.py")
        if (found := len(re.findall(r"\b(?:typer\.echo|print)\(", path.read_text())))
    }
    # Text, JSON, and two files that are printed byte for byte.
    assert direct == {"layout.py": 1, "options.py": 1, "hub_rounds.py": 2}


def test_json_has_no_sign_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"Müller\u202e": ["\x9b2J", "\x1b[2J", "a\nb", "\u2028", "\x7f", "日本"], "n": [1, None]}
    echo_json(data)
    said = capsys.readouterr().out
    assert all(line.isprintable() for line in said.split("\n"))
    assert json.loads(said) == data
    assert "Müller" in said
    assert "日本" in said
