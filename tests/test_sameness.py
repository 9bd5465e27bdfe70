"""The whole package reads as if one hand had written it: docstrings, messages, sizes, imports.

Everything here reads the source by `ast`; a finding says file, line and what to fix.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import distribution
from io import StringIO
from pathlib import Path

import pytest

import aboveboard
from collecting import keep_to_the_end

PACKAGE = Path(aboveboard.__file__).parent
pytestmark = pytest.mark.xdist_group("source")  # one process reads it


@cache
def modules() -> dict[Path, ast.Module]:
    """Return every module of the package; read when a test runs, not whenever any is collected."""
    with keep_to_the_end():
        return {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def walk(tree: ast.Module) -> list[ast.AST]:
    """Return all nodes of a module, which ten tests go through."""
    return list(ast.walk(tree))


@cache
def faces() -> list[str]:
    """Return what has an `__all__`, such as "aboveboard.exchange"."""
    return [
        ".".join(("aboveboard", *path.parent.relative_to(PACKAGE).parts))
        for path, tree in modules().items()
        if path.name == "__init__.py"
        and any(
            isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__" for n in tree.body
        )
    ]


ENTRIES = [(entry.name, entry.value) for entry in distribution("aboveboard").entry_points]

HEAVY = (
    "jinja2",
    "matplotlib",
    "numba",
    "numpy",
    "polars",
    "pydantic",
    "rich",
    "scipy",
    "sklearn",
    "typer",
)

LONGEST_MODULE = 400
LONG_FOR_A_REASON = {
    "kernels.py": "compiled functions of one system in one place",
    "kernels_orders.py": "the same",
}

OF_PYTHON = {"KeyError", "IndexError", "AttributeError", "StopIteration", "NotImplementedError"}
"""Errors that a protocol of Python itself asks for: they need no words."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(PACKAGE.parent)}:{getattr(node, 'lineno', 1)}"


def public(path: Path) -> Iterator[tuple[ast.ClassDef | Function, ast.ClassDef | None]]:
    """Yield the public classes, functions and methods of a module, with the class they are in."""

    def within(
        body: list[ast.stmt], owner: ast.ClassDef | None
    ) -> Iterator[tuple[ast.ClassDef | Function, ast.ClassDef | None]]:
        for node in body:
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                yield node, owner
                if isinstance(node, ast.ClassDef):
                    yield from within(node.body, node)

    yield from within(modules()[path].body, None)


def everything_public() -> Iterator[tuple[Path, ast.ClassDef | Function, ast.ClassDef | None]]:
    for path in modules():
        for node, owner in public(path):
            yield path, node, owner


def on_a_face() -> Iterator[tuple[Path, ast.ClassDef | Function]]:
    """Yield what the faces export, where it is defined, once each."""
    seen = set()
    for face in faces():
        module = import_module(face)
        for name in module.__all__:
            thing = getattr(module, name)
            home = sys.modules.get(getattr(thing, "__module__", None) or "")
            if home is None or not str(home.__file__).startswith(str(PACKAGE)):
                continue
            path = Path(str(home.__file__))
            for node, owner in public(path):
                defined = getattr(thing, "__name__", name)
                if owner is None and node.name == defined and (path, defined) not in seen:
                    seen.add((path, defined))
                    yield path, node


def parameters(function: Function) -> list[str]:
    given = function.args
    starred = [a for a in (given.vararg, given.kwarg) if a is not None]
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs, *starred)]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(d) for d in node.decorator_list)


def undocumented_fields(node: ast.ClassDef) -> list[str]:
    """Return the public fields that neither the class docstring names nor a string follows."""
    text = ast.get_docstring(node) or ""
    lacking = []
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            name = field.target.id
            described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            constant = "ClassVar" in ast.unparse(field.annotation)
            if not (described or constant or name.startswith("_") or names(text, name)):
                lacking.append(name)
    return lacking


def entries(text: str) -> list[str] | None:
    """Return the names that the section Parameters describes; None if there is no such section."""
    _, heading, after = text.partition("Parameters\n----------\n")
    if not heading:
        return None
    section = re.split(r"\n\n?\w[\w ]*\n-{3,}\n", after)[0]
    heads = [line for line in section.splitlines() if line and not line.startswith(" ")]
    return [name.strip().lstrip("*") for head in heads for name in head.split(":")[0].split(",")]


def names(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def raised(function: Function) -> set[str]:
    """Return the exceptions that a function itself raises, be it in a function within it."""
    return {
        ast.unparse(node.exc.func).rpartition(".")[2]
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    } - OF_PYTHON


def modules_without_an_opening() -> Iterator[str]:
    for path, tree in modules().items():
        if not ast.get_docstring(tree):
            yield f"{place(path, tree)}: the module does not open with what it is"


def public_names_without_a_docstring() -> Iterator[str]:
    for path, node, owner in everything_public():
        bound = owner is not None and any(
            isinstance(n, ast.Name) and n.id in ("overload", "override")
            for d in getattr(node, "decorator_list", [])
            for n in ast.walk(d)
        )
        setter = any(ast.unparse(d).endswith(".setter") for d in node.decorator_list)
        if not bound and not setter and not ast.get_docstring(node):
            yield f"{place(path, node)}: {node.name} has no docstring"


def parameters_of_a_face_without_words() -> Iterator[str]:
    for path, node in on_a_face():
        text = ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            continue
        given = parameters(node)
        if len(given) <= 2:
            continue
        if entries(text) is None:
            yield f"{place(path, node)}: {node.name} has no section Parameters"


def sections_that_differ_from_the_signature() -> Iterator[str]:
    for path, node, _ in everything_public():
        described = entries(ast.get_docstring(node) or "")
        if described is None:
            continue
        if isinstance(node, Function):
            given = parameters(node)
        else:
            made = [n for n in node.body if isinstance(n, Function) and n.name == "__init__"]
            fields = [n.target for n in node.body if isinstance(n, ast.AnnAssign)]
            given = parameters(made[0]) if made else [ast.unparse(field) for field in fields]
            if node.bases and not made:
                given += described  # some fields are inherited
        if unknown := [name for name in described if name not in given]:
            yield f"{place(path, node)}: {node.name} describes {', '.join(unknown)}, which it lacks"
        unsaid = [name for name in given if name not in described and not name.startswith("_")]
        if isinstance(node, Function) and unsaid:
            yield f"{place(path, node)}: {node.name} says nothing of {', '.join(unsaid)}"


def fields_without_words() -> Iterator[str]:
    for path, node, _ in everything_public():
        data = isinstance(node, ast.ClassDef) and is_dataclass(node)
        if lacking := undocumented_fields(node) if data else []:
            yield f"{place(path, node)}: {node.name} says nothing of {', '.join(lacking)}"


def errors_without_words() -> Iterator[str]:
    for path, node, _ in everything_public():
        if path.parent == PACKAGE / "cli":
            continue  # these docstrings are what --help prints
        text = ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            checks = ("__init__", "__post_init__")
            found = [n for n in node.body if isinstance(n, Function) and n.name in checks]
            unsaid = {error for check in found for error in raised(check)}
        else:
            unsaid = raised(node)
        # What a function of the module makes is an error of ours, named by its class.
        unsaid = {e for e in unsaid if not names(text, "Raises" if e[0].islower() else e)}
        unsaid = {e for e in unsaid if not (e.startswith("_") and names(text, "Raises"))}
        if unsaid:
            errors = ", ".join(sorted(unsaid))
            yield f"{place(path, node)}: {node.name} does not say that it raises {errors}"


ARRAYS = re.compile(r"\b(NDArray|Array|ndarray)\b")
SHAPES = re.compile(r"shape|\(\w+(, [\w+ -]+)+,?\)|\(\w+,\)|for each|each |a row|one (for )?")


def arrays_without_a_shape() -> Iterator[str]:
    for path, node in on_a_face():
        functions = [node] if isinstance(node, Function) else []
        for function in functions:
            annotations = [a.annotation for a in ast.walk(function.args) if isinstance(a, ast.arg)]
            spelled = " ".join(ast.unparse(a) for a in (*annotations, function.returns) if a)
            if ARRAYS.search(spelled) and not SHAPES.search(ast.get_docstring(function) or ""):
                yield f"{place(path, node)}: {node.name} says nothing of the shape of its arrays"


NAMES_THAT_OPEN = re.compile(
    r"[A-Z]{2,}|[A-Z]\b|[A-Za-z]+[A-Z]|Dask\b|Flower\b|Parquet\b|Python\b|No module"
)
"""Acronyms, names, and what Python itself says."""


def voices(argument: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield how the texts that an argument may be begin and end ("" where a value stands)."""
    if isinstance(argument, ast.IfExp):
        yield from voices(argument.body)
        yield from voices(argument.orelse)
    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value, argument.value
    elif isinstance(argument, ast.JoinedStr) and argument.values:
        ends = [
            part.value if isinstance(part, ast.Constant) else ""
            for part in (argument.values[0], argument.values[-1])
        ]
        yield str(ends[0]), str(ends[1])
    elif isinstance(argument, ast.BinOp):
        left, right = list(voices(argument.left)), list(voices(argument.right))
        yield left[0][0] if left else "", right[-1][1] if right else ""


def voice(path: Path, node: ast.Call) -> Iterator[str]:
    """Say what of an InputError is not a lower-case clause without a full stop."""
    for part, argument in zip(("problem", "remedy"), node.args[1:], strict=False):
        for start, end in voices(argument):
            if start[:1].isupper() and not NAMES_THAT_OPEN.match(start):
                yield f"{place(path, argument)}: the {part} {start!r} starts with a capital"
            if end.rstrip().endswith((".", "!")) and not end.endswith(".."):
                yield f"{place(path, argument)}: the {part} ends with a full stop: {end!r}"


def name_last(node: ast.expr) -> str:
    """Return the last word of what is called, such as "InputError"; empty for an expression."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def messages_in_another_voice() -> Iterator[str]:
    for path, tree in modules().items():
        for node in walk(tree):
            if isinstance(node, ast.Call) and name_last(node.func).endswith("InputError"):
                yield from voice(path, node)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('InputError("a", "This is wrong", "fix it")', "starts with a capital"),
        ('InputError("a", f"{x} is wrong.", "fix it")', "ends with a full stop"),
        ('InputError("a", "it is wrong" if b else "bad.", "fix it")', "ends with a full stop"),
        ('InputError("a", "it is wrong", "Fix " + it)', "starts with a capital"),
    ],
)
def test_the_voice_of_messages_is_told(call: str, said: str) -> None:
    (statement,) = ast.parse(call).body
    assert said in " ".join(voice(Path(PACKAGE / "x.py"), statement.value))


def lines_of_code(text: str) -> int:
    """Count the lines on which something stands that is neither a comment nor a docstring."""
    lines: set[int] = set()
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    start_of_statement = True
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type in quiet | {tokenize.ENCODING, tokenize.ENDMARKER}:
            start_of_statement |= token.type == tokenize.NEWLINE
            continue
        if not (token.type == tokenize.STRING and start_of_statement):
            lines.update(range(token.start[0], token.end[0] + 1))
        start_of_statement = False
    return len(lines)


MOST_STATEMENT_LINES = 60
"""Lines of a function's body, its docstring left out; 50 is the aim."""


def functions_that_are_too_long() -> Iterator[str]:
    """Find functions whose steps should have names; migrations list tables."""
    for path, tree in modules().items():
        for node in walk(tree):
            if isinstance(node, Function) and "versions" not in path.parts:
                body = node.body[ast.get_docstring(node) is not None :]
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > MOST_STATEMENT_LINES:
                    yield f"{place(path, node)}: {node.name} has {lines} lines: name its steps"


MOST_INNER_LINES = 12
"""Lines of a function within a function; what is longer is a step with a name of its own."""


def inner_functions_that_are_too_long() -> Iterator[str]:
    for path, tree in modules().items():
        for outer in walk(tree):
            if not isinstance(outer, Function):
                continue
            for node in ast.walk(outer):
                inner = isinstance(node, Function) and node is not outer
                if inner and node.end_lineno - node.body[0].lineno + 1 > MOST_INNER_LINES:
                    yield f"{place(path, node)}: name {node.name} as a step outside of {outer.name}"


def modules_that_are_too_long() -> Iterator[str]:
    for path in modules():
        text = path.read_text()
        if text.count("\n") <= LONGEST_MODULE or path.name in LONG_FOR_A_REASON:
            continue  # telling comments from code takes time
        if (count := lines_of_code(text)) > LONGEST_MODULE:
            yield f"{place(path, modules()[path])}: {count} lines of code; cut it"


def bodies() -> Iterator[tuple[str, str, str]]:
    """Yield functions of more than two statements: the code without its docstring, and where."""
    for path, tree in modules().items():
        for node in walk(tree):
            if isinstance(node, Function):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if sum(isinstance(n, ast.stmt) for b in body for n in ast.walk(b)) > 2:
                    code = ast.dump(ast.Module(body, [])) + ast.dump(node.args)
                    yield code, place(path, node), node.name


def functions_written_twice() -> Iterator[str]:
    first: dict[str, str] = {}
    for code, where, name in bodies():
        if code in first:
            yield f"{where}: {name} is written at {first[code]} already"
        else:
            first[code] = f"{where} ({name})"


def spoken_of(tree: ast.Module) -> Iterator[str]:
    """Yield the words that code uses: names, attributes, imports, and words in strings."""
    for node in walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def code_that_nobody_calls() -> Iterator[str]:
    """Find module-level names that no module uses and no face exports."""
    used = {word for tree in modules().values() for word in spoken_of(tree)}
    for face in faces():
        used |= set(import_module(face).__all__)
    for name, entry in ENTRIES:
        used |= {name, *re.split(r"[.:]", entry)}
    used |= set(import_module("aboveboard.testing").__all__)
    for path, tree in modules().items():
        if "versions" in path.parts:
            continue  # alembic calls a migration's functions by their names
        for node in tree.body:
            defined = isinstance(node, ast.ClassDef | Function) and not node.name.startswith("__")
            if defined and node.name not in used and not node.decorator_list:
                yield f"{place(path, node)}: nothing in the package uses {node.name}"


def numbers_formatted_elsewhere() -> Iterator[str]:
    """Find numbers that an f-string sets as text by a format of its own."""
    for path, tree in modules().items():
        if path.parent.name == "formatting":
            continue
        for node in walk(tree):
            if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
                spec = "".join(
                    part.value for part in node.format_spec.values if isinstance(part, ast.Constant)
                )
                if re.search(r"[,eEfFgG%]$", spec):
                    yield f"{place(path, node)}: use aboveboard.formatting instead of {spec!r}"


def constants_without_a_reason() -> Iterator[str]:
    """Find numbers of a module without words: behind a `#`, or in the string below them.

    Words above or below several assignments without a blank line between them are for all.
    """
    for path, tree in modules().items():
        lines = path.read_text().split("\n")
        for node in tree.body:
            if not (isinstance(node, ast.Assign) and isinstance(node.value, ARITHMETIC)):
                continue
            if not re.fullmatch(NUMBER, ast.unparse(node.value)):
                continue
            name = ast.unparse(node.targets[0])
            block = node.end_lineno
            while re.match(ASSIGNED, lines[block]):
                block += 1
            above = node.lineno - 1
            while re.match(ASSIGNED, lines[above - 1]):
                above -= 1
            explained = lines[block].startswith('"""') or lines[above - 1].startswith("#")
            if not explained and "#" not in lines[node.lineno - 1]:
                yield f"{place(path, node)}: say in words why {name} is {ast.unparse(node.value)}"


ARITHMETIC = ast.Constant | ast.UnaryOp | ast.BinOp
NUMBER = r"-?[\d(][\d.e+\-*/<() ]*"
ASSIGNED = r"_?[A-Z][A-Z0-9_]*(: \w+)? = "
"""An assignment to a constant."""

SILENCED = re.compile(
    r"# (?:noqa(?:: *[A-Z]+[0-9]+(?:, *[A-Z]+[0-9]+)*)?|type: ignore(?:\[[\w, -]+\])?"
    r"|pyright: ignore(?:\[[\w, ]+\])?|fmt: skip|pragma: no cover)"
    r"(?P<why>(?:(?!# (?:noqa|type: ignore|pyright: ignore|fmt: skip|pragma)).)*)"
)
"""What silences a check, and what follows it, up to the next one on the line."""


UNTYPED = ("tests", "benchmarks", "fuzz", "examples")
"""Folders that mypy does not read: it needs no silencing there."""


def silenced_checks_without_a_reason() -> Iterator[str]:
    root = PACKAGE.parents[1]
    others = [path for folder in ("papers", *UNTYPED) for path in (root / folder).rglob("*.py")]
    for path in (*modules(), *others):
        where = path.relative_to(root)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for found in SILENCED.finditer(line):
                outside = where.parts[0] != "src"
                if outside and found[0].startswith("# fmt"):
                    continue  # tables there need no words
                if where.parts[0] in UNTYPED and found[0].startswith("# type"):
                    yield f"{where}:{number}: delete {found[0]!r}: mypy does not read it"
                elif not re.search(r"[a-z]{2}", found["why"]):
                    yield f"{where}:{number}: say in words why {found[0]!r} is needed"


CHECKS = [
    constants_without_a_reason,
    numbers_formatted_elsewhere,
    silenced_checks_without_a_reason,
    functions_written_twice,
    code_that_nobody_calls,
    modules_without_an_opening,
    public_names_without_a_docstring,
    parameters_of_a_face_without_words,
    sections_that_differ_from_the_signature,
    fields_without_words,
    errors_without_words,
    arrays_without_a_shape,
    messages_in_another_voice,
    modules_that_are_too_long,
    inner_functions_that_are_too_long,
    functions_that_are_too_long,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_there_are_no(check: Callable[[], Iterator[str]]) -> None:
    assert not list(check()), "\n".join(["", *check()])


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, aboveboard; print(*sorted({set(HEAVY)} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_the_faces_are_found() -> None:
    systems = {"exchange", "valuation", "learning", "market", "curation", "auditing"}
    assert {f"aboveboard.{name}" for name in systems} | {"aboveboard"} <= set(faces())
