"""Names that other systems or eyes confuse, seeds that are guessed, what a file may take."""

from __future__ import annotations

from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.collaborations import toml_file
from aboveboard.commands.checking import check_collaboration

UNION = 'mechanism = "exchange.union"\n'


def write(folder: Path, *names: str, head: str = UNION) -> Path:
    path = folder / "c.toml"
    path.write_text(head + "".join(f'[parties."{n}"]\nelements = ["x"]\n' for n in names))
    return path


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "lpt9", "aux.txt", "prn.tar.gz"])
def test_a_device_of_windows_is_no_party(tmp_path: Path, name: str) -> None:
    with pytest.raises(ab.InputError, match="this cannot be a party's name"):
        ab.load(write(tmp_path, name))


@pytest.mark.parametrize("name", ["console", "com10", "lpt", "nullius", "auxiliary.con"])
def test_a_name_that_only_begins_like_one_is(tmp_path: Path, name: str) -> None:
    assert list(ab.load(write(tmp_path, name, "other")).reports) == [name, "other"]


@pytest.mark.parametrize(
    "pair", [("acme", "ACME"), ("Bank 1", "Bank l"), ("a b", "a  b"), ("B0", "BO"), ("I1", "ll")]
)
def test_two_names_that_look_the_same_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    with pytest.raises(ab.InputError, match=r"the name (differs from|looks like)"):
        ab.load(write(tmp_path, *pair))


@pytest.mark.parametrize("pair", [("p1", "p2"), ("ali", "all"), ("a_b", "a b"), ("p1", "p11")])
def test_two_names_that_differ_are_not(tmp_path: Path, pair: tuple[str, str]) -> None:
    assert list(ab.load(write(tmp_path, *pair)).reports) == list(pair)


@pytest.mark.parametrize(
    ("seed", "warned"),
    [
        ("7", True),
        (str(2**64), True),
        ('"4 May 2026"', True),
        (f'"{2**255}"', False),
        (f'"{"5f" * 32}"', False),
        (f'"{"5f" * 16}"', False),
    ],
)
def test_a_seed_that_can_be_guessed_is_warned_of(tmp_path: Path, seed: str, warned: bool) -> None:
    path = write(tmp_path, "a", "b", head=f"{UNION}seed = {seed}\n")
    warnings = check_collaboration(path).warnings
    assert any("short enough to be guessed" in line for line in warnings) == warned
    assert ab.load(path)  # old files go on working


def test_a_file_that_would_not_fit_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a", "b", head=f'{UNION}name = "{"x" * 3_000_000}"\n')
    monkeypatch.setattr("aboveboard.storage.limits.find_free_memory", lambda: 100_000_000)
    monkeypatch.setattr(toml_file.tomllib, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(ab.InputError, match="reading it would take about"):
        ab.load(path)


@pytest.mark.parametrize("character", ["\u2028", "\u0085", "\x0b", "\x1b", "\u202e", "\x00"])
def test_no_message_carries_a_control_character(tmp_path: Path, character: str) -> None:
    text = f'mechanism = "exchange.un\\u{ord(character):04x}"\n'
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ab.InputError) as refused:
        ab.load(tmp_path / "c.toml")
    assert str(refused.value).isprintable()


def test_a_long_name_of_signs_that_are_escaped_leaves_a_line_of_moderate_length() -> None:
    error = ab.InputError("file", "the columns are: " + "\u2e61" * 5_000, "name one")
    assert len(str(error)) < 2_000
    assert str(error).isprintable()
