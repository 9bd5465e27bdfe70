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


def test_elements_that_a_spreadsheet_would_compute_count_as_what_they_are(tmp_path: Path) -> None:
    # Written as '@ in b's reply: the audit took that for an element that nobody owns.
    (tmp_path / "a.csv").write_text("=k,n\nx,s\n=1+1,2\n")
    (tmp_path / "b.csv").write_text("k,n\ny,h\n@,2\n")
    path = tmp_path / "c.toml"
    parties = '[parties.a]\ndata = "a.csv"\nkey = "=k"\n[parties.b]\ndata = "b.csv"\nkey = "k"\n'
    path.write_text(f'mechanism = "exchange.union"\nkind = "text"\nseed = 1\n{parties}')
    collaboration = ab.load(path)
    settlement = ab.run(collaboration)
    mechanism, types = collaboration.mechanism, collaboration.reports
    assert mechanism.true_benefits(types, settlement) == {"a": 2, "b": 2}
    assert ab.audit(collaboration).promises_stand
