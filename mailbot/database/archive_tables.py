"""What is left when people's words are gone: numbers, which name nobody. Beside database/tables.py, and of the same metadata."""

import sqlalchemy as sa

from mailbot.database.tables import metadata

__all__ = ["metadata", "tally"]

# What was counted of rows that are gone, a year each: the yearly report adds it to what is still there.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("figure", sa.String(40), primary_key=True),  # archive/tally.py
    sa.Column("language", sa.String(16), primary_key=True),
    sa.Column("detail", sa.String(120), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
