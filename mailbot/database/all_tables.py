"""The tables of every part, joined: for migrations, and for a database that is made in memory."""

from mailbot.database import alert_tables, archive_tables, broadcast_tables, correction_tables, desk_tables, photo_tables, sign_off_tables
from mailbot.database.tables import metadata

__all__ = [
    "alert_tables", "archive_tables", "broadcast_tables", "correction_tables", "desk_tables", "metadata", "photo_tables", "sign_off_tables",
]  # fmt: skip
