"""`mailbot status` and `mailbot verify`: is it well, and does what it remembers hold together?"""

import typer

from mailbot.cli.opening import Json, database_to_read, one_line, print_json, settings_of


def status(context: typer.Context, as_json: Json = False) -> None:
    """How it stands: the inbox, the outbox, what waits for a person.

    Example: mailbot status --json
    """
    from mailbot.alerts.alert import SAYS, Kind
    from mailbot.standing import standing

    settings = settings_of(context)
    with database_to_read(context) as database:
        found = database.read_now(standing, settings.inbox.mode)
    if as_json:
        return print_json(found)
    inbox, outbox = found["inbox"], found["outbox"]
    undecided = f", {inbox['undecided']} not yet" if inbox["undecided"] else ""
    typer.echo(f"Inbox: {inbox['mode']}; last looked at {inbox['last_success'] or 'never'}; {inbox['handled']} mails decided{undecided}.")
    typer.echo(f"Waiting for a person: {inbox['waiting_for_a_person']}.")
    if inbox["answers_stopped"]:
        typer.echo("Automatic answers are STOPPED, too many left; `mailbot inbox resume` lets mailbot answer again.")
    if inbox["login_refused"]:
        typer.echo(f"The mailbox REFUSES the login: {one_line(inbox['login_refused'], 300)}")
    if inbox["trouble"] and inbox["trouble"] != inbox["login_refused"]:
        typer.echo(f"Trouble with the mailbox: {one_line(inbox['trouble'], 300)}")
    states = ", ".join(f"{number} {state}" for state, number in outbox["states"].items() if number)
    typer.echo(f"Outbox: {states or 'nothing'}; the relay last took a mail {outbox['last_success'] or 'never'}.")
    if outbox["login_refused"]:
        typer.echo(f"The relay REFUSES the login: {one_line(outbox['login_refused'], 300)}")
    if outbox["trouble"] and outbox["trouble"] != outbox["login_refused"]:
        typer.echo(f"Trouble with the relay: {one_line(outbox['trouble'], 300)}")
    if outbox["sending_stopped"]:
        typer.echo("Sending is STOPPED; `mailbot resume-sending` lets mail leave again.")
    for one in found["broadcasts"]:
        if one["state"] not in ("finished", "cancelled"):
            told = ", ".join(f"{number:,} {name}" for name, number in one["states"].items() if number)
            typer.echo(f"Announcement {one['id']} of {one_line(one['release'], 60)}: {one['state']}; {told or 'nobody'}.")
    for one in found["alerts"]["open"]:
        typer.echo(f"ALERT since {one['since']}: {one['condition']}: {SAYS[Kind(one['kind'])]}.")
    if found["alerts"]["undelivered"]:
        said = one_line(found["alerts"]["trouble"], 300) or "not tried yet"
        typer.echo(f"Messages about alerts that have not arrived: {found['alerts']['undelivered']} ({said}).")
    return None


def verify(context: typer.Context, as_json: Json = False) -> None:
    """Look for anything in the database that must not be, changing nothing. Exits with 1 and names the row where something is.

    Example: mailbot verify
    """
    from mailbot.secret import existing_key
    from mailbot.verify import broken

    secret = existing_key(settings_of(context))
    with database_to_read(context) as database:
        found = database.read_now(broken, secret)
    if as_json:
        print_json({"sound": not found, "broken": found})
    else:
        for line in found:
            typer.echo(one_line(line, 400))
        typer.echo("Everything holds together." if not found else f"This must not be: {len(found)} times.")
    if found:
        raise typer.Exit(1)
