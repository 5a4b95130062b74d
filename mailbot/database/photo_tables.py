"""The tables of photos: what is known of each, and apart from it the picture itself, so that lists read no megabytes."""

import sqlalchemy as sa

from mailbot.database.tables import Instant, metadata

# A row stays when its photo is removed, so that its number on older contact sheets is never another one's.
photo = sa.Table(
    "photo",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("release", sa.String(120), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("source_hash", sa.String(64), nullable=False),  # of the file as it was given: attached twice, it is one photo
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("media_type", sa.String(20), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("octets", sa.Integer, nullable=False),
    sa.Column("captions", sa.JSON, nullable=False),  # by language
    sa.Column("credit", sa.Text, nullable=False),
    sa.Column("consent_ends", Instant),  # from then on it is shown to nobody; empty: it never ends
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False, index=True),
    sa.Column("removed_at", Instant),
    sa.UniqueConstraint("release", "number"),
)

# The picture as it is sent, and a small one for contact sheets; gone when the photo is removed.
photo_picture = sa.Table(
    "photo_picture",
    metadata,
    sa.Column("photo", sa.ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("thumbnail", sa.LargeBinary, nullable=False),
)
