"""Loading a user's function, "module:function", once somebody has said that its code may run.

A collaboration names code; `allow_code` says which code that is, where it lies, and whether it is
trusted. What is not trusted is refused before any of it runs. A module is imported again when its
code, or the data that it reads, have changed.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.mechanisms.own_modules import import_own_module, strip_root
from aboveboard.mechanisms.user_code import (
    PROCESS_ID,
    REMEDY,
    CodeList,
    FunctionSource,
    SourceContent,
    find_source,
    snapshots,
)

Function = Callable[..., Any]
_loaded: dict[tuple[str, SourceContent], Function] = {}
_of_others: dict[FunctionSource, FunctionSource] = {}
"""By source as another process names it: the same source as it is found from here."""
_importing = threading.RLock()

NAMED_FILES = 4
"""Files that a refusal names; `check` names all."""


class NotExecuted(BaseException):
    """A user's function was called while code must not run; it passes every handler of errors."""


_execution_is_forbidden: ContextVar[bool] = ContextVar("execution_is_forbidden", default=False)
_OF_THE_PROGRAM = CodeList(None, trusted=True)
"""Outside of a collaboration a Python program names its own functions, found as `import` does."""
_code: ContextVar[CodeList] = ContextVar("code", default=_OF_THE_PROGRAM)
"""What may run."""


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


quiet = _Quiet()
"""What a user's code prints must not mix with what a command prints for programs."""


@contextmanager
def forbid_execution() -> Iterator[None]:
    """Name users' functions without importing or calling them: a call raises `NotExecuted`."""
    token = _execution_is_forbidden.set(True)
    try:
        yield
    finally:
        _execution_is_forbidden.reset(token)


@contextmanager
def allow_code(code: CodeList) -> Iterator[None]:
    """Let functions be found that a collaboration names, and run if they are trusted."""
    token = _code.set(code)
    try:
        with quiet:
            yield
    finally:
        _code.reset(token)


def _refuse_call(source: FunctionSource) -> Function:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotExecuted(source.name)

    return refuse


def import_function(source: FunctionSource) -> Function:
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
            _loaded[key] = _import(source)
        return _loaded[key]


def locate_function(name: str, reads: tuple[str, ...] = ()) -> FunctionSource:
    """Return where a function lies that the collaboration at work names.

    Parameters
    ----------
    name
        "module:function".
    reads
        SHA-256 of the data files that it reads.

    Raises
    ------
    InputError
        If there is none, or its code is not trusted.
    """
    code = _code.get()
    source = code.sources.get(name)
    if source is None:
        source = find_source(name, reads, code.folder)
        if code.folder is not None and not _execution_is_forbidden.get():
            # Whatever is found only now was not shown to the operator.
            problem = "it is not among the code that 'aboveboard check' lists"
            raise InputError(f"function {name!r}", problem, "name it by a key for functions")
    if not (code.trusted or _execution_is_forbidden.get()):
        raise refuse_code(code, f"function {name!r}")
    return replace(source, reads=reads)


def refuse_code(code: CodeList, place: str) -> InputError:
    """Return the refusal of code that nobody has said to trust: which it is, and its digest."""
    named = [f"{file} ({digest[:16]})" for file, digest in sorted(code.files.items())]
    shown = join_names([*named[:NAMED_FILES], *(["others"] if len(named) > NAMED_FILES else [])])
    return InputError(
        place,
        f"a run would execute code that comes with it: {shown}",
        f"read that code, then pass --trust-code {code.digest} "
        "(in Python trust_code=..) to the command if you trust it",
    )


def find_module(name: str) -> Any:
    """Return the module of a function "module:function" that has been loaded; None if none is."""
    source = _code.get().sources.get(name)
    if source is None or source.installed or source.folder is None:
        return sys.modules.get(name.partition(":")[0])
    try:
        return _import_module(source)
    except BaseException:  # it has said what is wrong when it was imported
        return None


def find_function(name: str, place: str, others: Sequence[str] = ()) -> Function:
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
        return import_function(locate_function(name))
    except InputError as error:
        right = remedy if error.remedy == REMEDY else error.remedy
        raise InputError(place, f"{name!r}: {error.problem}", right) from error


def find_here(source: FunctionSource) -> FunctionSource:
    """Find the same code from here, once, and refuse other code of the same name.

    Raises
    ------
    InputError
        If other code of that name is found here.
    """
    if source in _of_others:
        return _of_others[source]
    folder = None if source.folder is None or source.installed else Path(source.folder)
    found = find_source(source.name, source.reads, folder)
    if (found.folder, found.code) != (source.folder, source.code):
        raise InputError(
            f"function {source.name!r}",
            f"it is other code there than in {source.folder}",
            "workers must see the same files as this machine",
        )
    _of_others[source] = replace(source, home=PROCESS_ID)
    return _of_others[source]


def _import(source: FunctionSource) -> Function:
    place = f"function {source.name!r}"
    # Bytecode is recognised by whole seconds and size: an edit within a second would go unseen.
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        found: Any = _import_module(source)
        for part in source.attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        text = strip_root(str(error).partition("\n")[0])
        raise InputError(place, text, REMEDY) from error
    except (Exception, SystemExit) as error:
        said = strip_root(str(error).partition("\n")[0])
        problem = f"its module fails with {type(error).__name__}: {said}"
        raise InputError(place, problem, "fix the module") from error
    finally:
        sys.dont_write_bytecode = writes
    if not callable(found):
        raise InputError(place, "it cannot be called", "name a function")
    function: Callable[..., Any] = found
    return function


def _import_module(source: FunctionSource) -> Any:
    if source.installed or source.folder is None:
        return importlib.import_module(source.module)
    there = sys.modules.get(source.module)
    file = getattr(there, "__file__", None)
    is_there = file is not None and Path(file).resolve().is_relative_to(source.folder)
    if is_there and source.home == PROCESS_ID and _code.get().folder is None:
        return there  # a Python program that names a function of a module it has imported
    files = snapshots[source.folder, source.code]
    return import_own_module(
        source.module, source.folder, source.code, files, "".join(source.reads)
    )
