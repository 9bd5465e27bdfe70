"""Every block of code in the documentation runs and prints what the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType

import pytest
from _pytest.mark import ParameterSet
from blocks import ROOT, PageError, Shown, blocks_of, fresh_folder, rewritten, shown_by

PAGES = [
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
    if "```" in page.read_text(encoding="utf-8")
]

NEEDS = {
    "docs/how-to/cluster.md": ("distributed",),
    "docs/how-to/pandas-and-pygambit.md": ("pandas", "pyarrow", "pygambit"),
}
"""What a page needs beyond the core: it is skipped where that is not installed."""


QUICK = ("CONTRIBUTING.md", "docs/audit.md")
"""Pages that every run checks; the others take a minute and are checked in the profile `ci`."""


def _parameter(page: Path) -> ParameterSet:
    name = page.relative_to(ROOT).as_posix()
    return pytest.param(page, id=name, marks=() if name in QUICK else pytest.mark.deep)


@pytest.mark.parametrize("page", [_parameter(page) for page in PAGES])
def test_a_page_does_what_it_says(page: Path) -> None:
    for needed in NEEDS.get(page.relative_to(ROOT).as_posix(), ()):
        pytest.importorskip(needed)
    for shown in shown_by(page):
        place = f"{page.relative_to(ROOT)}:{shown.block.line}"
        assert shown.text == shown.block.text, f"{place}: run python tests/docs/blocks.py {page}"


@pytest.mark.parametrize("system", ["curation", "valuation"])
def test_what_a_page_names_beside_its_blocks_is_in_python(system: str) -> None:
    text = (ROOT / "docs" / f"{system}.md").read_text(encoding="utf-8")
    told = [each for each in re.split(r"\n\n|^- ", text, flags=re.M) if "From Python: `" in each]
    names = [
        name
        for each in told
        for name in re.findall(r"`([A-Za-z_][\w.]+)[(`]", each.partition("From Python: ")[2])
    ]
    assert names
    modules = [f"aboveboard.{system}", *(name for name in names if name.startswith("aboveboard."))]
    missing = [name for name in names if not any(_exists(name, module) for module in modules)]
    assert not missing


def _exists(name: str, module: str) -> bool:
    try:
        resolve_name(name if name.startswith(("aboveboard.", "numpy.")) else f"{module}:{name}")
    except (AttributeError, ImportError):
        return False
    return True


def _page(tmp_path: Path, text: str) -> list[Shown]:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    return shown_by(tmp_path / "page.md")


def test_python_blocks_share_names_and_what_they_print_is_shown(tmp_path: Path) -> None:
    page = (
        "```python\nx = 2\n```\n\n```python\nprint(x + 1)\n```\n\nIt prints:\n\n```text\n?\n```\n"
    )
    assert [shown.text for shown in _page(tmp_path, page)] == ["3\n"]


def test_text_after_other_words_is_no_output(tmp_path: Path) -> None:
    page = "```python\nprint(1)\n```\n\nSomething else.\n\n```text\n1\n```\n"
    with pytest.raises(PageError, match="follows a python block"):
        _page(tmp_path, page)


def test_a_titled_block_is_a_file_that_python_imports_and_the_shell_reads(tmp_path: Path) -> None:
    page = (
        '```python title="given.py"\nWORD = "hello"\n```\n\n'
        "```python\nimport given\nprint(given.WORD)\n```\n\n```text\n```\n\n"
        "```console\n$ head -1 given.py\n```\n"
    )
    shown = _page(tmp_path, page)
    assert [each.text for each in shown] == ["hello\n", '$ head -1 given.py\nWORD = "hello"\n']


def test_a_session_shows_errors_and_statuses_of_each_command(tmp_path: Path) -> None:
    page = "```console\n$ aboveboard check none.toml\n$ echo $?\n$ echo $?\n```\n"
    (shown,) = _page(tmp_path, page)
    lines = shown.text.splitlines()
    assert lines[1].startswith("aboveboard: none.toml: ")
    assert lines[2:] == ["$ echo $?", "2", "$ echo $?", "0"]


@pytest.mark.deep
@pytest.mark.parametrize(
    "command",
    ["aboveboard check none.toml", "aboveboard chek", "aboveboard run", "aboveboard init --help"],
)
def test_a_command_in_this_process_shows_what_a_terminal_shows(
    command: str, tmp_path: Path
) -> None:
    page = f"```console\n$ {command}\n$ echo $?\n$ true && {command}\n$ echo $?\n```\n"
    (shown,) = _page(tmp_path, page)
    here, outside = shown.text.split(f"$ true && {command}\n")
    assert here == f"$ {command}\n{outside}"


@pytest.mark.deep
def test_a_shell_block_stops_where_a_command_fails(tmp_path: Path) -> None:
    assert _page(tmp_path, "```sh\ntest -d examples\n```\n") == []
    with pytest.raises(PageError, match=r"page\.md:1: the block ends with 1"):
        _page(tmp_path, "```sh\nfalse\ntrue\n```\n")
    with pytest.raises(PageError, match=r"page\.md:1: the block ends with 1"):
        _page(tmp_path, "```sh\nfalse | cat\n```\n")
    with pytest.raises(PageError, match=r"aboveboard check none\.toml ends with 2"):
        _page(tmp_path, "```sh\naboveboard check none.toml\n```\n")


def test_an_install_is_not_run_but_its_extras_must_exist(tmp_path: Path) -> None:
    page = "```sh\npython3 -m venv .venv\n. .venv/bin/activate\npip install '.[demo,dev]'\n```\n"
    assert _page(tmp_path, page) == []
    with pytest.raises(PageError, match="there is no extra gold"):
        _page(tmp_path, "```sh\npip install '.[demo,gold]'\n```\n")


@pytest.mark.parametrize("block", ["```rust\nlet x;\n```", "    indented", "```\nplain\n```"])
def test_nothing_stays_unrun(block: str) -> None:
    with pytest.raises(PageError, match="page:3"):
        blocks_of(f"Text.\n\n{block}\n")


def test_a_traceback_is_never_an_output(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="traceback"):
        _page(tmp_path, "```console\n$ python -c 'raise ValueError'\n```\n")


def test_outputs_are_written_into_the_page_and_then_agree(tmp_path: Path) -> None:
    said = "   ```python\n   print(1)\n   ```\n\n   ```text\n   old\n   older\n   ```\n"
    page = f"1. Say:\n\n{said}\nEnd.\n"
    new = rewritten(page, _page(tmp_path, page))
    assert new == page.replace("   old\n   older\n", "   1\n")
    assert all(shown.text == shown.block.text for shown in _page(tmp_path, new))


class Importing(ModuleType):
    """A module that imports another when it is looked at, as any thread may meanwhile."""

    def __getattr__(self, name: str) -> object:
        sys.modules[f"{self.__name__}_{name}"] = ModuleType(name)
        raise AttributeError(name)


def test_a_page_runs_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "modules", {**sys.modules, "importing": Importing("importing")})
    with fresh_folder():
        assert "importing___file__" in sys.modules


def test_a_page_leaves_no_module_behind(tmp_path: Path) -> None:
    _page(tmp_path, '```python title="left.py"\n```\n\n```python\nimport left\n```\n')
    assert "left" not in sys.modules
    with fresh_folder() as folder:
        assert not (folder / "left.py").exists()
