"""Loading a user's function, "module:function", so that its code is the one that lies there now.

A worker process that lives longer than a run must not go on with code of yesterday: a module is
imported again when its code, or the data that it reads, have changed.
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
from aboveboard.mechanisms.user_code import (
    PROCESS_ID,
    REMEDY,
    Content,
    Source,
    find_source,
    is_installed,
    list_files,
    name_module,
)

Function = Callable[..., Any]
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
    """Name users' functions without importing or calling them: a call raises `NotExecuted`."""
    token = _execution_is_forbidden.set(True)
    try:
        yield
    finally:
        _execution_is_forbidden.reset(token)


def _refuse_call(source: Source) -> Function:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotExecuted(source.name)

    return refuse


def import_function(source: Source) -> Function:
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
        return import_function(find_source(name))
    except InputError as error:
        right = remedy if error.remedy == REMEDY else error.remedy
        raise InputError(place, f"{name!r}: {error.problem}", right) from error


def find_here(source: Source) -> Source:
    """Find the same code from here, once, and refuse other code of the same name."""
    if source in _of_others:
        return _of_others[source]
    if source.folder is not None and source.folder not in sys.path:
        sys.path.append(source.folder)
    found = find_source(source.name, source.reads)
    if (found.folder, found.code) != (source.folder, source.code):
        raise InputError(
            f"function {source.name!r}",
            f"it is other code there than in {source.folder}",
            "workers must see the same files as this machine",
        )
    _of_others[source] = replace(source, home=PROCESS_ID)
    return _of_others[source]


def _import(source: Source) -> Function:
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
        raise InputError(place, problem, "fix the module") from error
    finally:
        sys.dont_write_bytecode = writes
    if not callable(found):
        raise InputError(place, "it cannot be called", "name a function")
    _imported[source.module] = source.content
    return found  # type: ignore[no-any-return]


def _forget_others(source: Source, folder: Path) -> None:
    """Forget modules by the names of this code that are other code, or have changed since."""
    changed = _imported.get(source.module, source.content) != source.content
    files = {name_module(file, folder): file for file in list_files(source.module, folder)}
    for name, file in files.items():
        there = getattr(sys.modules.get(name), "__file__", None)
        if there is None or is_installed(Path(there).resolve()):
            continue
        if changed or Path(there).resolve() != file:
            del sys.modules[name]
            # A package without a file of its own remembers where its modules lay.
            for k in range(1, name.count(".") + 1):
                parent = ".".join(name.split(".")[:k])
                if getattr(sys.modules.get(parent), "__file__", "") is None:
                    del sys.modules[parent]
