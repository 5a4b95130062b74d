"""`mailbot explain`: what would be done with a mail, and why. Sends nothing, changes nothing."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import Json, database_to_read, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Database
    from mailbot.settings import Settings

# Name, the first octets, the size of the whole -> the explanation.
Judge = Callable[[str, bytes, int], dict[str, Any]]


def explain(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Mails as files (.eml); - is standard input.")],
    as_json: Json = False,
) -> None:
    """Say of each mail what mailbot would do, and why: alone, as in automatic mode, from a stranger. Nothing is sent.

    Example: mailbot explain request.eml
    """
    failed = False
    with database_to_read(context) as database, judge_of(settings_of(context), database) as judge:
        for file in files:
            try:
                head, size = _read(file)
            except OSError as problem:
                typer.echo(f"mailbot: {file} cannot be read: {problem.strerror}.", err=True)
                failed = True
                continue
            found = judge(file, head, size)
            print_json(found) if as_json else print_judged(found)
    if failed:
        raise typer.Exit(1)


@contextmanager
def judge_of(settings: "Settings", database: "Database") -> Iterator[Judge]:
    """What judges mails against the releases in this database, one after another."""
    import secrets
    from dataclasses import replace

    from mailbot import clock, languages, office_terms
    from mailbot.inbox import explanation
    from mailbot.inbox.answer_back import reference
    from mailbot.inbox.decision import decide
    from mailbot.inbox.known_store import answered_mails
    from mailbot.inbox.read_mail import Read
    from mailbot.message.incoming import Unreadable
    from mailbot.releases.shelf import Shelf
    from mailbot.secret import MINIMUM_OCTETS, existing_key
    from mailbot.settings import SettingsFault
    from mailbot.stranger import met, stranger_context

    loaded = languages.load(office_terms.language_folders(settings))
    shelf, reader = Shelf(loaded), office_terms.reader_of(settings, loaded)
    try:
        secret = existing_key(settings)
    except SettingsFault:
        secret = None
    sealing = secret or secrets.token_bytes(MINIMUM_OCTETS)  # without a key nothing can have been sealed by us
    database.read_now(shelf.refresh, clock.now())
    stranger, authserv_id = stranger_context(settings, loaded, shelf), settings.inbox.authserv_id

    def judge(name: str, head: bytes, size: int) -> dict[str, Any]:
        nothing: Read = (Unreadable(why="too-large" if size else "empty", size=size, subject=""), None)
        # not runner.run, which sets up signal handlers anew each time: a tenth of the whole
        message, said = loop.run_until_complete(reader.read(head, size, clock.now())) if head else nothing
        try:
            context = met(stranger, authserv_id, sealing, message, said, clock.now())
            if context.own_deliveries or reference(message.subject):
                context = replace(context, our_mails=database.read_now(answered_mails, message, context.own_deliveries))
            decided = decide(message, context, clock.now())
        except Exception as problem:
            # A bug; `run` puts such a mail before a person after its last attempt. The other mails still get their answer.
            typer.echo(f"mailbot: {name} could not be judged: {problem!r}. Please report this.", err=True)
            message = Unreadable(why="failed-too-often", size=size, subject="")
            decided = decide(message, met(stranger, authserv_id, sealing, message, None, clock.now()), clock.now())
        return explanation.explain(decided, message, name)

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        try:
            yield judge
        finally:
            runner.run(reader.close())


def _read(file: str) -> tuple[bytes, int]:
    """As much of it as is ever parsed, and the size of the whole."""
    from mailbot.message.incoming import HEAD_OCTETS

    if file == "-":
        whole = sys.stdin.buffer.read()
        return whole[:HEAD_OCTETS], len(whole)
    with open(file, "rb") as opened:
        facts = os.fstat(opened.fileno())
        if stat.S_ISREG(facts.st_mode):
            return opened.read(HEAD_OCTETS), facts.st_size
        whole = opened.read()
        return whole[:HEAD_OCTETS], len(whole)


def print_judged(found: dict[str, Any]) -> None:
    """The same for a person."""
    typer.echo(f"{found['file']}: {found['kind']}, {found['language'] or 'no language'}; {found['reason']} ({found['confidence']:.2f})")
    for action in found["actions"]:
        rest = ", ".join(f"{name} {value}" for name, value in action.items() if name != "type" and value not in ([], ""))
        typer.echo(f"  {action['type']}" + (f": {one_line(rest, 300)}" if rest else ""))
    if found["evidence"]:
        typer.echo("  because of: " + one_line("; ".join(found["evidence"]), 200))
