"""Makes databases in the PostgreSQL of the tests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def make_database(uri: str) -> str:
    """Make a database and return its URL."""
    import psycopg
    from sqlalchemy import make_url

    name = f"hub_{secrets.token_hex(6)}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url: Any = make_url(uri).set(drivername="postgresql+psycopg", database=name)
    return str(url.render_as_string(hide_password=False))


_spare: dict[str, tuple[str, list[Any]]] = {}
"""By server: a migrated database without rows that nobody uses, and what its schema is."""


@contextmanager
def lend_database(uri: str) -> Iterator[str]:
    """Yield the URL of a migrated database without rows; the next test gets the same one.

    To make and migrate one for each test took half a second, and to delete them all a minute.
    """
    url, schema = _spare.pop(uri, None) or _migrate(uri)
    yield url
    if _delete_rows(url) == schema:
        _spare[uri] = url, schema


def _migrate(uri: str) -> tuple[str, list[Any]]:
    from aboveboard.hub.database.engine import open_engine, upgrade

    url = make_database(uri)
    engine = open_engine(url, Path())
    upgrade(engine)
    engine.dispose()
    return url, _delete_rows(url)


def _delete_rows(url: str) -> list[Any]:
    """End what is still connected, delete all rows, and return the schema and its version."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("SET lock_timeout = '30s'")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        schema = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()
        tables = sorted({row[0] for row in schema} - {"alembic_version"})
        if tables:
            names = ", ".join(f'"{name}"' for name in tables)
            connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        if len(tables) < len({row[0] for row in schema}):
            schema += connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return schema


def forget_on_power_failure(uri: str) -> None:
    """Let the server wait for no disk: its data are thrown away, and stopping took a minute."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
