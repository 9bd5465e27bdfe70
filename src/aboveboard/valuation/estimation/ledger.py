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
            ledgers = {
                path: stack.enter_context(_open(path))
                for path in dict.fromkeys(one.ledger for one in noted)
            }
            for one in noted:
                others = _read_others(ledgers, one, skip=allow)
                before = [*_read_spent(ledgers[one.ledger], one), *others]
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
        if not allow:
            raise InputError(
                str(noted[0].ledger) if noted else "ledger",
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
        if not ledger.is_file():
            return fsum(_read_others({}, one))
        with _open(ledger) as connection:
            return fsum([*_read_spent(connection, one), *_read_others({ledger: connection}, one)])
    except sqlite3.Error as error:
        raise InputError(
            str(ledger), f"it cannot be read ({error})", "restore it, or move it away"
        ) from error


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


def _read_spent(connection: sqlite3.Connection, one: Spending) -> list[float]:
    rows = connection.execute(
        "SELECT epsilon FROM releases WHERE user = ? AND data = ?", (one.user, one.data)
    )
    return [float(epsilon) for (epsilon,) in rows]


def _read_others(
    opened: Mapping[Path, sqlite3.Connection], one: Spending, *, skip: bool = False
) -> list[float]:
    """Return what a user's data have spent by the other ledgers of the folder, such as a copy's.

    With `skip`, a file that is no ledger is passed over.
    """
    found: list[float] = []
    for path in sorted(one.ledger.parent.glob(f"*{SUFFIX}")):
        if path == one.ledger or not path.is_file() or not path.stat().st_size:
            continue
        if path in opened:
            found += _read_spent(opened[path], one)
            continue
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as other:
                other.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}")
                found += _read_spent(other, one)
        except sqlite3.Error as error:
            if not skip:
                raise sqlite3.DatabaseError(f"{path.name} beside it: {error}") from error
    return found


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
