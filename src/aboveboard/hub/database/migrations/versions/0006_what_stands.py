"""What of each log stands, so that no page folds a log; `hub upgrade` fills it.

Besides, indices with which lists take as long however many collaborations there are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "standing",
        sa.Column("collaboration", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collaboration"], ["collaboration.id"], name=op.f("fk_standing_collaboration")
        ),
        sa.PrimaryKeyConstraint("collaboration", name=op.f("pk_standing")),
    )
    for name, table, columns, where in (
        ("ix_collaboration_waiting", "collaboration", ["until", "updated"], "turns <> '{}'"),
        ("ix_collaboration_faulty", "collaboration", ["id"], "faults <> '{}'"),
        ("ix_notice_failing", "notice", ["sent", "id"], "problem <> ''"),
    ):
        some = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)
    op.drop_index("ix_member_organization", "member")
    op.create_index("ix_member_organization", "member", ["organization", "collaboration"])
