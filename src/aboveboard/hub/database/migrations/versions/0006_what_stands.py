"""What of each log stands, so that no page folds a log; `hub upgrade` fills it.

Besides, indices with which lists take as long however many collaborations there are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OVER = "'settled', 'cancelled', 'archived', 'declined', 'failed'"


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("collaboration") as batch:
        batch.add_column(sa.Column("standing", sa.Text(), nullable=True))
    for name, table, columns, where in (
        ("ix_collaboration_open", "collaboration", ["until", "created"], f"state NOT IN ({OVER})"),
        ("ix_collaboration_faulty", "collaboration", ["id"], "faults <> '{}'"),
        ("ix_notice_failing", "notice", ["sent", "id"], "problem <> ''"),
    ):
        some = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)
    op.drop_index("ix_member_organization", "member")
    op.create_index("ix_member_organization", "member", ["organization", "collaboration"])
