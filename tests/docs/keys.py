"""Writes the tables of keys into the mechanisms' pages, from the models of their files.

    python tests/docs/keys.py PAGE...

A page NAME.md has a place for the table, between a line `<!-- keys -->` and a line `<!-- end -->`.
The first may leave keys out: `<!-- keys without training, parties.NAME.data -->`. Then the page
says why. `test_mechanism_pages.py` compares the tables with the models.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.formatting import encode_number
from aboveboard.mechanisms.file_model import CollaborationFile, draw_seed

TABLE = re.compile(r"(?<=<!-- keys)( without [^>]*?)? -->\n(.*?)<!-- end -->", re.DOTALL)


@dataclass(frozen=True)
class Key:
    """A key of a collaboration file: its place, its default as the file would have it, its use."""

    place: str
    default: str
    meaning: str


def keys_of(model: type[BaseModel], place: str = "") -> Iterator[Key]:
    """List the keys of a file, those of the tables in it included; a party is called NAME."""
    for name, field in model.model_fields.items():
        here = place + name
        yield Key(here, _default(field), _meaning(model, name))
        for inner, named in _tables_in(field.annotation):
            yield from keys_of(inner, f"{here}.NAME." if named else f"{here}.")


def _tables_in(annotation: Any, named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """Find the models in an annotation, and whether they are tables by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, named
    for argument in get_args(annotation):
        if get_origin(annotation) is not tuple:  # a list of tables is told by its meaning
            yield from _tables_in(argument, named or get_origin(annotation) is dict)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is draw_seed:
        return "drawn"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or value in ("", (), {}, frozenset()):
        return ""
    given = [encode_number(x) for x in value] if isinstance(value, tuple) else encode_number(value)
    return f"`{json.dumps(given)}`"  # as TOML would have it


def _meaning(model: type[BaseModel], name: str) -> str:
    """Return a key's description, the base class's where it has none of its own, and choices."""
    said = next(
        field.description
        for base in model.__mro__
        if issubclass(base, BaseModel)
        and (field := base.model_fields.get(name)) is not None
        and field.description
    )
    choices = [f'`"{x}"`' for x in _choices(model.model_fields[name].annotation)]
    return f"{said} ({', '.join(choices)})" if len(choices) > 1 else said


def _choices(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from (x for x in get_args(annotation) if isinstance(x, str))
    for argument in get_args(annotation):
        yield from _choices(argument)


def table_of(model: type[CollaborationFile], without: frozenset[str] = frozenset()) -> str:
    """Write the table of keys; those of tables that are left out go with them."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    gone = tuple(f"{place}." for place in without)
    for key in keys_of(model):
        if key.place not in without and not key.place.startswith(gone):
            rows.append(f"| `{key.place}` | {key.default} | {_in_a_cell(key.meaning)} |")
    return "\n".join(rows) + "\n"


def _in_a_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def with_tables(markdown: str, model: type[CollaborationFile]) -> str:
    """Return a page with its table of keys as the model has it now."""

    def written(found: re.Match[str]) -> str:
        left = (found[1] or "").removeprefix(" without ").split(", ")
        table = table_of(model, frozenset(filter(None, left)))
        return f"{found[1] or ''} -->\n\n{table}\n<!-- end -->"

    return TABLE.sub(written, markdown)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        page = Path(argument)
        model = load_mechanisms()[page.stem].FILE
        page.write_text(with_tables(page.read_text(encoding="utf-8"), model), encoding="utf-8")
