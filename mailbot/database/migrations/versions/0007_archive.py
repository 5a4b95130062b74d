"""What retention needs: when a row was emptied, and the numbers of rows that are gone."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns, added in place, and one table."""
    op.add_column("mail", sa.Column("emptied_at", Instant(), nullable=True))
    op.add_column("delivery", sa.Column("emptied_at", Instant(), nullable=True))
    op.create_table(
        "tally",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("figure", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=120), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("year", "figure", "language", "detail", name=op.f("pk_tally")),
    )
