"""Examples in docstrings run, and every name that a package exports has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path
from pkgutil import walk_packages

import pytest

import aboveboard
from aboveboard.errors import InputError

ROOT = Path(__file__).parents[1] / "src"
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name: str) -> None:
    module = importlib.import_module(name)
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


SHOWN_TOGETHER = {
    "aboveboard.commands.rounds": "the steps of a round make sense only one after the other",
}
"""Packages whose own docstring shows all that they export, and why."""

SHOWN_ELSEWHERE = {
    "aboveboard.commands.demo": "writes folders for a second; `aboveboard demo` shows it",
    "aboveboard.commands.Demonstration": "what `demo` returns",
    "aboveboard.desk.serve_desk": "serves until Ctrl-C; `DeskServer` shows the same",
    "aboveboard.flower.LocalGrid": "needs flwr; docs/flower.md runs it",
    "aboveboard.flower.make_node": "needs flwr; docs/flower.md runs it",
    "aboveboard.games.from_gambit": "needs pygambit; docs/how-to/pandas-and-pygambit.md runs it",
    "aboveboard.games.to_gambit": "needs pygambit; docs/how-to/pandas-and-pygambit.md runs it",
    "aboveboard.hub.members.ask_for_link": "needs a hub that answers; docs/hub.md runs one",
}
"""Exported names without an example of their own, and the reason."""


PUBLIC_MODULES = ("aboveboard.flower", "aboveboard.testing")
"""Modules that are public though they are no packages."""


def list_exported() -> dict[str, tuple[str, object]]:
    """Every class and function that a package exports, with the package that does."""
    found: dict[str, tuple[str, object]] = {}
    packages = [m.name for m in walk_packages(aboveboard.__path__, "aboveboard.") if m.ispkg]
    for package in ("aboveboard", *packages, *PUBLIC_MODULES):
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            try:
                thing = getattr(module, name)
            except InputError:  # an extra is missing
                found[f"{package}.{name}"] = (package, None)
                continue
            if inspect.isclass(thing) or inspect.isroutine(thing):
                found[f"{package}.{name}"] = (package, thing)
    return found


def test_what_packages_export_shows_an_example() -> None:
    without = [
        name
        for name, (package, thing) in list_exported().items()
        if package not in SHOWN_TOGETHER and ">>> " not in (inspect.getdoc(thing) or "")
    ]
    assert sorted(without) == sorted(SHOWN_ELSEWHERE)


@pytest.mark.parametrize("package", SHOWN_TOGETHER)
def test_what_is_shown_together_is_all_there(package: str) -> None:
    module = importlib.import_module(package)
    examples = doctest.DocTestParser().get_examples(module.__doc__ or "")
    code = "".join(example.source for example in examples)
    assert [name for name in module.__all__ if not re.search(rf"\b{name}\b", code)] == []
