"""A settlement run again from its inputs, every byte compared."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.collaborations.collaboration import load
from aboveboard.collaborations.source_file import TrustCode
from aboveboard.collaborations.toml_file import read_content
from aboveboard.errors import InputError
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.mechanism import AnyMechanism, Recalls
from aboveboard.mechanisms.settlement import MANIFEST, fingerprint
from aboveboard.settlements.manifest import (
    drop_outputs,
    find_collaboration_file,
    fingerprint_file,
    is_bundle,
    list_files,
    read_manifest,
)
from aboveboard.settlements.versions import compare_versions
from aboveboard.settlements.writing import COPY
from aboveboard.storage.scratch import scratch_folder


@dataclass(frozen=True)
class Replay:
    """The result of running a settlement again.

    Parameters
    ----------
    folder
        The settlement folder.
    files
        How many files were compared.
    differ
        Those whose bytes differ, are missing, or were added.
    recorded
        Those that cannot be made again, such as noise and signatures: they are as the run recorded
        them, and were checked as far as they can be.
    charts
        Pages whose charts were drawn with other bytes; all else in them is the same.
    versions
        Which versions of libraries differ from those of the run.
    unconfirmed
        What the run says of a search that its time limit ended, and the replay's search, which had
        the same time, did not prove. Nothing better was found.

    Examples
    --------
    >>> again = Replay(Path("out"), files=5, differ=("replies/acme.csv",))
    >>> again.as_dict()["same"]
    False
    """

    folder: Path
    files: int
    differ: tuple[str, ...]
    recorded: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Return plain data."""
        return {
            "folder": str(self.folder),
            "same": not self.differ,
            "files": self.files,
            "differ": list(self.differ),
            "recorded": list(self.recorded),
            "charts": list(self.charts),
            "versions": list(self.versions),
            "unconfirmed": list(self.unconfirmed),
        }


def replay(
    folder: Path,
    settle_again: Callable[..., object],
    source: Path | None = None,
    *,
    trust_code: TrustCode = None,
    allow_outside: bool = False,
) -> Replay:
    """Run a settlement again from its inputs, with its recorded seed, and compare every byte.

    Parameters
    ----------
    folder
        A settlement folder.
    settle_again
        Runs a collaboration into a folder on a given `date`, as `commands.settle` does.
    source
        The collaboration file, if it is no longer where it was.
    trust_code
        As in `aboveboard.load`: the digest of the code that comes with the collaboration file.
    allow_outside
        As in `aboveboard.load`.

    Raises
    ------
    InputError
        If the folder is not a settlement folder, or an input is missing or has changed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.collaborations.registry import find_mechanism
    >>> from aboveboard.commands import settle, write_starting_file
    >>> with TemporaryDirectory() as name:
    ...     file, out = Path(name, "c.toml"), Path(name, "out")
    ...     write_starting_file(find_mechanism("exchange.union", "here"), file)
    ...     _ = settle(load(file), out)
    ...     print(replay(out, settle).differ)
    ()
    """
    manifest = read_manifest(folder)
    path = source or find_collaboration_file(folder)
    # Before any file that it names is read: it may not be the file that was run.
    if fingerprint(read_content(path)) != manifest["inputs"].get(COPY):
        raise _make_changed_error(path)
    collaboration = load(
        path,
        seed=manifest["seed"],
        trust_code=trust_code,
        allow_outside=allow_outside,
        caches=False,  # somebody may have written what a cache holds
    ).with_spending("none")
    for name, digest in manifest["inputs"].items():
        if name != COPY and name not in collaboration.inputs:
            raise InputError(
                str(folder / MANIFEST),
                f"it names an input {name!r} that the collaboration file does not",
                "name the folder as 'run' wrote it",
            )
        if name != COPY and collaboration.inputs[name] != digest:
            raise _make_changed_error(path.parent / name)
    rule = collaboration.mechanism
    if isinstance(rule, Recalls) and isinstance(found := manifest.get("found_by"), dict):
        recalling = rule.recall(found, collaboration.reports)
        collaboration = dataclasses.replace(collaboration, mechanism=recalling)
    try:
        with scratch_folder() as scratch:
            again = scratch / "again"
            settle_again(collaboration, again, date=manifest.get("date", ""))
            return _Comparison(folder, again, manifest, collaboration.mechanism).compare()
    except OSError as error:
        raise InputError(
            tempfile.gettempdir(),
            f"no folder can be written there ({error.strerror})",
            "make room, or name another place in the environment variable TMPDIR",
        ) from error


def _make_changed_error(path: Path) -> InputError:
    return InputError(
        str(path),
        "it has changed since the run",
        "a replay needs the same inputs; restore it, or run it again",
    )


@dataclass(frozen=True)
class _Comparison:
    """A settlement folder beside the same run made again.

    Parameters
    ----------
    folder, again
        The folder, and the one that was made again.
    manifest
        That of the folder.
    rule
        The mechanism, which may know what its noise can be.
    """

    folder: Path
    again: Path
    manifest: dict[str, Any]
    rule: AnyMechanism

    def compare(self) -> Replay:
        """Compare every file."""
        bundles = {name for name in self.manifest["outputs"] if is_bundle(name)}
        names = sorted(list_files(self.folder) | list_files(self.again) | bundles)
        drawn = frozenset(self.manifest["unrepeatable"]) | bundles
        charts = frozenset(name for name in names if self._differs_in_charts(name))
        differ = tuple(n for n in names if not self._is_repeated(n, drawn, charts))
        return Replay(
            self.folder,
            len(names),
            differ,
            tuple(sorted(drawn & set(names))),
            tuple(sorted(charts)),
            compare_versions(self.manifest.get("versions", {})),
            tuple(self.rule.list_unconfirmed()) if isinstance(self.rule, Recalls) else (),
        )

    def _is_repeated(self, name: str, drawn: frozenset[str], charts: frozenset[str]) -> bool:
        """Return whether a file is as it should be: made again, or, if drawn, as recorded."""
        found = fingerprint_file(self.folder, name)
        if found is None:
            return False
        if name in charts:
            return True
        if name in drawn:
            same = bool(found == self.manifest["outputs"].get(name))
            return same and self._is_plausible(name)
        if name == MANIFEST:
            ignored = drawn | charts
            return bool(
                drop_outputs(self.folder, ignored) == drop_outputs(self.again, ignored) is not None
            )
        return found == fingerprint_file(self.again, name)

    def _differs_in_charts(self, name: str) -> bool:
        """Return whether a page is as recorded, and made again but for the charts in it."""
        if not name.endswith(".html"):
            return False
        found = fingerprint_file(self.folder, name)
        made = fingerprint_file(self.again, name)
        if None in (found, made) or found == made or found != self.manifest["outputs"].get(name):
            return False
        before, after = ((place / name).read_bytes() for place in (self.folder, self.again))
        return hide_charts(before) == hide_charts(after)

    def _is_plausible(self, name: str) -> bool:
        """Return whether something that was drawn can have been drawn, as far as one can tell."""
        if not (self.again / name).is_file():
            return True
        try:
            before, after = (
                json.loads((place / name).read_bytes()) for place in (self.folder, self.again)
            )
        except (ValueError, RecursionError):
            return False
        return self.rule.is_plausible(name, before, after)


SVG = re.compile(rb"<svg\b.*?</svg>", re.DOTALL)
ACTIVE = re.compile(
    rb"""<(?:script|foreignobject|iframe|image|a)\b|\son\w+\s*=|href\s*=\s*["'](?!#)"""
    rb"""|url\((?!#)|@import""",
    re.IGNORECASE,
)
"""What a chart may not hold that is not compared."""


def hide_charts(page: bytes) -> bytes:
    """Return a page without the shapes of its charts; a chart with anything active stays.

    Examples
    --------
    >>> hide_charts(b"<p>1</p><svg><path d='M0'/></svg>") == hide_charts(b"<p>1</p><svg></svg>")
    True
    """
    return SVG.sub(lambda m: m[0] if ACTIVE.search(m[0]) else b"<svg/>", page)
