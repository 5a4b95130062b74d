"""A translation remembers which text of its original it was made from; those there are were made from the one there is."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and fill it as Edition.text_hash did when this was written."""
    with op.batch_alter_table("edition") as batch:
        batch.add_column(sa.Column("translated_from", sa.String(64)))
    edition = sa.table("edition", *(sa.column(name) for name in ("slug", "release", "translated_from", *_SAID)))
    connection = op.get_bind()
    originals = connection.execute(sa.select(edition).where(edition.c.slug == edition.c.release)).all()
    for original in originals:
        says = hashlib.sha256(json.dumps([getattr(original, name) for name in _SAID]).encode()).hexdigest()
        translations = sa.and_(edition.c.release == original.release, edition.c.slug != original.release)
        connection.execute(edition.update().where(translations).values(translated_from=says))


_SAID = ("title", "body", "notes", "contact", "place", "date")
