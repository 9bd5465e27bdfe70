"""How a party's data file is to be read: what the collaboration file says of it.

The same keys stand at the top of a collaboration file, for all parties, and in a party's own table,
where they go first.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from aboveboard.storage.kinds import Kind

Spreadsheet = Literal["plain", "escaped"]

FOLDS = frozenset({"case", "whitespace"})
"""What `normalize` may name."""


@dataclass(frozen=True)
class DataOptions:
    """How one party's elements are read and handed out.

    Parameters
    ----------
    kind
        What the elements are; None: the file does not say.
    key
        The column that holds the elements.
    shared_key
        Whether `key` is said of all parties, and so of tables alone; else a file of lines with a
        key is a mistake.
    columns
        The columns of a row that may leave its owner; None: all.
    path
        Of JSON: where the elements are, such as `data[].value`.
    sheet
        Of a workbook: the sheet to read.
    delimiter, encoding, decimal
        Of CSV and text: as stated; None: found.
    normalize
        What else does not tell elements apart: "case", "whitespace".
    csv
        Whether cells of a CSV reply that a spreadsheet would compute are marked as text.

    Examples
    --------
    >>> DataOptions(kind="domain", key="host").delimiter is None
    True
    """

    kind: Kind | None = None
    key: str | None = None
    shared_key: bool = False
    columns: tuple[str, ...] | None = None
    path: str | None = None
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    normalize: frozenset[str] = frozenset()
    csv: Spreadsheet = "escaped"


def _check_delimiter(value: Any) -> Any:
    named = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
    value = named.get(value, value) if isinstance(value, str) else value
    if isinstance(value, str) and (
        len(value) != 1 or not value.isascii() or value.isalnum() or value in '"\r\n\0\ufeff'
    ):
        raise ValueError('must be one character such as "," or ";" or "\\t"')
    return value


def _check_encoding(value: Any) -> Any:
    if isinstance(value, str):
        try:
            codec = codecs.lookup(value)
            "".encode(codec.name)
        except (LookupError, ValueError, TypeError):
            raise ValueError(
                'is no encoding that Python knows; write "utf-8", "cp1252" or "utf-16"'
            ) from None
        return codec.name
    return value


def _check_folds(value: Any) -> Any:
    if value is True:
        return FOLDS
    if value is False:
        return frozenset()
    listed = [value] if isinstance(value, str) else value
    named = isinstance(listed, list | tuple | set | frozenset) and all(
        isinstance(name, str) for name in listed
    )
    if not named or not set(listed) <= FOLDS:
        raise ValueError('must be true, "case", "whitespace" or a list of these')
    return frozenset(listed)


class TableKeys(BaseModel):
    """The keys of a collaboration file that say how a table is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: Annotated[str | None, BeforeValidator(_check_delimiter)] = Field(
        default=None, description="of CSV: what stands between fields; default: found"
    )
    encoding: Annotated[str | None, BeforeValidator(_check_encoding)] = Field(
        default=None, description="of text: such as cp1252; default: UTF-8, UTF-16 if marked"
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="of CSV: the decimal sign of numbers; default: found"
    )
    sheet: str | None = Field(default=None, description="of a workbook: the sheet to read")
    path: str | None = Field(
        default=None, description="of JSON: where the values or rows are, such as data[].value"
    )


class DataKeys(TableKeys):
    """The keys of a collaboration file that say how lists of elements are read."""

    kind: Kind | None = Field(
        default=None,
        description="what the elements are; the same thing in two spellings is then one element",
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="the columns of a row that may leave its owner; default: all"
    )
    csv: Spreadsheet | None = Field(
        default=None,
        description="mark cells of a reply that a spreadsheet would compute (escaped), or not",
    )
    normalize: Annotated[frozenset[str] | None, BeforeValidator(_check_folds)] = Field(
        default=None,
        description='what else tells no elements apart: true, "case", "whitespace" or both',
    )


def merge_options(*tables: TableKeys, key: str | None = None) -> DataOptions:
    """Return the options of one party: of several tables the first that says something counts.

    Examples
    --------
    >>> merge_options(DataKeys(kind="url"), DataKeys(kind="domain", decimal=","), key="k").kind
    'url'
    """
    found: dict[str, Any] = {"key": key}
    for field in fields(DataOptions):
        for table in tables:
            value = getattr(table, field.name, None)
            if value is not None and found.get(field.name) is None:
                found[field.name] = value
    return DataOptions(**{name: value for name, value in found.items() if value is not None})
