"""Reads the source and finds names and docstrings that break the grammar of this project.

Functions are verbs, classes are nouns, a docstring says what is returned or done. Run it on a
folder to see what is wrong there: `python tests/grammar.py src/aboveboard/exchange`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

PARTICIPLES = {
    "asked", "begun", "blamed", "bounded", "brought", "built", "chosen", "completed", "counted",
    "curated", "described", "designed", "drawn", "ended", "evaluated", "examined", "expected",
    "found", "given", "handed", "heard", "held", "hung", "joined", "judged", "kept", "known",
    "left", "listed", "lost", "made", "met", "named", "offered", "opened", "paid", "parsed",
    "played", "proposed", "proved", "read_back", "reproduced", "rounded", "said", "sampled",
    "scaled", "searched", "sent", "settled", "shown", "shrunk", "spoken", "spread_out", "stacked",
    "summed", "taken", "thought", "told", "tried", "weighed", "worked", "written",
}  # fmt: skip
"""Participles that once were names of functions or classes here."""

CAUTIOUS = {
    "closed",
    "need",
    "feed",
    "seed",
    "speed",
    "exceed",
    "proceed",
    "embed",
    "shed",
    "bleed",
    "red",
}
"""Words that end in -ed and are no participles."""

OPENINGS = re.compile(r"(Give|Gives|Say|Says|Tell|Tells|Told|Take away)\b")
"""Openings of a docstring that do not say what is returned or done."""


def functions(tree: ast.Module) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Yield the functions and methods of a module, those within functions left out."""

    def within(
        body: list[ast.stmt], owner: ast.ClassDef | None
    ) -> Iterator[tuple[Function, ast.ClassDef | None]]:
        for node in body:
            if isinstance(node, Function):
                yield node, owner
            elif isinstance(node, ast.ClassDef):
                yield from within(node.body, node)

    yield from within(tree.body, None)


def is_property(node: Function) -> bool:
    """Return whether a function is read like a field."""
    names = {n.id for d in node.decorator_list for n in ast.walk(d) if isinstance(n, ast.Name)}
    names |= {
        n.attr for d in node.decorator_list for n in ast.walk(d) if isinstance(n, ast.Attribute)
    }
    return bool(names & {"property", "cached_property", "setter", "validator"})


def is_participle(name: str) -> bool:
    """Return whether the first word of a name is a participle, and no verb."""
    first = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.lstrip("_")).lower().split("_")[0]
    return first in PARTICIPLES or (
        first.endswith("ed") and first not in CAUTIOUS and len(first) > 3
    )


def faults(path: Path) -> Iterator[str]:
    """Yield what breaks the grammar in one module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node, _ in functions(tree):
        if node.name.startswith("__") or is_property(node):
            continue
        where = f"{path}:{node.lineno}"
        if is_participle(node.name):
            yield f"{where}: {node.name} is a participle; a function is a verb"
        if node.name.endswith("_of") and not node.name.startswith("_"):
            yield f"{where}: {node.name} ends in 'of'; say what it does"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and is_participle(node.name):
            words = re.findall(r"[A-Z][a-z]+", node.name)
            if len(words) <= 1:
                yield f"{path}:{node.lineno}: class {node.name} is a participle; a class is a noun"
        if isinstance(node, Function | ast.ClassDef):
            text = ast.get_docstring(node) or ""
            if OPENINGS.match(text):
                yield f"{path}:{node.lineno}: {node.name}: {text.split('.')[0][:60]!r}"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        root = Path(argument)
        for module in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            for fault in faults(module):
                print(fault)  # noqa: T201 - this is a command
