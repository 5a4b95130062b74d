"""The first tables: flags and leases, editions, mails, deliveries, cases."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "edition",
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
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_edition")),
        sa.UniqueConstraint("release", "language", name=op.f("uq_edition_release_language")),
    )
    op.create_index(op.f("ix_edition_changed_at"), "edition", ["changed_at"], unique=False)
    op.create_index(op.f("ix_edition_release"), "edition", ["release"], unique=False)
    op.create_table(
        "flag",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_flag")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.Column("junk", sa.Boolean(), nullable=False),
        sa.Column("rescan", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sender_key", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=64), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("sha256", name=op.f("uq_mail_sha256")),
    )
    op.create_index(op.f("ix_mail_identity"), "mail", ["identity"], unique=False)
    op.create_index(op.f("ix_mail_sender_key"), "mail", ["sender_key"], unique=False)
    op.create_index(op.f("ix_mail_state"), "mail", ["state"], unique=False)
    op.create_index(op.f("ix_mail_waiting"), "mail", ["waiting"], unique=False)
    op.create_index("ix_mail_words", "mail", ["words", "decided_at"], unique=False)
    op.create_table(
        "sent_mark",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("mark", "sent_at", name=op.f("pk_sent_mark")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("mail", sa.Integer(), nullable=True),
        sa.Column("release", sa.String(length=120), nullable=False),
        sa.Column("edition", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_key", sa.String(length=320), nullable=False),
        sa.Column("cap_key", sa.String(length=320), nullable=False),
        sa.Column("recipient_domain", sa.String(length=255), nullable=False),
        sa.Column("message_id", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=False),
        sa.Column("references", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("attach_original", sa.Boolean(), nullable=False),
        sa.Column("variant", sa.String(length=16), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("sheet_name", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("in_doubt_since", Instant(), nullable=True),
        sa.Column("date", Instant(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("last_phase", sa.String(length=16), nullable=False),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_delivery_mail")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_delivery_key")),
    )
    op.create_index("ix_delivery_caps", "delivery", ["kind", "created_at"], unique=False)
    op.create_index(op.f("ix_delivery_cap_key"), "delivery", ["cap_key"], unique=False)
    op.create_index("ix_delivery_claim", "delivery", ["state", "priority", "due_at"], unique=False)
    op.create_index(op.f("ix_delivery_mail"), "delivery", ["mail"], unique=False)
    op.create_index(op.f("ix_delivery_recipient_key"), "delivery", ["recipient_key"], unique=False)
    op.create_table(
        "mail_copy",
        sa.Column("mailbox", sa.String(length=200), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("mail", sa.Integer(), nullable=True),
        sa.Column("filed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_mail_copy_mail")),
        sa.PrimaryKeyConstraint("mailbox", "uidvalidity", "uid", name=op.f("pk_mail_copy")),
    )
    op.create_index(op.f("ix_mail_copy_mail"), "mail_copy", ["mail"], unique=False)
    op.create_table(
        "mail_part",
        sa.Column("mail", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_mail_part_mail"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mail", "number", name=op.f("pk_mail_part")),
    )
    op.create_table(
        "attempt",
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_attempt_delivery"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery", "number", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_started_at"), "attempt", ["started_at"], unique=False)
    op.create_table(
        "journalist",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("cap_key", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("outlet", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journalist")),
        sa.UniqueConstraint("key", name=op.f("uq_journalist_key")),
    )
    op.create_index(op.f("ix_journalist_cap_key"), "journalist", ["cap_key"], unique=False)
    op.create_index(op.f("ix_journalist_state"), "journalist", ["state"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("journalist", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("mail", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["journalist"], ["journalist.id"], name=op.f("fk_consent_journalist"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_consent_mail"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_journalist"), "consent", ["journalist"], unique=False)
    op.create_table(
        "confirmation",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("journalist", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_confirmation_delivery"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["journalist"], ["journalist.id"], name=op.f("fk_confirmation_journalist"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_confirmation")),
        sa.UniqueConstraint("delivery", name=op.f("uq_confirmation_delivery")),
    )
    op.create_index(op.f("ix_confirmation_journalist"), "confirmation", ["journalist"], unique=False)
    op.create_table(
        "case_file",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mail", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("colleague", sa.String(length=320), nullable=False),
        sa.Column("journalist", sa.String(length=320), nullable=False),
        sa.Column("journalist_name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("references", sa.JSON(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=True),
        sa.Column("note", sa.JSON(), nullable=False),
        sa.Column("deadline", Instant(), nullable=True),
        sa.Column("deadline_words", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.String(length=320), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_case_file_mail")),
        sa.ForeignKeyConstraint(["answer"], ["delivery.id"], name=op.f("fk_case_file_answer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("mail", name=op.f("uq_case_file_mail")),
    )
    op.create_index("ix_case_file_due", "case_file", ["state", "due_at"], unique=False)
    op.create_table(
        "case_note",
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("colleague_key", sa.String(length=320), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_case_note_delivery"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["case"], ["case_file.id"], name=op.f("fk_case_note_case"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_case_note")),
        sa.UniqueConstraint("token", name=op.f("uq_case_note_token")),
    )
    op.create_index(op.f("ix_case_note_case"), "case_note", ["case"], unique=False)
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("address_key", sa.String(length=320), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("diagnostic", sa.Text(), nullable=False),
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.Column("mail", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_bounce_delivery"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_bounce_mail"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
    )
    op.create_index(op.f("ix_bounce_delivery"), "bounce", ["delivery"], unique=False)
    op.create_index("ix_bounce_history", "bounce", ["address_key", "at"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("address_key", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("delivery", sa.String(length=40), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"], name=op.f("fk_suppression_delivery"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_address_key"), "suppression", ["address_key"], unique=False)
