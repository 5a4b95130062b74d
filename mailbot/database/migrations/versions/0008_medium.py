"""What kind of medium a journalist works for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, added in place."""
    op.add_column("journalist", sa.Column("medium", sa.String(length=20), nullable=True))
