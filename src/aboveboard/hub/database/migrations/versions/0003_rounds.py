"""Series of rounds, transfers, cosignatures, lost keys, notices that are sent, nodes of logs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _add_columns()
    op.create_table(
        "tree_node",
        sa.Column("collaboration", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collaboration"], ["collaboration.id"], name=op.f("fk_tree_node_collaboration")
        ),
        sa.PrimaryKeyConstraint("collaboration", "level", "index", name=op.f("pk_tree_node")),
    )
    op.create_table(
        "cosignature",
        sa.Column("collaboration", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collaboration"], ["collaboration.id"], name=op.f("fk_cosignature_collaboration")
        ),
        sa.PrimaryKeyConstraint("collaboration", "name", name=op.f("pk_cosignature")),
    )
    op.create_table(
        "recovery",
        sa.Column("collaboration", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("signing", sa.String(length=80), nullable=False),
        sa.Column("sealing", sa.String(length=80), nullable=False),
        sa.Column("proof", sa.String(length=128), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collaboration"], ["collaboration.id"], name=op.f("fk_recovery_collaboration")
        ),
        sa.PrimaryKeyConstraint("collaboration", "name", name=op.f("pk_recovery")),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series", sa.String(length=32), nullable=False),
        sa.Column("collaboration", sa.String(length=32), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("netted_into", sa.Integer(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.String(length=10), nullable=True),
        sa.Column("reference", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["collaboration"], ["collaboration.id"], name=op.f("fk_transfer_collaboration")
        ),
        sa.ForeignKeyConstraint(
            ["netted_into"], ["transfer.id"], name=op.f("fk_transfer_netted_into")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("collaboration", "name", name=op.f("uq_transfer_collaboration")),
    )
    op.create_index(op.f("ix_transfer_series"), "transfer", ["series"], unique=False)


def _add_columns() -> None:
    with op.batch_alter_table("collaboration") as batch:
        batch.add_column(sa.Column("turns", sa.Text(), server_default="{}", nullable=False))
        batch.add_column(sa.Column("until", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("series", sa.String(32), server_default="", nullable=False))
        batch.add_column(sa.Column("serial", sa.Integer(), server_default="1", nullable=False))
        batch.add_column(sa.Column("previous", sa.String(32), nullable=True))
        batch.add_column(sa.Column("ended", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("keep_days", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("frontier", sa.LargeBinary(), nullable=True))
        batch.create_index(batch.f("ix_collaboration_series"), ["series"], unique=False)
        batch.create_index(batch.f("ix_collaboration_until"), ["until"], unique=False)
        batch.create_index(batch.f("ix_collaboration_ended"), ["ended"], unique=False)
    with op.batch_alter_table("organization") as batch:
        batch.add_column(sa.Column("mail", sa.String(200), server_default="", nullable=False))
        batch.add_column(sa.Column("webhook", sa.String(40), server_default="", nullable=False))
    with op.batch_alter_table("submission") as batch:
        batch.add_column(sa.Column("deleted", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("invitation") as batch:
        batch.add_column(sa.Column("recovers", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            batch.f("fk_invitation_recovers"), "organization", ["recovers"], ["id"]
        )
    with op.batch_alter_table("notice") as batch:
        batch.add_column(sa.Column("kind", sa.String(20), server_default="", nullable=False))
        batch.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        batch.add_column(sa.Column("due", sa.BigInteger(), server_default="0", nullable=False))
        batch.add_column(sa.Column("problem", sa.String(200), server_default="", nullable=False))
        batch.create_index(batch.f("ix_notice_sent"), ["sent", "due"], unique=False)
