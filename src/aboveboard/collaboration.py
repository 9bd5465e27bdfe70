"""From the TOML file of a collaboration to validated objects.

The file is read once; its mechanism is found by name, its keys are validated by the mechanism's
own model, the parties' data files are read and fingerprinted. All that is wrong is said in one line
that names the file, the line or key, what is wrong, and what would be right.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from aboveboard import auditing
from aboveboard.auditing import Budget, Property, Verdicts
from aboveboard.auditing.search import Progress
from aboveboard.callables import function_named, own_code
from aboveboard.errors import InputError
from aboveboard.game import Game
from aboveboard.lottery import Lottery
from aboveboard.mechanism import (
    CollaborationFile,
    Completed,
    Expensive,
    Mechanism,
    Settlement,
    Work,
    fingerprint,
)
from aboveboard.readers import read_records, records_of
from aboveboard.records import Records

GROUP = "aboveboard.mechanisms"
"""The entry-point group in which mechanisms, ours and strangers', are found."""

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
FUNCTIONS = 64
"""Entries of a list that may name functions, one a party; longer lists hold data."""

PARTS = ("NAME", "FILE", "of", "reports", "settle", "game", "properties")
"""What a class must have to be a mechanism; the rest of `Mechanism` describes it."""

# A party's name is also the name of its folder in the settlement.
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")


@dataclass(frozen=True)
class Collaboration:
    """A collaboration, validated, with what each party reports.

    Parameters
    ----------
    path
        The collaboration file.
    content
        Its bytes.
    file
        Its keys, validated.
    mechanism
        The rule with its parameters.
    reports
        By party: what it reports (its records, interval, point, ..).
    inputs
        SHA-256 of every data file, by the path as the collaboration file gives it.
    """

    path: Path
    content: bytes
    file: CollaborationFile
    mechanism: Mechanism
    reports: Mapping[str, Any]
    inputs: Mapping[str, str]

    def game(self) -> Game:
        """Give the game among these parties, their reports taken as their types."""
        return self.mechanism.game(self.reports)

    def with_work(self, work: Work) -> Collaboration:
        """Give the same collaboration, an expensive rule's evaluations done as `work` says."""
        if not isinstance(self.mechanism, Expensive):
            return self
        return replace(self, mechanism=self.mechanism.with_work(work))


def mechanisms() -> dict[str, type[Mechanism]]:
    """Find every installed mechanism, by name."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    return {name: _loaded(found[name], "mechanisms") for name in sorted(found)}


def mechanism_named(name: str, place: str) -> type[Mechanism]:
    """Find one mechanism.

    Raises
    ------
    InputError
        If none has this name; the message gives the nearest.
    """
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(entries))}"
        raise InputError(place, f"no mechanism is called {name!r}", known)
    return _loaded(entries[name], place)


def _rule_of(name: str, path: Path, place: str) -> type[Mechanism]:
    """Find the mechanism that a file names: an installed one, or "module:Class" beside the file."""
    if ":" not in name:
        return mechanism_named(name, place)
    with importable(path.parent):
        rule = function_named(name, place)
    lacking = [word for word in PARTS if not hasattr(rule, word)]
    if lacking:
        raise InputError(
            place,
            f"{name!r} is no mechanism: it has no {', '.join(lacking)}",
            "see 'Add a mechanism' in CONTRIBUTING.md, or aboveboard.mechanism.Mechanism",
        )
    found: type[Mechanism] = rule  # type: ignore[assignment]
    return found


def _loaded(entry: EntryPoint, place: str) -> type[Mechanism]:
    try:
        loaded: type[Mechanism] = entry.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            place,
            f"mechanism {entry.name!r} cannot be loaded ({error})",
            "mend its package",
        ) from error
    return loaded


def load(path: str | Path) -> Collaboration:
    """Read a collaboration file and the data it names.

    Raises
    ------
    InputError
        If anything in the file or the data is wrong.
    """
    path = Path(path)
    content = _content(path)
    text = _text(content, path)
    table = _table(text, path)
    name = table.get("mechanism")
    if not isinstance(name, str):
        raise InputError(
            f"{path}: key 'mechanism'",
            "it is missing" if name is None else "it is not text",
            'write, for example, mechanism = "exchange.union"',
        )
    rule = _rule_of(name, path, f"{path}: line {_line(text, ('mechanism',))}: key 'mechanism'")
    file = _validated(rule.FILE, table, text, path)
    reader = _Reader(path)
    try:
        if issubclass(rule, Completed):
            file = rule.completed(file, reader)
        _check_names(file, text, path)
        with importable(path.parent):
            mechanism = rule.of(file)
            reader.inputs.update(_code_in(table))
        reports = rule.reports(file, reader)
    except InputError as error:
        if error.place.startswith(f"{path}: "):
            raise
        raise InputError(f"{path}: {error.place}", error.problem, error.remedy) from error
    return Collaboration(path, content, file, mechanism, reports, reader.inputs)


def run(collaboration: Collaboration) -> Settlement | Lottery[Settlement]:
    """Apply the collaboration's rule to the parties' reports."""
    return collaboration.mechanism.settle(collaboration.reports)


def audit(
    subject: Collaboration | Game | Iterable[Game],
    properties: Sequence[Property] | None = None,
    *,
    budget: Budget | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verdicts:
    """Audit a collaboration, a game, or a family of games.

    Parameters
    ----------
    subject
        A collaboration is audited as the game among its parties, with its own seed.
    properties
        What is claimed; for a collaboration by default what its mechanism is about.
    budget, seed, progress
        As in `aboveboard.auditing.audit`.
    """
    if isinstance(subject, Collaboration):
        return auditing.audit(
            subject.game(),
            subject.mechanism.properties() if properties is None else properties,
            budget=budget,
            seed=subject.file.seed,
            progress=progress,
        )
    if properties is None:
        raise ValueError("say which properties to audit, for example [DSIC()]")
    return auditing.audit(subject, properties, budget=budget, seed=seed, progress=progress)


def _code_in(table: Mapping[str, Any]) -> dict[str, str]:
    """Give the fingerprints of the user's own functions that a file names."""
    found = {}
    for value in table.values():
        names = value if isinstance(value, list) and len(value) <= FUNCTIONS else [value]
        for name in names:
            if isinstance(name, Mapping):
                found.update(_code_in(name))
            elif isinstance(name, str) and FUNCTION.fullmatch(name):
                code = own_code(name)
                if code is not None:
                    found[name] = code
    return found


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let a callable named in a collaboration file live beside it; installed modules come first."""
    before = list(sys.path)
    sys.path.append(str(folder.resolve()))
    try:
        # What a stranger's code prints must not mix with what a command prints for programs.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before


class _Reader:
    """Reads data files relative to the collaboration file and remembers their fingerprints."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs: dict[str, str] = {}

    @property
    def folder(self) -> Path:
        """Where the collaboration file lies."""
        return self.path.parent

    def __call__(
        self,
        party: str,
        *,
        data: Path | None,
        elements: Sequence[str] | None,
        key: str | None,
        normalize: frozenset[str],
    ) -> Records:
        place = f"{self.path}: parties.{party}"
        if data is None:
            return records_of(elements or (), place=f"{place}.elements", normalize=normalize)
        place = f"{place}.data"
        source = self._regular(place, data)
        records = read_records(source, place=place, key=key, normalize=normalize)
        self._remember(data)
        return records

    def file(self, place: str, data: Path) -> Path:
        """Find a data file and remember its fingerprint."""
        place = f"{self.path}: {place}"
        source = self._regular(place, data)
        if source.is_dir():
            raise InputError(place, f"{data} is a folder", "name a file")
        try:
            self._remember(data)
        except FileNotFoundError:
            raise InputError(
                place, f"there is no file {data}", "paths are relative to the collaboration file"
            ) from None
        except OSError as error:
            raise InputError(
                place, f"{data} cannot be read ({error.strerror})", "make it readable"
            ) from error
        return source

    def _regular(self, place: str, data: Path) -> Path:
        source = self.path.parent / data
        if "\0" in str(data) or (source.exists() and not (source.is_file() or source.is_dir())):
            raise InputError(place, "this is not a file", "name a regular file")
        return source

    def _remember(self, data: Path) -> None:
        with (self.path.parent / data).open("rb") as stream:
            self.inputs[data.as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            str(path), "there is no such file", "'aboveboard init MECHANISM' writes one"
        ) from None
    except IsADirectoryError:
        raise InputError(
            str(path), "this is a folder", "give the collaboration file itself"
        ) from None
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be read ({error.strerror})", "make it readable"
        ) from error


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {line}", "this is not UTF-8", "save it as UTF-8") from None


def _table(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
        found = re.search(r"\(at line (\d+)", problem)
        place = f"{path}: line {found.group(1)}" if found else f"{path}: at the end"
        problem = re.sub(r"\s*\(at .*\)$", "", problem)
        raise InputError(place, f"this is not TOML: {problem}", "see toml.io") from None
    except RecursionError:
        raise InputError(
            str(path), "it is nested too deeply", "a table a party is enough"
        ) from None


def _validated(
    model: type[CollaborationFile], table: dict[str, Any], text: str, path: Path
) -> CollaborationFile:
    try:
        return model.model_validate(table)
    except ValidationError as error:
        # The unknown keys first: a misspelt key is often also a missing one.
        details = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        first = details[0]
    location = tuple(str(x) for x in first["loc"])
    key = ".".join(location)
    line = _line(text, location)
    place = ": ".join(
        [str(path), *([f"line {line}"] if line else []), *([f"key {key!r}"] if key else [])]
    )
    problem, remedy = _spoken(first, model)
    raise InputError(place, problem, remedy)


def _spoken(error: Any, model: type[BaseModel]) -> tuple[str, str]:
    """Put a validation error into words: the problem and what would be right."""
    location = [str(x) for x in error["loc"]]
    if error["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return "no such key", remedy
    if error["type"] == "missing":
        return "it is missing", "add it"
    message = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
    problem, _, remedy = message.partition("; ")
    given = error.get("input")
    if not remedy:
        shown = str(given) if not isinstance(given, Mapping) else "a table"
        if error["type"] != "value_error":
            problem, remedy = f"it is {shown[:60]}", message[0].lower() + message[1:]
        else:
            remedy = "see 'aboveboard init' for an example"
    return problem, remedy


def _keys_at(model: Any, location: Sequence[str]) -> list[str]:
    """List the keys that a model knows at a place, such as ("parties", "alpha")."""
    current: Any = model
    for step in location:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return []
        field = current.model_fields.get(step)
        if field is None:
            return []
        current = _table_in(field.annotation)
        if len(location) > 1 and step == location[0]:
            # parties is a table of tables: the name of the party is a step of its own
            break
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def _table_in(annotation: Any) -> Any:
    """Give the table that a key holds, where it may be left out or is one of many by name."""
    arguments = getattr(annotation, "__args__", ())
    tables = [x for x in arguments if isinstance(x, type) and issubclass(x, BaseModel)]
    return tables[-1] if tables else annotation


def _line(text: str, location: Sequence[str]) -> int | None:
    """Find the line of a key, as good as that goes without a parser that keeps positions."""
    table: list[str] = []
    wanted = list(location)
    best = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line)
        if header:
            table = [part.strip().strip("\"'") for part in header.group(1).split(".")]
            if table == wanted[: len(table)]:
                best = number
            continue
        key = re.match(r"\s*([\"']?[\w.-]+[\"']?)\s*=", line)
        if key:
            here = [*table, *(part.strip("\"'") for part in key.group(1).split("."))]
            if here == wanted[: len(here)] and len(here) > len(table):
                return number
    return best


def _check_names(file: CollaborationFile, text: str, path: Path) -> None:
    """Refuse party names that would not do as folders, or that differ in case only."""
    seen: dict[str, str] = {}
    for name in getattr(file, "parties", {}):
        if not NAME.fullmatch(name):
            raise InputError(
                _place_of(name, text, path),
                "this cannot be a party's name",
                "up to 64 of a to z, A to Z, digits, spaces, '.', '_' and '-': it names a folder",
            )
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            raise InputError(
                _place_of(name, text, path),
                f"the name differs from {twin!r} in case only",
                "rename one of the two",
            )


def _place_of(name: str, text: str, path: Path) -> str:
    line = _line(text, ("parties", name))
    return f"{path}: " + (f"line {line}: " if line else "") + f"key 'parties.{name[:60]}'"


def content_fingerprint(collaboration: Collaboration) -> str:
    """Give the SHA-256 of the collaboration file."""
    return fingerprint(collaboration.content)
