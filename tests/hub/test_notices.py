"""Notices by mail and webhook: once, again after a failure, without content, to nobody's choice."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from houses import Clock, House
from sqlalchemy import select

from aboveboard.errors import InputError
from aboveboard.hub.configuration import Configuration, check_configuration
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import notice
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.failures import STEP, note_failure
from aboveboard.hub.notices import messages, sending
from aboveboard.hub.notices.sending import remind, send_notices
from aboveboard.hub.organizations.contacts import set_contact
from aboveboard.hub.series.repeating import propose_change

MAIL = {"host": "mail.example", "sender": "hub@example.org"}

PAUSE = 0.01
"""Seconds between two looks of a server whether it is over."""


class MailStub(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets, or refuses all of it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.mails: list[tuple[str, str]] = []
        self.refuses = False


class MailHandler(socketserver.StreamRequestHandler):
    server: MailStub

    def reply(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.reply("220 stub")
        recipient = ""
        while line := self.rfile.readline().decode():
            word = line[:4].upper()
            if word == "RCPT":
                recipient = line.split("<")[1].split(">")[0]
                self.reply("451 later" if self.server.refuses else "250 ok")
            elif word == "DATA":
                self.reply("354 go on")
                lines = []
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    lines.append(part)
                self.server.mails.append((recipient, "".join(lines)))
                self.reply("250 ok")
            elif word == "QUIT":
                self.reply("221 bye")
                return
            else:
                self.reply("250 ok")


class HookHandler(BaseHTTPRequestHandler):
    calls: list[dict[str, Any]]
    keys: list[str]
    status = 200

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).calls.append(json.loads(content))
        type(self).keys.append(self.headers["Idempotency-Key"])
        self.send_response(type(self).status)
        if type(self).status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mails() -> Iterator[MailStub]:
    with MailStub() as server:
        threading.Thread(target=server.serve_forever, args=(PAUSE,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hook() -> Iterator[type[HookHandler]]:
    handler = type("Handler", (HookHandler,), {"calls": [], "keys": [], "status": 200})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        handler.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(PAUSE,), daemon=True).start()
        yield handler
        server.shutdown()


def configure(hub: Hub, **notices: Any) -> Hub:
    table = hub.configuration.model_dump()
    changed = check_configuration({**table, "notices": notices}, "test")
    return replace(hub, configuration=changed)


def with_mail(hub: Hub, mails: MailStub, **more: Any) -> Hub:
    mail = {
        "host": "127.0.0.1", "port": mails.server_address[1], "security": "none",
        "sender": "hub@example.org",
    }  # fmt: skip
    return configure(hub, mail=mail, **more)


def test_each_member_hears_once_that_it_is_its_turn_and_nothing_else(
    hub: Hub, house: House, tmp_path: Path, mails: MailStub
) -> None:
    told = with_mail(hub, mails)
    for name in ("acme", "bolt"):
        set_contact(told, name, mail=f"{name}@example.org")
    table = house.open(tmp_path)
    assert send_notices(told) == 2
    assert send_notices(told) == 0
    assert sorted(to for to, _ in mails.mails) == ["acme@example.org", "bolt@example.org"]
    for _, text in mails.mails:
        assert "Subject: aboveboard: it is your turn" in text
        for secret in (table.id, table.terms, "lists", "exchange", "agree", "core"):
            assert secret not in text


@pytest.mark.deep
def test_several_notices_of_one_member_are_one_message(
    hub: Hub, house: House, tmp_path: Path, mails: MailStub
) -> None:
    told = with_mail(hub, mails)
    set_contact(told, "acme", mail="acme@example.org")
    for _ in range(3):
        house.open(tmp_path)
    assert send_notices(told) == 1
    assert len(mails.mails) == 1


def test_a_message_that_is_not_taken_is_sent_again_later_each_time(
    hub: Hub, house: House, tmp_path: Path, mails: MailStub
) -> None:
    told = with_mail(hub, mails, attempts=3)
    set_contact(told, "acme", mail="acme@example.org")
    house.open(tmp_path)
    mails.refuses = True
    assert send_notices(told) == 0
    assert send_notices(told) == 0  # not yet again
    house.clock.seconds += 61
    assert send_notices(told) == 0
    mails.refuses = False
    house.clock.seconds += 121
    assert send_notices(told) == 1
    with read(hub.engine) as connection:
        row = connection.execute(select(notice).where(notice.c.recipient == "acme")).one()
    assert (row.attempts, row.problem) == (2, "")
    assert row.sent is not None


@pytest.mark.deep
def test_what_nobody_takes_is_given_up_and_says_why(
    hub: Hub, house: House, tmp_path: Path, mails: MailStub
) -> None:
    told = with_mail(hub, mails, attempts=1)
    set_contact(told, "acme", mail="acme@example.org")
    house.open(tmp_path)
    mails.refuses = True
    assert send_notices(told) == 0
    house.clock.seconds += 10**6
    mails.refuses = False
    assert send_notices(told) == 0
    with read(hub.engine) as connection:
        row = connection.execute(select(notice).where(notice.c.recipient == "acme")).one()
    assert row.sent is None
    assert row.problem.startswith("mail: ")
    assert "example.org" not in row.problem


def test_a_webhook_hears_the_same_sentence_and_follows_no_redirect(
    hub: Hub, house: House, tmp_path: Path, hook: Any
) -> None:
    told = configure(hub, webhooks={"chat": f"http://127.0.0.1:{hook.port}/x"})
    set_contact(told, "acme", webhook="chat")
    house.open(tmp_path)
    hook.status = 302
    assert send_notices(told) == 0
    hook.status = 200
    house.clock.seconds += 61
    assert send_notices(told) == 1
    assert hook.calls[-1] == {"text": "it is your turn", "hub": "http://hub.example"}
    assert len(hook.keys) == 2
    assert len(set(hook.keys)) == 1  # it is the same message, sent again


def test_what_waits_behind_a_slow_receiver_is_sent_by_one_worker_only(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = configure(hub, webhooks={"chat": "http://127.0.0.1:1/", "other": "http://127.0.0.1:2/"})
    for name, webhook in (("acme", "chat"), ("bolt", "other")):
        set_contact(told, name, webhook=webhook)
    house.open(tmp_path)
    sent: list[str] = []

    def deliver_slowly(_: object, contact: dict[str, str], *__: str) -> None:
        sent.append(contact["webhook"])
        house.clock.seconds += sending.LEASE - 1
        if len(sent) == 1:
            send_notices(told)  # another worker, that finds the second message due by its clock

    monkeypatch.setattr(sending, "deliver", deliver_slowly)
    send_notices(told)
    house.clock.seconds += 10 * sending.LEASE
    send_notices(told)
    assert sorted(sent) == ["chat", "other"]


def test_a_claim_that_ran_out_is_left_to_the_worker_that_took_it(
    hub: Hub, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = configure(hub, webhooks={"chat": "http://127.0.0.1:1/", "other": "http://127.0.0.1:2/"})
    for name, webhook in (("acme", "chat"), ("bolt", "other")):
        set_contact(told, name, webhook=webhook)
    house.open(tmp_path)
    sent: list[str] = []

    def deliver_late(_: object, contact: dict[str, str], *__: str) -> None:
        sent.append(contact["webhook"])
        if len(sent) == 1:
            house.clock.seconds += sending.LEASE + 1
            monkeypatch.setattr(sending, "deliver", lambda _, c, *__: sent.append(c["webhook"]))
            send_notices(told)

    monkeypatch.setattr(sending, "deliver", deliver_late)
    send_notices(told)
    assert sent.count("other") == 1


@pytest.mark.deep
def test_a_receiver_that_answers_byte_by_byte_is_cut_off(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_SECONDS", 0.3)
    ended = threading.Event()

    class Trickle(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for _ in range(100):
                try:
                    self.request.sendall(b"H")
                except OSError:
                    return
                if ended.wait(0.05):
                    return

    mail = {"host": "127.0.0.1", "security": "none", "sender": "hub@example.org"}
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Trickle) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(PAUSE,), daemon=True).start()
        port = server.server_address[1]
        told = configure(
            hub, webhooks={"chat": f"http://127.0.0.1:{port}/"}, mail={**mail, "port": port}
        )
        began = time.monotonic()
        with pytest.raises(messages.NotSentError):
            messages.deliver(
                told.configuration, {"mail": "a@b.example", "webhook": "chat"}, "x", "key"
            )
        assert time.monotonic() - began < 4
        ended.set()
        server.shutdown()


def test_nobody_but_the_configuration_names_an_address(hub: Hub, house: House) -> None:
    with pytest.raises(InputError, match="the configuration has none"):
        set_contact(hub, "acme", webhook="http://169.254.169.254/")
    for address in (
        "http://10.0.0.1/", "ftp://x.example/", "https://user@x.example/", "file:///etc/passwd",
        "http://127.0.0.1.evil.example/",
    ):  # fmt: skip
        with pytest.raises(InputError):
            configure(hub, webhooks={"chat": address})
    assert configure(hub, webhooks={"chat": "https://chat.example/x"})


@pytest.mark.parametrize(
    "mail",
    ["a@b\nBcc: c@d", "a@b, c@d", "a@b>", "<a@b", "no address", "a b@c.example", "().@.", "a(b)@c"],
)
def test_an_address_is_one_address(hub: Hub, house: House, mail: str) -> None:
    with pytest.raises(InputError):
        set_contact(hub, "acme", mail=mail)


def test_who_is_awaited_is_reminded_once_before_the_deadline(
    hub: Hub, house: House, tmp_path: Path, mails: MailStub
) -> None:
    told = with_mail(hub, mails, remind_hours=1)
    set_contact(told, "core", mail="core@example.org")
    table = house.open(tmp_path, deadlines={"agree": "2027-01-15T10:00:00Z"})
    table.say("acme", "agree")
    send_notices(told)
    assert remind(told) == 0  # two hours before
    house.clock.seconds += 3700
    assert remind(told) == 2  # bolt and core
    assert remind(told) == 0
    assert send_notices(told) == 1
    assert len(mails.mails) == 2


def test_whatever_else_happens_a_step_is_reminded_once_and_a_moved_deadline_once_more(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    told = configure(hub, remind_hours=2)
    deadline = "2027-01-15T10:00:00Z"  # two hours ahead
    table = house.open(tmp_path, deadlines={"agree": deadline, "commit": deadline})
    counts = [remind(told)]
    for name in table.names:
        house.clock.seconds += 10
        table.say(name, "agree")
        counts.append(remind(told))
    assert counts == [3, 0, 0, 3]  # the last one began another step
    for name in ("acme", "bolt"):
        house.clock.seconds += 10
        table.post(name, table.commitment(name))
        assert remind(told) == 0
    moved = {"agree": deadline, "commit": "2027-01-15T09:30:00Z"}
    change = propose_change(hub, table.id, {"deadlines": moved}).digest
    for name in table.names:
        assert remind(told) == 0
        assert table.say(name, "change", change=change).status_code == 201
    assert remind(told) == 3
    assert remind(told) == 0


def test_the_operator_hears_of_what_waits_for_it_and_a_member_called_operator_does_not(
    hub: Hub, mails: MailStub, tmp_path: Path
) -> None:
    clock = Clock()
    clock.seconds = hub.clock()
    house = House.build(hub, clock, ("operator", "acme"))
    for name in house.people:
        set_contact(hub, name, mail=f"{name}@example.org")
    told = with_mail(hub, mails, operator_mail="boss@hub.example")
    table = house.open(tmp_path, ["operator", "acme"])
    assert send_notices(told) == 2  # each member is asked to agree, the operator nothing
    assert sorted(to for to, _ in mails.mails) == ["acme@example.org", "operator@example.org"]
    mails.mails.clear()
    note_failure(hub, table.id, STEP, ValueError("such as a full disk"))
    assert send_notices(told) == 1
    assert [to for to, _ in mails.mails] == ["boss@hub.example"]
    assert "acme" not in mails.mails[0][1]
    assert "full disk" not in mails.mails[0][1]


@pytest.mark.parametrize(
    ("notices", "said"),
    [
        ({"operator_mail": "nope", "mail": MAIL}, "it is not one address of mail"),
        ({"operator_mail": "a@x.example, b@x.example", "mail": MAIL}, "it is not one address"),
        ({"operator_mail": "a@x.example"}, "gets nothing without a host"),
        ({"operator_webhook": "chat"}, "is the name of none of the webhooks"),
        ({"mail": {"host": "mail.example"}}, "without a sender"),
        ({"mail": {**MAIL, "sender": "nobody"}}, "it is not one address of mail"),
        ({"mail": {**MAIL, "sender": "hub@"}}, "it is not one address of mail"),
        ({"mail": {**MAIL, "sender": "hub@x.example\nBcc: b@x.example"}}, "it is not one address"),
    ],
)
def test_where_notices_could_never_be_sent_the_configuration_says_so(
    notices: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_configuration({"notices": notices}, "hub.toml")


def test_a_hub_without_mail_keeps_its_notices_to_itself(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    set_contact(hub, "acme", mail="acme@example.org")
    house.open(tmp_path)
    assert send_notices(hub) == 0
    assert Configuration().notices.mail.host == ""


def test_what_reaches_one_place_is_sent_and_not_sent_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = list[str]()

    def fail(_: object, where: str, *__: str) -> None:
        raise messages.NotSentError(f"{where}: it answers 500")

    monkeypatch.setattr(messages, "send_mail", lambda _, where, *__: sent.append(where))
    monkeypatch.setattr(messages, "call_webhook", fail)
    table = hub.configuration.model_dump()
    table["notices"]["mail"] = {
        **table["notices"]["mail"],
        "host": "mail.example",
        "sender": "hub@mail.example",
    }
    configuration = check_configuration(table, "test")
    both = {"mail": "a@b.example", "webhook": "chat"}
    messages.deliver(configuration, both, "it is your turn", "key")
    assert sent == ["a@b.example"]
    with pytest.raises(messages.NotSentError, match="500"):
        messages.deliver(configuration, {"mail": "", "webhook": "chat"}, "x", "key")


def test_a_mail_server_that_cannot_be_named_is_a_notice_not_sent(hub: Hub) -> None:
    mail = {"host": "mail..example", "sender": "hub@mail.example", "security": "none"}
    told = configure(hub, mail=mail)
    with pytest.raises(messages.NotSentError, match="mail: "):
        messages.send_mail(told.configuration, "a@b.example", "it is your turn", "key")
