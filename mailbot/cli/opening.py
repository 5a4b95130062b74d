"""What most commands begin and end with: open settings and database, print facts."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mailbot.database.engine import Database
    from mailbot.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]


def settings_of(context: typer.Context) -> "Settings":
    """The settings of this command line. Raises SettingsFault."""
    from mailbot.settings import load

    return load(context.obj)


@contextmanager
def database_of(context: typer.Context) -> "Iterator[Database]":
    """The database, brought up to this version, closed at the end. Raises DatabaseUnusable."""
    from mailbot.database.engine import Database
    from mailbot.database.migrate import upgrade

    database = Database(settings_of(context).database.url)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()


def print_json(value: Any) -> None:
    """One JSON document on one line, ASCII alone, so that every terminal and pipe carries it."""
    print(json.dumps(value, default=_plain, ensure_ascii=True))


def print_json_lines(values: Iterable[Any]) -> None:
    """One JSON document a line."""
    for value in values:
        print_json(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    raise TypeError(f"{type(value)} has no JSON form")


def confirmed(question: str, yes: bool) -> None:
    """Ask a person; without a terminal, --yes is required. Exits with 1 on no."""
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        typer.echo("mailbot: this needs --yes where nobody can be asked.", err=True)
        raise typer.Exit(2)
    if not typer.confirm(question):
        raise typer.Exit(1)


def one_line(text: str, width: int) -> str:
    """A stranger's text for a terminal: no control characters, cut to `width`."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean if len(clean) <= width else clean[: width - 1] + "…"
