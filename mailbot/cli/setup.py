"""`mailbot init` and `mailbot check`: a first settings file, and whether what it names can be used."""

from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.opening import Json, print_json, settings_of


def init(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to write it [config/mailbot.toml].")] = None,
) -> None:
    """Write a settings file to fill in; an existing one is left alone.

    Example: mailbot init
    """
    import os

    from mailbot.settings import DEFAULT_FILE
    from mailbot.settings_example import example

    path = file or context.obj or DEFAULT_FILE
    if path.exists():
        typer.echo(f"mailbot: {path} exists already and was left as it is.", err=True)
        raise typer.Exit(1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as written:
            written.write(example())
    except OSError as problem:
        typer.echo(f"mailbot: {path} cannot be written: {problem.strerror}. Name another place: mailbot init FILE", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"Written: {path}. Fill in the lines without # before them, and keep passwords in files of their own.")
    typer.echo("Then: mailbot check --live")


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

    from mailbot import clock
    from mailbot.check import checked
    from mailbot.round_trip import Patience, round_trip

    if send and not live:
        raise typer.BadParameter("--send needs --live: it logs in to the mailbox and the relay")
    settings = settings_of(context)
    found = asyncio.run(checked(settings, clock.now(), live=live))
    if send:
        typer.echo("mailbot: a test mail is on its way; this may take two minutes.", err=True)
        found += asyncio.run(round_trip(settings, clock.now(), Patience()))
    if as_json:
        print_json([{"item": one.item, "green": one.green, "said": one.said, "do": one.advice} for one in found])
    else:
        for one in found:
            typer.echo(f"{'green' if one.green else 'RED  '}  {one.item}: {one.said}" + (f" {one.advice}" if one.advice else ""))
    if not all(one.green for one in found):
        raise typer.Exit(1)
