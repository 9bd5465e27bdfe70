"""`exchange.union` as a collaboration file, at its smallest."""

from __future__ import annotations

from pathlib import Path

import aboveboard as ab


def test_a_party_alone_is_audited_too(tmp_path: Path) -> None:
    path = tmp_path / "alone.toml"
    path.write_text('mechanism = "exchange.union"\n[parties.alpha]\nelements = ["a", "b"]\n')
    verdicts = ab.audit(ab.load(path))
    assert verdicts["Pareto efficient"].status == "holds"
    assert verdicts["strong dominance"].status == "vacuous"
    assert not verdicts.any_fails()


def notes_of(path: Path, lists: str, top: str = "") -> list[str]:
    path.write_text(f'mechanism = "exchange.union"\n{top}\n{lists}')
    found: list[str] = ab.run(ab.load(path)).details.get("notes", [])
    return found


def test_a_run_says_that_what_is_handed_out_is_in_one_spelling(tmp_path: Path) -> None:
    lists = '[parties.a]\nelements = ["Bad one"]\n[parties.b]\nelements = ["junk one"]\n'
    (note,) = notes_of(tmp_path / "c.toml", lists, 'normalize = "case"')
    assert note == "elements are compared and delivered in one spelling, which changed 1 of a"
    assert notes_of(tmp_path / "c.toml", lists) == []


def test_a_run_says_who_is_handed_keys_without_the_rest_of_the_row(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("domain,seen\nspam.example,1\n")
    table = '[parties.b]\ndata = "b.csv"\nkey = "domain"\n'
    text = '[parties.a]\nelements = ["bad.example"]\n'
    (note,) = notes_of(tmp_path / "c.toml", text + table)
    assert note.startswith("a sends lines of text and receives only the key of other parties' rows")
    assert notes_of(tmp_path / "c.toml", table) == []
