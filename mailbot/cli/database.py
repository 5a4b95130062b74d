"""`mailbot database`: upgrade, backup, restore."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, settings_of

app = typer.Typer(no_args_is_help=True, help="The database: bring it up to date, copy it, bring a copy back.")


@app.command()
def upgrade(context: typer.Context, as_json: Json = False) -> None:
    """Bring the tables up to this version (run does it too).

    Example: mailbot database upgrade
    """
    from mailbot.database.engine import Database
    from mailbot.database.migrate import HEAD, upgrade

    with closing(Database(settings_of(context).database.url)) as database:
        before = upgrade(database)
    sentence = f"The database is at revision {HEAD}" + (f" (it was {before})." if before else " already.")
    answer(as_json, {"revision": HEAD, "before": before or HEAD}, sentence)


@app.command()
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="A new file.")], as_json: Json = False) -> None:
    """Write a consistent copy, also while mailbot runs. Keep the key file beside the database with it.

    Example: mailbot database backup mailbot-monday.db
    """
    from mailbot.database.backup import BackupFailed, back_up
    from mailbot.database.engine import Database, exists

    url = settings_of(context).database.url
    if not exists(url):
        raise BackupFailed("There is no database yet to make a copy of. Check database.url.")
    with closing(Database(url)) as database:  # as it is: before an upgrade is when one wants a copy
        back_up(database, file)
    answer(as_json, {"file": str(file), "octets": file.stat().st_size}, f"Written: {file}")


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file made by backup.")],
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put a copy in the place of the database. Stop mailbot first; sending stays stopped until `mailbot resume-sending`.

    Example: mailbot database restore mailbot-monday.db --yes
    """
    from mailbot.clock import now
    from mailbot.database.backup import restore, revision_of

    url = settings_of(context).database.url
    facts = {"file": str(file), "revision": revision_of(url, file), "restored": not dry_run}
    if dry_run:
        return answer(as_json, facts, f"{file} is a sound backup (revision {facts['revision']}). It would take the place of the database.")
    confirmed(f"Replace the database by {file}?", yes)
    restore(url, file, now())
    sentence = "Restored. Nothing is sent until `mailbot resume-sending`: look at `mailbot outbox list` first."
    return answer(as_json, facts, sentence)
