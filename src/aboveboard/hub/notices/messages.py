"""What a notice says: that it is somebody's turn, and where; no name, no rule, no content.

A mail travels through others' hands, and a webhook's receiver keeps what it gets. Whoever wants to
know more asks the hub with its key.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from aboveboard.hub.configuration import Configuration

logger = logging.getLogger(__name__)

SECONDS = 20
"""How long a mail server or a receiver may take."""

TURN, NEWS = "it is your turn", "there is news for you"


class NotSentError(Exception):
    """Raised when a notice could not be sent; the text says why, without the address."""


def say(kinds: set[str], turns: frozenset[str]) -> str:
    """Return the one sentence of a message: whether something is to be done, or not."""
    return TURN if kinds & turns else NEWS


def send_mail(configuration: Configuration, recipient: str, text: str) -> None:
    """Send a mail with one sentence and the hub's address.

    Raises
    ------
    NotSentError
        If the mail server does not take it.
    """
    settings = configuration.notices.mail
    message = EmailMessage()
    message["From"], message["To"] = settings.sender, recipient
    message["Subject"] = f"aboveboard: {text}"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{text[0].upper()}{text[1:]} at {configuration.address}\n")
    try:
        _deliver(configuration, message)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(f"mail: {type(error).__name__}") from error


def _deliver(configuration: Configuration, message: EmailMessage) -> None:
    settings = configuration.notices.mail
    context = ssl.create_default_context()
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)
    with server:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, settings.password)
        server.send_message(message)


class _NoRedirects(HTTPRedirectHandler):
    """A webhook is the operator's choice: it is not sent to another address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse every redirect."""


def call_webhook(configuration: Configuration, name: str, text: str) -> None:
    """Send one sentence and the hub's address to a webhook of the configuration.

    No member chooses an address: webhooks stand in the operator's file, and are named here.

    Raises
    ------
    NotSentError
        If there is no such webhook, or it does not answer with 2xx.
    """
    address = configuration.notices.webhooks.get(name)
    if address is None:
        raise NotSentError("webhook: the configuration has it no more")
    content = json.dumps({"text": text, "hub": configuration.address}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "aboveboard"}
    request = Request(address, content, headers, method="POST")
    handlers: list[Any] = [_NoRedirects()]
    if urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1"):
        handlers.append(ProxyHandler({}))
    try:
        with build_opener(*handlers).open(request, timeout=SECONDS) as answer:
            answer.read(1)
    except HTTPError as error:
        error.close()
        raise NotSentError(f"webhook: it answers {error.code}") from error
    except (URLError, OSError, ValueError) as error:
        raise NotSentError(f"webhook: {type(error).__name__}") from error


def deliver(configuration: Configuration, contact: Mapping[str, str], text: str) -> None:
    """Send a sentence to a mail address, a webhook, or both; what reaches one of them is sent.

    Else whoever has both would get a mail again each time that its webhook does not answer.

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
            send(configuration, contact[place], text)
        except NotSentError as error:
            problems.append(str(error))
        else:
            sent = True
    if not problems:
        return
    if not sent:
        raise NotSentError("; ".join(problems))
    logger.warning("a notice was sent to one place only: %s", "; ".join(problems))
