"""A hub that sends too much, or another file than was named: its member keeps neither."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aboveboard.errors import InputError
from aboveboard.evidence.keys import generate_keys
from aboveboard.hub.members import KnownHub, membership, sharing
from aboveboard.hub.members import mirror as mirrors
from aboveboard.hub.members.mirror import pull
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.members.transport import HubConnection

ENTRY = "x" * 100


class Endless:
    """A hub whose log has no end."""

    def __init__(self, page: int, size: int | float) -> None:
        self.page, self.size, self.asked = page, size, 0

    def get_json(self, path: str) -> Any:
        if "/log?" not in path:
            return {"member": "acme", "notes": {}}
        self.asked += 1
        return {"entries": [ENTRY] * self.page, "size": self.size, "checkpoint": ""}


@pytest.mark.parametrize(("page", "size"), [(1000, 10**6), (1001, 1001), (1000, float("inf"))])
def test_a_log_without_an_end_is_refused_at_its_first_page(
    page: int, size: int | float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Endless(page, size)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match=r"too long|does not answer as a hub"):
        pull(Mirror(tmp_path, "http://hub.example", "ab"), generate_keys())
    assert hub.asked == 1
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_grows_page_by_page_is_refused_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Endless(100, 200)
    monkeypatch.setattr(mirrors, "HubConnection", lambda *_: hub)
    monkeypatch.setattr(mirrors, "MOST_LOG_BYTES", 150 * len(ENTRY))
    with pytest.raises(InputError, match="too long"):
        pull(Mirror(tmp_path, "http://hub.example", "ab"), generate_keys())
    assert hub.asked == 2


def test_an_answer_is_read_up_to_its_limit() -> None:
    connection = HubConnection("http://localhost:1", generate_keys())

    class Opener:
        def open(self, *_: Any, **__: Any) -> Any:
            return io.BytesIO(b"x" * 1000)

    connection._opener = Opener()  # type: ignore[assignment]  # answers without a network
    assert len(connection.get("/log", most=1000)) == 1000
    with pytest.raises(InputError, match="more than 999 bytes"):
        connection.get("/log", most=999)


@pytest.mark.parametrize("name", ["acme", "north-open", "x-openers", "b-tokens-0"])
def test_what_was_opened_is_kept_under_its_owners_name_whatever_that_is(
    name: str, tmp_path: Path
) -> None:
    content = b"sealed"
    digest = hashlib.sha256(content).hexdigest()
    opened = SimpleNamespace(body={"sealed": digest})
    terms = SimpleNamespace(counts="members")
    hub: Any = SimpleNamespace(get=lambda _: content)
    place = Mirror(tmp_path, "http://hub.example", "ab")
    round_: Any = SimpleNamespace(
        terms=terms, said={("open", name): opened}, tokens={name: (digest, digest)}
    )
    sharing.fetch_shared(place, hub, round_, "auditor")
    sharing.fetch_shared(place, hub, round_, "acme")
    kept = {path.name for path in (tmp_path / "sealed").iterdir()}
    assert kept == {f"{name}-{w}-{digest[:16]}.bin" for w in ("open", "tokens-0", "tokens-1")}


def test_another_file_than_was_named_is_not_kept(tmp_path: Path) -> None:
    opened = SimpleNamespace(body={"sealed": hashlib.sha256(b"sealed").hexdigest()})
    hub: Any = SimpleNamespace(get=lambda _: b"other")
    round_: Any = SimpleNamespace(terms=None, said={("open", "acme"): opened}, tokens={})
    with pytest.raises(InputError, match="another file than acme has named"):
        sharing.fetch_shared(Mirror(tmp_path, "hub.example", "ab"), hub, round_, "auditor")
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize(
    "face", [[], None, {"rotations": None}, {"rotations": "x"}, {"rotations": [1]}]
)
def test_rotations_that_are_none_are_refused(
    face: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownHub("http://hub.example", "acme", "hub", generate_keys().public.as_dict(), "")
    hub = SimpleNamespace(get_json=lambda _: face)
    monkeypatch.setattr(membership, "HubConnection", lambda *_: hub)
    with pytest.raises(InputError, match="does not answer as a hub"):
        membership.follow_rotations(known, tmp_path, generate_keys())
    assert list(tmp_path.iterdir()) == []
