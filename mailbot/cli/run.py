"""`mailbot run`: watch, decide, send."""

import asyncio
import sys
from typing import Annotated

import typer

from mailbot.cli.opening import settings_of


class MailboxUnreadable(Exception):
    """The one pass over the mailbox could not be made. The message says why and what to do."""


def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One pass over everything that is new and due, then exit.")] = False,
    only: Annotated[str, typer.Option(help="Only these parts, separated by commas: inbox, outbox, web.")] = "inbox,outbox,web",
    verbose: Annotated[bool, typer.Option("--verbose", help="Say more in the log.")] = False,
) -> None:
    """Watch the mailbox, decide, and send, until SIGTERM or Ctrl-C; the mail in hand is finished first.

    Example: mailbot run --once
    """
    from mailbot import clock, logs, service
    from mailbot.inbox import imap
    from mailbot.settings import SettingsFault, demand, service_manager

    parts = [part.strip() for part in only.split(",") if part.strip()]
    if not parts or not set(parts) <= set(service.PARTS):
        raise typer.BadParameter(f"{only!r}: the parts are {', '.join(service.PARTS)}")
    settings = settings_of(context)
    demand(settings)
    if parts == ["web"] and not settings.web.public_url:
        raise SettingsFault("web.public_url is empty: without a public address everything works by mail, and there are no pages to serve.")
    logs.set_up(json_lines=not sys.stderr.isatty(), verbose=verbose)
    built = service.build(settings, clock.now)
    if once:
        try:
            done = asyncio.run(service.run_once(built, parts))
        except imap.ImapTrouble as problem:
            said = f"The mailbox could not be read: {problem}. Nothing is lost; `mailbot check --live` says what to mend."
            raise MailboxUnreadable(said) from problem
        if not done:
            typer.echo("mailbot: another process watches this mailbox; nothing was read.", err=True)
            raise typer.Exit(1)
        return

    async def until_asked() -> None:
        waits = settings.outbox.shutdown_seconds
        await service.run(built, parts, asked=service.asked_by_signal(), shutdown_seconds=waits, manager=service_manager())

    asyncio.run(until_asked())
