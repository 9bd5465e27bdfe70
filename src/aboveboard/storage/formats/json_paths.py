"""Paths in JSON: `data[].host` is the field `host` of each entry of the list `data`.

`[]` (or `[*]`) is every entry of a list, `[0]` one of them, `*` every field of an object, `*~` the
names of its fields, and `["a.b"]` a field whose name has signs of paths in it. A `$` at the start
may stand or be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from aboveboard.errors import InputError
from aboveboard.formatting import format_count

MOST_CHARACTERS = 2_000
"""Longest path: a hundred steps of twenty characters."""

MOST_DEPTH = 100
"""Deepest nesting of brackets: no list needs more; the parser fails at about a thousand."""

PATHS_LISTED = 8
"""Paths named in a message."""

EVERY_ENTRY, EVERY_FIELD, EVERY_NAME = "[]", "*", "*~"
Step = tuple[str, str | int]
"""Its sort (`EVERY_ENTRY`, `EVERY_FIELD`, `EVERY_NAME`, "entry", "field") and what it names."""

_step = re.compile(
    r"""\[\s*+(?:[*:]\s*+)?\]|\[(-?[0-9]{1,18})\]|\[("(?:[^"\\]++|\\.)*+")\]|\['([^']*)'\]"""
    r"""|\.?([^.\[\]]+)"""
)
_plain = re.compile(r"[^.\[\]*\"'\s$]+")


def _read_name(text: str, where: str) -> str:
    """Return the name that stands in quotes in a path."""
    try:
        return str(json.loads(text))
    except ValueError as error:
        problem = f"{text[:40]!r} in a path is not a text of JSON"
        raise InputError(where, problem, "write a backslash twice") from error


def parse_path(path: str, where: str) -> list[Step]:
    """Return the steps of a path.

    Raises
    ------
    InputError
        The text is no path.

    Examples
    --------
    >>> parse_path("$.data[*].host", "a.json")
    [('field', 'data'), ('[]', ''), ('field', 'host')]
    """
    if len(path) > MOST_CHARACTERS:
        problem = f"a path has {format_count(len(path))} characters"
        raise InputError(where, problem, "name the field by a shorter one")
    rest = path.strip().removeprefix("$").removeprefix(".")
    steps: list[Step] = []
    while rest:
        found = _step.match(rest)
        if found is None:
            problem = f"path {path!r} cannot be understood from {rest[:20]!r} on"
            raise InputError(where, problem, 'write it like data[].host, or data[]["a.b"]')
        rest = rest[found.end() :]
        if found[1]:
            steps.append(("entry", int(found[1])))
        elif found[2]:
            steps.append(("field", _read_name(found[2], where)))
        elif found[3] is not None:
            steps.append(("field", found[3]))
        elif found[4] in (EVERY_FIELD, EVERY_NAME):
            steps.append((found[4], ""))
        elif found[4]:
            steps.append(("field", found[4]))
        else:
            steps.append((EVERY_ENTRY, ""))
        rest = rest.removeprefix(".") if rest[1:2] == "[" else rest
    if (EVERY_NAME, "") in steps[:-1]:
        problem = f"in path {path!r} something follows {EVERY_NAME}, and names hold nothing"
        raise InputError(where, problem, f"end it with {EVERY_NAME}")
    return steps


def follow_path(value: Any, steps: list[Step]) -> Iterator[Any]:
    """Yield what a path leads to; None where it leads nowhere.

    Lists are gone through, also where the path does not say so.
    """
    sort, name = steps[0] if steps else ("", "")
    if isinstance(value, list):
        if sort == "entry":
            inside = -len(value) <= int(name) < len(value)
            yield from follow_path(value[int(name)], steps[1:]) if inside else (None,)
            return
        rest = steps[1:] if sort == EVERY_ENTRY else steps
        for entry in value:
            yield from follow_path(entry, rest)
    elif not steps:
        yield value
    elif isinstance(value, dict) and sort == EVERY_FIELD:
        for entry in value.values():
            yield from follow_path(entry, steps[1:])
    elif isinstance(value, dict) and sort == EVERY_NAME:
        yield from value
    elif isinstance(value, dict) and sort == "field":
        yield from follow_path(value.get(str(name)), steps[1:])
    else:
        yield None


def add_field(path: str, name: str) -> str:
    """Return the path of a field of what stands at a path.

    Examples
    --------
    >>> add_field("data[]", "host"), add_field("", "host"), add_field("data[]", "a.b")
    ('data[].host', 'host', 'data[]["a.b"]')
    """
    field = f".{name}" if _plain.fullmatch(name) else f"[{json.dumps(name)}]"
    return f"{path}{field}".removeprefix(".")


def find_texts(
    value: Any, path: str = "", depth: int = 0, entries: int | None = None
) -> Iterator[tuple[str, str]]:
    """Yield the path of each text, and the text.

    Parameters
    ----------
    value
        Parsed JSON.
    path
        Where it stands.
    depth
        Of brackets around it.
    entries
        How many of each list are looked at; None: all.
    """
    if isinstance(value, str):
        yield path or EVERY_ENTRY, value
    elif depth < MOST_DEPTH and isinstance(value, dict):
        for key, inner in value.items():
            yield from find_texts(inner, add_field(path, key), depth + 1, entries)
    elif depth < MOST_DEPTH and isinstance(value, list):
        for inner in value[:entries]:
            yield from find_texts(inner, f"{path}{EVERY_ENTRY}", depth + 1, entries)


def find_objects(
    value: Any, path: str = "", depth: int = 0, entries: int | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each object that names something, and the path of its names; parameters as above."""
    inside: list[tuple[str, Any]] = []
    if isinstance(value, dict) and value:
        yield f"{path}.{EVERY_NAME}".removeprefix("."), value
        inside = [(add_field(path, key), inner) for key, inner in list(value.items())[:entries]]
    elif isinstance(value, list):
        inside = [(f"{path}{EVERY_ENTRY}", inner) for inner in value[:entries]]
    for place, inner in inside if depth < MOST_DEPTH else ():
        yield from find_objects(inner, place, depth + 1, entries)
