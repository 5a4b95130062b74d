"""`mailbot init` and `mailbot check`: a first settings file, and whether what it names can be used."""

from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.opening import Json, print_json, settings_of


def init(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to write it [config/mailbot.toml].")] = None,
    microsoft365: Annotated[
        bool, typer.Option("--microsoft365", help="For a mailbox on Microsoft 365; also write the request to IT.")
    ] = False,
) -> None:
    """Write a settings file to fill in; an existing one is left alone.

    Example: mailbot init --microsoft365
    """
    from mailbot.settings import DEFAULT_FILE
    from mailbot.settings_example import MICROSOFT365, NEEDED, example

    path = file or context.obj or DEFAULT_FILE
    requests = _requests(path.parent) if microsoft365 else {}
    for one in (path, *requests):
        if one.exists():
            typer.echo(f"mailbot: {one} exists already and was left as it is.", err=True)
            raise typer.Exit(1)
    _write(path, example(MICROSOFT365 if microsoft365 else NEEDED), 0o600)
    for one, text in requests.items():
        _write(one, text, 0o644)
    typer.echo(f"Written: {path}. Fill in the lines without # before them, and keep passwords in files of their own.")
    if requests:
        typer.echo(f"Written for IT, one a language: {', '.join(map(str, requests))}. Write the mailbox's address into it, and send it.")
    typer.echo(f"Then: mailbot check --live{' --send' if requests else ''}")


def _requests(folder: Path) -> dict[Path, str]:
    """The request to IT, in every language in which it is written; the first line, which is for translators, left out."""
    from mailbot.rendering import shipped

    written = sorted(shipped().glob("*/request_to_it.md"))
    return {folder / f"request-to-it.{one.parent.name}.md": one.read_text("utf-8").partition("\n")[2] for one in written}


def _write(path: Path, text: str, mode: int) -> None:
    """A new file for those whom `mode` lets read it."""
    import os

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w", encoding="utf-8") as written:
            written.write(text)
    except OSError as problem:
        typer.echo(f"mailbot: {path} cannot be written: {problem.strerror}. Name another place: mailbot init FILE", err=True)
        raise typer.Exit(1) from None


def check(
    context: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Also log in to the mailbox and the relay. Nothing is sent.")] = False,
    send: Annotated[bool, typer.Option("--send", help="With --live: also mail the mailbox itself, and look for that mail.")] = False,
    as_json: Json = False,
) -> None:
    """Say of every item whether it can be used, and what to do where not. Exits with 1 where something is red.

    Example: mailbot check --live --send
    """
    import asyncio
    import sys

    from mailbot import clock, logs
    from mailbot.check import checked
    from mailbot.round_trip import Patience, round_trip

    if send and not live:
        raise typer.BadParameter("--send needs --live: it logs in to the mailbox and the relay")
    settings = settings_of(context)
    logs.set_up(json_lines=not sys.stderr.isatty())
    found = asyncio.run(checked(settings, clock.now(), live=live))
    if send:
        typer.echo("mailbot: a test mail is on its way; this may take two minutes.", err=True)
        found += asyncio.run(round_trip(settings, clock.now(), Patience()))
    if as_json:
        print_json([{"item": one.item, "green": one.green, "said": one.said, "do": one.advice} for one in found])
    else:
        for one in found:
            said = one.said if one.said.endswith(".") else f"{one.said}."
            typer.echo(f"{'green' if one.green else 'RED  '}  {one.item}: {said}" + (f" {one.advice}" if one.advice else ""))
    if not all(one.green for one in found):
        raise typer.Exit(1)
