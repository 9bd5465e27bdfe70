"""The hub's tables. Times are seconds since 1970, so that both databases agree on them.

The log is the truth: a collaboration's state and size repeat what its entries say, so that lists
of many collaborations need not read them; `aboveboard hub check` compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

OVER = ("settled", "cancelled", "archived", "declined", "failed")
"""States of collaborations in which nobody is awaited any more."""

_OVER = ", ".join(f"'{state}'" for state in OVER)


def _where(condition: str) -> dict[str, Any]:
    """Return what limits an index to some rows: few of many are asked for again and again.

    No condition has a column that each statement changes: all indices would be written each time.
    """
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


organization = Table(
    "organization",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("folded", String(64), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("mail", String(200), nullable=False, server_default=""),
    Column("webhook", String(40), nullable=False, server_default=""),
)
"""A member organisation; two names may not differ in case only.

Notices go to `mail`, and to the webhook of the configuration that `webhook` names: the operator
sets both, so that nobody else chooses where the hub sends requests.
"""

key = Table(
    "key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organization", ForeignKey("organization.id"), nullable=False, index=True),
    Column("signing", String(80), nullable=False, unique=True),
    Column("sealing", String(80), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)

invitation = Table(
    "invitation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token", String(64), nullable=False, unique=True),  # its SHA-256: we cannot spend it
    Column("name", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
    Column("organization", ForeignKey("organization.id")),
    Column("recovers", ForeignKey("organization.id")),
)
"""One-time links; one that `recovers` registers new keys of an organisation that has lost its."""

collaboration = Table(
    "collaboration",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("origin", String(200), nullable=False, unique=True),
    Column("terms", String(64), nullable=False, unique=True),
    Column("state", String(20), nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("faults", Text, nullable=False, server_default="{}"),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("turns", Text, nullable=False, server_default="{}"),
    Column("until", BigInteger, index=True),
    Column("series", String(32), nullable=False, server_default="", index=True),
    Column("serial", Integer, nullable=False, server_default="1"),
    Column("previous", String(32)),
    Column("ended", BigInteger, index=True),
    Column("keep_days", Integer),
    Column("frontier", LargeBinary),
    Column("reminded", BigInteger),
    Column("standing", Text),
    Index("ix_collaboration_open", "until", "created", **_where(f"state NOT IN ({_OVER})")),
    Index("ix_collaboration_faulty", "id", **_where("faults <> '{}'")),
)
"""A round. `turns` has the kind of statement that is awaited by name, `until` its deadline.

When whoever is awaited was reminded of just this step and deadline is `reminded`.

Rounds with the same members are a `series`, named by the id of its first one. `frontier` holds the
hashes of the log's complete subtrees, the largest first: what the next root is computed from.
`standing` says what of the log stands: see `collaborations.standing`.
"""

member = Table(
    "member",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("organization", ForeignKey("organization.id"), primary_key=True),
    Column("name", String(64), nullable=False),
    UniqueConstraint("collaboration", "name"),
    Index("ix_member_organization", "organization", "collaboration"),
)

log_entry = Table(
    "log_entry",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("signer", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("collaboration", "digest"),
)
"""Statements in their order; the bytes are the canonical ones that were signed."""

tree_node = Table(
    "tree_node",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)
"""Hashes of the complete subtrees of a log's tree: a proof reads a few of them."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("deleted", BigInteger),
)
"""Ciphertexts that members have sent; the file is named by its hash."""

reply = Table(
    "reply",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("fetched", BigInteger),
)
"""Each member's sealed result."""

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("collaboration", ForeignKey("collaboration.id"), nullable=False, index=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("state", String(20), nullable=False),  # queued, running, done, failed
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("worker", String(80), nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    Column("created", BigInteger, nullable=False),
    Index("ix_job_state_lease", "state", "lease"),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collaboration", ForeignKey("collaboration.id"), nullable=False, index=True),
    Column("recipient", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("sent", BigInteger),
    Column("kind", String(20), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", BigInteger, nullable=False, server_default="0"),
    Column("problem", String(200), nullable=False, server_default=""),
    Column("about", String(64), nullable=False, server_default=""),  # a member, or nobody
    Index("ix_notice_sent", "sent", "due"),
    Index("ix_notice_failing", "sent", "id", **_where("problem <> ''")),
)
"""What somebody is to hear; no content beyond "it is your turn"."""

cosignature = Table(
    "cosignature",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)
"""Each member's last cosigned checkpoint, passed on to the others."""

recovery = Table(
    "recovery",
    metadata,
    Column("collaboration", ForeignKey("collaboration.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("signing", String(80), nullable=False),
    Column("sealing", String(80), nullable=False),
    Column("proof", String(128), nullable=False),
    Column("created", BigInteger, nullable=False),
)
"""New keys of members that have lost theirs, until the others have vouched."""

transfer = Table(
    "transfer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series", String(32), nullable=False, index=True),
    Column("collaboration", ForeignKey("collaboration.id")),
    Column("serial", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(20), nullable=False),  # pending, settled, netted, void
    Column("netted_into", ForeignKey("transfer.id")),
    Column("created", BigInteger, nullable=False),
    Column("paid_on", String(10)),
    Column("reference", String(200), nullable=False, server_default=""),
    UniqueConstraint("collaboration", "name"),
)
"""What a member pays to the center, negative where it receives; without a collaboration: netted."""

session = Table(
    "session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token", String(64), nullable=False, unique=True),  # its SHA-256: we cannot use it
    Column("kind", String(10), nullable=False),  # link, browser
    Column("organization", ForeignKey("organization.id")),
    Column("signing", String(80), nullable=False),
    Column("nonce", String(64), unique=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
)
"""Sessions of browsers, and the one-time links that open them.

Who signed for it has the key `signing`; without an organisation it is the operator. A link
remembers the random number of the request that made it: a repeated request makes none.
"""
