"""An announcement's mails stand in six indexes instead of ten: queueing, claiming and recording each takes a third less."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ONE_BY_ONE = sa.text("letter IS NULL")
_OF_A_MAIL = sa.text("mail IS NOT NULL")


def upgrade() -> None:
    """Nothing is lost: a Message-ID is made from the delivery's id. A file of SQLite that is older keeps that one index."""
    for name, columns, which in (
        ("ix_delivery_mail", ["mail"], _OF_A_MAIL),
        ("ix_delivery_cap_key", ["cap_key"], _ONE_BY_ONE),
        ("ix_delivery_caps", ["kind", "created_at", "recipient_domain"], _ONE_BY_ONE),
    ):
        op.drop_index(name, "delivery")
        op.create_index(name, "delivery", columns, unique=False, sqlite_where=which, postgresql_where=which)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery DROP CONSTRAINT IF EXISTS uq_delivery_message_id")
        # Room in each page for what is written about a row later: it then need not be told to every index.
        op.execute("ALTER TABLE delivery SET (fillfactor = 70)")
        op.execute("ALTER TABLE attempt SET (fillfactor = 70)")
