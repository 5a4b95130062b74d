"""The photos of releases, and on a delivery which of them it brings."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables, and a column that is empty in every delivery there is."""
    op.create_table(
        "photo",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("release", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("octets", sa.Integer(), nullable=False),
        sa.Column("captions", sa.JSON(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("consent_ends", Instant(), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sa.UniqueConstraint("release", "number", name=op.f("uq_photo_release_number")),
    )
    op.create_index(op.f("ix_photo_changed_at"), "photo", ["changed_at"], unique=False)
    op.create_table(
        "photo_picture",
        sa.Column("photo", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["photo"], ["photo.id"], name=op.f("fk_photo_picture_photo"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo", name=op.f("pk_photo_picture")),
    )
    op.add_column("delivery", sa.Column("photos", sa.JSON(), nullable=True))
