"""`mailbot audience`: who is on the press list, since when, and in which words they agreed."""

import sys
from typing import Annotated

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, database_of, database_to_read, one_line, print_json, print_json_lines

app = typer.Typer(no_args_is_help=True, help="The press list: who is on it, and how they came there.")
AddressOf = Annotated[str, typer.Argument(metavar="ADDRESS", help="A journalist's mail address.")]


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Everybody we know of, by address, with where they stand.

    Example: mailbot audience list
    """
    from mailbot.audience import store

    with database_to_read(context) as database:
        rows = database.read_now(store.listed)
    if as_json:
        return print_json_lines(rows)
    for row in rows:
        typer.echo(
            f"{row['state']:<12}  {row['changed_at']:%Y-%m-%d}  {row['language']:<3}  {one_line(row['address'], 40):<40}  "
            f"{one_line(row['name'], 40)}".rstrip()
        )
    return None


@app.command()
def show(context: typer.Context, address: AddressOf, as_json: Json = False) -> None:
    """One journalist, with the history of consent: when, by which way, in which words.

    Example: mailbot audience show awa@journal.example
    """
    from mailbot.audience import store
    from mailbot.message.address import key

    with database_to_read(context) as database:
        row = database.read_now(store.shown, key(address))
    if row is None:
        raise _unknown(address)
    if as_json:
        return print_json(row)
    for name in ("address", "name", "language", "outlet", "state", "origin"):
        typer.echo(f"{name}: {one_line(row[name], 200)}".rstrip())
    for one in row["consent"]:
        of = f", mail {one['mail']}" if one["mail"] else ""
        typer.echo(f"  {one['at']:%Y-%m-%d %H:%M}  {one['event']:<10}  by {one['channel']}{of}: {one_line(one['words'], 200)}".rstrip(": "))
    return None


@app.command()
def remove(context: typer.Context, address: AddressOf, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Take an address off the press list. Nothing is sent to it, and only the journalist can come back: a person at a terminal is asked.

    Example: mailbot audience remove awa@journal.example
    """
    from mailbot.audience import store
    from mailbot.audience.journalist import Change, Event, Refuse, wish
    from mailbot.clock import now
    from mailbot.message.address import key

    with (database_to_read if dry_run else database_of)(context) as database:
        if dry_run:
            found = database.read_now(store.find, key(address))
            outcome = (found, wish(found, Event.REMOVED, None, now())) if found else None
        else:
            if sys.stdin.isatty():
                confirmed(f"Take {address} off the press list?", yes)
            outcome = database.write_now(store.remove, key(address), now())
    if outcome is None:
        raise _unknown(address)
    who, step = outcome
    if isinstance(step, Refuse):
        typer.echo(f"mailbot: {who.address} is {who.state}: it is not written to, and stays so.", err=True)
        raise typer.Exit(1)
    after = step.becomes if isinstance(step, Change) else who.state
    facts = {"address": who.address, "before": who.state, "state": after, "dry_run": dry_run}
    answer(as_json, facts, f"{who.address}: {who.state} -> {after}" + (" (dry run)" if dry_run else ""))


def _unknown(address: str) -> typer.Exit:
    typer.echo(f"mailbot: there is no journalist {one_line(address, 100)!r}. `mailbot audience list` shows them.", err=True)
    return typer.Exit(1)
