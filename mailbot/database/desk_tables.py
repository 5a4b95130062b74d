"""The desk: who may use it, who is logged in, who did what, and the mails that somebody called wrongly decided."""

import sqlalchemy as sa

from mailbot.database.tables import Instant, metadata

# Who may use the desk.
desk_user = sa.Table(
    "desk_user",
    metadata,
    sa.Column("key", sa.String(320), primary_key=True),  # of the address, which is also a colleague's in the settings
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),  # words of role.Role
    sa.Column("password", sa.Text, nullable=False),  # an argon2id hash; empty: enters by link alone
    sa.Column("created_at", Instant, nullable=False),
)

# Who is logged in: of the cookie a hash alone, so that who reads the database can use none.
desk_session = sa.Table(
    "desk_session",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.ForeignKey("desk_user.key", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False),
)

# A link that lets somebody in once.
desk_link = sa.Table(
    "desk_link",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.ForeignKey("desk_user.key", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("until", Instant, nullable=False),
)

# Logins that failed, or are just being tried; of account and client a hash, so that a mistyped password is no address in a table.
login_try = sa.Table(
    "login_try",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("account", sa.String(64), nullable=False, index=True),
    sa.Column("client", sa.String(64), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False, index=True),
)

# Who did what when. Nothing changes a row: a row is added, and goes at the end of its term.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("who", sa.String(320), nullable=False),
    sa.Column("did", sa.String(60), nullable=False),  # the name of the way in web/desk/ways.py
    sa.Column("about", sa.String(200), nullable=False),  # the mail, release or address
    sa.Column("words", sa.Text, nullable=False),  # a reason that was given
)

# A mail that a colleague called wrongly decided: for who teaches mailbot. Its text goes with the mail's.
example = sa.Table(
    "example",
    metadata,
    sa.Column("mail", sa.ForeignKey("mail.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.String(320), nullable=False),
    sa.Column("decided", sa.String(60), nullable=False),  # the reason that it was decided for
    sa.Column("should", sa.Text, nullable=False),  # what would have been right, in the colleague's words
    sa.Column("text", sa.Text, nullable=False),
)
