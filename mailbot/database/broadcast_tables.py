"""What is announced to the press list: broadcasts, the letters they say it in, who was left out."""

import sqlalchemy as sa

from mailbot.database.tables import Instant, metadata

# A filter of the press list that has a name.
segment = sa.Table(
    "segment",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("filter", sa.Text, nullable=False),
    sa.Column("early", sa.Boolean, nullable=False, default=False),  # may have what is under embargo
    sa.Column("changed_at", Instant, nullable=False),
)

# One announcement, with the plan as it was when it was made: its deliveries never change in number.
broadcast = sa.Table(
    "broadcast",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),  # release, advisory, correction, withdrawal
    sa.Column("release", sa.String(120), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),  # those of broadcast.State
    sa.Column("why", sa.Text, nullable=False, default=""),  # why it stands: held or stopped by what or whom
    sa.Column("audience", sa.Text, nullable=False),  # the segment's name or the filter that was asked for
    sa.Column("early", sa.Boolean, nullable=False, default=False),  # leaves before the embargo ends, to whom may have it
    sa.Column("recipients", sa.Integer, nullable=False),
    sa.Column("skipped", sa.JSON, nullable=False),  # reason -> how many
    sa.Column("octets", sa.BigInteger, nullable=False, default=0),  # of all its mails, estimated
    sa.Column("wave", sa.Integer, nullable=False, default=0),  # so many at a time to people who never had a mail of ours; 0: all at once
    sa.Column("at", Instant),  # when it shall leave; none: as soon as the hold is over
    sa.Column("not_after", Instant),  # what has not left by then is held
    sa.Column("event", sa.JSON(none_as_null=True)),  # of an advisory: starts, ends, place
    sa.Column("held_until", Instant),  # the hold after the approval
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("seen_ended", sa.Integer, nullable=False, default=0),  # mails at their end when a person last went on with it: counted anew
    sa.Column("seen_dead", sa.Integer, nullable=False, default=0),  # and those of them whose address was dead
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", sa.String(320), nullable=False, default=""),
)

# Who has approved it.
approval = sa.Table(
    "approval",
    metadata,
    sa.Column("broadcast", sa.ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(320), primary_key=True),
    sa.Column("at", Instant, nullable=False),
)

# The words of a broadcast in one language and format, rendered once with marks in the place of each recipient's values.
letter = sa.Table(
    "letter",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("broadcast", sa.ForeignKey("broadcast.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("format", sa.String(16), nullable=False),  # standard, lite, text
    sa.Column("edition", sa.String(120), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),  # of the edition when this was written
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),  # [[name, value], ...], with marks too
    sa.Column("files", sa.JSON, nullable=False),  # [[name, content type, base64], ...]
    sa.Column("waits_for", sa.String(16), nullable=False, default=""),  # the language that its readers had asked for and there was not
    sa.Column("version", sa.Integer, nullable=False, default=0),  # what a correction put in the place of another has the higher one
    sa.UniqueConstraint("broadcast", "language", "format", "waits_for", "version"),
)

# Whom a broadcast left out, and why.
left_out = sa.Table(
    "left_out",
    metadata,
    sa.Column("broadcast", sa.ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("journalist", sa.ForeignKey("journalist.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("reason", sa.String(40), nullable=False),
)
