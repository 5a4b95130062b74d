"""The tables of alerts: what is wrong and was told, and each message about it until it has arrived."""

import sqlalchemy as sa

from mailbot.database.tables import Instant, metadata

# One row for every condition that was ever told: the same row for two processes, so that one of them tells it.
alert = sa.Table(
    "alert",
    metadata,
    sa.Column("condition", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("item", sa.String(120), nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),  # falls as it gets worse; told again then
    sa.Column("began_at", Instant, nullable=False, index=True),
    sa.Column("ended_at", Instant),
)

# One row for each message and each who gets it. They do not leave through the outbox: it may be what is wrong.
alert_notice = sa.Table(
    "alert_notice",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("target", sa.String(320), nullable=False),  # an address, or the word webhook: its URL may be a secret
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("said", sa.JSON, nullable=False),  # the same for programs
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("holder", sa.String(200), nullable=False),
    sa.Column("held_until", Instant),
    sa.Column("delivered_at", Instant, index=True),
    sa.Column("last_text", sa.Text, nullable=False),
)
