"""What each user's data have spent of its privacy: a ledger beside the data.

What: every release of a private mean spends some epsilon of each user whose data are in it, and
releases of the same data add up. The ledger lies beside the data file, notes each release by user
and by the fingerprint of the user's samples, and refuses one that would take a user beyond its
privacy level, unless that is allowed explicitly. What the other ledgers of the folder note counts,
too: a copy of the data under another name is the same data. Nothing of the data can be had from it
but their SHA-256. It is an SQLite file: runs at the same time wait for each other. Source:
sequential composition, Dwork and Roth, "The Algorithmic Foundations of Differential Privacy"
(2014), theorem 3.14.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import fsum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_number
from aboveboard.valuation.levels import Level

SUFFIX = ".privacy-ledger"
"""What follows the data file's name in the ledger's."""
PATIENCE = 30.0
"""Seconds that a run waits for another one that writes the same ledger."""
REMEDY = (
    "release no more of these data, or allow it with --spend (from Python: spend=True): the user "
    "then has spent the sum"
)
_TABLE = """
CREATE TABLE IF NOT EXISTS releases (
    user TEXT NOT NULL, data TEXT NOT NULL, epsilon REAL NOT NULL, at TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Spending:
    """What one release spends of one user's privacy.

    Parameters
    ----------
    user
        The user.
    ledger
        The ledger of its data.
    data
        Fingerprint of its samples.
    epsilon
        What the release spends.
    allowed
        The user's privacy level: what all releases together may spend.
    """

    user: str
    ledger: Path
    data: str
    epsilon: float
    allowed: Level


def find_ledger(data: Path) -> Path:
    """Return the ledger of a data file.

    Examples
    --------
    >>> find_ledger(Path("scores.csv")).name
    'scores.csv.privacy-ledger'
    """
    return data.with_name(data.name + SUFFIX)


def fingerprint_samples(values: NDArray[np.float64]) -> str:
    """Return the SHA-256 of a user's samples, whatever their order."""
    return hashlib.sha256(np.sort(values + 0.0).astype("<f8").tobytes()).hexdigest()


def spend(spendings: Sequence[Spending], *, allow: bool = False) -> Mapping[str, float]:
    """Note a release in the ledgers, and return what each user has then spent in all.

    Either every ledger notes the release, or none does.

    Parameters
    ----------
    spendings
        By user; those that spend nothing are not noted.
    allow
        Whether a user may spend more than its privacy level, and a ledger that cannot be written
        is done without.

    Raises
    ------
    InputError
        If a user would spend more than its level, or a ledger cannot be written, and that is not
        allowed.
    """
    noted = [one for one in spendings if one.epsilon > 0]
    totals: dict[str, float] = {}
    try:
        with ExitStack() as stack:
            ledgers = _lock_ledgers(stack, [one.ledger for one in noted], skip=allow)
            for one in noted:
                before = _list_spent(ledgers, one)
                totals[one.user] = fsum([*before, one.epsilon])
                if not allow and totals[one.user] > one.allowed:
                    raise _make_error(one, before)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            for one in noted:
                ledgers[one.ledger].execute(
                    "INSERT INTO releases VALUES (?, ?, ?, ?)",
                    (one.user, one.data, one.epsilon, at),
                )
    except (sqlite3.Error, OSError) as error:
        place = str(noted[0].ledger) if noted else "ledger"
        if _is_busy(error):
            raise InputError(
                place,
                f"another run has kept the privacy ledgers of this folder for "
                f"{format_number(PATIENCE)} seconds",
                "run it again once the other one has ended",
            ) from error
        if not allow:
            raise InputError(
                place,
                f"the privacy ledger cannot be kept ({error})",
                "make the folder of the data writable, restore or move away what is no ledger, or "
                "do without by --spend",
            ) from error
        totals = {one.user: one.epsilon for one in noted}
    return totals


def read_spent(ledger: Path, user: str, data: str) -> float:
    """Return what all releases noted in a ledger have spent of a user's data; 0 without a ledger.

    Parameters
    ----------
    ledger
        The file of the ledger.
    user
        Whose data they are.
    data
        Fingerprint of the samples.

    Raises
    ------
    InputError
        If the file is not a ledger.

    Examples
    --------
    >>> read_spent(Path("no-ledger-yet.sqlite"), "ann", "0" * 64)
    0.0
    """
    one = Spending(user, ledger, data, 0.0, 0.0)
    try:
        with ExitStack() as stack:
            return fsum(_list_spent(_open_beside(stack, ledger), one))
    except sqlite3.Error as error:
        raise InputError(
            str(ledger), f"it cannot be read ({error})", "restore it, or move it away"
        ) from error


def _find_ledgers(own: Sequence[Path]) -> list[Path]:
    """Return ledgers with all others of their folders, in one order for all.

    A file of several names, such as a link, is taken once: it would wait for itself.
    """
    folders = {path.parent for path in own}
    beside = {path for folder in folders for path in folder.glob(f"*{SUFFIX}") if path.is_file()}
    found = {_identify(path): path for path in sorted(beside - set(own))}
    mine = {_identify(path) for path in own if path.exists()}
    return sorted({*own, *(path for file, path in found.items() if file not in mine)})


def _identify(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _lock_ledgers(
    stack: ExitStack, own: Sequence[Path], *, skip: bool
) -> dict[Path, sqlite3.Connection]:
    """Lock ledgers, and all others of their folders, until the stack ends.

    A copy's release is noted in the ledger of the copy. Two runs at once must not both read before
    either has written. So the folders are listed once more with the locks held: a ledger that
    another run has made since, and may have written, is locked too, all of them anew since locks
    are taken in one order. One that is made later waits for those that are held.

    Parameters
    ----------
    stack
        Ends each transaction; what was written is kept only if it ends well.
    own
        The ledgers to write.
    skip
        Whether others that are no ledgers are passed over.
    """
    for path in own:
        path.touch()
    while True:
        listed = _find_ledgers(own)
        with ExitStack() as attempt:
            found = _lock_listed(attempt, listed, own, skip=skip)
            if set(_find_ledgers(own)) <= set(listed):
                stack.enter_context(attempt.pop_all())
                return found


def _lock_listed(
    stack: ExitStack, listed: Sequence[Path], own: Sequence[Path], *, skip: bool
) -> dict[Path, sqlite3.Connection]:
    """Lock the ledgers that are listed, in their order, until the stack ends."""
    found: dict[Path, sqlite3.Connection] = {}
    for path in listed:
        try:
            connection = stack.enter_context(_open(path))
            _is_begun(connection)
            found[path] = connection
        except sqlite3.Error as error:
            if path in own or _is_busy(error):
                raise
            # It may be another user's, who may write it.
            try:
                found[path] = _open_to_read(stack, path)
            except sqlite3.Error:
                if not skip:
                    raise
    return found


def _is_busy(error: Exception) -> bool:
    """Return whether a ledger could not be locked since another run has it."""
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger for one transaction, which is kept only if the block ends well."""
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_TABLE)
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()  # what is not committed is undone


def _open_to_read(stack: ExitStack, path: Path) -> sqlite3.Connection:
    """Open a ledger that is not written, until the stack ends."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=PATIENCE)
        stack.enter_context(closing(connection))
        _is_begun(connection)  # fails on what is no ledger
    except sqlite3.Error as error:
        raise sqlite3.DatabaseError(f"{path.name}: {error}") from error
    return connection


def _open_beside(stack: ExitStack, ledger: Path) -> dict[Path, sqlite3.Connection]:
    """Open a ledger that need not be there, and all others of its folder, to be read."""
    return {path: _open_to_read(stack, path) for path in _find_ledgers([ledger]) if path.is_file()}


def _list_spent(ledgers: Mapping[Path, sqlite3.Connection], one: Spending) -> list[float]:
    """Return what releases have spent of a user's data, by all ledgers of the folder."""
    found: list[float] = []
    for path, connection in ledgers.items():
        if path.parent != one.ledger.parent or not _is_begun(connection):
            continue
        rows = connection.execute(
            "SELECT epsilon FROM releases WHERE user = ? AND data = ?", (one.user, one.data)
        )
        found += [float(epsilon) for (epsilon,) in rows]
    return found


def _is_begun(connection: sqlite3.Connection) -> bool:
    """Return whether a ledger has a table; one of a run that was refused is empty.

    Raises
    ------
    sqlite3.Error
        If the file is no ledger.
    """
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'releases'")
    if not tables.fetchone()[0]:
        return False
    connection.execute("SELECT user, data, epsilon FROM releases LIMIT 0")
    return True


def _make_error(one: Spending, before: Sequence[float]) -> InputError:
    times = "1 release has" if len(before) == 1 else f"{len(before)} releases have"
    spent, more = format_number(fsum(before)), format_number(one.epsilon)
    return InputError(
        f"parties.{one.user}.level",
        f"{times} spent {spent} of {one.user}'s privacy level {format_number(one.allowed)} on the "
        f"same data, and this one would spend {more} more"
        if before
        else f"the release would spend {more} of {one.user}'s level {format_number(one.allowed)}",
        REMEDY,
    )
