"""An address that cannot be served, or is none, is refused with what would be right."""

from __future__ import annotations

import socket

import pytest

from aboveboard.errors import InputError
from aboveboard.hub.configuration import check_configuration
from aboveboard.hub.serving import bind


def test_a_taken_port_asks_for_another_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="use another port"):
            bind("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_another_machine_asks_for_one_of_this() -> None:
    with pytest.raises(InputError, match=r"use an address of this machine, such as 127\.0\.0\.1"):
        bind("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"address": "nope"},
            "key 'address': it has another form; write one such as https://hub.example",
        ),
        (
            {"operators": ["nope"]},
            "key 'operators.0': it has another form; write keys such as ed25519:",
        ),
    ],
)
def test_beside_a_wrong_form_stands_a_right_one(table: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_configuration(table, "hub.toml")
