"""Where the code of a user's function lies, and what it is made of, without running any of it.

A function, "module:function", is known by the content of its code, so that what was evaluated is
believed as long as nothing changes that it is made of. Its code is the module's file and, where the
module is the user's own and not installed, the modules of the same folder that it imports, directly
or through another of them, as far as `import` statements tell. Cost: each file is read and parsed
once.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import sysconfig
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError

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
        """Return folder, code and data: two functions of the same content are the same."""
        return self.folder, self.code, self.reads


Content = tuple[str | None, str, tuple[str, ...]]
"""Folder, code and data of a source."""


def find_source(name: str, reads: tuple[str, ...] = ()) -> Source:
    """Find "module:function" and fingerprint its code, without running any of it.

    Raises
    ------
    InputError
        If there is no such module.
    """
    module, _, attribute = name.partition(":")
    importlib.invalidate_caches()  # the file may be younger than the last look at its folder
    try:
        spec = find_spec(module)
    except (ImportError, ValueError) as error:
        raise InputError(f"function {name!r}", str(error), REMEDY) from error
    if spec is None:
        raise InputError(f"function {name!r}", f"No module named {module!r}", REMEDY)
    if spec.origin is None or not Path(spec.origin).is_file():
        return Source(
            module, attribute, None, _hash_parts([module, *map(str, sys.version_info[:2])]), reads
        )
    origin = Path(spec.origin).resolve()
    depth = module.count(".") + (origin.name == "__init__.py")
    folder = origin.parents[depth]
    files = [origin] if is_installed(origin) else list_files(module, folder)
    parts = [part for file in files for part in (_relative_path(file, folder), _hash_file(file))]
    return Source(module, attribute, str(folder), _hash_parts(parts), reads)


def fingerprint_own_code(name: str) -> str | None:
    """Return the SHA-256 of the code of "module:function" where it is the user's own; else None."""
    try:
        source = find_source(name)
    except InputError:
        return None
    if source.folder is None or any(
        is_installed(Path(source.folder, *source.module.split(".")[:1]).with_suffix(suffix))
        for suffix in ("", ".py")
    ):
        return None
    return source.code


def find_spec(module: str) -> ModuleSpec | None:
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


def is_installed(file: Path) -> bool:
    """Return whether a module's file belongs to Python or an installed package."""
    paths = sysconfig.get_paths()
    return any(
        file.is_relative_to(Path(paths[key]).resolve())
        for key in ("stdlib", "platstdlib", "purelib", "platlib")
    )


def list_files(module: str, folder: Path) -> list[Path]:
    """Return the files of a module and of all it imports from its folder, sorted by path."""
    seen: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        for file in _list_files_of_name(name, folder):
            if file in seen:
                continue
            seen[file] = None
            is_package = file.name == "__init__.py"
            waiting += _list_imports(file, name_module(file, folder), is_package=is_package)
    return sorted(seen)


def _list_files_of_name(name: str, folder: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs: its packages and itself."""
    parts = name.split(".")
    for k in range(1, len(parts) + 1):
        stem = folder.joinpath(*parts[:k])
        for file in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
            if file.is_file():
                yield file
                break


def name_module(file: Path, folder: Path) -> str:
    """Return the dotted name of a module's file below a folder."""
    parts = file.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _list_imports(file: Path, name: str, *, is_package: bool) -> Iterator[str]:
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


def _relative_path(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _hash_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _hash_parts(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
