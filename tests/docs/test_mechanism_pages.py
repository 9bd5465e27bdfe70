"""Every mechanism has a page that says what the code says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import ROOT, blocks_of
from keys import TABLE, keys_of, table_of, with_tables

from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.commands.choosing import TABLE as CHOICES
from aboveboard.mechanisms.file_model import CollaborationFile

FOLDER = ROOT / "docs" / "mechanisms"
NAMES = sorted(load_mechanisms())
SYSTEMS = sorted({name.partition(".")[0] for name in NAMES})
CLAIM = re.compile(r"\[([\w./-]+)\]\(((?:\.\./)?claims\.md)#([\w-]+)\)")
PAGES = [FOLDER / "index.md", *(FOLDER / f"{name}.md" for name in NAMES)]
PAGES += [ROOT / "docs" / f"{system}.md" for system in SYSTEMS]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _shown(page: Path) -> str:
    """Return what a page's console blocks show; `test_blocks.py` sees to it that it is true."""
    return "".join(b.text for b in blocks_of(_text(page), page.name) if b.language == "console")


def test_every_installed_mechanism_has_a_page_and_every_page_a_mechanism() -> None:
    assert sorted(page.stem for page in FOLDER.glob("*.*.md")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_what_the_product_says_of_its_mechanism(name: str) -> None:
    assert f"$ aboveboard mechanisms {name}\n{name}: " in _shown(FOLDER / f"{name}.md")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_runs_and_audits_its_mechanism(name: str) -> None:
    page = FOLDER / f"{name}.md"
    files = [b.text for b in blocks_of(_text(page)) if b.language == "toml" and b.title]
    assert any(f'mechanism = "{name}"' in text for text in files)
    assert "$ aboveboard run " in _shown(page)
    assert "$ aboveboard audit " in _shown(page)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_keys_is_that_of_the_file_model(name: str) -> None:
    page = FOLDER / f"{name}.md"
    text = _text(page)
    assert TABLE.search(text), f"{page} has no place for its table of keys"
    assert with_tables(text, load_mechanisms()[name].FILE) == text, (
        f"run python tests/docs/keys.py {page}"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_left_out_of_the_table_is_spoken_of(name: str) -> None:
    text = _text(FOLDER / f"{name}.md")
    found = TABLE.search(text)
    assert found
    left = [key for key in (found[1] or "").removeprefix(" without ").split(", ") if key]
    known = {key.place for key in keys_of(load_mechanisms()[name].FILE)}
    for key in left:
        assert key in known
        assert f"`{key.rpartition('.')[2]}`" in text.replace(found[0], "")


def test_tables_of_keys_go_into_the_tables_of_parties_and_of_lists() -> None:
    table = table_of(load_mechanisms()["exchange.union"].FILE)
    assert "| `parties.NAME.elements` |" in table
    assert '| `hiding` | `"partial"` |' in table


def test_the_keys_that_every_file_has_are_on_every_page() -> None:
    for name in NAMES:
        for key in CollaborationFile.model_fields:
            assert f"| `{key}` |" in _text(FOLDER / f"{name}.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_claim_that_a_page_names_is_in_the_table_of_claims(page: Path) -> None:
    text = _text(page)
    there = set(re.findall(r"^## (\S+)$", _text(ROOT / "docs" / "claims.md"), re.MULTILINE))
    links = CLAIM.findall(text)
    assert text.count("claims.md#") == len(links)
    for claim, path, anchor in links:
        assert claim in there
        assert anchor == re.sub(r"[^\w-]", "", claim)
        assert (page.parent / path).exists()


def test_the_index_names_every_mechanism_and_sets_apart_those_that_only_compare() -> None:
    chosen, _, compared = _text(FOLDER / "index.md").partition("## Only to compare with")
    proposed = {row.name for row in CHOICES}
    for name in NAMES:
        assert f"[{name}]({name}.md)" in (chosen if name in proposed else compared)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_systems_page_links_the_pages_of_its_mechanisms(system: str) -> None:
    text = _text(ROOT / "docs" / f"{system}.md")
    for name in NAMES:
        if name.startswith(f"{system}."):
            assert f"(mechanisms/{name}.md)" in text
