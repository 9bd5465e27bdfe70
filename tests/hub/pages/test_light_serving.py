"""A hub that serves pages starts soon, takes little memory, and answers at once."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from aboveboard.errors import InputError
from aboveboard.hub.api import rates
from aboveboard.hub.api.rates import RateWindow
from aboveboard.hub.database.engine import MIGRATIONS, find_newest, refuse_old_tables, write
from aboveboard.hub.home import Hub
from aboveboard.hub.serving import bind

HEAVY = (
    "polars", "numba", "numpy", "scipy", "matplotlib", "alembic", "pygments", "aboveboard.exchange",
    "aboveboard.auditing",
)  # fmt: skip  # one line for each would hide the test


@pytest.mark.deep
def test_what_serves_pages_loads_nothing_that_reads_lists(hub: Hub) -> None:
    code = f"""
import sys
from pathlib import Path
from aboveboard.hub.home import open_hub
from aboveboard.hub.serving import bind, make_server
make_server(open_hub(Path({str(hub.folder)!r})), bind("127.0.0.1", 0), print)
print([m for m in {HEAVY} if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_tables_are_compared_with_the_newest_migration_without_what_migrates(hub: Hub) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert find_newest() == ScriptDirectory.from_config(config).get_current_head()
    refuse_old_tables(hub.engine)
    with write(hub.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(InputError, match="of version 0001, not"):
        refuse_old_tables(hub.engine)
    with write(hub.engine) as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(InputError, match="of version none, not"):
        refuse_old_tables(hub.engine)


def test_answers_of_a_kept_connection_do_not_wait_for_the_client() -> None:
    with bind("127.0.0.1", 0) as bound:  # asyncio looks at this before it sends at once
        assert bound.proto == socket.IPPROTO_TCP


def test_a_key_asks_so_often_within_any_minute_and_not_more() -> None:
    seconds = [30.0]
    window = RateWindow(60, clock=lambda: seconds[0])
    assert sum(window.hit("acme") for _ in range(100)) == 60
    assert window.hit("bolt")
    seconds[0] = 61.0  # nearly all of the minute before still counts
    assert sum(window.hit("acme") for _ in range(100)) <= 2
    seconds[0] = 90.0  # half of it does
    assert 25 <= sum(window.hit("acme") for _ in range(100)) <= 35
    seconds[0] = 300.0
    assert sum(window.hit("acme") for _ in range(100)) == 60


def test_memory_does_not_grow_with_those_who_asked_long_ago() -> None:
    seconds = [0.0]
    window = RateWindow(5, clock=lambda: seconds[0])
    for k in range(1000):
        window.hit(f"address {k}")
    seconds[0] = 200.0
    window.hit("acme")
    assert len(window._counts) == 1


def test_memory_of_the_limits_does_not_grow_with_the_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "MOST_KEYS", 100)
    window = RateWindow(2, clock=lambda: 0.0)
    for k in range(1000):
        assert window.hit(f"address {k}")
    assert len(window._counts) == 100
    for _ in range(2):
        window.hit("busy")
        for k in range(60):
            window.hit(f"other {k}")
    assert not window.hit("busy")  # who asks on is not forgotten
