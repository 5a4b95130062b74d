"""The mails that are still to be filed are found without a look at all that ever lay in the mailbox."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TO_FILE = sa.text("filed_at IS NULL AND mail IS NOT NULL")


def upgrade() -> None:
    """Nothing is changed but how it is found."""
    op.create_index(
        "ix_mail_copy_to_file", "mail_copy", ["mailbox", "uidvalidity"], unique=False, sqlite_where=_TO_FILE, postgresql_where=_TO_FILE
    )
