"""Names and docstrings keep the grammar of the project: verbs, nouns, what is returned."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grammar import faults
from names import list_shared

ROOT = Path(__file__).parents[1]
FOLDERS = [
    *sorted(p for p in (ROOT / "src/aboveboard").iterdir() if (p / "__init__.py").is_file()),
    *sorted(p for p in (ROOT / "papers").iterdir() if (p / "__init__.py").is_file()),
]

COINED = {
    r"\bmend(ed|s|ing)?\b": "fix",
    r"\bis asked for\b": "is wanted",
    r"\ba table a party\b": "one table per party",
    r"\b(takes|take) it that\b": "assumes that",
    r"\bnobody is the wiser\b": "nobody notices",
    r"\bhand(s|ed)? on to\b": "pass on to",
    r"\bby heart\b": "",
    r"\bas it were\b": "",
    r"\bREADING\.md\b": "docs/theory.md",
    r"\bin the way: ": "obstacle: ",
    r"\ba line a claim\b": "one line for each claim",
}
"""Phrases that this project once used and that nobody else does, with what to write instead."""

KINDS = (
    ("src", "*.py"),
    ("src", "*.toml"),
    ("src", "*.jinja"),
    ("papers", "*.py"),
    ("examples", "*.py"),
    ("examples", "*.toml"),
    ("docs", "*.md"),
)

TEXTS = [
    *(path for folder, kind in KINDS for path in sorted((ROOT / folder).rglob(kind))),
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")),
]

ANY = re.compile("|".join(COINED), re.IGNORECASE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_functions_are_verbs_classes_are_nouns_and_docstrings_say_what_is_returned(
    folder: Path,
) -> None:
    found = [fault for module in sorted(folder.rglob("*.py")) for fault in faults(module)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(("folder", "kind"), KINDS)
def test_texts_of_every_kind_are_read(folder: str, kind: str) -> None:
    assert any((ROOT / folder).rglob(kind)), "no such file: nothing there was looked at"


def coinages(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if not ANY.search(text):
        return
    for pattern, better in COINED.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path.relative_to(ROOT)}:{line}: {match[0]!r}; write {better!r}"


def test_no_text_uses_a_coined_phrase() -> None:
    found = [each for path in TEXTS for each in coinages(path)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("def told():\n    'Return it.'", "told is a participle"),
        ("def budget_of(x):\n    'Return it.'", "ends in 'of'"),
        ("class Kept:\n    'A thing.'", "class Kept is a participle"),
        ("def read():\n    'Give the text.'", "Give the text"),
    ],
)
def test_what_breaks_the_grammar_is_found(source: str, finding: str, tmp_path: Path) -> None:
    assert ast.parse(source)
    (tmp_path / "module.py").write_text(source)
    assert finding in "; ".join(faults(tmp_path / "module.py"))


def test_what_keeps_the_grammar_is_not_found(tmp_path: Path) -> None:
    source = "class KeptList:\n    'A list.'\n\n    def read_all(self):\n        'Return all.'\n"
    (tmp_path / "module.py").write_text(source)
    assert not list(faults(tmp_path / "module.py"))


SHARED = {
    "DesignTable": "a system's table [design] of the collaboration file",
    "FileT": "a type variable: the model of a mechanism's file",
    "Market": "each system's own market; a system imports none of the others",
    "Payments": "the mechanism `payments` of either system",
    "PaymentsFile": "its collaboration file",
    "ReportT": "a type variable: what a party reports to a mechanism",
    "Result": "a type variable",
}
"""Classes and types that several modules define, and what they mean in all of them."""

YET_SHARED = frozenset(
    {
        "Answer",
        "Form",
        "Identity",
        "Layout",
        "Line",
        "LogInLink",
        "Number",
        "Opening",
        "Place",
        "Rule",
        "Step",
        "Visit",
        "Work",
    }
)
"""What `desk`, `hub` and `storage` call as others do: these may only become fewer."""


def test_a_class_or_type_has_a_name_of_its_own() -> None:
    types = {name for name in list_shared() if name[0].isupper() and not name.isupper()}
    assert types == YET_SHARED | set(SHARED), "name it for what it is, or delete it here"
