"""Runs the code of a page of documentation, and compares what the page says that it prints.

    python tests/docs/blocks.py PAGE...

writes the outputs anew into the pages: nobody types an output by hand. `test_blocks.py` runs every
page. A page runs from top to bottom in a fresh folder that holds a copy of `examples/`; the folder
and, for Python, the names are shared by its blocks. A terminal is 100 columns wide, without colour.

- python: is executed. If a text block follows at once, or after a paragraph that ends in a colon,
  it is what was printed.
- any language with title="FILE": is written to that file, and no more.
- toml: must parse.
- sh: every command ends with status 0 (an audit: 0 or 1), each one of a pipe, too; what it prints
  is not compared. A line that installs is not run; the extras that it names must exist.
- console: "$ command", then what a terminal shows. Each command is a shell of its own, but a `cd`
  that stands alone lasts, here as in sh, until the page ends.
- anything else, indented code too, is an error: nothing in a page stays unrun.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]

INSTALLS = re.compile(
    r"\bpip install\b|\bpython3? -m venv\b|\.venv/bin/activate\b|\bdocker\b|\bmkdocs serve\b"
)
"""What a line holds that changes the machine, or never ends."""

EXTRAS = re.compile(r"(?:\.|aboveboard)\[([\w,-]+)\]")

NOT_RUN: Mapping[str, str] = {
    "pytest": "runs this",
    "aboveboard desk": "serves until Ctrl-C; tests/desk walks through every page",
    "aboveboard hub demo": "takes half a minute; tests/hub/test_hub_demonstration.py runs it",
}
"""Commands, without what follows a `#`, that a page may name and that are not run; why."""

SHELL = frozenset("|&;<>$`*?~(){}\n")
"""What makes a line more than one command with its arguments."""


class PageError(AssertionError):
    """A block does not do what the page says."""


@dataclass(frozen=True)
class Block:
    """A fenced block: `line` is where it opens (from 1), `last` the line of its closing fence."""

    language: str
    title: str | None
    text: str
    line: int
    last: int
    prints: bool = False
    """Whether it is the output of the Python block before it."""


@dataclass(frozen=True)
class Shown:
    """What a block of output must say."""

    block: Block
    text: str


def blocks_of(markdown: str, page: str = "page") -> list[Block]:
    """Return the fenced blocks in order; raises `PageError` at what would stay unrun."""
    found: list[Block] = []
    joined = False  # a text block here is what the Python block before printed
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type == "code_block":
            assert token.map is not None
            raise PageError(f"{page}:{token.map[0] + 1}: indented code is not run; fence it")
        if token.type == "inline":
            joined = joined and token.content.rstrip().endswith(":")
        if token.type != "fence":
            continue
        assert token.map is not None
        language, _, rest = token.info.strip().partition(" ")
        title = re.search(r'\btitle="([^"]+)"', rest)
        block = Block(
            language,
            title[1] if title else None,
            token.content,
            token.map[0] + 1,
            token.map[1],
            joined and language == "text" and title is None,
        )
        _refuse_unknown(block, page)
        found.append(block)
        joined = language == "python" and title is None
    return found


def _refuse_unknown(block: Block, page: str) -> None:
    place = f"{page}:{block.line}"
    if block.title is not None:
        if Path(block.title).is_absolute() or ".." in Path(block.title).parts:
            raise PageError(f"{place}: {block.title!r} leaves the page's folder")
    elif block.language == "text" and not block.prints:
        raise PageError(f"{place}: a text block follows a python block, or has a title")
    elif block.language not in {"python", "text", "toml", "sh", "console"}:
        raise PageError(f"{place}: no rule says how {block.language!r} is run")


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """Yield a folder with a copy of the examples, and be in it."""
    with tempfile.TemporaryDirectory(prefix="page-") as name, ExitStack() as stack:
        folder = Path(name).resolve()
        shutil.copytree(
            ROOT / "examples",
            folder / "examples",
            ignore=shutil.ignore_patterns("__pycache__", "settlement*"),
        )
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        terminal = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "MPLBACKEND": "Agg"}
        stack.enter_context(patch.dict(os.environ, {"PATH": path, **terminal}))
        stack.enter_context(patch.object(sys, "path", [str(folder), *sys.path]))
        stack.enter_context(chdir(folder))
        stack.enter_context(_own_modules(folder))
        yield folder


@contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Import the folder's modules anew within, and as before afterwards."""

    def taken() -> dict[str, ModuleType]:
        inside = {
            name: module
            for name, module in list(sys.modules.items())  # threads of other tests may import
            if (getattr(module, "__file__", None) or "").startswith(f"{folder}{os.sep}")
        }
        for name in inside:
            del sys.modules[name]
        return inside

    before = taken()
    try:
        yield
    finally:
        taken()
        sys.modules.update(before)


@contextmanager
def _being(main: ModuleType) -> Iterator[None]:
    """Let a module be the one that was started; what is imported meanwhile stays imported."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        yield
    finally:
        sys.modules["__main__"] = before


@dataclass
class Page:
    """A page on its way: where it runs, the names that its Python has, the last exit status."""

    name: str
    folder: Path
    main: ModuleType = field(default_factory=lambda: ModuleType("__main__"))
    status: int = 0
    printed: str = ""

    def run(self, block: Block) -> Shown | None:
        """Run a block; gives what a block of output must say, None for other blocks."""
        place = f"{self.name}:{block.line}"
        if block.title is not None:
            self._write(block)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "python":
            self.printed = self._executed(block)
        elif block.language == "sh":
            self._done(block, place)
        elif block.language == "console":
            return Shown(block, self._session(block, place))
        else:
            return Shown(block, _tidy(self.printed))
        return None

    def _write(self, block: Block) -> None:
        assert block.title is not None
        path = Path(block.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _executed(self, block: Block) -> str:
        out = StringIO()
        # The leading lines make a traceback name the page's own line.
        code = compile("\n" * block.line + block.text, self.name, "exec")
        with _being(self.main), redirect_stdout(out):
            exec(code, self.main.__dict__)
        return out.getvalue()

    def _done(self, block: Block, place: str) -> None:
        lines = []
        for line in block.text.replace("\\\n", " ").splitlines():
            if INSTALLS.search(line):
                _refuse_unknown_extras(line, place)
            elif line.split(" #")[0].strip() not in NOT_RUN:
                lines.append(line)
        commands = [words for line in lines if (words := _arguments(line)) != []]
        if not all(words is not None and words[0] in {"aboveboard", "cd"} for words in commands):
            status, out = _bash("\n".join(lines), "-e", "-o", "pipefail")
            if status:
                raise PageError(f"{place}: the block ends with {status}:\n{out}")
            return
        for words in commands:
            status, out = self._command(words or [], "")
            # An audit that finds a property to fail ends with 1: that is its answer.
            if status > ((words or [])[:2] == ["aboveboard", "audit"]):
                raise PageError(f"{place}: {shlex.join(words or [])} ends with {status}:\n{out}")

    def _command(self, words: list[str] | None, script: str) -> tuple[int, str]:
        """Run one command, in this process where that is the same and faster."""
        if words and words[0] == "aboveboard":
            return _aboveboard(words, self.folder)
        if words and words[0] == "cd":
            os.chdir(words[1])
            return 0, ""
        # `echo $?` asks for the status of the command before.
        return _bash(f"(exit {self.status})\n{script}")

    def _session(self, block: Block, place: str) -> str:
        said = []
        for command in _commands(block, place):
            script = command.removeprefix("$ ")
            self.status, out = self._command(_arguments(script), script)
            if "Traceback (most recent call last)" in out:
                raise PageError(f"{place}: {command} ends in a traceback:\n{out}")
            said.append(f"{command}\n{_tidy(out)}")
        return "".join(said)


def _refuse_unknown_extras(line: str, place: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {extra for group in EXTRAS.findall(line) for extra in group.split(",")}
    if unknown := named - set(project["optional-dependencies"]):
        raise PageError(f"{place}: there is no extra {', '.join(sorted(unknown))}")


def _arguments(line: str) -> list[str] | None:
    """Return a line's words; None if a shell is needed to know them."""
    words = line.split(" #")[0]
    return None if SHELL & set(words) else shlex.split(words, comments=True)


def _commands(block: Block, place: str) -> list[str]:
    """Return the commands of a session, each as it stands, with the lines that continue it."""
    commands: list[str] = []
    going_on = False
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append(line)
            going_on = line.endswith("\\")
        elif going_on:
            commands[-1] += f"\n{line}"
            going_on = line.endswith("\\")
        elif not commands:
            raise PageError(f"{place}: a console block begins with '$ command'")
    return commands


def _aboveboard(words: list[str], folder: Path) -> tuple[int, str]:
    """Run one of our commands in this process, as a process of its own would: a second faster."""
    from aboveboard.cli import app, run_app

    shown = StringIO()
    status: object = 0
    with (
        patch.object(sys, "argv", words),
        _being(ModuleType("__main__")),
        _own_modules(folder),
        redirect_stdout(shown),
        redirect_stderr(shown),
    ):
        try:
            run_app(app, "aboveboard")
        except SystemExit as end:
            status = end.code
    return (status if isinstance(status, int) else int(status is not None)), shown.getvalue()


def _bash(script: str, *options: str) -> tuple[int, str]:
    ran = subprocess.run(
        ["bash", *options, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout


def _tidy(text: str) -> str:
    """Take trailing blanks away, and end in a newline."""
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines)


def shown_by(page: Path) -> list[Shown]:
    """Run a page; give, for every block of output in it, what it must say."""
    name = page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name
    with fresh_folder() as folder:
        running = Page(name, folder)
        blocks = blocks_of(page.read_text(encoding="utf-8"), name)
        return [shown for block in blocks if (shown := running.run(block)) is not None]


def rewritten(markdown: str, shown: list[Shown]) -> str:
    """Return the page with the outputs that were found."""
    lines = markdown.splitlines(keepends=True)
    for each in reversed(shown):
        opening = lines[each.block.line - 1]
        indent = opening[: len(opening) - len(opening.lstrip())]
        body = [indent + line if line.strip() else line for line in each.text.splitlines(True)]
        lines[each.block.line : each.block.last - 1] = body
    return "".join(lines)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = Path(argument).resolve()
        path.write_text(
            rewritten(path.read_text(encoding="utf-8"), shown_by(path)), encoding="utf-8"
        )
        print(path)  # noqa: T201 - this is a script
