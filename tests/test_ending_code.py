"""A user's function that ends the process is refused like one that fails: it is no exit status."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

import aboveboard as ab
from aboveboard.cli import run_app
from aboveboard.curation.social_functions import CustomFunction
from aboveboard.errors import InputError
from aboveboard.learning.market.cached_function import CachedFunction


def leave(*_: object) -> None:
    sys.exit(1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: CustomFunction("mine:leave", leave).table(2),
        lambda: CachedFunction("valuation.function", leave).evaluate((1.0, 2.0)),
    ],
)
def test_a_function_that_ends_the_process_is_an_error_of_its_own(call) -> None:
    with pytest.raises(InputError, match="it failed with SystemExit: 1"):
        call()


def test_a_value_function_that_ends_the_process_is_refused(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("def worth(names):\n    raise SystemExit(3)\n")
    (tmp_path / "c.toml").write_text(
        'mechanism = "exchange.contribution"\nfunction = "leaving:worth"\n'
        "[parties.a]\n[parties.b]\n"
    )
    with pytest.raises(InputError, match="it failed with SystemExit: 3"):
        ab.run(tmp_path / "c.toml", trust_code=True)


def test_a_process_that_something_ends_has_the_exit_status_of_a_crash(
    monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()
    app.command()(lambda: sys.exit(1))
    monkeypatch.setattr(sys, "argv", ["aboveboard"])
    with pytest.raises(SystemExit) as ended:
        run_app(app, "aboveboard")
    assert ended.value.code == 70
    assert "something ended the process" in capsys.readouterr().err
