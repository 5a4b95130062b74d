"""What releases said before, what was corrected or withdrawn, and who was told. Beside database/tables.py, and of the same metadata."""

import sqlalchemy as sa

from mailbot.database.tables import Instant, metadata

# What an edition said before it was corrected or withdrawn; never changed again.
past_edition = sa.Table(
    "past_edition",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("slug", sa.String(120), nullable=False, index=True),
    sa.Column("release", sa.String(120), nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("date", sa.String(40), nullable=False),  # as in edition
    sa.Column("topics", sa.JSON, nullable=False),
    sa.Column("embargo", Instant),
    sa.Column("content_hash", sa.String(64), nullable=False, index=True),
    sa.Column("since", Instant, nullable=False),  # published, or corrected to this
    sa.Column("until", Instant, nullable=False),
    sa.Column("correction", sa.ForeignKey("correction.id"), nullable=False),  # what ended it
)

# Each correction of an edition and each withdrawal of a release.
correction = sa.Table(
    "correction",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("release", sa.String(120), nullable=False, index=True),
    sa.Column("edition", sa.String(120), nullable=False),  # empty: the release was withdrawn, every edition of it
    sa.Column("content_hash", sa.String(64), nullable=False),  # of what the edition says from then on; empty: withdrawn
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

# Who is told of it: a person once, however often they had got it.
correction_mail = sa.Table(
    "correction_mail",
    metadata,
    sa.Column("correction", sa.ForeignKey("correction.id"), primary_key=True),
    sa.Column("recipient_key", sa.String(320), primary_key=True),
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False, unique=True),
)
