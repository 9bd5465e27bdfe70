"""The commented collaboration file with which a user of a mechanism starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic.fields import FieldInfo

from aboveboard.collaborations.validation import find_tables
from aboveboard.errors import InputError
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import AnyMechanism
from aboveboard.storage.atomic import atomic_file


def write_starting_file(rule: type[AnyMechanism], out: Path, settings: Sequence[str] = ()) -> None:
    """Write a mechanism's commented collaboration file.

    Parameters
    ----------
    rule
        The mechanism.
    out
        The file.
    settings
        Lines, "key = value", that replace the file's own lines for the same keys.

    Raises
    ------
    InputError
        If it exists or cannot be written.

    Examples
    --------
    >>> from aboveboard.collaborations.registry import find_mechanism
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "c.toml")
    ...     write_starting_file(find_mechanism("exchange.union", "here"), file, ["seed = 5"])
    ...     print("seed = 5" in file.read_text())
    True
    """
    if os.path.lexists(out):
        raise InputError(str(out), "it exists", "name another file with --out")
    text = rule.STARTING_FILE or draft_file(rule)
    for line in settings:
        key = re.escape(line.partition(" = ")[0])
        theirs = re.compile(rf"^(# )?{key} = [^#\n]*?(?=  +#|$)", re.MULTILINE)
        head = re.compile(r"^mechanism = .*$", re.MULTILINE)
        if theirs.search(text):
            text = theirs.sub(line, text, count=1)
        else:
            text = head.sub(rf"\g<0>\n{line}", text, count=1)
    with atomic_file(out) as file:
        file.write_text(text, encoding="utf-8", newline="\n")


def draft_file(rule: type[AnyMechanism]) -> str:
    """Return a collaboration file with the keys that a rule's model knows, as comments to fill in.

    Examples
    --------
    >>> from aboveboard.collaborations.registry import find_mechanism
    >>> draft_file(find_mechanism("exchange.interval", "here")).splitlines()[0]
    'mechanism = "exchange.interval"'
    """
    fields = rule.FILE.model_fields
    own = {key: x for key, x in fields.items() if key not in CollaborationFile.model_fields}
    parties = own.pop("parties", None)
    lines = [f'mechanism = "{rule.NAME}"', *_draft_keys(own)]
    tables = () if parties is None else find_tables(parties.annotation)
    keys = [line for table in tables for line in _draft_keys(table.model_fields)]
    if parties is not None:
        lines += [line for name in ("anna", "bert") for line in ("", f"[parties.{name}]", *keys)]
    return "\n".join(lines) + "\n"


def _draft_keys(fields: Mapping[str, FieldInfo]) -> list[str]:
    return [
        f"# {key} = ".ljust(24)
        + f"# {'needed' if x.is_required() else 'may be left out'}"
        + (f": {' '.join(x.description.split())}" if x.description else "")
        for key, x in fields.items()
    ]
