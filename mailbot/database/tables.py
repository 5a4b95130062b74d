"""Every table of mailbot, for SQLite and PostgreSQL alike.

Times are UTC and aware: a naive datetime is refused on its way in. Words such as states and reasons are stored as the
text of their enum; the nouns close the sets, the tables do not.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps it as sortable text without a zone, PostgreSQL as timestamptz."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime with ValueError; SQLite gets the UTC wall time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


# What a person or a flow has switched: sending stopped, the first start of a mailbox, the last success of a flow.
flag = sa.Table(
    "flag",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

# Who holds what: one row per mailbox watcher and per running process.
lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("holder", sa.String(200), nullable=False),
    sa.Column("until", Instant, nullable=False),
)

edition = sa.Table(
    "edition",
    metadata,
    sa.Column("slug", sa.String(120), primary_key=True),
    sa.Column("release", sa.String(120), nullable=False, index=True),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("date", sa.String(40), nullable=False),  # ISO: a day, or an instant with its offset
    sa.Column("topics", sa.JSON, nullable=False),
    sa.Column("embargo", Instant),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False, index=True),
    sa.Column("published_at", Instant),
    sa.Column("translated_from", sa.String(64)),  # the text_hash of the original (release.py)
    sa.UniqueConstraint("release", "language"),
)

# One row per mail that arrived, by the hash of its bytes; what was decided, and why.
mail = sa.Table(
    "mail",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("stored_at", Instant, nullable=False),
    sa.Column("junk", sa.Boolean, nullable=False, default=False),
    sa.Column("rescan", sa.Boolean, nullable=False, default=False),  # met again after a new UIDVALIDITY
    sa.Column("state", sa.String(16), nullable=False, index=True),  # stored, decided; gone: a fingerprint alone is left
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("mode", sa.String(16), nullable=False, default=""),
    sa.Column("decided_at", Instant),
    sa.Column("kind", sa.String(16), nullable=False, default=""),
    sa.Column("outcome", sa.String(20), nullable=False, default=""),  # of the first decision: send_release, subscribe, hand_off, ...
    sa.Column("reason", sa.String(60), nullable=False, default=""),
    sa.Column("explanation", sa.JSON),
    sa.Column("language", sa.String(16), nullable=False, default=""),
    sa.Column("sender", sa.Text, nullable=False, default=""),
    sa.Column("sender_key", sa.String(320), nullable=False, default="", index=True),
    sa.Column("subject", sa.Text, nullable=False, default=""),
    sa.Column("message_id", sa.Text, nullable=False, default=""),
    sa.Column("identity", sa.String(64), nullable=False, default="", index=True),  # of Message-ID, From, Date: for a rescan only
    sa.Column("words", sa.String(64), nullable=False, default=""),  # of what the sender wrote: the same words, the same key
    sa.Column("folder", sa.Text, nullable=False, default=""),  # where it is filed; empty: it stays where it is
    sa.Column("waiting", sa.Boolean, nullable=False, default=False, index=True),  # a person has to answer
    sa.Column("fault", sa.Text, nullable=False, default=""),  # why deciding failed the last time
    sa.Column("answered_at", Instant),  # a colleague answered it from the mailbox itself
    sa.Column("emptied_at", Instant),  # its bytes and words are gone (archive/)
)
sa.Index("ix_mail_words", mail.c.words, mail.c.decided_at)

# The bytes of a mail in pieces of one MiB, so that a mail of 60 MB never has to stand in memory whole.
mail_part = sa.Table(
    "mail_part",
    metadata,
    sa.Column("mail", sa.ForeignKey("mail.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

# Where a mail lies on the server. A copy without a mail was too old to be ours, or is gone.
mail_copy = sa.Table(
    "mail_copy",
    metadata,
    sa.Column("mailbox", sa.String(200), primary_key=True),
    sa.Column("uidvalidity", sa.BigInteger, primary_key=True),
    sa.Column("uid", sa.BigInteger, primary_key=True),
    sa.Column("mail", sa.ForeignKey("mail.id"), index=True),
    sa.Column("filed_at", Instant),
)

TO_FILE = sa.and_(mail_copy.c.filed_at.is_(None), mail_copy.c.mail.is_not(None))
sa.Index("ix_mail_copy_to_file", mail_copy.c.mailbox, mail_copy.c.uidvalidity, sqlite_where=TO_FILE, postgresql_where=TO_FILE)

# What colleagues sent from the mailbox: a hash of each mail that it may answer (inbox/direct_answer.py), and when it was sent.
sent_mark = sa.Table(
    "sent_mark",
    metadata,
    sa.Column("mark", sa.String(64), primary_key=True),
    sa.Column("sent_at", Instant, primary_key=True),
)

# Every mail that leaves is a row here first.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # what makes it the same mail: queued twice, it is queued once
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("mail", sa.ForeignKey("mail.id")),  # the mail that it answers or hands over
    sa.Column("release", sa.String(120), nullable=False, default=""),
    sa.Column("edition", sa.String(120), nullable=False, default=""),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("recipient", sa.String(320), nullable=False),
    sa.Column("recipient_name", sa.Text, nullable=False, default=""),
    sa.Column("recipient_key", sa.String(320), nullable=False, index=True),
    sa.Column("cap_key", sa.String(320), nullable=False, default=""),
    sa.Column("recipient_domain", sa.String(255), nullable=False, default=""),
    sa.Column("message_id", sa.String(400), nullable=False),  # made from the id, which is found by it (message/token.py)
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False, default=""),
    sa.Column("in_reply_to", sa.Text, nullable=False, default=""),
    sa.Column("references", sa.JSON, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False, default=""),  # of the edition when this was written
    sa.Column("mentions", sa.JSON, nullable=False),  # slugs of other editions that it names
    sa.Column("attach_original", sa.Boolean, nullable=False, default=False),
    sa.Column("variant", sa.String(16), nullable=False, default=""),  # what an answer-back word asked for; empty: not such an answer
    sa.Column("sheet", sa.Text, nullable=False, default=""),  # the HTML of a page that leaves as a PDF beside the text
    sa.Column("sheet_name", sa.String(200), nullable=False, default=""),
    sa.Column("written_from", sa.JSON(none_as_null=True)),  # what was decided, so that it can be written anew
    # Of an announcement: which one, who gets it, and its words, which are kept once for all. No foreign key checks them, row by row, for
    # each of a hundred thousand: they are queued by a join with the letters, only who is on the list is claimed, and `verify` looks at all.
    sa.Column("broadcast", sa.String(40)),
    sa.Column("journalist", sa.Integer, index=True),
    sa.Column("letter", sa.Integer),
    sa.Column("raw_hash", sa.String(64), nullable=False, default="", server_default=sa.text("''")),  # of bytes made from a letter
    sa.Column("photos", sa.JSON),  # the marks of the photos that it names or brings, as they were when this was written
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("doubts", sa.Integer, nullable=False, default=0),
    sa.Column("holder", sa.String(200), nullable=False, default=""),
    sa.Column("fence", sa.Integer, nullable=False, default=0),
    sa.Column("in_doubt_since", Instant),  # written before DATA: from here on it may have arrived
    sa.Column("date", Instant),  # the Date header, fixed at the first claim
    sa.Column("raw", sa.LargeBinary),  # the bytes, fixed at the first claim
    sa.Column("finished_at", Instant),
    sa.Column("last_phase", sa.String(16), nullable=False, default=""),
    sa.Column("last_code", sa.Integer),
    sa.Column("last_text", sa.Text, nullable=False, default=""),
    sa.Column("emptied_at", Instant),  # its bytes and words are gone (archive/)
)
# A mail of an announcement stands in no index that it is never looked for in: it is queued by the hundred thousand.
ONE_BY_ONE = delivery.c.letter.is_(None)
_ANSWERS: dict[str, Any] = {"sqlite_where": ONE_BY_ONE, "postgresql_where": ONE_BY_ONE}
_OF_A_MAIL = delivery.c.mail.is_not(None)
sa.Index("ix_delivery_mail", delivery.c.mail, sqlite_where=_OF_A_MAIL, postgresql_where=_OF_A_MAIL)
sa.Index("ix_delivery_cap_key", delivery.c.cap_key, **_ANSWERS)
sa.Index("ix_delivery_claim", delivery.c.state, delivery.c.priority, delivery.c.due_at, **_ANSWERS)
sa.Index("ix_delivery_broadcast", delivery.c.broadcast, delivery.c.state, delivery.c.due_at)
sa.Index("ix_delivery_caps", delivery.c.kind, delivery.c.created_at, delivery.c.recipient_domain, **_ANSWERS)

# Each dialogue with the relay, for "what did it say", and for the pace.
attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("started_at", Instant, nullable=False, index=True),
    sa.Column("holder", sa.String(200), nullable=False),
    sa.Column("phase", sa.String(16), nullable=False, default=""),
    sa.Column("code", sa.Integer),
    sa.Column("text", sa.Text, nullable=False, default=""),
    sa.Column("verdict", sa.String(16), nullable=False, default=""),
    sa.Column("ended_at", Instant),
)

# Everybody who was ever on the press list, left it, or was asked.
journalist = sa.Table(
    "journalist",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(320), nullable=False, unique=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("cap_key", sa.String(320), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("outlet", sa.Text, nullable=False),
    sa.Column("medium", sa.String(20)),  # journalist.Medium; none: nobody has said
    sa.Column("beat", sa.Text, nullable=False, default="", server_default=sa.text("''")),
    sa.Column("place", sa.Text, nullable=False, default="", server_default=sa.text("''")),
    sa.Column("format", sa.String(16), nullable=False, default="standard", server_default=sa.text("'standard'")),  # standard, lite, text
    sa.Column("notes", sa.Text, nullable=False, default="", server_default=sa.text("''")),  # a colleague's
    sa.Column("topics", sa.JSON),  # the only ones that somebody wants; none: all
    sa.Column("paused_until", Instant),  # gets no announcement before then
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("origin", sa.Text, nullable=False),  # the list that somebody came from who never asked us
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

# When, by which way and in which words each of them was asked, joined, left or came back.
consent = sa.Table(
    "consent",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("journalist", sa.ForeignKey("journalist.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),  # mail, web, command
    sa.Column("event", sa.String(20), nullable=False),
    sa.Column("words", sa.Text, nullable=False),  # the sender's own, or which version of our question
    sa.Column("mail", sa.ForeignKey("mail.id", ondelete="SET NULL")),
)

# What a mail of ours about the list asks or offers; its token is used once.
confirmation = sa.Table(
    "confirmation",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("journalist", sa.ForeignKey("journalist.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", sa.String(16), nullable=False),  # join, leave, return
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)

# A mail that a colleague has to answer: who has it, what would be sent for it, what became of it. Unfinished ones have their mail waiting.
case_file = sa.Table(
    "case_file",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("mail", sa.ForeignKey("mail.id"), nullable=False, unique=True),
    sa.Column("state", sa.String(16), nullable=False),  # open, answering, answered, closed, snoozed
    sa.Column("reason", sa.String(60), nullable=False),
    sa.Column("colleague", sa.String(320), nullable=False, default=""),  # who has it now; empty: no note has gone out
    sa.Column("journalist", sa.String(320), nullable=False, default=""),  # empty: nobody who could be answered
    sa.Column("journalist_name", sa.Text, nullable=False, default=""),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("authenticated", sa.Boolean, nullable=False),  # their domain vouches for the mail: its subject may go out again
    sa.Column("references", sa.JSON, nullable=False),
    sa.Column("draft", sa.JSON(none_as_null=True)),  # the release that a colleague's yes sends, chosen but not yet written
    sa.Column("note", sa.JSON, nullable=False),  # what its note says, to be written anew for the next colleague
    sa.Column("deadline", Instant),
    sa.Column("deadline_words", sa.Text, nullable=False, default=""),
    sa.Column("urgent", sa.Boolean, nullable=False, default=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("due_at", Instant),  # when it goes to the next name, or comes back after a snooze
    sa.Column("overdue", sa.Boolean, nullable=False, default=False),  # the list of names has come to its end
    sa.Column("answer", sa.ForeignKey("delivery.id")),  # the text that is held back or has answered it
    sa.Column("closed_at", Instant),
    sa.Column("closed_by", sa.String(320), nullable=False, default=""),
    sa.Column("how", sa.String(40), nullable=False, default=""),
)
sa.Index("ix_case_file_due", case_file.c.state, case_file.c.due_at)

# What was written to a colleague about a case: each has a token of its own, which only that colleague's address may use.
case_note = sa.Table(
    "case_note",
    metadata,
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("case", sa.ForeignKey("case_file.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("token", sa.String(40), nullable=False, unique=True),
    sa.Column("colleague_key", sa.String(320), nullable=False),
    sa.Column("sent_at", Instant, nullable=False),
)

# Each report about an address that one of our deliveries went to: bounces, refusals by its server, complaints.
bounce = sa.Table(
    "bounce",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("address_key", sa.String(320), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("grade", sa.String(16), nullable=False),  # hard, soft, ours, complaint, noted
    sa.Column("status", sa.String(16), nullable=False, default=""),
    sa.Column("diagnostic", sa.Text, nullable=False, default=""),
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("mail", sa.ForeignKey("mail.id", ondelete="SET NULL")),  # the report; none where the relay said it at once
)
sa.Index("ix_bounce_history", bounce.c.address_key, bounce.c.at)

# Addresses that are written to no more, and those that were.
suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("address_key", sa.String(320), nullable=False, index=True),  # of who was forgotten a keyed hash
    sa.Column("reason", sa.String(60), nullable=False),  # hard-bounce, soft-bounces, complaint, by-hand, forgotten
    sa.Column("since", Instant, nullable=False),
    sa.Column("delivery", sa.ForeignKey("delivery.id", ondelete="SET NULL")),  # the one that told us
    sa.Column("lifted_at", Instant),
)
