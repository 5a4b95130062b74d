"""Sign-off: who was asked to sign which text of a release, and what they said."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "sign_off",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("release", sa.String(120), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("stored_hash", sa.String(64), nullable=False),
        sa.Column("editions", sa.JSON, nullable=False),
        sa.Column("signatory", sa.String(320), nullable=False),
        sa.Column("delivery", sa.String(40), nullable=True),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("answered_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_sign_off_delivery"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_off")),
        sa.UniqueConstraint("release", "number", name=op.f("uq_sign_off_release_number")),
    )
