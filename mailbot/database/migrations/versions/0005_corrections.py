"""What releases said before, corrections and withdrawals, and who was told; what an answer was written from."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables, and a column that SQLite adds without copying the mails."""
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("release", sa.String(length=120), nullable=False),
        sa.Column("edition", sa.String(length=120), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_release"), "correction", ["release"], unique=False)
    op.create_table(
        "past_edition",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("release", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("date", sa.String(length=40), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("embargo", Instant(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("correction", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["correction"], ["correction.id"], name=op.f("fk_past_edition_correction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_edition")),
    )
    op.create_index(op.f("ix_past_edition_slug"), "past_edition", ["slug"], unique=False)
    op.create_index(op.f("ix_past_edition_content_hash"), "past_edition", ["content_hash"], unique=False)
    op.create_table(
        "correction_mail",
        sa.Column("correction", sa.Integer(), nullable=False),
        sa.Column("recipient_key", sa.String(length=320), nullable=False),
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["correction"], ["correction.id"], name=op.f("fk_correction_mail_correction")),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_correction_mail_delivery"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("correction", "recipient_key", name=op.f("pk_correction_mail")),
        sa.UniqueConstraint("delivery", name=op.f("uq_correction_mail_delivery")),
    )
    op.add_column("delivery", sa.Column("written_from", sa.JSON(none_as_null=True), nullable=True))
