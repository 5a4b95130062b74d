"""Alembic's way in: the connection is handed over by migrate.upgrade, which owns the transaction."""

from alembic import context

from mailbot.database.archive_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
