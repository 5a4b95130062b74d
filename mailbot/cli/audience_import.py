"""`mailbot audience import`: a press list from a spreadsheet, with what became of each line."""

import sys
from collections import Counter
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import DryRun, Json, Yes, confirmed, database_of, database_to_read, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.audience.roster import Person, Roster
    from mailbot.audience.roster_store import Brought
    from mailbot.inbox.hand_over import Desk

AT_ONCE = 500   # people a transaction: whoever else writes waits for no longer
MOST_SHOWN = 50


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or .xlsx; - reads standard input.")],
    origin: Annotated[str, typer.Option(help="Where the addresses come from; it stands beside each for ever, and in what they are sent.")],
    unconfirmed: Annotated[bool, typer.Option("--unconfirmed", help="Ask each address first, by one mail.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put a press list on ours: new people are added, what a line says anew is taken over, and an empty cell changes nothing.

    Nobody who has left, complained, bounced or was forgotten comes back by it. The same file twice changes nothing the second time.

    Example: mailbot audience import journalists.xlsx --origin press-list-2023 --dry-run
    """
    from mailbot.audience.roster import NotARoster

    if not origin.strip():
        raise typer.BadParameter("--origin says where the addresses come from.")
    try:
        roster = _read(context, file)
    except (NotARoster, OSError) as problem:
        typer.echo(f"mailbot: {problem}", err=True)
        raise typer.Exit(1) from None
    if not dry_run and roster.people and sys.stdin.isatty():
        asks = "asked by mail whether they want our releases" if unconfirmed else f"put on the press list, from “{one_line(origin, 60)}”"
        confirmed(f"{len(roster.people):,} addresses are read. Are they to be {asks}?", yes)
    brought = _bring(context, roster.people, origin.strip(), unconfirmed, dry_run, as_json)
    _tell(roster, brought, unconfirmed, dry_run, as_json)
    if not roster.people:
        raise typer.Exit(1)


def _read(context: typer.Context, file: str) -> "Roster":
    from mailbot import columns, languages, office_terms
    from mailbot.audience import roster
    from mailbot.audience.read_table import MOST_OCTETS, rows

    if file == "-":
        data = sys.stdin.buffer.read(MOST_OCTETS + 1)
    else:
        with Path(file).open("rb") as opened:
            data = opened.read(MOST_OCTETS + 1)
    settings = settings_of(context)
    known = office_terms.language_order(settings, languages.load(office_terms.language_folders(settings)))
    words = columns.shipped()
    return roster.read(rows(data, words), words, known)


def _desk(context: typer.Context, dry_run: bool) -> "Desk":
    """Who asks, in the office's words. A dry run makes no key."""
    from mailbot import languages, office_terms, service, terms
    from mailbot.secret import existing_key, secret_key

    settings = settings_of(context)
    loaded = languages.load(office_terms.language_folders(settings))
    secret = (existing_key(settings) or b"only for a rehearsal") if dry_run else secret_key(settings)
    return terms.desk_of(settings, office_terms.office_of(settings, loaded), secret, loaded, service.new_id)


def _bring(
    context: typer.Context, people: "list[Person]", origin: str, unconfirmed: bool, dry_run: bool, as_json: bool
) -> "list[Brought]":
    from mailbot.audience.forgotten import digest
    from mailbot.audience.roster_store import bring
    from mailbot.clock import now

    desk, moment = _desk(context, dry_run), now()
    shows_bar = not as_json and sys.stderr.isatty()
    bar: Any = typer.progressbar(length=len(people), file=sys.stderr, label="Taking over") if shows_bar else nullcontext()
    found: list[Brought] = []
    with (database_to_read if dry_run else database_of)(context) as database, bar:
        for start in range(0, len(people), AT_ONCE):
            some = people[start : start + AT_ONCE]

            def act(tx: Any, some: "list[Person]" = some) -> "list[Brought]":
                with tx.begin_nested() as savepoint:
                    done = bring(tx, some, partial(digest, desk.secret), desk.office.own_language, origin, unconfirmed, moment)
                    if not dry_run:
                        _invite(tx, desk, done, origin, moment)
                        return done
                    savepoint.rollback()
                    return done

            found += database.write_now(act)
            if shows_bar:
                bar.update(len(some))
    return found


def _invite(tx: Any, desk: "Desk", brought: "list[Brought]", origin: str, moment: Any) -> None:
    """With the same transaction: who is noted is asked, or neither."""
    from mailbot.audience import store
    from mailbot.inbox.invite import invite

    for one in brought:
        who = store.find(tx, one.person.key) if one.asks else None
        if who is not None:
            invite(tx, desk, who, origin, moment)


def _tell(roster: "Roster", brought: "list[Brought]", unconfirmed: bool, dry_run: bool, as_json: bool) -> None:
    from mailbot.audience.roster import Problem

    counted = Counter(one.became for one in brought)
    kept_out = [Problem(one.person.line, one.person.address, one.why, one.value) for one in brought if one.became == "refused"]
    problems = sorted((*kept_out, *roster.problems), key=lambda one: one.line)
    lines = [{"line": one.line, "what": one.what, "why": one.said, "refused": one.refused} for one in problems]
    refused = sum(one.refused for one in problems)
    facts = {name: counted[name] for name in ("added", "updated", "unchanged")} | {"refused": refused}
    if as_json:
        return print_json(facts | {"asked": sum(one.asks for one in brought), "lines": lines, "dry_run": dry_run})
    for problem in problems[:MOST_SHOWN]:
        typer.echo(f"line {problem.line}: {one_line(problem.what, 80)} {problem.said}", err=True)
    if len(problems) > MOST_SHOWN:
        typer.echo(f"and {len(problems) - MOST_SHOWN:,} more lines; --json tells them all", err=True)
    told = ", ".join(f"{number:,} {name}" for name, number in facts.items())
    asked = f"; {counted['added']:,} are asked by mail" if unconfirmed else ""
    return typer.echo(f"{told}{asked}" + (" (dry run: nothing was changed)" if dry_run else ""))
