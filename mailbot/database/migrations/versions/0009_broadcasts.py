"""Broadcasts, the letters they say it in, segments; what more is known of a journalist."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Five tables, and columns that SQLite adds in place."""
    op.create_table("broadcast",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("release", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("early", sa.Boolean(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=True),
        sa.Column("not_after", Instant(timezone=True), nullable=True),
        sa.Column("event", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("held_until", Instant(timezone=True), nullable=True),
        sa.Column("started_at", Instant(timezone=True), nullable=True),
        sa.Column("finished_at", Instant(timezone=True), nullable=True),
        sa.Column("seen_ended", sa.Integer(), nullable=False),
        sa.Column("seen_dead", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=320), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast"))
    )
    op.create_index(op.f("ix_broadcast_release"), "broadcast", ["release"], unique=False)
    op.create_index(op.f("ix_broadcast_state"), "broadcast", ["state"], unique=False)
    op.create_table("segment",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("early", sa.Boolean(), nullable=False),
        sa.Column("changed_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_segment"))
    )
    op.create_table("approval",
        sa.Column("broadcast", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=320), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["broadcast"], ["broadcast.id"], name=op.f("fk_approval_broadcast"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("broadcast", "name", name=op.f("pk_approval"))
    )
    op.create_table("left_out",
        sa.Column("broadcast", sa.String(length=40), nullable=False),
        sa.Column("journalist", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["broadcast"], ["broadcast.id"], name=op.f("fk_left_out_broadcast"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["journalist"], ["journalist.id"], name=op.f("fk_left_out_journalist"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("broadcast", "journalist", name=op.f("pk_left_out"))
    )
    op.create_table("letter",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("broadcast", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("edition", sa.String(length=120), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("waits_for", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["broadcast"], ["broadcast.id"], name=op.f("fk_letter_broadcast"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("broadcast", "language", "format", "waits_for", "version",
            name=op.f("uq_letter_broadcast_language_format_waits_for_version")),
    )
    op.create_index(op.f("ix_letter_broadcast"), "letter", ["broadcast"], unique=False)
    op.add_column("delivery", sa.Column("broadcast", sa.String(length=40), nullable=True))
    op.add_column("delivery", sa.Column("journalist", sa.Integer(), nullable=True))
    op.add_column("delivery", sa.Column("letter", sa.Integer(), nullable=True))
    op.add_column("delivery", sa.Column("raw_hash", sa.String(length=64), server_default=sa.text("''"), nullable=False))
    op.create_index("ix_delivery_broadcast", "delivery", ["broadcast", "state", "due_at"], unique=False)
    op.create_index(op.f("ix_delivery_journalist"), "delivery", ["journalist"], unique=False)
    op.add_column("journalist", sa.Column("beat", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("journalist", sa.Column("place", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("journalist", sa.Column("format", sa.String(length=16), server_default=sa.text("'standard'"), nullable=False))
    op.add_column("journalist", sa.Column("notes", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("journalist", sa.Column("topics", sa.JSON(), nullable=True))
    op.add_column("journalist", sa.Column("paused_until", Instant(timezone=True), nullable=True))
    op.drop_index("ix_delivery_caps", "delivery")
    op.create_index("ix_delivery_caps", "delivery", ["kind", "created_at", "recipient_domain"], unique=False)
