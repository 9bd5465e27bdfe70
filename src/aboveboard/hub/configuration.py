"""The configuration of a hub: `hub.toml` in its folder, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from aboveboard.collaborations.toml_file import decode_content, parse_table
from aboveboard.errors import InputError
from aboveboard.evidence.keys import write_private
from aboveboard.hub.addresses import MAIL, split_address

CONFIGURATION_FILE = "hub.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limits(_Strict):
    """What the hub takes from one organisation, or one address."""

    upload_bytes: int = Field(default=2**31, ge=1)
    statement_bytes: int = Field(default=2**16, ge=1)
    statements_per_round: int = Field(default=200, ge=10)
    """Statements of one member in one round, and two more for each member: a log stays readable."""
    uploads_per_round: int = Field(default=50, ge=2)
    """Sealed files of one member in one round, and one more for each member."""
    requests_per_minute: int = Field(default=1200, ge=1)
    strangers_per_minute: int = Field(default=120, ge=1)
    """Requests of one address without a valid signature."""
    free_bytes: int = Field(default=2**30, ge=0)
    """Uploads are refused while the disk has less."""


class WorkerLimits(_Strict):
    """What a settlement may take, and how long a worker holds a job."""

    memory_bytes: int = Field(default=2**33, ge=2**28)
    seconds: int = Field(default=3600, ge=1)
    output_bytes: int = Field(default=2**32, ge=1)
    lease_seconds: int = Field(default=60, ge=1)
    user: str = Field(default="", max_length=32)
    """Whom a settlement runs as, where the worker is root."""
    scratch: str = ""
    """Where settlements work; empty: in the hub's folder, or for another user in /tmp."""
    require_isolation: bool = False
    """Whether nothing is settled where the system does not let the child leave the network."""
    attempts: int = Field(default=5, ge=1)


def _check_mail(text: str) -> str:
    if text and not MAIL.fullmatch(text):
        raise ValueError("it is not one address of mail")
    return text


MailAddress = Annotated[str, Field(max_length=200), AfterValidator(_check_mail)]
"""One address; or empty."""


class Mail(_Strict):
    """The mail server by which notices go; without a host none do."""

    host: str = Field(default="", max_length=200)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = Field(default="", max_length=200)
    password: str = Field(default="", max_length=200)
    sender: MailAddress = ""

    @model_validator(mode="after")
    def _require_sender(self) -> Mail:
        if self.host and not self.sender:
            raise ValueError("no server takes a mail without a sender")
        return self


def _check_address(text: str) -> str:
    if split_address(text) is None:
        raise ValueError("it is no address, such as https://hub.example")
    return text


Webhook = Annotated[
    str,
    StringConstraints(
        max_length=500,
        pattern=r"^(https://[^\s/@]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/\S*)?$",
    ),
    AfterValidator(_check_address),
]
"""An https address, or one on this machine."""


class Notices(_Strict):
    """How members and operator hear that it is their turn.

    `webhooks` are addresses by name: an organisation's notices go to one that the operator names,
    so that no member chooses where the hub sends requests.
    """

    mail: Mail = Mail()
    webhooks: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")], Webhook] = (
        Field(default_factory=dict, max_length=200)
    )
    operator_mail: MailAddress = ""
    operator_webhook: str = Field(default="", max_length=40)
    attempts: int = Field(default=8, ge=1, le=100)
    remind_hours: int = Field(default=24, ge=0, le=24 * 60)
    """How long before a deadline somebody who is awaited is reminded; 0: never."""

    @model_validator(mode="after")
    def _find_places_of_operator(self) -> Notices:
        if self.operator_webhook and self.operator_webhook not in self.webhooks:
            raise ValueError("operator_webhook is the name of none of the webhooks")
        if self.operator_mail and not self.mail.host:
            raise ValueError("operator_mail gets nothing without a host in [notices.mail]")
        return self


class Configuration(_Strict):
    """What an operator sets.

    `address` is what members write before every path. `database` is a URL of SQLAlchemy, such as
    `postgresql+psycopg://user@host/name`; empty: a SQLite file in the hub's folder. `operators` are
    public signing keys that open the operator's pages from another machine.
    """

    name: str = Field(default="hub", max_length=200)
    address: Annotated[str, AfterValidator(_check_address)] = Field(
        default="http://127.0.0.1:8000", pattern=r"^https?://[^/\s]+$"
    )
    database: str = ""
    metrics_token: str = Field(default="", max_length=200)
    operators: list[Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]] = Field(
        default_factory=list, max_length=100
    )
    limits: Limits = Limits()
    worker: WorkerLimits = WorkerLimits()
    notices: Notices = Notices()

    @property
    def authority(self) -> str:
        """Host and port of the address, as browsers and members send them."""
        return urlsplit(self.address).netloc


def read_configuration(folder: Path) -> Configuration:
    """Return the configuration in a hub's folder.

    Raises
    ------
    InputError
        If the file is missing, no TOML, or a key is unknown or wrong.
    """
    path = folder / CONFIGURATION_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            str(path),
            f"it cannot be read ({error.strerror})",
            "name the folder that 'aboveboard hub init' made",
        ) from error
    # Read with the limits of a collaboration file: a key of many parts takes all memory else.
    table = parse_table(decode_content(content, path), path, parse_float=float)
    return check_configuration(table, str(path))


def check_configuration(table: dict[str, Any], place: str) -> Configuration:
    """Return the configuration in a table.

    Raises
    ------
    InputError
        If a key is unknown or wrong.
    """
    try:
        return Configuration.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ").lower()
        remedy = "see docs/hub.md for all keys"
        if first["type"] == "string_pattern_mismatch":
            problem = "it has another form"  # not quoted: the address of a webhook is a secret
            remedy = EXAMPLES.get(where.partition(".")[0], remedy)
        raise InputError(f"{place}: key {where!r}", problem, remedy) from error


EXAMPLES = {
    "address": "write one such as https://hub.example",
    "operators": "write keys such as ed25519: and 64 hexadecimal digits",
    "notices": "write a short name in small letters, and an address such as https://chat.example",
}
"""What would be right, for keys whose form a pattern describes."""


def write_configuration(configuration: Configuration, folder: Path) -> None:
    """Write a new configuration file that only its owner can read: a database URL is a secret."""
    content = tomli_w.dumps(configuration.model_dump()).encode("utf-8")
    write_private(folder / CONFIGURATION_FILE, content)
