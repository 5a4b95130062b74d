"""`mailbot audience`: who is on the press list, since when, and in which words they agreed."""

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot.audience.journalist import Medium
from mailbot.cli import audience_import, audience_segment, forget
from mailbot.cli.opening import (
    DryRun,
    Json,
    Yes,
    answer,
    confirmed,
    database_of,
    database_to_read,
    one_line,
    print_json,
    print_json_lines,
    settings_of,
)

app = typer.Typer(no_args_is_help=True, help="The press list: who is on it, and how they came there.")
app.command()(forget.forget)
app.command("import")(audience_import.import_)
app.add_typer(audience_segment.app, name="segment")
AddressOf = Annotated[str, typer.Argument(metavar="ADDRESS", help="A journalist's mail address.")]


@app.command("list")
def list_(
    context: typer.Context,
    to: Annotated[str, typer.Option(help="A segment's name, or a filter such as: language = fr and medium = radio")] = "",
    as_json: Json = False,
) -> None:
    """Everybody we know of, by address, with where they stand.

    Example: mailbot audience list --to medium=radio
    """
    from mailbot.audience import segment_store, store

    with database_to_read(context) as database:
        rows = database.read_now(store.listed)
        if to:
            where = audience_segment.filter_of(database, to)
            keys = set(database.read_now(lambda tx: [row.id for row in segment_store.chosen(tx, where)]))
            rows = [row for row in rows if row["id"] in keys]
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
    """Everything that is kept of one person: consent (when, by which way, in which words), origin, mails, and what was sent to them.

    Example: mailbot audience show awa@journal.example --json
    """
    from mailbot.archive.person_store import everything
    from mailbot.audience import store

    with database_to_read(context) as database:
        of, hashed = _keys(context, address, only_looks=True)
        row = database.read_now(store.shown, of)
        held = database.read_now(everything, of, hashed)
        near = get_close_matches(of, database.read_now(store.keys), 3, 0.85) if row is None else []
    if row is None and not any(held.values()):
        raise _unknown(address, near)
    if as_json:
        return print_json((row or {"address": address, "state": "none", "consent": []}) | {"held": held})
    for name in ("address", "name", "language", "outlet", "medium", "beat", "place", "format", "notes", "state", "origin"):
        typer.echo(f"{name}: {one_line((row[name] or '') if row else '', 200)}".rstrip())
    for one in row["consent"] if row else ():
        of_mail = f", mail {one['mail']}" if one["mail"] else ""
        said = f"  {one['at']:%Y-%m-%d %H:%M}  {one['event']:<10}  by {one['channel']}{of_mail}: {one_line(one['words'], 200)}"
        typer.echo(said.rstrip(": "))
    _print_held(held)
    return None


def _print_held(held: dict[str, list[dict[str, Any]]]) -> None:
    for one in held["mails"]:
        became = one["outcome"] or "not decided"
        typer.echo(f"  mail {one['id']} of {one['received_at']:%Y-%m-%d}: {became}, {one_line(one['subject'], 100)}".rstrip(", "))
    for one in held["deliveries"]:
        about, said = one_line(one["subject"] or one["edition"], 100), one_line(f"{one['last_code'] or ''} {one['last_text']}".strip(), 100)
        told = f"; the relay said: {said}" if said else ""
        typer.echo(f"  {one['kind']} {one['id']} of {one['created_at']:%Y-%m-%d %H:%M}: {one['state']}, {about}{told}")
    for one in held["left_out"]:
        typer.echo(f"  announcement {one['id']}, {one['created_at']:%Y-%m-%d}: not sent ({one['reason']}), {one_line(one['release'], 80)}")
    for one in held["bounces"]:
        typer.echo(f"  {one['grade']} bounce of {one['at']:%Y-%m-%d}: {one_line(one['status'] + ' ' + one['diagnostic'], 140)}")
    for one in held["suppressions"]:
        lifted = f", lifted {one['lifted_at']:%Y-%m-%d}" if one["lifted_at"] else ""
        typer.echo(f"  not written to since {one['since']:%Y-%m-%d}: {one['reason']}{lifted}")


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option(help="A new file; without one the list is printed.")] = None,
    as_json: Json = False,
) -> None:
    """The whole list with every step of consent and its origin, as CSV (a row a step) or JSON Lines. Keep it as you keep the list.

    Example: mailbot audience export --file list.csv
    """
    from mailbot.audience import store
    from mailbot.audience.spreadsheet import table
    from mailbot.cli.opening import new_file

    with database_to_read(context) as database:
        if as_json and file is None:
            keys = [row["address"] for row in database.read_now(store.listed)]
            return print_json_lines(database.read_now(store.shown, _keys(context, one, only_looks=True)[0]) for one in keys)
        rows = database.read_now(store.consents)
    columns = (
        "address", "name", "language", "outlet", "medium", "beat", "place", "format", "notes", "state", "origin", "created_at",
        "changed_at", "at", "event", "channel", "words",
    )  # fmt: skip
    text = table(columns, rows)
    if file is None:
        return typer.echo(text.replace("\r\n", "\n"), nl=False)
    new_file(file, text.encode())
    return typer.echo(f"Written: {file} ({len(rows)} rows)", err=True)


@app.command()
def add(
    context: typer.Context,
    address: AddressOf,
    origin: Annotated[str, typer.Option(help="Where the address comes from; it stands beside it for ever.")],
    name: Annotated[str, typer.Option(help="The journalist's name.")] = "",
    language: Annotated[str, typer.Option(help="The language to write in; the office's own by default.")] = "",
    outlet: Annotated[str, typer.Option(help="The newspaper, station or agency.")] = "",
    medium: Annotated[Medium | None, typer.Option(help="What kind of medium that is; the yearly report counts by it.")] = None,
    beat: Annotated[str, typer.Option(help="What the journalist writes about.")] = "",
    place: Annotated[str, typer.Option(help="Where the journalist works.")] = "",
    format_: Annotated[str, typer.Option("--format", help="standard, lite for slow lines, or text.")] = "standard",
    notes: Annotated[str, typer.Option(help="What colleagues should know.")] = "",
    as_json: Json = False,
) -> None:
    """Put an address on the press list. Not one that has left it, is not to be written to, or was forgotten: only its owner can come back.

    Example: mailbot audience add awa@journal.example --origin press-day-2026
    """
    from mailbot import languages, office_terms
    from mailbot.audience import store, suppression_store
    from mailbot.audience.journalist import Change, Refuse
    from mailbot.audience.roster import LENGTHS
    from mailbot.broadcast.letters import FORMATS
    from mailbot.clock import now
    from mailbot.message.address import Address, parse
    from mailbot.message.header import clean

    parsed, settings = parse(address), settings_of(context)
    if parsed is None:
        raise typer.BadParameter(f"{one_line(address, 100)!r} is no mail address.")
    if not origin.strip():
        raise typer.BadParameter("--origin says where the address comes from.")
    if format_ not in FORMATS:
        raise typer.BadParameter(f"{one_line(format_, 40)!r} is no format: {', '.join(FORMATS)}.")
    known = office_terms.language_order(settings, languages.load(office_terms.language_folders(settings)))
    if language and language not in known:
        raise typer.BadParameter(f"{language!r} is none of the office's languages: {', '.join(known)}.")
    with database_of(context) as database:
        barred = [why for one in _keys(context, address) for why in database.read_now(suppression_store.reasons, one)]
        if barred:
            typer.echo(f"mailbot: {parsed.address} is not written to ({', '.join(barred)}), and stays so.", err=True)
            raise typer.Exit(1)
        given = Address(parsed.address, name or parsed.name)
        facts = {name: clean(said, LENGTHS[name]) for name, said in (("beat", beat), ("place", place), ("notes", notes))}
        who, step = database.write_now(
            lambda tx: store.add(tx, given, language or known[0], outlet, medium, origin.strip(), now(), format=format_, **facts)
        )
    if isinstance(step, Refuse):
        typer.echo(f"mailbot: {who.address} is {who.state}: only the journalist can come back.", err=True)
        raise typer.Exit(1)
    state = step.becomes if isinstance(step, Change) else who.state
    answer(as_json, {"address": who.address, "before": who.state, "state": state}, f"{who.address}: {who.state} -> {state}")


@app.command()
def suppress(context: typer.Context, address: AddressOf, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Write to an address no more, but to answer what it asks. `audience unsuppress` ends that.

    Example: mailbot audience suppress awa@journal.example
    """
    from mailbot.audience import suppression_store
    from mailbot.audience.suppression import Why
    from mailbot.clock import now

    with (database_to_read if dry_run else database_of)(context) as database:
        of, _ = _keys(context, address, only_looks=True)
        reasons = database.read_now(suppression_store.reasons, of)
        if not dry_run:
            database.write_now(suppression_store.suppress, of, Why.BY_HAND, now())
    facts = {"address": address, "reasons": sorted({*reasons, Why.BY_HAND}), "dry_run": dry_run}
    answer(as_json, facts, f"{address} is written to no more" + (" (dry run)." if dry_run else "."))


@app.command()
def unsuppress(context: typer.Context, address: AddressOf, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Let an address be written to again, whatever spoke against it. Whoever complained must have asked for that: a person is asked.

    Example: mailbot audience unsuppress awa@journal.example
    """
    from mailbot.audience import suppression_store
    from mailbot.clock import now

    with (database_to_read if dry_run else database_of)(context) as database:
        keys = _keys(context, address)
        reasons = [why for one in keys for why in database.read_now(suppression_store.reasons, one)]
        if reasons and not dry_run:
            confirmed(f"Write to {one_line(address, 100)} again, although: {', '.join(reasons)}?", yes)
            database.write_now(suppression_store.lift, keys, now())
    facts = {"address": address, "lifted": reasons, "dry_run": dry_run}
    told = f"{address} may be written to again ({', '.join(reasons)} no longer counts)" if reasons else f"Nothing speaks against {address}"
    answer(as_json, facts, told + (" (dry run)." if dry_run else "."))


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


def _unknown(address: str, near: Sequence[str] = ()) -> typer.Exit:
    like = f" Is it {' or '.join(one_line(one, 60) for one in near)}?" if near else ""
    typer.echo(f"mailbot: there is no journalist {one_line(address, 100)!r}.{like} `mailbot audience list` shows them.", err=True)
    return typer.Exit(1)


def _keys(context: typer.Context, address: str, *, only_looks: bool = False) -> tuple[str, str]:
    """The address's key, and what is in its place where it was forgotten. Exits with 1 where it is no address. `only_looks`: without
    our secret nobody can have been forgotten, and that is no reason to show nothing."""
    from mailbot.audience.forgotten import digest
    from mailbot.message.address import key
    from mailbot.secret import existing_key
    from mailbot.settings import SettingsFault

    of = key(address)
    if not of:
        raise _unknown(address)
    try:
        secret = existing_key(settings_of(context))
    except SettingsFault:
        if not only_looks:
            raise
        secret = None
    return of, digest(secret or b"", of)
