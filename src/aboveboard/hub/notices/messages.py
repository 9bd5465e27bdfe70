"""What a notice says: that it is somebody's turn, and where; no name, no rule, no content.

A mail travels through others' hands, and a webhook's receiver keeps what it gets. Whoever wants to
know more asks the hub with its key.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from aboveboard.hub.configuration import Configuration

logger = logging.getLogger(__name__)

SECONDS = 20
"""How long a mail server or a receiver may be silent."""

MOST_SECONDS = 60
"""How long sending one mail, or calling one webhook, may take in all once it is connected."""

TURN, NEWS = "it is your turn", "there is news for you"


class NotSentError(Exception):
    """Raised when a notice could not be sent; the text says why, without the address."""


def say(kinds: set[str], turns: frozenset[str]) -> str:
    """Return the one sentence of a message: whether something is to be done, or not."""
    return TURN if kinds & turns else NEWS


@contextmanager
def _end_in_time(find_socket: Callable[[], socket | None]) -> Iterator[None]:
    """Cut a connection that takes too long: one that sends a byte now and then is never silent."""

    def cut() -> None:
        found = find_socket()
        if found is not None:
            with suppress(OSError):
                socket.shutdown(found, SHUT_RDWR)  # below TLS, so that whoever reads wakes up

    timer = Timer(MOST_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def send_mail(configuration: Configuration, recipient: str, text: str, key: str) -> None:
    """Send a mail with one sentence and the hub's address.

    Parameters
    ----------
    configuration
        The hub's.
    recipient
        The address.
    text
        The sentence.
    key
        The same for a message that is sent again; it is the mail's Message-ID.

    Raises
    ------
    NotSentError
        If an address is none, or the mail server does not take it.
    """
    try:
        message = _write_mail(configuration, recipient, text, key)
    except Exception as error:  # of what is no address, Python's parser raises this or that
        raise NotSentError("mail: sender or recipient is no address") from error
    try:
        _deliver(configuration, message)
    except (OSError, ValueError, smtplib.SMTPException) as error:  # also a host that is no name
        raise NotSentError(f"mail: {type(error).__name__}") from error


def _write_mail(configuration: Configuration, recipient: str, text: str, key: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = configuration.notices.mail.sender, recipient
    message["Subject"] = f"aboveboard: {text}"
    message["Auto-Submitted"] = "auto-generated"
    message["Message-ID"] = f"<{key}@{urlsplit(configuration.address).hostname or 'hub.invalid'}>"
    message.set_content(f"{text[0].upper()}{text[1:]} at {configuration.address}\n")
    return message


def _deliver(configuration: Configuration, message: EmailMessage) -> None:
    settings = configuration.notices.mail
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if settings.security == "tls":
        server = smtplib.SMTP_SSL(timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(timeout=SECONDS)
    # The constructor sets the name only where it connects at once.
    server._host = settings.host  # type: ignore[attr-defined]  # the name that TLS checks
    with _end_in_time(lambda: server.sock), server:
        code, answer = server.connect(settings.host, settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, answer)
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, settings.password)
        server.send_message(message)


class _NoRedirects(HTTPRedirectHandler):
    """A webhook is the operator's choice: it is not sent to another address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse every redirect."""


class _Connections:
    """Opens what urllib asks for, and keeps the last socket, so that it can be cut."""

    def __init__(self) -> None:
        self.socket: socket | None = None

    def list_handlers(self) -> list[Any]:
        """Return the handlers of http and https."""
        kept = self

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                kept.socket = self.sock

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                kept.socket = self.sock

        class PlainHandler(HTTPHandler):
            def http_open(self, request: Request) -> Any:
                return self.do_open(Plain, request)

        class SecureHandler(HTTPSHandler):
            def https_open(self, request: Request) -> Any:
                return self.do_open(Secure, request, context=ssl.create_default_context())

        return [PlainHandler(), SecureHandler()]


def call_webhook(configuration: Configuration, name: str, text: str, key: str) -> None:
    """Send one sentence and the hub's address to a webhook of the configuration.

    No member chooses an address: webhooks stand in the operator's file, and are named here.

    Parameters
    ----------
    configuration
        The hub's.
    name
        Of the webhook.
    text
        The sentence.
    key
        The same for a message that is sent again; it is the header Idempotency-Key.

    Raises
    ------
    NotSentError
        If there is no such webhook, or it does not answer with 2xx.
    """
    address = configuration.notices.webhooks.get(name)
    if address is None:
        raise NotSentError("webhook: the configuration has it no more")
    content = json.dumps({"text": text, "hub": configuration.address}).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "aboveboard",
        "Idempotency-Key": key,
    }
    request = Request(address, content, headers, method="POST")
    connections = _Connections()
    handlers: list[Any] = [_NoRedirects(), *connections.list_handlers()]
    if urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1"):
        handlers.append(ProxyHandler({}))
    try:
        with (
            _end_in_time(lambda: connections.socket),
            build_opener(*handlers).open(request, timeout=SECONDS) as answer,
        ):
            answer.read(1)
    except HTTPError as error:
        error.close()
        raise NotSentError(f"webhook: it answers {error.code}") from error
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise NotSentError(f"webhook: {type(error).__name__}") from error


def deliver(configuration: Configuration, contact: Mapping[str, str], text: str, key: str) -> None:
    """Send a sentence to a mail address, a webhook, or both; what reaches one of them is sent.

    Else whoever has both would get a mail again each time that its webhook does not answer. It
    takes at most about `2 * MOST_SECONDS`, and what looking up two names takes.

    Parameters
    ----------
    configuration
        The hub's.
    contact
        "mail" and "webhook", each may be empty.
    text
        The sentence.
    key
        The same for a message that is sent again, so that whoever gets it twice can see that.

    Raises
    ------
    NotSentError
        If it reached neither.
    """
    problems, sent = [], False
    for place, send in (("mail", send_mail), ("webhook", call_webhook)):
        if not contact.get(place) or (place == "mail" and not configuration.notices.mail.host):
            continue
        try:
            send(configuration, contact[place], text, key)
        except NotSentError as error:
            problems.append(str(error))
        else:
            sent = True
    if not problems:
        return
    if not sent:
        raise NotSentError("; ".join(problems))
    logger.warning("a notice was sent to one place only: %s", "; ".join(problems))
