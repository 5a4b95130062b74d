"""The desk: its users, their sessions and links, logins that failed, the journal, examples of wrong decisions."""

import sqlalchemy as sa
from alembic import op

from mailbot.database.tables import Instant

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Six tables; nothing that was there changes."""
    op.create_table("desk_user",
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_user"))
    )
    op.create_table("desk_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=320), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("until", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["desk_user.key"], name=op.f("fk_desk_session_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_session"))
    )
    op.create_index(op.f("ix_desk_session_user"), "desk_session", ["user"], unique=False)
    op.create_table("desk_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=320), nullable=False),
        sa.Column("until", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["desk_user.key"], name=op.f("fk_desk_link_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_link"))
    )
    op.create_index(op.f("ix_desk_link_user"), "desk_link", ["user"], unique=False)
    op.create_table("login_try",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_try"))
    )
    for name in ("account", "client", "at"):
        op.create_index(op.f(f"ix_login_try_{name}"), "login_try", [name], unique=False)
    op.create_table("journal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("did", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal"))
    )
    op.create_index(op.f("ix_journal_at"), "journal", ["at"], unique=False)
    op.create_table("example",
        sa.Column("mail", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("decided", sa.String(length=60), nullable=False),
        sa.Column("should", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mail"], ["mail.id"], name=op.f("fk_example_mail"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mail", name=op.f("pk_example"))
    )
