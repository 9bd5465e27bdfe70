"""Helpers of the pages' tests: browsers that log in as a member or as the operator."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from houses import HOST, House, Person
from starlette.testclient import TestClient

from aboveboard.hub.home import Hub
from aboveboard.hub.pages.sessions import make_link

ORIGIN = {"Origin": f"http://{HOST}"}

on_both = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.deep)], indirect=True
)
"""A test on SQLite, and in the deep profile on PostgreSQL."""


@dataclass
class Reader:
    """A browser without scripts."""

    house: House
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(
            self.house.app,
            base_url=f"http://{HOST}",
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def log_in(self, path: str) -> Any:
        shown = self.get(path)
        assert shown.status_code == 200, shown.text
        token = path.partition("token=")[2]
        return self.client.post("/login", data={"token": token}, headers=ORIGIN)


def ask_for_link(person: Person, nonce: str | None = None) -> Any:
    """Send the signed request that makes a link."""
    content = json.dumps({"nonce": nonce or secrets.token_hex(32)}).encode()
    return person.send("POST", "/api/v1/sessions", content)


def read_as(house: House, name: str) -> Reader:
    """Return a browser in which a member is logged in."""
    reader = Reader(house)
    answer = ask_for_link(house.people[name])
    assert answer.status_code == 201, answer.text
    assert reader.log_in(answer.json()["path"]).status_code == 303
    return reader


def read_as_operator(house: House) -> Reader:
    """Return a browser in which the operator is logged in."""
    reader = Reader(house)
    token = make_operator_link(house.hub)
    assert reader.log_in(f"/login?token={token}").status_code == 303
    return reader


def make_operator_link(hub: Hub) -> str:
    return make_link(hub, None, hub.keys.center.public.signing)
