"""A collaboration file as it was read: its text, its keys, and the code that comes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from aboveboard.collaborations.inputs import Reader, list_functions
from aboveboard.collaborations.toml_file import decode_content, find_line, parse_table, read_content
from aboveboard.errors import InputError
from aboveboard.mechanisms.user_code import CodeList, list_code
from aboveboard.mechanisms.user_functions import refuse_code

TrustCode = str | bool | None
"""A digest of code, True for any, None or False for none."""


@dataclass(frozen=True)
class SourceFile:
    """A collaboration file as it was read.

    Parameters
    ----------
    path
        The file.
    content, text
        Its bytes, and what they say.
    table
        The same, parsed.
    trust_code
        The digest of the code that may run, as `check` shows it; True: whatever code lies there.
    allow_outside
        Whether it may name files outside of its folder.
    caches
        Whether values that earlier runs have kept may be used.
    """

    path: Path
    content: bytes
    text: str
    table: Mapping[str, Any]
    trust_code: TrustCode = None
    allow_outside: bool = False
    caches: bool = True

    def make_reader(self, faults: list[InputError], *, whole: bool = True) -> Reader:
        """Return what reads the files that it names; `whole` is as `Reader` has it."""
        return Reader(
            self.path,
            faults,
            allow_outside=self.allow_outside,
            caches=self.caches,
            whole=whole,
        )

    @cached_property
    def code(self) -> CodeList:
        """The code that the file names, read once; trusted if its digest is the one named."""
        found = list_code(list_functions(self.table), self.path.parent)
        trusted = self.trust_code is True or (
            self.trust_code is not None and self.trust_code == found.digest
        )
        return replace(found, trusted=trusted or not found.files)

    def refuse_untrusted_code(self) -> None:
        """Raise `InputError` if the file names code that nobody has said to trust.

        Raises
        ------
        InputError
            If there is such code; the message says which it is, and its digest.
        """
        code = self.code
        if code.trusted:
            return
        if self.trust_code:
            raise InputError(
                str(self.path),
                f"its code is not what --trust-code names: its digest is {code.digest}",
                "see the code that 'aboveboard check' lists, and pass that digest if you trust it",
            )
        raise refuse_code(code, str(self.path))

    @property
    def mechanism(self) -> str:
        """The name of the mechanism; `InputError` if the file has none."""
        name = self.table.get("mechanism")
        if not isinstance(name, str):
            raise InputError(
                f"{self.path}: key 'mechanism'",
                "it is missing" if name is None else "it is not text",
                'write, for example, mechanism = "exchange.union"',
            )
        return name

    def locate(self, *key: str) -> str:
        """Return the place of a key, for messages: the file, the line, the key."""
        line = find_line(self.text, key)
        named = ".".join(part[:60] for part in key)
        return f"{self.path}: " + (f"line {line}: " if line else "") + f"key {named!r}"


def read_source(
    path: Path, trust_code: TrustCode = None, *, allow_outside: bool = False
) -> SourceFile:
    """Read a collaboration file; `InputError` if it cannot be read or is not TOML.

    Parameters
    ----------
    path
        The file.
    trust_code
        The digest of the code that comes with it, if that may run; True: whatever it is.
    allow_outside
        Whether it may name files outside of its folder.
    """
    content = read_content(path)
    text = decode_content(content, path)
    return SourceFile(path, content, text, parse_table(text, path), trust_code, allow_outside)
