"""Helpers of the desk's tests: a hub that is served, members, and a desk without a socket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from aboveboard.desk import Desk, DeskApplication
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations import invite
from aboveboard.hub.serving import BackgroundServer

HOST = "127.0.0.1:8901"
LISTS = {
    "acme": [f"{k}.example" for k in range(12)],
    "bolt": [f"{k}.example" for k in range(8, 20)],
    "core": ["0.example", "9.example", *(f"{k}.example" for k in range(30, 34))],
}


class Visitor:
    """A browser that follows the desk's link and presses its buttons."""

    def __init__(self, home: Path) -> None:
        self.application = DeskApplication(Desk(home), (HOST,))
        self.root = self.application.guard.root
        transport = httpx.WSGITransport(app=self.application)
        self.client = httpx.Client(transport=transport, base_url=f"http://{HOST}")

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(f"{self.root}{path}", **options)

    def press(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, and follow where it leads."""
        return self.post(path, data=fields)

    def post(self, path: str, **options: Any) -> httpx.Response:
        headers = {"Origin": f"http://{HOST}", **options.pop("headers", {})}
        answer = self.client.post(f"{self.root}{path}", headers=headers, **options)
        if answer.status_code == 303:
            return self.client.get(answer.headers["location"])
        return answer

    def drop(self, path: str, *files: tuple[str, bytes]) -> httpx.Response:
        return self.post(path, files=[("file", file) for file in files])

    def find_digest(self, path: str) -> str:
        found = re.search(r'name="digest" value="([0-9a-f]{64})"', self.get(path).text)
        assert found is not None
        return found[1]

    def agree(self, identifier: str) -> httpx.Response:
        path = f"/round/{identifier}"
        digest = self.find_digest(f"{path}/terms")
        return self.press(f"{path}/agree", digest=digest, read="yes")

    def bring(self, identifier: str, name: str) -> httpx.Response:
        path = f"/round/{identifier}"
        content = "".join(f"{x}\n" for x in LISTS[name]).encode()
        self.drop(f"{path}/file", ("list.txt", content))
        return self.press(f"{path}/commit")


@dataclass
class Town:
    """A hub that is served, and a desk for each member."""

    hub: Hub
    server: BackgroundServer
    folder: Path
    desks: dict[str, Visitor]

    def link(self, name: str) -> str:
        return invite(self.hub, name, address=self.server.address).link

    def join(self) -> None:
        for name, desk in self.desks.items():
            shown = desk.press("/join", link=self.link(name))
            assert f"You are {name}" in shown.text, shown.text

    def open(self, **options: Any) -> str:
        file = self.folder / "lists.toml"
        head = 'name = "lists"\nmechanism = "exchange.union"\nkind = "domain"\n'
        file.write_text(head + "".join(f"[parties.{name}]\n" for name in self.desks))
        return open_collaboration(self.hub, file, **options)[0]

    def until_sealed(self, identifier: str) -> None:
        path = f"/round/{identifier}"
        for desk in self.desks.values():
            desk.agree(identifier)
        for name, desk in self.desks.items():
            desk.bring(identifier, name)
        for desk in self.desks.values():
            desk.press(f"{path}/submit", seen="yes")
