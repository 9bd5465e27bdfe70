"""What pydantic finds wrong with a collaboration file, in one line: place, problem, remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from aboveboard.errors import InputError
from aboveboard.mechanism import CollaborationFile
from aboveboard.toml_file import line_of

SHOWN = 60
"""Characters of a wrong value that a message quotes."""


def validated(
    model: type[CollaborationFile], table: dict[str, Any], text: str, path: Path
) -> CollaborationFile:
    """Validate the table of a file by a mechanism's model.

    Parameters
    ----------
    model
        What the mechanism's file may hold.
    table
        What this one holds.
    text, path
        The file, for messages.

    Raises
    ------
    InputError
        If the two do not fit; an unknown key is spoken of first.
    """
    try:
        return model.model_validate(table)
    except ValidationError as error:
        # The unknown keys first: a misspelt key is often also a missing one.
        details = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        first = details[0]
    location = tuple(str(x) for x in first["loc"])
    key = ".".join(location)
    line = line_of(text, location)
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
    if not remedy:
        if error["type"] != "value_error":
            shown = _shown(error.get("input"))
            problem, remedy = f"it is {shown}", message[0].lower() + message[1:]
        else:
            remedy = "see 'aboveboard init' for an example"
    return problem, remedy


def _shown(given: Any) -> str:
    """Quote a wrong value, the beginning of a long one."""
    if isinstance(given, Mapping):
        return "a table"
    try:
        return str(given)[:SHOWN] or "empty"
    except (ValueError, RecursionError):
        return "a number of thousands of digits" if isinstance(given, int) else "nested deeply"


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
