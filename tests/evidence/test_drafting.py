"""Collaboration files from which no terms can be made are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from aboveboard.commands.rounds import make_keys, open_collaboration
from aboveboard.errors import InputError
from aboveboard.evidence.rounds import Round

PARTIES = "[parties.acme]\n[parties.bolt]\n"


def draft(folder: Path, text: str) -> Round:
    """Open a round of two members from the text of a collaboration file."""
    (folder / "members").mkdir()
    for name in ("acme", "bolt"):
        keys = make_keys(folder / name)
        public = f'{{"sealing":"{keys.sealing}","signing":"{keys.signing}"}}'
        (folder / "members" / f"{name}.json").write_text(public)
    (folder / "c.toml").write_text(f'mechanism = "exchange.union"\nkind = "domain"\n{text}')
    return open_collaboration(folder / "c.toml", folder / "members", folder / "round")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[parties]\nacme = 3\nbolt = {}\n", "parties|members.acme"),
        (f"sees = 3\n{PARTIES}", "it is no table"),
        (f'sees = "all"\n{PARTIES}', "it is no table"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        draft(tmp_path, text)


def test_a_text_that_is_too_long_for_a_name_is_no_file(tmp_path: Path) -> None:
    title = "a" * 300
    assert draft(tmp_path, f'title = "{title}"\n{PARTIES}').terms.parameters["title"] == title
