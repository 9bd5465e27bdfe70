"""Requests that no browser sends: refused, and no fault of the hub's or the desk's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from houses import House
from readers import Reader, read_as

from aboveboard.desk.guard import DeskGuard, RefusedVisitError
from aboveboard.errors import InputError
from aboveboard.evidence.keys import generate_keys
from aboveboard.hub.configuration import check_configuration
from aboveboard.hub.members.transport import HubConnection

ODD_ORIGINS = ("http://[", "http://[::1", "null", "http://a\xaab", "http://hub.example@x")
NO_ADDRESSES = (
    "http://[", "http://[::1", "http://a..b", "http://a:99999", "http://a:b", "http://" + "a" * 300,
    "http://", "http://u:p@a", "ftp://a",
)  # fmt: skip


@pytest.mark.parametrize("origin", ODD_ORIGINS)
def test_an_origin_that_is_no_address_is_another_site(house: House, origin: str) -> None:
    for path in ("/login", "/logout"):
        headers = {"Origin": origin.encode("latin-1")}
        answer = Reader(house).client.post(path, data={"token": "t"}, headers=headers)
        assert answer.status_code == 403, answer.text
    desk = DeskGuard(["127.0.0.1:1"])
    form = {"HTTP_HOST": "127.0.0.1:1", "PATH_INFO": f"{desk.root}/join", "HTTP_ORIGIN": origin}
    with pytest.raises(RefusedVisitError):
        desk.check({**form, "REQUEST_METHOD": "POST"})


@pytest.mark.parametrize("index", ["9" * 5000, "9" * 25, "-1", "\u0661", "x"])
def test_a_log_has_no_entry_of_an_odd_number(house: House, tmp_path: Path, index: str) -> None:
    table = house.open(tmp_path, names=["acme", "bolt"])
    page = f"/collaborations/{table.id}/log/{index}"
    assert read_as(house, "acme").get(page).status_code == 404


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_nothing_can_be_sent_to_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="it is not an address of a hub"):
        HubConnection(address, generate_keys())
    with pytest.raises(InputError, match="address"):
        check_configuration({"address": address}, "hub.toml")
