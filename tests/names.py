"""Which public names several modules define, and as what: `python tests/names.py`, to be read.

Functions of several rooms may share a verb; the same word for two things is a fault.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "aboveboard"


def define(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Yield each public name that a module defines, its line, and what it says it is."""
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno, (ast.get_docstring(node) or "").partition("\n")[0]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.lineno, ast.unparse(node.value)[:60] if node.value else ""
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            words = after.value if isinstance(after, ast.Expr) else None
            said = words.value if isinstance(words, ast.Constant) else ""
            yield node.targets[0].id, node.lineno, f"{ast.unparse(node.value)[:60]}  {said}"


def list_shared(package: Path = PACKAGE) -> dict[str, list[str]]:
    """Return by name where it is defined, and as what, if several modules define it."""
    places = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        if "versions" in path.parts:
            continue  # alembic calls a migration's functions by their names
        for name, line, said in define(ast.parse(path.read_text(encoding="utf-8"))):
            if not name.startswith("_"):
                places[name].append(f"{path.relative_to(package)}:{line} {said}")
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


if __name__ == "__main__":
    for name, found in list_shared().items():
        print(name, *found, sep="\n    ")  # noqa: T201 - it is a command
