"""What most commands begin and end with: open settings and database, print facts."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import date, datetime
from pathlib import Path
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

    with closing(Database(settings_of(context).database.url)) as database:
        upgrade(database)
        yield database


@contextmanager
def database_to_read(context: typer.Context) -> "Iterator[Database]":
    """The database as it lies, for a command that only looks: where there is none yet, an empty one that is gone afterwards.

    Raises DatabaseUnusable, also for one that is older or newer than this version."""
    from tempfile import TemporaryDirectory

    from mailbot.database.all_tables import metadata
    from mailbot.database.engine import Database, exists
    from mailbot.database.migrate import is_ready

    url = settings_of(context).database.url
    with ExitStack() as ends:
        if exists(url):
            database = ends.enter_context(closing(Database(url)))
            if is_ready(database):
                yield database
                return
        folder = ends.enter_context(TemporaryDirectory(prefix="mailbot-"))
        empty = ends.enter_context(closing(Database(f"sqlite:///{Path(folder) / 'empty.db'}")))
        empty.write_now(metadata.create_all)
        yield empty


def print_json(value: Any) -> None:
    """One JSON document on one line, ASCII alone, so that every terminal and pipe carries it; at once, for who reads along."""
    print(json.dumps(value, default=_plain, ensure_ascii=True), flush=True)


def print_json_lines(values: Iterable[Any]) -> None:
    """One JSON document a line."""
    for value in values:
        print_json(value)


def answer(as_json: bool, facts: Mapping[str, Any], sentence: str) -> None:
    """What was done: for programs, or for a person."""
    print_json(facts) if as_json else typer.echo(sentence)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    raise TypeError(f"{type(value)} has no JSON form")


def new_file(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, readable by its owner alone: what it holds is people's."""
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError:
        typer.echo(f"mailbot: {path} exists already. Name a new file.", err=True)
        raise typer.Exit(1) from None


def confirmed(question: str, yes: bool) -> None:
    """Ask a person; without a terminal, --yes is required. Exits with 1 on no."""
    if yes:
        return
    if not sys.stdin.isatty():
        typer.echo("mailbot: this needs --yes where nobody can be asked.", err=True)
        raise typer.Exit(2)
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


def one_line(text: str, width: int) -> str:
    """A stranger's text for a terminal: no control characters, cut to `width`."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean if len(clean) <= width else clean[: width - 1] + "…"


def lines(text: str) -> str:
    """A stranger's text of several lines for a terminal."""
    return "\n".join(one_line(line, 1000) for line in text.splitlines())
