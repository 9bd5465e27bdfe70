"""Command lines that are wrong, empty, or ask for no command: what is said, and to whom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from aboveboard.cli import app, run_app

LISTS = """
mechanism = "exchange.union"
seed = 7
[parties.alpha]
elements = ["a.example"]
[parties.beta]
elements = ["b.example"]
"""


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """Run a command line in this process; return its status, its output and its errors."""
    monkeypatch.setattr(sys, "argv", ["aboveboard", *words])
    with pytest.raises(SystemExit) as ended:
        run_app(app, "aboveboard")
    shown = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, shown.out, shown.err


@pytest.mark.parametrize("words", [(), ("hub",), ("keys",)])
def test_without_a_command_the_help_is_shown_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    status, _, shown = run(monkeypatch, capsys, *words)
    asked, written, _ = run(monkeypatch, capsys, *words, "--help")
    assert (status, asked) == (2, 0)
    assert "Commands:\n" in shown
    assert [line.split()[-3:] for line in shown.splitlines()] == [
        line.split()[-3:] for line in written.splitlines()
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("choose", "--shared", "x"), "'--shared': 'x' is not one of 'records'"),
        (("audit", "l.toml", "--rows", "0"), "'--rows': it should be greater than or equal to 1"),
        (("check", "--terms", "l.toml", "--party", "a"), "--terms: it goes with --mine"),
        (("check", "l.toml", "--party", "a"), "--party: it goes with --mine"),
        (("check", "l.toml", "--mine", "x"), "--mine: it needs --party, too"),
        (("check", "--mine", "x"), "--mine: it needs --terms and --party, too"),
        (
            ("check", "--mine", "x", "--terms", "l.toml", "--party", "alpha"),
            "--mine: x: there is no such file; name your own data file",
        ),
        (("compare", "l.toml", "--rules", "a,b,a"), "--rules: it names a twice"),
        (("agree", "nothing"), "nothing: it is neither a round's id nor a round's folder"),
        (("agree", "l.toml"), "l.toml: it is neither a round's id nor a round's folder"),
        (("terms", "l.toml"), "l.toml: it is neither a round's id nor a round's folder"),
    ],
)
def test_a_wrong_word_is_named_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("l.toml").write_text(LISTS)
    status, _, shown = run(monkeypatch, capsys, *words)
    assert status == 2
    assert said in shown
    assert shown.count("\n") == 1
    assert "Value error" not in shown


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
def test_a_shell_gets_the_script_that_completes_commands(tmp_path: Path, option: str) -> None:
    # The variable lets the option take the name of a shell, which typer else looks for.
    told = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "aboveboard", option, "bash"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **told},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "_COMPLETE=complete_bash" in ran.stdout + written


@pytest.mark.parametrize(
    ("raised", "remedy"),
    [
        (PermissionError(13, "Permission denied", "/x"), "ask for permission"),
        (OSError(28, "No space left on device", "/x"), "make room"),
    ],
)
def test_what_the_system_refuses_has_a_remedy_that_helps(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: OSError,
    remedy: str,
) -> None:
    refusing = typer.Typer()

    @refusing.command()
    def refuse() -> None:
        raise raised

    monkeypatch.setattr(sys, "argv", ["aboveboard"])
    with pytest.raises(SystemExit) as ended:
        run_app(refusing, "aboveboard")
    assert ended.value.code == 2
    said = f"aboveboard: /x: {raised.strerror}; {remedy}, or name another place"
    assert capsys.readouterr().err.strip() == said
