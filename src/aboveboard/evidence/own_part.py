"""A member's part of a collaboration: from its file to what it commits to, and back at the center.

A member's FILE is its data file, or a TOML file with its own keys of `[parties.NAME]`, such as
`interval = [0, 1]`; paths in it name files beside it. The public keys of its party stand in the
terms. Exchange of lists commits to each element, every other mechanism to the whole part.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aboveboard.collaborations.loading import find_rule, read_all
from aboveboard.collaborations.source_file import SourceFile
from aboveboard.collaborations.toml_file import decode_content, parse_table
from aboveboard.errors import InputError
from aboveboard.evidence.asking import Answer, fill_answers
from aboveboard.evidence.canonical import as_plain
from aboveboard.evidence.folders import MOST_SEALED_BYTES, read_limited, require_file
from aboveboard.evidence.numbers import parse_point
from aboveboard.evidence.payloads import (
    FILE_NAME,
    LARGE_FILE,
    FileRange,
    Payload,
    PayloadContent,
    copy_content,
)
from aboveboard.evidence.seeds import derive_coins
from aboveboard.evidence.terms import PATH_KEY, Terms
from aboveboard.storage.records import ELEMENT, Records

WITH_ELEMENTS = frozenset({"exchange.union"})
"""Mechanisms whose members commit to each element of a list."""

WITH_COINS = "curation."
"""The mechanisms whose members' messages are drawn with coins of their own."""

PATH_KEYS = (PATH_KEY,)
"""Keys of a party's table that name a file."""

LITERAL = frozenset({"elements"})
"""Keys whose texts are data, and never names of files."""

FOR_ALL_PARTIES = frozenset({"rule", "hiding", "inspection"})
"""Parameters that say nothing of how one list is read, and may not go with a single party."""

MOST_TOML_BYTES = 2**20
"""A party's own keys are short; long data lie in a file of their own."""


def read_own_file(path: Path) -> tuple[dict[str, Any], dict[str, PayloadContent]]:
    """Return a member's own keys and files; large ones stay on the disk.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or names a file that is not beside it.
    """
    if path.suffix != ".toml":
        return {"data": _check_name(path)}, {path.name: _read_data(path, "name your data file")}
    content = read_limited(path, MOST_TOML_BYTES, "name your own part of the collaboration")
    table = parse_table(decode_content(content, path), path, parse_float=float)
    files: dict[str, PayloadContent] = {}
    for key in PATH_KEYS:
        if isinstance(table.get(key), str):
            beside = path.parent / table[key]
            name = _check_name(beside)
            if beside.parent.resolve() != path.parent.resolve():
                raise InputError(
                    f"{path}: key {key!r}", "it names a file elsewhere", "put it beside this file"
                )
            files[name] = _read_data(beside, "put it beside this file")
            table[key] = name
    return as_plain(table), files


def _read_data(path: Path, remedy: str) -> PayloadContent:
    require_file(path, MOST_SEALED_BYTES, remedy)
    size = path.stat().st_size
    if size > LARGE_FILE:
        return FileRange(path.resolve(), 0, size)
    return read_limited(path, MOST_SEALED_BYTES, remedy)


def _check_name(path: Path) -> str:
    if not FILE_NAME.fullmatch(path.name):
        raise InputError(
            str(path), "its name has unusual characters", "use letters, digits, '.', '_' and '-'"
        )
    return path.name


def build_table(
    terms: Terms, parts: Mapping[str, Payload], folder: Path, seed: int | None = None
) -> dict[str, Any]:
    """Write members' files into a folder, and return the collaboration file's table.

    Parameters
    ----------
    terms
        What was agreed.
    parts
        By member.
    folder
        An empty folder of the center's.
    seed
        The joint seed; None: left out.

    Raises
    ------
    InputError
        If a member's part sets a key that the terms have set, or names a file that it has not
        sent: the center would read somebody else's.
    """
    parties = {}
    for name in (name for name in terms.ordered if name in parts):
        part, public = parts[name], terms.members[name].parameters
        if twice := sorted(set(public) & set(part.table)):
            raise InputError(
                f"submission of {name}", f"the terms set {twice[0]!r} already", "leave it out"
            )
        place = folder / name
        place.mkdir()
        for file, content in part.files.items():
            if not FILE_NAME.fullmatch(file):
                raise InputError(f"part of {name}", f"{file[:60]!r} is not a file", "rename it")
            copy_content(content, place / file)
        own = {
            key: f"{name}/{value}"
            if key in PATH_KEYS and isinstance(value, str) and value in part.files
            else value
            for key, value in part.table.items()
        }
        parties[name] = {**public, **own}
        if terms.mechanism.startswith(WITH_COINS):
            parties[name]["coins"] = derive_coins(part.key)
    for name, part in parts.items():
        for key, value in part.table.items():
            if key not in LITERAL:
                _refuse_foreign_file(name, key, value, part.files, folder)
    table = {"name": terms.name, "mechanism": terms.mechanism, **terms.parameters}
    if terms.currency is not None:
        table["currency"] = terms.currency
    if seed is not None:
        table["seed"] = str(seed)
    return {**table, "parties": parties}


def _refuse_foreign_file(
    name: str, key: str, value: Any, files: Mapping[str, PayloadContent], folder: Path
) -> None:
    """Raise `InputError` if a member's key names a file of the center's or of another member."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _refuse_foreign_file(name, key, each, files, folder)
        return
    if not isinstance(value, str) or value in files:
        return
    # Nothing outside of the folder is read, or looked for: whoever sent it could ask what there is.
    inside = not value.startswith(("/", "\\")) and ".." not in Path(value).parts
    try:
        is_file = inside and "\0" not in value and (folder / value).is_file()
    except OSError:  # a name that is too long
        is_file = False
    if is_file or key in PATH_KEYS:
        raise InputError(
            f"submission of {name}",
            f"{key!r} names {value[:60]!r}, which it has not sent",
            "put the file beside your own and commit again",
        )


def write_collaboration(
    terms: Terms,
    parts: Mapping[str, Payload],
    files: Mapping[str, bytes],
    folder: Path,
    seed: int,
    *,
    answers: Mapping[int, Mapping[str, Answer]] | None = None,
) -> Path:
    """Write the collaboration that the terms, all parts and the center's own files make.

    Raises
    ------
    InputError
        If a member's part sets a key that the terms have set, or a name is not a file name.
    """
    import tomli_w

    table = build_table(terms, parts, folder, seed)
    fill_answers(terms, table, answers or {})
    for name, content in files.items():
        if not FILE_NAME.fullmatch(name) or (folder / name).exists():
            raise InputError(f"file {name!r}", "it cannot be written", "give it another name")
        (folder / name).write_bytes(content)
    path = folder / "collaboration.toml"
    path.write_text(tomli_w.dumps(drop_missing(table)), encoding="utf-8", newline="\n")
    return path


def drop_missing(value: Any) -> Any:
    """Return a table without keys whose value is None, which TOML cannot write."""
    if isinstance(value, dict):
        return {key: drop_missing(x) for key, x in value.items() if x is not None}
    return [drop_missing(x) for x in value] if isinstance(value, list) else value


def list_elements(terms: Terms, name: str, part: Payload) -> tuple[bytes, ...]:
    """Return what a member commits to: its elements, or its whole part as one.

    Raises
    ------
    InputError
        If its list cannot be read by the terms.
    """
    if terms.mechanism not in WITH_ELEMENTS:
        return (part.content,)
    records = read_records(terms, name, part)
    return encode_elements(records)


def read_point(terms: Terms, name: str, part: Payload) -> tuple[Fraction, ...]:
    """Return a member's point, exact.

    Raises
    ------
    InputError
        If it has none.
    """
    point = parse_point({**terms.members[name].parameters, **part.table}.get("point"))
    if not point:
        raise InputError(f"party {name}", "it has no point", 'write "point = [1, 2]"')
    return point


def encode_elements(records: Records) -> tuple[bytes, ...]:
    """Return a list's elements in normal form as UTF-8."""
    return tuple(element.encode("utf-8") for element in records.frame[ELEMENT].to_list())


def read_records(terms: Terms, name: str, part: Payload) -> Records:
    """Return a member's list as the mechanism reads it, in normal form.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table = build_table(terms, {name: part}, folder)
        table = {key: value for key, value in table.items() if key not in FOR_ALL_PARTIES}
        source = SourceFile(folder / "terms.toml", b"", "", table)
        records = read_all(source, find_rule(source)).reports[name]
        if not isinstance(records, Records):
            raise InputError(f"party {name}", "it has no list", "submit a list or a table")
        return records
