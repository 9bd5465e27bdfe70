"""Makes databases in the PostgreSQL of the tests."""

from __future__ import annotations

import secrets
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


def forget_on_power_failure(uri: str) -> None:
    """Let the server wait for no disk: its data are thrown away, and stopping took a minute."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
