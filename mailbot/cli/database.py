"""`mailbot database`: upgrade, backup, restore."""

from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.opening import Yes, confirmed, database_of, settings_of

app = typer.Typer(no_args_is_help=True, help="The database: bring it up to date, copy it, bring a copy back.")


@app.command()
def upgrade(context: typer.Context) -> None:
    """Bring the tables up to this version (run does it too).

    Example: mailbot database upgrade
    """
    from mailbot.database.engine import Database
    from mailbot.database.migrate import HEAD, upgrade

    database = Database(settings_of(context).database.url)
    try:
        before = upgrade(database)
    finally:
        database.close()
    typer.echo(f"The database is at revision {HEAD}" + (f" (it was {before})." if before else " already."))


@app.command()
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Write a consistent copy, also while mailbot runs. Keep the key file beside the database with it.

    Example: mailbot database backup mailbot-monday.db
    """
    from mailbot.database.backup import back_up

    with database_of(context) as database:
        back_up(database, file)
    typer.echo(f"Written: {file}")


@app.command()
def restore(context: typer.Context, file: Annotated[Path, typer.Argument(help="A file made by backup.")], yes: Yes = False) -> None:
    """Put a copy in the place of the database. Stop mailbot first; sending stays stopped until `mailbot resume-sending`.

    Example: mailbot database restore mailbot-monday.db --yes
    """
    from mailbot.clock import now
    from mailbot.database.backup import restore

    confirmed(f"Replace the database by {file}?", yes)
    restore(settings_of(context).database.url, file, now())
    typer.echo("Restored. Nothing is sent until `mailbot resume-sending`: look at `mailbot outbox list` first.")
