"""Examples in docstrings run, and every name that the core exports has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", ["aboveboard.auditing", "aboveboard.mechanisms"])
def test_what_the_core_exports_shows_an_example(name: str) -> None:
    module = importlib.import_module(name)
    exported = [getattr(module, word) for word in module.__all__]
    without = [
        thing.__name__
        for thing in exported
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and "Examples" not in (inspect.getdoc(thing) or "")
    ]
    assert without == []
