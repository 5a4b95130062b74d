"""`mailbot user`: who may use the desk, in which role."""

import sys
from typing import Annotated

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, database_of, database_to_read, one_line, print_json_lines, settings_of
from mailbot.web.desk.role import Role

app = typer.Typer(no_args_is_help=True, help="The desk: who may use it, in which role.")
AddressOf = Annotated[str, typer.Argument(metavar="ADDRESS", help="The colleague's mail address; the same as in inbox.hand_off_to.")]


@app.command()
def add(
    context: typer.Context,
    address: AddressOf,
    role: Annotated[list[Role], typer.Option(help="reader, editor, approver or protection; may be given several times.")],
    name: Annotated[str, typer.Option(help="The colleague's name.")] = "",
    language: Annotated[str, typer.Option(help="The language of the desk's pages; the office's own by default.")] = "",
    link: Annotated[bool, typer.Option("--link", help="No password: print a link that lets in once, within the hour.")] = False,
    as_json: Json = False,
) -> None:
    """Let a colleague use the desk, or give one other roles and a new password; every session of theirs ends then.

    The password is asked for at a terminal, or read from standard input (one line).

    Example: mailbot user add awa@office.example --role editor
    """
    import secrets

    from mailbot import languages, office_terms
    from mailbot.clock import now
    from mailbot.database.engine import Tx
    from mailbot.message.address import Address, parse
    from mailbot.web.desk import user_store
    from mailbot.web.desk.passwords import hash_of

    parsed, settings = parse(address), settings_of(context)
    if parsed is None:
        raise typer.BadParameter(f"{one_line(address, 100)!r} is no mail address.")
    known = office_terms.language_order(settings, languages.load(office_terms.language_folders(settings)))
    if language and language not in known:
        raise typer.BadParameter(f"{language!r} is none of the office's languages: {', '.join(known)}.")
    if link and not settings.web.public_url:
        raise typer.BadParameter("without web.public_url there is no page that a link could open: set it, or give a password.")
    hashed, token = "" if link else hash_of(_password()), secrets.token_urlsafe(24)

    def put(tx: Tx) -> bool:
        who = Address(parsed.address, name or parsed.name)
        is_new = user_store.put(tx, who, language or known[0], list(dict.fromkeys(role)), hashed, now())
        if link:
            user_store.offer_link(tx, who.key, token, now())
        user_store.note(tx, "mailbot user", "user-add", parsed.address, "", now())
        return is_new

    with database_of(context) as database:
        is_new = database.write_now(put)
    opens = f"{settings.web.public_url.rstrip('/')}/desk/enter/{token}" if link else ""
    facts = {"address": parsed.address, "roles": [str(one) for one in role], "added": is_new} | ({"link": opens} if link else {})
    ended = "" if is_new else " Every session ended."
    said = f"{parsed.address} may use the desk: {', '.join(role)}.{ended}"
    answer(as_json, facts, said + (f"\nGood once, within the hour: {opens}" if link else ""))


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Who may use the desk, and how many sessions each has.

    Example: mailbot user list
    """
    from mailbot.web.desk import user_store

    with database_to_read(context) as database:
        rows = database.read_now(user_store.listed)
    if as_json:
        return print_json_lines(rows)
    for row in rows:
        typer.echo(f"{row['address']:<40}  {', '.join(row['roles']):<24}  {row['language']:<3}  sessions: {row['sessions']}")
    return None


@app.command()
def remove(context: typer.Context, address: AddressOf, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Take the desk away from a colleague: sessions, links and the tokens of notes end at once, open cases go to the next name.

    Take the address out of inbox.hand_off_to too, or new cases still go there.

    Example: mailbot user remove awa@office.example
    """
    from mailbot import languages, office_terms, service, terms
    from mailbot.clock import now
    from mailbot.database.engine import Tx
    from mailbot.message.address import key as key_of
    from mailbot.secret import existing_key, secret_key
    from mailbot.web.desk import user_store
    from mailbot.web.desk.dismiss import dismiss

    settings, key = settings_of(context), key_of(address)
    if sys.stdin.isatty() and not dry_run:
        confirmed(f"Take the desk away from {one_line(address, 100)}?", yes)
    loaded = languages.load(office_terms.language_folders(settings))
    secret = (existing_key(settings) or b"only for a rehearsal") if dry_run else secret_key(settings)
    desk = terms.desk_of(settings, office_terms.office_of(settings, loaded), secret, loaded, service.new_id)

    def act(tx: Tx) -> int | None:
        passed = dismiss(tx, desk, key, now())
        if passed is not None:
            user_store.note(tx, "mailbot user", "user-remove", address, "", now())
        return passed

    with (database_to_read if dry_run else database_of)(context) as database:
        passed = (database.rehearse_now if dry_run else database.write_now)(act) if key else None
    if passed is None:
        typer.echo(f"mailbot: {one_line(address, 100)!r} does not use the desk. `mailbot user list` shows who does.", err=True)
        raise typer.Exit(1)
    still = key in {one.key for one in desk.office.colleagues}
    more = " The address is still in inbox.hand_off_to: take it out." if still else ""
    facts = {"address": address, "removed": not dry_run, "cases_passed_on": passed, "still_a_colleague": still, "dry_run": dry_run}
    told = f"{address} {'would be' if dry_run else 'is'} out; cases that went to somebody else: {passed}.{more}"
    answer(as_json, facts, told)


def _password() -> str:
    """From a person at a terminal, twice; or one line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline(2000).rstrip("\r\n")
