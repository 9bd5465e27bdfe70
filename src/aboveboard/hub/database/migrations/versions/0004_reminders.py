"""When a collaboration's present step was reminded of its deadline."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("collaboration") as batch:
        batch.add_column(sa.Column("reminded", sa.BigInteger(), nullable=True))
