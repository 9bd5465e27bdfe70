"""Whom a notice is about, so that one member's doings put off no notice about another."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("notice") as batch:
        batch.add_column(sa.Column("about", sa.String(64), nullable=False, server_default=""))
