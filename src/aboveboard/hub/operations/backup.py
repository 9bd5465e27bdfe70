"""`hub backup` and `hub restore`: all of a hub in one folder, the same for both databases.

Rows are read in one transaction and written as JSON, one table per file; then the files that these
rows name, the keys and the configuration. A file is never changed once it is there, so that the
copy fits the rows although the hub goes on. Whoever has a backup has the hub's keys: guard it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, bindparam, func, select, text, update

from aboveboard.errors import InputError
from aboveboard.evidence.keys import PRIVATE, PRIVATE_FOLDER, make_private_folder, write_private
from aboveboard.hub.configuration import CONFIGURATION_FILE
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import metadata, reply, submission
from aboveboard.hub.home import (
    CENTER_FILES,
    FILES,
    KEYS,
    LOG_KEYS,
    OLD_KEYS,
    ROTATIONS_FILE,
    SERIES,
    Hub,
    open_hub,
    upgrade_hub,
)
from aboveboard.storage.atomic import atomic_folder

TABLES = "tables"
FORMAT_FILE = "backup.json"
FORMAT = 1
"""Changes with what a backup holds, so that no other version misreads it."""
ATTEMPTS = 3
"""How often a backup is begun while the worker removes what is over."""
ROWS = 500
"""Rows that are inserted in one statement."""


def back_up(hub: Hub, out: Path) -> dict[str, int]:
    """Write a backup into a new folder; return how many rows and files it has.

    Raises
    ------
    InputError
        If the folder exists or cannot be written, or a file is missing.
    """
    if out.exists():
        raise InputError(str(out), "it exists", "name a folder that is new")
    for _ in range(ATTEMPTS):
        try:
            with atomic_folder(out) as folder:
                return _write_all(hub, folder)
        except _MissingError as error:
            missing = str(error)
    raise InputError(missing, "it is missing", "run 'aboveboard hub check'")


class _MissingError(Exception):
    """Raised where a file is missing: the worker may have deleted it after its row was read."""


def _write_all(hub: Hub, folder: Path) -> dict[str, int]:
    rows = 0
    folder.chmod(PRIVATE_FOLDER)
    (folder / TABLES).mkdir(mode=PRIVATE_FOLDER)
    with read(hub.engine) as connection:
        for table in metadata.sorted_tables:
            rows += _write_rows(connection, table, folder / TABLES / f"{table.name}.jsonl")
        digests = _list_digests(connection)
    for digest in sorted(digests):
        source, target = hub.files.locate(digest), folder / FILES / digest[:2] / digest
        make_private_folder(target.parent)
        try:
            shutil.copyfile(source, target)
        except FileNotFoundError as error:
            raise _MissingError(str(source)) from error
        target.chmod(PRIVATE)
    for name in (KEYS, LOG_KEYS, OLD_KEYS, CENTER_FILES, SERIES):
        _copy_folder(hub.folder / name, folder / name)
    if (hub.folder / ROTATIONS_FILE).is_file():
        shutil.copy2(hub.folder / ROTATIONS_FILE, folder / ROTATIONS_FILE)
    shutil.copy2(hub.folder / CONFIGURATION_FILE, folder / CONFIGURATION_FILE)
    numbers = {"format": FORMAT, "rows": rows, "files": len(digests)}
    write_private(folder / FORMAT_FILE, json.dumps(numbers).encode())
    return {"rows": rows, "files": len(digests)}


def restore(backup: Path, folder: Path, *, database: str | None = None) -> dict[str, int]:
    """Make a hub in a new folder from a backup; return how many rows and files it has.

    Members notice a hub that was restored from an old backup: its log is shorter than the one they
    have seen.

    Parameters
    ----------
    backup
        What `back_up` wrote.
    folder
        The folder to make.
    database
        The URL of an empty database; None: as the backup's configuration says.

    Raises
    ------
    InputError
        If the backup is damaged, the folder exists, or the database is not empty.
    """
    numbers = _read_numbers(backup)
    if folder.exists():
        raise InputError(str(folder), "it exists", "name a folder that is new")
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True)  # private before a key is in it
    try:
        rows = _fill(folder, backup, numbers["rows"], database)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a hub would pass for an empty one
        raise
    return {"rows": rows, "files": numbers["files"]}


def _fill(folder: Path, backup: Path, due: int, database: str | None) -> int:
    """Fill the folder of a new hub from a backup; return how many rows it has."""
    left_out = shutil.ignore_patterns(TABLES, FORMAT_FILE)
    shutil.copytree(backup, folder, ignore=left_out, dirs_exist_ok=True)
    for place, _, _ in os.walk(folder):
        Path(place).chmod(PRIVATE_FOLDER)  # the backup's own may be open
    if database is not None:
        _set_database(folder, database)
    upgrade_hub(folder)
    hub = open_hub(folder)
    rows = 0
    try:
        with write(hub.engine) as connection:
            for table in metadata.sorted_tables:
                if connection.execute(select(func.count()).select_from(table)).scalar_one():
                    raise InputError(
                        f"table {table.name!r}", "it is not empty", "name an empty database"
                    )
                rows += _read_rows(connection, table, backup / TABLES / f"{table.name}.jsonl")
            if rows != due:
                raise InputError(str(backup), "it has lost rows", "use another backup")
    finally:
        hub.close()
    upgrade_hub(folder)  # an older version's rows lack what later ones repeat of logs
    return rows


def _copy_folder(source: Path, target: Path) -> None:
    """Copy the files of a folder; those that are removed meanwhile are passed over."""
    for here, _, names in os.walk(source):
        for name in names:
            place = target / Path(here).relative_to(source) / name
            make_private_folder(place.parent)
            with suppress(FileNotFoundError):
                shutil.copy2(Path(here) / name, place)


def _list_digests(connection: Connection) -> set[str]:
    found: set[str] = set()
    for table in (submission, reply):
        query = select(table.c.digest)
        if table is submission:
            query = query.where(submission.c.deleted.is_(None))
        found |= set(connection.execute(query).scalars().all())
    return found


def _write_rows(connection: Connection, table: Table, path: Path) -> int:
    count = 0
    order = list(table.primary_key.columns)
    with path.open("w", encoding="utf-8") as file:
        for row in connection.execute(select(table).order_by(*order)).mappings():
            encoded = {
                name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
                for name, value in row.items()
            }
            file.write(json.dumps(encoded, ensure_ascii=False) + "\n")
            count += 1
    path.chmod(PRIVATE)
    return count


def _read_rows(connection: Connection, table: Table, path: Path) -> int:
    binary = {c.name for c in table.columns if isinstance(c.type, LargeBinary)}
    to_itself = [c.name for c in table.columns if any(k.references(table) for k in c.foreign_keys)]
    held_back: list[dict[str, Any]] = []
    count = 0
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            while lines := list(islice(file, ROWS)):
                rows = [_decode(line, binary) for line in lines]
                for row in rows:
                    own = {name: row[name] for name in to_itself if row.get(name) is not None}
                    if own:  # what it refers to may be a later row
                        row.update(dict.fromkeys(own))
                        held_back.append({**dict.fromkeys(to_itself), **own, "row": row["id"]})
                connection.execute(table.insert(), rows)
                count += len(rows)
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"it is damaged ({error})", "use another backup") from error
    if held_back:
        values: dict[str, Any] = {name: bindparam(name) for name in to_itself}
        connection.execute(
            update(table).where(table.c.id == bindparam("row")).values(values), held_back
        )
    if count and "id" in table.c and connection.dialect.name == "postgresql":
        _restart_counter(connection, table)
    return count


def _decode(line: str, binary: set[str]) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    return {k: base64.b64decode(v) if k in binary and v else v for k, v in row.items()}


def _restart_counter(connection: Connection, table: Table) -> None:
    """Let PostgreSQL count on from the highest number; a text id has no counter."""
    sequence = connection.execute(
        text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'"{table.name}"'}
    ).scalar()
    if sequence:
        most = connection.execute(select(func.max(table.c.id))).scalar_one()
        connection.execute(text("SELECT setval(:name, :most)"), {"name": sequence, "most": most})


def _read_numbers(backup: Path) -> dict[str, int]:
    path = backup / FORMAT_FILE
    try:
        numbers: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        known = numbers["format"] == FORMAT and {"rows", "files"} <= set(numbers)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            str(path), f"it is no backup ({error})", "name what 'hub backup' wrote"
        ) from error
    if not known:
        raise InputError(str(path), "it is of another version", "restore it with that version")
    return numbers


def _set_database(folder: Path, database: str) -> None:
    from aboveboard.hub.configuration import read_configuration, write_configuration

    configuration = read_configuration(folder).model_copy(update={"database": database})
    (folder / CONFIGURATION_FILE).unlink()
    write_configuration(configuration, folder)
