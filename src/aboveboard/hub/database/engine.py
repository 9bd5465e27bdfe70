"""The database of a hub: SQLite by default, PostgreSQL by URL, one code path for both.

SQLite writes ahead (WAL) and begins every writing transaction with BEGIN IMMEDIATE, so that two
writers wait for each other instead of failing at their first write. On PostgreSQL the row of the
collaboration is locked first; SQLite has no such locks and needs none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from aboveboard.errors import InputError

SQLITE_FILE = "hub.sqlite"
WAIT = 30
"""Seconds that a writer waits for another one."""

_READS = "aboveboard_reads"


def open_engine(url: str, folder: Path) -> Engine:
    """Return the engine of a database.

    Parameters
    ----------
    url
        Of SQLAlchemy; empty: a SQLite file in the folder.
    folder
        The hub's.

    Raises
    ------
    InputError
        If the URL is none, or of a database that the hub does not know.
    """
    url = url or f"sqlite:///{(folder / SQLITE_FILE).resolve()}"
    try:
        if url.startswith("sqlite:"):
            return _open_sqlite(url)
        engine = create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise InputError("key 'database'", f"it names no database ({error})", _REMEDY) from error
    if engine.dialect.name != "postgresql":
        raise InputError("key 'database'", f"{engine.dialect.name} is not supported", _REMEDY)
    return engine


_REMEDY = "leave it empty for SQLite, or write postgresql+psycopg://USER@HOST/NAME"


def _open_sqlite(url: str) -> Engine:
    arguments = {"timeout": WAIT, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, pool_size=20, max_overflow=20)

    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_READS, False):
            # Of the driver itself, since pages begin each time: it takes no lock, and cannot fail.
            connection.connection.cursor().execute("BEGIN")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that only reads, all of it from one moment."""
    options: dict[str, Any] = {_READS: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        yield connection


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that is committed at the end, or undone by an error."""
    with engine.begin() as connection:
        yield connection


MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Bring the tables to this version's; nothing happens where they are."""
    from alembic import command  # large, and a hub that serves pages changes no tables
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def find_newest() -> str:
    """Return the version of the newest tables: each migration's file begins with its version."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def refuse_old_tables(engine: Engine) -> None:
    """Raise `InputError` if the tables are not those of this version."""
    newest, found = find_newest(), None
    with read(engine) as connection:
        if inspect(connection).has_table("alembic_version"):
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found != newest:
        raise InputError(
            "the database",
            f"its tables are of version {found or 'none'}, not {newest}",
            "make a backup, then run 'aboveboard hub upgrade'",
        )
