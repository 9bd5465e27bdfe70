"""Where the code of a user's function lies, and what it is made of, without running any of it.

A function, "module:function", is known by the content of its code, so that what was evaluated is
believed as long as nothing changes that it is made of. Its code is the module's file and, where the
module is the user's own and not installed, the modules of the same folder that it imports, directly
or through another of them, as far as `import` statements tell. The bytes that are hashed are the
bytes that run later: no file is read twice. Cost: each file is read and parsed once.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import sys
import sysconfig
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError

REMEDY = 'name it as "module:function", importable'
PROCESS_ID = uuid.uuid4().hex
"""Identifies this process: a task that runs here uses the modules that are loaded."""


@dataclass(frozen=True)
class FunctionSource:
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
    installed
        Whether it belongs to Python or an installed package.
    """

    module: str
    attribute: str
    folder: str | None
    code: str
    reads: tuple[str, ...] = ()
    home: str = PROCESS_ID
    installed: bool = False

    @property
    def name(self) -> str:
        """Return the name as the user writes it."""
        return f"{self.module}:{self.attribute}"

    @property
    def content(self) -> SourceContent:
        """Return folder, code and data: two functions of the same content are the same."""
        return self.folder, self.code, self.reads


SourceContent = tuple[str | None, str, tuple[str, ...]]
"""Folder, code and data of a source."""

Snapshot = Mapping[str, bytes]
"""The files of a user's own code as they were read, by their path in the folder."""

snapshots: dict[tuple[str, str], Snapshot] = {}
"""By folder and code: what was read when a source was found."""


@dataclass(frozen=True)
class CodeList:
    """The code that a collaboration names, and whether it may run.

    Parameters
    ----------
    folder
        The collaboration's folder; None: there is none, and only `sys.path` is searched.
    sources
        By name, "module:function": where it was found.
    files
        SHA-256 by file: the path in the folder, or the name of what is installed.
    trusted
        Whether it may run.
    """

    folder: Path | None
    sources: Mapping[str, FunctionSource] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    trusted: bool = False

    @property
    def digest(self) -> str | None:
        """SHA-256 of all names and contents of the files; None where there is no code."""
        if not self.files:
            return None
        return hashlib.sha256(json.dumps(sorted(self.files.items())).encode()).hexdigest()


def is_of_sklearn(path: str) -> bool:
    """Return whether an import path leads into scikit-learn.

    Examples
    --------
    >>> is_of_sklearn("sklearn.linear_model.Ridge"), is_of_sklearn("mine.Ridge")
    (True, False)
    """
    return path.startswith("sklearn.")


def name_class(path: str) -> str:
    """Return an import path "module.Class" as "module:Class"."""
    module, _, name = path.rpartition(".")
    return f"{module}:{name}"


def list_code(names: Iterable[str], folder: Path) -> CodeList:
    """Return the code of functions "module:function", without running any of it.

    A name that is not found is left out: who uses it says so.

    Parameters
    ----------
    names
        Functions and classes.
    folder
        Where modules may lie that are not installed.
    """
    sources: dict[str, FunctionSource] = {}
    files: dict[str, str] = {}
    for name in names:
        try:
            source = find_source(name, folder=folder)
        except InputError:
            continue
        sources[name] = source
        if source.installed or source.folder is None:
            files[name] = source.code
            continue
        inside = Path(source.folder) == folder.resolve()
        for path, content in snapshots[source.folder, source.code].items():
            named = path if inside else str(Path(source.folder, path))
            files[named] = hashlib.sha256(content).hexdigest()
    return CodeList(folder, sources, files)


def find_source(
    name: str, reads: tuple[str, ...] = (), folder: Path | None = None
) -> FunctionSource:
    """Find "module:function" and fingerprint its code, without running any of it.

    Parameters
    ----------
    name
        The function.
    reads
        SHA-256 of the data files that it reads.
    folder
        Where its module may lie; installed modules come first.

    Raises
    ------
    InputError
        If there is no such module.
    """
    module, _, attribute = name.partition(":")
    importlib.invalidate_caches()  # the file may be younger than the last look at its folder
    if folder is not None:
        own = folder.resolve()
        if _lies_in(module, own) and not is_importable_elsewhere(module.partition(".")[0], own):
            return _fingerprint_own(module, attribute, own, reads)
    try:
        spec = find_spec(module)
    except (ImportError, ValueError) as error:
        raise InputError(f"function {name!r}", str(error), REMEDY) from error
    if spec is None:
        raise InputError(f"function {name!r}", f"No module named {module!r}", REMEDY)
    if spec.origin is None or not Path(spec.origin).is_file():
        digest = _hash_parts([module, *map(str, sys.version_info[:2])])
        return FunctionSource(module, attribute, None, digest, reads, installed=True)
    origin = Path(spec.origin).resolve()
    depth = module.count(".") + (origin.name == "__init__.py")
    above = origin.parents[depth]
    if belongs_to_installed(origin) or origin.suffix != ".py":
        digest = _hash_parts([origin.relative_to(above).as_posix(), _hash(origin.read_bytes())])
        return FunctionSource(module, attribute, str(above), digest, reads, installed=True)
    return _fingerprint_own(module, attribute, above, reads)


def _fingerprint_own(
    module: str, attribute: str, folder: Path, reads: tuple[str, ...]
) -> FunctionSource:
    files = read_imported_files(module, folder)
    digest = _hash_parts([part for path in files for part in (path, _hash(files[path]))])
    snapshots[str(folder), digest] = files
    return FunctionSource(module, attribute, str(folder), digest, reads)


def _lies_in(module: str, folder: Path) -> bool:
    """Return whether a folder holds a module and, where it has any, its packages."""
    stem = folder.joinpath(*module.split("."))
    return stem.with_name(stem.name + ".py").is_file() or (stem / "__init__.py").is_file()


def is_importable_elsewhere(name: str, folder: Path) -> bool:
    """Return whether a top module is Python's own, or is found outside of a folder."""
    if name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return True
    try:
        spec = PathFinder.find_spec(name)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None:
        return False
    return not Path(spec.origin).resolve().is_relative_to(folder)


def find_spec(module: str) -> ModuleSpec | None:
    """Find a module where it is now, not where it was when some run imported it.

    Raises
    ------
    ImportError
        If what should hold the module is not a package.
    """
    path: Any = None
    spec = None
    names = module.split(".")
    for k in range(len(names)):
        name = ".".join(names[: k + 1])
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            # Built in; a name with a dot would import the packages above it.
            return importlib.util.find_spec(module) if len(names) == 1 else None
        path = spec.submodule_search_locations
        if path is None and k < len(names) - 1:
            raise ImportError(f"{name!r} is not a package")
    return spec


def belongs_to_installed(file: Path) -> bool:
    """Return whether a module's file belongs to Python or an installed package."""
    paths = sysconfig.get_paths()
    return any(
        file.is_relative_to(Path(paths[key]).resolve())
        for key in ("stdlib", "platstdlib", "purelib", "platlib")
    )


def read_imported_files(module: str, folder: Path) -> Snapshot:
    """Return the files of a module and of all it imports from its folder, sorted by path.

    Raises
    ------
    InputError
        If one lies outside of the folder, over a link, or cannot be read.
    """
    found: dict[str, bytes] = {}
    waiting = [module]
    elsewhere: dict[str, bool] = {module.partition(".")[0]: False}
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if top not in elsewhere:
            elsewhere[top] = is_importable_elsewhere(top, folder)
        if elsewhere[top]:
            continue
        for file in _list_files_of_name(name, folder):
            path = file.relative_to(folder).as_posix()
            if path in found:
                continue
            found[path] = _read_code(file, folder)
            is_package = file.name == "__init__.py"
            waiting += _list_imports(found[path], name_module(path), is_package=is_package)
    return dict(sorted(found.items()))


def _read_code(file: Path, folder: Path) -> bytes:
    place = f"module {file.name}"
    if not file.resolve().is_relative_to(folder):
        problem = "it is a link that leads out of the collaboration's folder"
        raise InputError(place, problem, "copy it into the folder")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            place, f"it cannot be read ({error.strerror})", "make it readable"
        ) from error


def _list_files_of_name(name: str, folder: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs: its packages and itself."""
    parts = name.split(".")
    for k in range(1, len(parts) + 1):
        stem = folder.joinpath(*parts[:k])
        for file in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
            if file.is_file():
                yield file
                break


def name_module(path: str) -> str:
    """Return the dotted name of a module by its path in the folder."""
    parts = Path(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _list_imports(content: bytes, name: str, *, is_package: bool) -> Iterator[str]:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
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
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_parts(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
