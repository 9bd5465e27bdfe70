"""A user's function, "module:function": where its code lies, what it depends on, and loading it.

A function is known by the content of its code, so that what was evaluated is believed as long as
nothing changes that it is made of, and so that a worker process that lives longer than a run does
not go on with code of yesterday. Its code is the module's file and, where the module is the user's
own and not installed, the modules of the same folder that it imports, directly or through another
of them, as far as `import` statements tell. Cost: each file is read and parsed once.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import sysconfig
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from traceback import extract_tb
from typing import Any

from aboveboard.errors import AboveboardError, InputError
from aboveboard.games.numbers import Number, to_number

REMEDY = 'name it as "module:function", importable'
PROCESS_ID = uuid.uuid4().hex
"""Of this process: a task that comes back here runs among the modules that are loaded."""


@dataclass(frozen=True)
class Source:
    """Where a function comes from.

    Parameters
    ----------
    module, attribute
        Its name, before and after the colon.
    folder
        Where its module is found; None for one without a file.
    code
        SHA-256 of the code that it is made of.
    reads
        SHA-256 of the data files that the user says it reads.
    home
        The process that named it.
    """

    module: str
    attribute: str
    folder: str | None
    code: str
    reads: tuple[str, ...] = ()
    home: str = PROCESS_ID

    @property
    def name(self) -> str:
        """Return the name as the user writes it."""
        return f"{self.module}:{self.attribute}"

    @property
    def content(self) -> Content:
        """Return what decides which code is meant."""
        return self.folder, self.code, self.reads


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Parameters
    ----------
    value
        The number; None where there is none.
    problem
        In words what went wrong; empty where nothing did.
    """

    value: Number | None
    problem: str = ""


Function = Callable[..., Any]
Content = tuple[str | None, str, tuple[str, ...]]
"""Folder, code and data of a source."""
_loaded: dict[tuple[str, Content], Function] = {}
_imported: dict[str, Content] = {}
"""By module: the content with which it was imported."""
_of_others: dict[Source, Source] = {}
"""By source as another process has named it: as it is found from here."""
_importing = threading.Lock()


class NotExecuted(BaseException):
    """A user's function was called while code must not run; it passes every handler of errors."""


_execution_is_forbidden: ContextVar[bool] = ContextVar("execution_is_forbidden", default=False)


@contextmanager
def forbid_execution() -> Iterator[None]:
    """Let users' functions be named but neither imported nor called: a call raises `NotExecuted`."""
    token = _execution_is_forbidden.set(True)
    try:
        yield
    finally:
        _execution_is_forbidden.reset(token)


def _refuse_call(source: Source) -> Function:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotExecuted(source.name)

    return refuse


def source_of(name: str, reads: tuple[str, ...] = ()) -> Source:
    """Find "module:function" and fingerprint its code, without running any of it.

    Raises
    ------
    InputError
        If there is no such module.
    """
    module, _, attribute = name.partition(":")
    importlib.invalidate_caches()  # the file may be younger than the last look at its folder
    try:
        spec = _spec(module)
    except (ImportError, ValueError) as error:
        raise InputError(f"function {name!r}", str(error), REMEDY) from error
    if spec is None:
        raise InputError(f"function {name!r}", f"No module named {module!r}", REMEDY)
    if spec.origin is None or not Path(spec.origin).is_file():
        return Source(
            module, attribute, None, _digest([module, *map(str, sys.version_info[:2])]), reads
        )
    origin = Path(spec.origin).resolve()
    depth = module.count(".") + (origin.name == "__init__.py")
    folder = origin.parents[depth]
    files = [origin] if _installed(origin) else _files(module, folder)
    parts = [part for file in files for part in (_place(file, folder), _digest_of(file))]
    return Source(module, attribute, str(folder), _digest(parts), reads)


def function_of(source: Source) -> Function:
    """Return the function, its module imported anew if its code or data have changed since.

    Raises
    ------
    InputError
        If it cannot be imported or is not callable.
    """
    if _execution_is_forbidden.get():
        return _refuse_call(source)
    key = (source.name, source.content)
    with _importing:
        if key not in _loaded:
            _loaded[key] = _fresh(source)
        return _loaded[key]


def function_named(name: str, place: str, others: Sequence[str] = ()) -> Function:
    """Find the function that a key of a collaboration file names.

    Parameters
    ----------
    name
        "module:function".
    place
        The key, for messages.
    others
        What else the key could say.

    Raises
    ------
    InputError
        If it cannot be imported or is not callable.
    """
    known = f"{', '.join(others)}, or " if others else ""
    remedy = f'write {known}"module:function" that can be imported'
    if ":" not in name:
        raise InputError(place, f"there is no {name!r}", remedy)
    try:
        return function_of(source_of(name))
    except InputError as error:
        right = remedy if error.remedy == REMEDY else error.remedy
        raise InputError(place, f"{name!r}: {error.problem}", right) from error


def own_code(name: str) -> str | None:
    """Return the SHA-256 of the code of "module:function" where it is the user's own; else None."""
    try:
        source = source_of(name)
    except InputError:
        return None
    if source.folder is None or any(
        _installed(Path(source.folder, *source.module.split(".")[:1]).with_suffix(suffix))
        for suffix in ("", ".py")
    ):
        return None
    return source.code


def call_named(source: Source, told: Any) -> Outcome:
    """Call the function in whatever process this is; picklable, for executors."""
    if source.home == PROCESS_ID:
        return call(function_of(source), told)
    with _quiet:
        try:
            function = function_of(_at(source))
        except InputError as error:
            return Outcome(None, f"a worker cannot load it: {error.problem}")
        return call(function, told)


def call(function: Function, told: Any) -> Outcome:
    """Call a stranger's function; what it raises is an outcome too."""
    try:
        value = function(told)
    except (Exception, SystemExit) as error:
        return Outcome(None, f"it failed with {type(error).__name__}: {error}")
    try:
        found = to_number(value)
    except ValueError:
        return Outcome(None, f"it gives {value!r}, which is no finite number")
    return Outcome(int(found) if isinstance(found, int) else found)


@contextmanager
def local_imports(source: Source | None) -> Iterator[None]:
    """Run functions in this process: imports beside them are found, prints go to stderr."""
    folder = None if source is None or source.folder in sys.path else source.folder
    if folder is not None:
        sys.path.append(folder)
    try:
        # What a stranger's code prints must not mix with what a command prints for programs.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if folder in sys.path:
            sys.path.remove(str(folder))


@contextmanager
def attribute_errors(name: str) -> Iterator[None]:
    """Turn errors of a user's own mechanism, "module:Class", into one line that says where.

    Ours, which are named without a colon, are not excused: what they raise is a bug to report.

    Raises
    ------
    InputError
        In place of what the mechanism raised.
    """
    try:
        yield
    except AboveboardError:
        raise
    except Exception as error:
        if ":" not in name:
            raise
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise InputError(
            f"mechanism {name!r}",
            f"it fails with {said}{_line_of(error, name)}",
            "mend it; 'ab.run' and 'ab.audit' in Python show the whole traceback",
        ) from error


def _line_of(error: Exception, name: str) -> str:
    """Return the last line of the mechanism's own module that was at work."""
    file = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    own = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""


class _Quiet:
    """Standard output goes to standard error while any thread is inside."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = threading.Lock(), 0, sys.stdout

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before, sys.stdout = sys.stdout, sys.stderr
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                sys.stdout = self.before


_quiet = _Quiet()


def _spec(module: str) -> ModuleSpec | None:
    """Find a module where it is now, not where it was when some run imported it."""
    path: Any = None
    spec = None
    names = module.split(".")
    for k in range(len(names)):
        name = ".".join(names[: k + 1])
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return importlib.util.find_spec(module)  # built in, or found by another way
        path = spec.submodule_search_locations
        if path is None and k < len(names) - 1:
            raise ImportError(f"{name!r} is not a package")
    return spec


def _at(source: Source) -> Source:
    """Find the same code from here, once, and refuse other code of the same name."""
    if source in _of_others:
        return _of_others[source]
    if source.folder is not None and source.folder not in sys.path:
        sys.path.append(source.folder)
    found = source_of(source.name, source.reads)
    if (found.folder, found.code) != (source.folder, source.code):
        raise InputError(
            f"function {source.name!r}",
            f"it is other code there than in {source.folder}",
            "workers must see the same files as this machine",
        )
    _of_others[source] = replace(source, home=PROCESS_ID)
    return _of_others[source]


def _fresh(source: Source) -> Function:
    place = f"function {source.name!r}"
    if source.folder is not None:
        _forget_others(source, Path(source.folder))
    # Bytecode is recognised by whole seconds and size: an edit within a second would go unseen.
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        found: Any = importlib.import_module(source.module)
        for part in source.attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(place, str(error).partition("\n")[0], REMEDY) from error
    except (Exception, SystemExit) as error:
        said = str(error).partition("\n")[0]
        problem = f"its module fails with {type(error).__name__}: {said}"
        raise InputError(place, problem, "mend the module") from error
    finally:
        sys.dont_write_bytecode = writes
    if not callable(found):
        raise InputError(place, "it cannot be called", "name a function")
    _imported[source.module] = source.content
    return found  # type: ignore[no-any-return]


def _forget_others(source: Source, folder: Path) -> None:
    """Forget modules by the names of this code that are other code, or have changed since."""
    changed = _imported.get(source.module, source.content) != source.content
    files = {_module_name(file, folder): file for file in _files(source.module, folder)}
    for name, file in files.items():
        there = getattr(sys.modules.get(name), "__file__", None)
        if there is None or _installed(Path(there).resolve()):
            continue
        if changed or Path(there).resolve() != file:
            del sys.modules[name]
            # A package without a file of its own remembers where its modules lay.
            for k in range(1, name.count(".") + 1):
                parent = ".".join(name.split(".")[:k])
                if getattr(sys.modules.get(parent), "__file__", "") is None:
                    del sys.modules[parent]


def _installed(file: Path) -> bool:
    paths = sysconfig.get_paths()
    return any(
        file.is_relative_to(Path(paths[key]).resolve())
        for key in ("stdlib", "platstdlib", "purelib", "platlib")
    )


def _files(module: str, folder: Path) -> list[Path]:
    """Return the files of a module and of all it imports from its folder, sorted by path."""
    seen: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        for file in _files_of(name, folder):
            if file in seen:
                continue
            seen[file] = None
            is_package = file.name == "__init__.py"
            waiting += _imports(file, _module_name(file, folder), is_package=is_package)
    return sorted(seen)


def _files_of(name: str, folder: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs: its packages and itself."""
    parts = name.split(".")
    for k in range(1, len(parts) + 1):
        stem = folder.joinpath(*parts[:k])
        for file in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
            if file.is_file():
                yield file
                break


def _module_name(file: Path, folder: Path) -> str:
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(file: Path, name: str, *, is_package: bool) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return  # importing it will say so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name.split(".") if is_package else name.split(".")[:-1]
                parts = package[: len(package) - (node.level - 1)]
                base = ".".join([*parts, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if base)


def _place(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
