"""What pydantic finds wrong with a collaboration file, in one line: place, problem, remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from aboveboard.collaborations.toml_file import find_line
from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity
from aboveboard.mechanisms.file_model import CollaborationFile

SHOWN = 60
"""Characters of a wrong value that a message quotes."""


def validate_table(
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
    line = find_line(text, location)
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
    if error["type"] != "value_error":
        given = error.get("input")
        if error["type"] in ("too_long", "too_short") and isinstance(given, Mapping | list):
            held = f"has {format_quantity(len(given), 'entry', 'entries')}" if given else "is empty"
            return f"it {held}", _wanted(error)
        return f"it is {_shown(given)}", _wanted(error)
    message = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
    return _of_ours(message, error.get("input"))


def _of_ours(message: str, given: Any) -> tuple[str, str]:
    """Part what a validator of ours says into problem and remedy."""
    problem, _, remedy = message.partition("; ")
    if problem.startswith("must be ") and not remedy:
        return f"it is {_shown(given)}", f"write {problem.removeprefix('must be ')}"
    if problem.startswith("is ") and problem.endswith("no finite number") and _is_text(given):
        return f"it is {_shown(given)}, which is no number", remedy
    if problem.startswith("is "):
        problem = f"it {problem}"
    return problem, remedy or "see 'aboveboard init' for an example"


def _is_text(given: Any) -> bool:
    """Say whether a value is text that does not even look like a number, as "nan" does."""
    if not isinstance(given, str):
        return False
    try:
        float(given)
    except ValueError:
        return re.fullmatch(r"[+-]?\d+/\d+", given) is None
    return False


WANTED: Mapping[str, str] = {
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "a list"),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type"), "a table"
    ),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "text",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "{min_length} or more",
    "too_long": "{max_length} at most",
    "greater_than": "a number greater than {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number less than {lt}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
"""By the type of pydantic's error: what would be right, with what pydantic says of the limits."""


def _wanted(error: Any) -> str:
    """Say what would be right where a value is of the wrong kind or beyond a limit."""
    kind, limits, given = error["type"], error.get("ctx", {}), error.get("input")
    if kind not in WANTED:
        message = str(error["msg"])
        return message[:1].lower() + message[1:]
    wanted = f"write {WANTED[kind].format(**limits)}"
    if kind not in ("literal_error", "enum"):
        return wanted
    choices = re.findall(r"'([^']*)'", limits["expected"])
    near = difflib.get_close_matches(given, choices, n=1) if isinstance(given, str) else []
    return f"did you mean {near[0]!r}? {wanted}" if near else wanted


def _shown(given: Any) -> str:
    """Quote a wrong value as a file has it, the beginning of a long one."""
    if isinstance(given, Mapping):
        return "a table"
    try:
        shown = _written(given)
    except (ValueError, RecursionError):
        return "a number of thousands of digits" if isinstance(given, int) else "nested deeply"
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]} .."


def _written(given: Any) -> str:
    if isinstance(given, str):
        return repr(given[: SHOWN + 1]) if given else "empty"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, list | tuple):
        # More entries than characters are never shown.
        return f"[{', '.join(_written(x) for x in given[:SHOWN])}]"
    return "a table" if isinstance(given, Mapping) else str(given)


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
