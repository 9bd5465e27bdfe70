"""The commented collaboration file with which a user of a mechanism starts."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from aboveboard.errors import InputError
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
    text = rule.STARTING_FILE
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
