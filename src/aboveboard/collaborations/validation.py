"""What pydantic finds wrong with a collaboration file, in our words: place, problem, remedy.

All faults are reported at once, unknown keys first: a misspelt key is often also a missing one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from aboveboard.collaborations.toml_file import find_line
from aboveboard.errors import InputError
from aboveboard.faults import MOST_FAULTS, raise_faults
from aboveboard.formatting import format_quantity

MOST_QUOTED = 60
"""Characters of a wrong value that a message quotes."""


Model = TypeVar("Model", bound=BaseModel)


def validate_table(model: type[Model], table: dict[str, Any], text: str, path: Path) -> Model:
    """Return the table of a file, validated by a mechanism's model.

    Parameters
    ----------
    model
        What the file may hold.
    table
        What this one holds.
    text, path
        The file, for messages.

    Raises
    ------
    InputError
        If the two do not fit: one fault, or all of them as `InputErrors`.
    AssertionError
        If validation fails without a fault to report, which does not happen.
    """
    try:
        return model.model_validate(table)
    except ValidationError as error:
        details = error.errors()
    _raise_details(details, model, text, path)
    raise AssertionError("a validation error without a detail")


def check_shared_keys(
    model: type[BaseModel], table: Mapping[str, Any], text: str, path: Path
) -> None:
    """Check a collaboration file whose parties add their own keys later.

    Parameters
    ----------
    model
        What the file may hold.
    table
        What this one holds.
    text, path
        The file, for messages.

    Raises
    ------
    InputError
        If it holds what no party's own keys would fix: one fault, or all of them as
        `InputErrors`.
    """
    try:
        model.model_validate(table)
    except ValidationError as error:
        details = [each for each in error.errors() if not _waits_for_party(each, table)]
        _raise_details(details, model, text, path)


def _waits_for_party(error: Any, table: Mapping[str, Any]) -> bool:
    """Return whether an error may go once a party adds its own keys."""
    location = error["loc"]
    if not location:  # a check of the whole file, which names the key that it is about
        return str(error["msg"]).startswith("Value error, parties.")
    if len(location) < 2 or location[0] != "parties":
        return False
    own = table["parties"].get(location[1])
    return isinstance(own, Mapping) and (len(location) == 2 or location[2] not in own)


def _raise_details(details: Sequence[Any], model: type[BaseModel], text: str, path: Path) -> None:
    """Raise validation errors in our words, if there are any."""
    # Sorted, and those beyond what is reported are never looked up in the text.
    ordered = sorted(details, key=lambda e: e["type"] != "extra_forbidden")
    raise_faults([_describe_fault(e, model, text, path) for e in _drop_echoes(ordered, model)])


def _drop_echoes(details: Sequence[Any], model: type[BaseModel]) -> list[Any]:
    """Return the errors worth a line: no "missing" for a key that another error misspells.

    A value that may be of several kinds has an error for each; the first one is kept. A list is
    not too short for want of the entries that are named as wrong.
    """
    lists = {tuple(map(str, e["loc"][:-1])) for e in details}
    misspelt = {
        (*map(str, e["loc"][:-1]), near)
        for e in details
        if e["type"] == "extra_forbidden"
        for near in _find_near_keys(e, model)
    }
    places: set[tuple[str, ...]] = set()
    kept = []
    for error in details:
        place = tuple(map(str, error["loc"]))
        if place in places or (error["type"] == "missing" and place in misspelt):
            continue
        if error["type"] == "too_short" and place in lists:
            continue
        places.add(place)
        kept.append(error)
    return kept[: MOST_FAULTS + 1]


def _describe_fault(error: Any, model: type[BaseModel], text: str, path: Path) -> InputError:
    """Return a validation error with its line and key."""
    location = tuple(str(x) for x in error["loc"])
    key = ".".join(location)
    line = find_line(text, location)
    place = ": ".join(
        [str(path), *([f"line {line}"] if line else []), *([f"key {key!r}"] if key else [])]
    )
    return InputError(place, *_split_error(error, model))


def _find_near_keys(error: Any, model: type[BaseModel]) -> list[str]:
    """Return the known key, if any, that an unknown one resembles."""
    location = [str(x) for x in error["loc"]]
    return difflib.get_close_matches(
        location[-1], _list_keys(model, location[:-1]), n=1, cutoff=0.5
    )


def _split_error(error: Any, model: type[BaseModel]) -> tuple[str, str]:
    """Return a validation error in words: the problem and what would be right."""
    if error["type"] == "extra_forbidden":
        near = _find_near_keys(error, model)
        known = ", ".join(_list_keys(model, [str(x) for x in error["loc"][:-1]]))
        return "no such key", f"did you mean {near[0]!r}?" if near else f"known are {known}"
    if error["type"] == "missing":
        return "it is missing", "add it"
    if error["type"] != "value_error":
        given = error.get("input")
        if error["type"] in ("too_long", "too_short") and isinstance(given, Mapping | list):
            held = f"has {format_quantity(len(given), 'entry', 'entries')}" if given else "is empty"
            return f"it {held}", _describe_expected(error)
        return f"it is {_quote(given)}", _describe_expected(error)
    message = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
    return _split_message(message, error.get("input"))


def _split_message(message: str, given: Any) -> tuple[str, str]:
    """Split the message of a validator of ours into problem and remedy."""
    problem, _, remedy = message.partition("; ")
    if problem.startswith("must be ") and not remedy:
        return f"it is {_quote(given)}", f"write {problem.removeprefix('must be ')}"
    if problem.startswith("is ") and problem.endswith("no finite number") and _is_word(given):
        return f"it is {_quote(given)}, which is not a number", remedy
    if problem.startswith("is "):
        problem = f"it {problem}"
    return problem, remedy or "see 'aboveboard init' for an example"


def _is_word(given: Any) -> bool:
    """Return whether a value is text that does not even look like a number, as "nan" does."""
    if not isinstance(given, str):
        return False
    try:
        float(given)
    except ValueError:
        return re.fullmatch(r"[+-]?\d+/\d+", given) is None
    return False


EXPECTED: Mapping[str, str] = {
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
"""By the type of pydantic's error: what would be right, with pydantic's limits filled in."""


def _describe_expected(error: Any) -> str:
    """Return what would be right where a value is of the wrong kind or beyond a limit."""
    kind, limits, given = error["type"], error.get("ctx", {}), error.get("input")
    if kind not in EXPECTED:
        message = str(error["msg"])
        return message[:1].lower() + message[1:]
    expected = f"write {EXPECTED[kind].format(**limits)}"
    if kind not in ("literal_error", "enum"):
        return expected
    choices = re.findall(r"'([^']*)'", limits["expected"])
    near = difflib.get_close_matches(given, choices, n=1) if isinstance(given, str) else []
    return f"did you mean {near[0]!r}? {expected}" if near else expected


def _quote(given: Any) -> str:
    """Quote a wrong value as a file has it, the beginning of a long one."""
    if isinstance(given, Mapping):
        return "a table"
    try:
        shown = _format_value(given)
    except (ValueError, RecursionError):
        return "a number of thousands of digits" if isinstance(given, int) else "nested deeply"
    return shown if len(shown) <= MOST_QUOTED else f"{shown[:MOST_QUOTED]} .."


def _format_value(given: Any) -> str:
    if isinstance(given, str):
        return repr(given[: MOST_QUOTED + 1]) if given else "empty"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, list | tuple):
        # More entries than characters are never shown.
        return f"[{', '.join(_format_value(x) for x in given[:MOST_QUOTED])}]"
    return "a table" if isinstance(given, Mapping) else str(given)


def _list_keys(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    """Return the keys that a model knows at a place, such as ("parties", "alpha")."""
    tables: list[Any] = [model]
    for step in location:
        found = [
            inner
            for table in tables
            if step in table.model_fields
            for inner in find_tables(table.model_fields[step].annotation)
        ]
        # A step that is not a field names one of several tables, a party's or a choice of models.
        tables = found or tables
    return list(dict.fromkeys(key for table in tables for key in table.model_fields))


def find_tables(annotation: Any) -> Iterable[type[BaseModel]]:
    """Yield the models of the tables that a key may hold, at any depth of its annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from find_tables(argument)
