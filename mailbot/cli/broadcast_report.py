"""`mailbot broadcast status` and `report`: how far an announcement is, and what became of each mail."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import Json, database_to_read, one_line, print_json

if TYPE_CHECKING:
    from mailbot.broadcast.broadcast import Broadcast

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement's number, or the beginning of it.")]
LOOK_SECONDS = 1.0
MOST_SHOWN = 30


def status(
    context: typer.Context, broadcast: Id, watch: Annotated[bool, typer.Option("--watch", help="Go on until it is at its end.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """How far it is: states, rate, time left.

    Example: mailbot broadcast status 3f2a --watch
    """
    from mailbot.broadcast import store
    from mailbot.cli.broadcast import found

    with database_to_read(context) as database:
        one = database.read_now(found, broadcast)
        facts = database.read_now(lambda tx: dict(store.summary(tx, one)))
        if as_json:
            return print_json(facts | _times(one))
        if watch and sys.stderr.isatty():
            one, facts = _watched(database, one)
    _print(one, facts)
    return None


def _times(one: "Broadcast") -> dict[str, Any]:
    return {
        "skipped": one.skipped, "at": one.at, "not_after": one.not_after, "held_until": one.held_until, "started_at": one.started_at,
        "finished_at": one.finished_at, "created_at": one.created_at, "early": one.early, "octets": one.octets,
    }  # fmt: skip


def _watched(database: Any, one: "Broadcast") -> "tuple[Broadcast, dict[str, Any]]":
    """A bar on the terminal, with the rate and the time left as typer works them out."""
    from mailbot.broadcast import store
    from mailbot.broadcast.progress import done
    from mailbot.cli.broadcast import found

    with typer.progressbar(length=max(one.recipients, 1), label=f"{one.id} {one.state}", file=sys.stderr, show_pos=True) as bar:
        reached = 0
        while True:
            one = database.read_now(found, one.id)
            facts = database.read_now(lambda tx, now=one: dict(store.summary(tx, now)))
            bar.label = f"{one.id} {one.state}"
            bar.update(done(facts["states"]) - reached)
            reached = done(facts["states"])
            if one.state in ("finished", "cancelled", "stopped", "held", "draft"):
                return one, facts
            time.sleep(LOOK_SECONDS)


def _print(one: "Broadcast", facts: dict[str, Any]) -> None:
    states = ", ".join(f"{number:,} {name}" for name, number in facts["states"].items() if number)
    typer.echo(f"{one.id}: {one.release}, {one.kind}, {one.state}{f' ({one_line(one.why, 200)})' if one.why else ''}")
    typer.echo(f"  {one.recipients:,} recipients: {states or 'nobody'}")
    for name in ("at", "held_until", "not_after", "started_at", "finished_at"):
        if moment := getattr(one, name):
            typer.echo(f"  {name.replace('_', ' ')}: {moment:%Y-%m-%d %H:%M} UTC")


def report(
    context: typer.Context,
    broadcast: Id,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row a person.")] = False,
    as_json: Json = False,
) -> None:
    """What became of each mail, who was left out and why, which addresses are dead. The states add up to the recipients.

    Example: mailbot broadcast report 3f2a --csv
    """
    from mailbot.audience.spreadsheet import table
    from mailbot.broadcast import store
    from mailbot.cli.broadcast import found

    with database_to_read(context) as database:
        one = database.read_now(found, broadcast)
        facts = database.read_now(lambda tx: dict(store.summary(tx, one)))
        rows = database.read_now(lambda tx: list(store.outcomes(tx, one.id)))
        left = database.read_now(store.skipped, one.id)
        dead = database.read_now(store.hard_bounces, one.id)
    if as_csv:
        columns = ("recipient", "recipient_name", "language", "edition", "state", "attempts", "finished_at", "last_code", "last_text")
        others = ({"recipient": row["address"], "recipient_name": row["name"], "state": f"left out: {row['reason']}"} for row in left)
        return typer.echo(table(columns, [*rows, *others]).replace("\r\n", "\n"), nl=False)
    if as_json:
        return print_json(facts | _times(one) | {"mails": rows, "left_out": left, "dead_addresses": dead})
    _print(one, facts)
    undone = [row for row in rows if row["state"] not in ("sent", "queued")]
    for row in undone[:MOST_SHOWN]:
        said = one_line(f"{row['last_code'] or ''} {row['last_text']}".strip(), 100)
        typer.echo(f"  {row['state']:<10}  {one_line(row['recipient'], 40):<40}  {said}".rstrip())
    if len(undone) > MOST_SHOWN:
        typer.echo(f"  and {len(undone) - MOST_SHOWN:,} more; --csv names them all")
    for row in left[:MOST_SHOWN]:
        typer.echo(f"  left out    {one_line(row['address'], 40):<40}  {row['reason']}")
    if len(left) > MOST_SHOWN:
        typer.echo(f"  and {len(left) - MOST_SHOWN:,} more were left out; --csv names them all")
    return None

