"""`mailbot explain`: what would be done with a mail, and why. Sends nothing, changes nothing."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import Json, database_of, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Database
    from mailbot.settings import Settings


def explain(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Mails as files (.eml).")],
    as_json: Json = False,
) -> None:
    """Say of each mail what mailbot would do, and why: alone, as in automatic mode, from a stranger. Nothing is sent.

    Example: mailbot explain request.eml
    """
    mails: list[tuple[str, bytes]] = []
    failed = False
    for file in files:
        try:
            mails.append((str(file), file.read_bytes()))
        except OSError as problem:
            typer.echo(f"mailbot: {file} cannot be read: {problem.strerror}.", err=True)
            failed = True
    with database_of(context) as database:
        for found in judged(settings_of(context), database, mails):
            print_json(found) if as_json else print_judged(found)
    if failed:
        raise typer.Exit(1)


def judged(settings: "Settings", database: "Database", mails: Sequence[tuple[str, bytes]]) -> Iterable[dict[str, Any]]:
    """The explanation of each mail, in the order given."""
    return asyncio.run(_judge(settings, database, mails))


async def _judge(settings: "Settings", database: "Database", mails: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
    from mailbot import clock, languages, service
    from mailbot.inbox import explanation
    from mailbot.inbox.decision import decide
    from mailbot.inbox.read_mail import Reader
    from mailbot.releases.shelf import Shelf
    from mailbot.secret import secret_key

    folders = service.language_folders(settings)
    loaded = languages.load(folders)
    shelf, reader, secret = Shelf(loaded), Reader(folders), secret_key(settings)
    database.read_now(shelf.refresh, clock.now())
    found = []
    try:
        for name, content in mails:
            message = await reader.read(content, len(content))
            context = service.stranger_context(settings, loaded, shelf, secret, message)
            found.append(explanation.explain(decide(message, context, clock.now()), message, name))
    finally:
        await reader.close()
    return found


def print_judged(found: dict[str, Any]) -> None:
    """The same for a person."""
    typer.echo(f"{found['file']}: {found['kind']}, {found['language'] or 'no language'}; {found['reason']} ({found['confidence']:.2f})")
    for action in found["actions"]:
        rest = ", ".join(f"{name} {value}" for name, value in action.items() if name != "type" and value not in ([], ""))
        typer.echo(f"  {action['type']}" + (f": {rest}" if rest else ""))
    if found["evidence"]:
        typer.echo("  because of: " + one_line("; ".join(found["evidence"]), 200))
