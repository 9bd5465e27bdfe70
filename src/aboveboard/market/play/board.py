"""The folder in which separate parties meet: files that appear whole, and waiting for them.

==================== ======================= =============================================
file                 written by              holds
==================== ======================= =============================================
announcement.json    the proposer            the allocation by names, the prices
ask-2.json           the center              who is asked in step 2 (or 3: ask-3.json)
vote-2-NAME.txt      NAME                    yes or no
transcript.json      the center              announcement, votes, coins, outcome, bits
==================== ======================= =============================================
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError

ANNOUNCEMENT, TRANSCRIPT = "announcement.json", "transcript.json"

PAUSE = 0.02
"""Seconds between two looks at the board: not noticed by people, and nothing to a processor."""

LONGEST = 1 << 20
"""A file on the board of more bytes is no announcement and no vote."""


def ask(step: int) -> str:
    """Name the center's question of a step."""
    return f"ask-{step}.json"


def vote(step: int, name: str) -> str:
    """Name a party's vote in a step."""
    return f"vote-{step}-{name}.txt"


@dataclass(frozen=True)
class Board:
    """A folder with a patience.

    Parameters
    ----------
    folder
        It is made if it does not exist.
    seconds
        How long a file is waited for.
    """

    folder: Path
    seconds: float = 60.0

    def pin(self, name: str, content: Any) -> None:
        """Write a file, whole or not at all: text as it is, anything else as JSON.

        Raises
        ------
        InputError
            If it is there already (nobody speaks twice), or cannot be written.
        """
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".draft-", dir=self.folder)
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text + "\n")
            try:
                os.link(draft, self.folder / name)  # fails where it exists, unlike a rename
            finally:
                Path(draft).unlink()
        except FileExistsError:
            raise InputError(
                str(self.folder / name), "it is there already", "play on an empty board"
            ) from None
        except OSError as error:
            raise InputError(
                str(self.folder / name),
                f"it cannot be written ({error.strerror})",
                "name a folder that can be written",
            ) from error

    def wait(self, *names: str) -> str:
        """Give the name of the first of these files that is there, waiting for it.

        Raises
        ------
        InputError
            If none appears in time.
        """
        end = time.monotonic() + self.seconds
        while True:
            for name in names:
                if (self.folder / name).is_file():
                    return name
            if time.monotonic() > end:
                raise InputError(
                    str(self.folder / names[0]),
                    f"it did not appear within {self.seconds:g} seconds",
                    "start whoever writes it, or wait longer with --seconds",
                )
            time.sleep(PAUSE)

    def text(self, name: str) -> str:
        """Read a file, waiting for it.

        Raises
        ------
        InputError
            If it does not appear in time or is too long.
        """
        self.wait(name)
        with (self.folder / name).open("rb") as stream:
            content = stream.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise InputError(str(self.folder / name), "it is too long", "write a shorter one")
        return content.decode("utf-8", errors="replace").strip()

    def data(self, name: str) -> Any:
        """Read a JSON file, waiting for it.

        Raises
        ------
        InputError
            As `text`, and if it is not JSON.
        """
        try:
            return json.loads(self.text(name), parse_float=str)
        except (ValueError, RecursionError) as error:
            raise InputError(
                str(self.folder / name), f"this is not JSON ({error})", "let its writer mend it"
            ) from None
