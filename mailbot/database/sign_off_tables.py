"""The table of sign-offs: what somebody was asked to sign, and what they said."""

import sqlalchemy as sa

from mailbot.database.tables import Instant, metadata

# Of the link only a hash is kept. `content_hash` is what is signed; `stored_hash` what the editions were when it was asked for: where
# they are something else again, nothing can be signed any more. For a correction the two differ, and `editions` is how it will read.
sign_off = sa.Table(
    "sign_off",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),  # of the same release: the newest alone counts
    sa.Column("release", sa.String(120), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("stored_hash", sa.String(64), nullable=False),
    sa.Column("editions", sa.JSON, nullable=False),
    sa.Column("signatory", sa.String(320), nullable=False),
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="SET NULL")),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False, default=""),  # approved, changes; empty: not yet answered
    sa.Column("words", sa.Text, nullable=False, default=""),  # what is to be changed
    sa.Column("answered_at", Instant),
    sa.UniqueConstraint("release", "number"),
)
