"""A loader of a user's own modules: from the bytes that were hashed, among themselves only.

The modules of one snapshot live under a private package of their own. They import one another by
their plain names, as scripts in one folder do; nobody else can import them, so a file called
`numpy.py` or `torch.py` beside a collaboration is never taken for the library. Nothing is added to
`sys.path`, nothing is written, and two collaborations with modules of one name do not meet.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from aboveboard.mechanisms.user_code import Snapshot, name_module

MODULE_PREFIX = "_aboveboard_code_"


class _Namespace:
    """The private package of one snapshot.

    Parameters
    ----------
    root
        Its name.
    folder
        Where the files lie, for `__file__` and tracebacks.
    files
        The snapshot.
    """

    def __init__(self, root: str, folder: str, files: Snapshot) -> None:
        self.root, self.folder = root, folder
        self.paths = {name_module(path): path for path in files}
        self.files = files
        self.tops = {name.partition(".")[0] for name in self.paths}
        self.builtins = {**vars(builtins), "__import__": self._make_import()}

    def is_package(self, name: str) -> bool:
        """Return whether a module has modules below it."""
        path = self.paths.get(name, "")
        return path.endswith("__init__.py") or self._is_folder(name)

    def _is_folder(self, name: str) -> bool:
        return name not in self.paths and any(p.startswith(f"{name}.") for p in self.paths)

    def holds(self, name: str) -> bool:
        """Return whether there is such a module, or a folder of modules."""
        return name in self.paths or self._is_folder(name)

    def _make_import(self) -> Callable[..., Any]:
        """Return the `__import__` of these modules: own names first lead to the snapshot."""

        def import_(
            name: str,
            globals: Mapping[str, Any] | None = None,  # noqa: A002 - its names
            locals: Mapping[str, Any] | None = None,  # noqa: A002 - its names
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> Any:
            top = name.partition(".")[0]
            if level or top not in self.tops:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            full = f"{self.root}.{name}"
            importlib.import_module(full)
            if fromlist:
                return builtins.__import__(full, globals, locals, fromlist, 0)
            return sys.modules[f"{self.root}.{top}"]

        return import_


_namespaces: dict[str, _Namespace] = {}
_lock = threading.Lock()


class _OwnLoader(Loader):
    """Runs the code of one module of a namespace."""

    def __init__(self, namespace: _Namespace, name: str) -> None:
        self.namespace, self.name = namespace, name

    def exec_module(self, module: ModuleType) -> None:
        """Compile and run the bytes that were read."""
        path = self.namespace.paths.get(self.name)
        if path is None:
            return  # the root, or a folder without code of its own
        content = self.namespace.files[path]
        code = compile(content, str(Path(self.namespace.folder, path)), "exec", dont_inherit=True)
        vars(module)["__builtins__"] = self.namespace.builtins
        exec(code, vars(module))


class _OwnFinder(MetaPathFinder):
    """Finds the modules of namespaces, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of a namespace."""
        root, _, name = fullname.partition(".")
        namespace = _namespaces.get(root)
        if namespace is None or (name and not namespace.holds(name)):
            return None
        file = namespace.paths.get(name)
        origin = None if file is None else str(Path(namespace.folder, file))
        is_package = not name or namespace.is_package(name)
        loader = _OwnLoader(namespace, name)
        spec = ModuleSpec(fullname, loader, origin=origin, is_package=is_package)
        spec.has_location = origin is not None
        return spec


def import_own_module(name: str, folder: str, code: str, files: Snapshot, reads: str = "") -> Any:
    """Return a module of a snapshot, imported once as long as code and data are the same.

    Parameters
    ----------
    name
        Its dotted name.
    folder
        Where the files lie.
    code
        SHA-256 of them.
    files
        Their bytes.
    reads
        What data it reads: other data, another import.
    """
    with _lock:
        if not any(isinstance(finder, _OwnFinder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _OwnFinder())
        root = _name_root(folder, code, reads)
        _namespaces.setdefault(root, _Namespace(root, folder, files))
    return importlib.import_module(f"{root}.{name}")


_roots: dict[tuple[str, str, str], str] = {}


def _name_root(folder: str, code: str, reads: str) -> str:
    """Return the package's name: by the code alone, as a rule, so that it is the same anywhere."""
    key = (folder, code, reads)
    if key not in _roots:
        name = f"{MODULE_PREFIX}{code[:16]}"
        same = sum(root == name or root.startswith(f"{name}_") for root in _roots.values())
        _roots[key] = f"{name}_{same}" if same else name
    return _roots[key]


def strip_root(text: str) -> str:
    """Return a message with modules named as the user wrote them."""
    for root in _namespaces:
        text = text.replace(f"{root}.", "")
    return text
