"""`mailbot status` and `mailbot verify`: is it well, and does what it remembers hold together?"""

import typer

from mailbot.cli.opening import Json, database_of, print_json, settings_of


def status(context: typer.Context, as_json: Json = False) -> None:
    """How it stands: the inbox, the outbox, what waits for a person.

    Example: mailbot status --json
    """
    from mailbot.standing import standing

    settings = settings_of(context)
    with database_of(context) as database:
        found = database.read_now(standing, settings.inbox.mode)
    if as_json:
        return print_json(found)
    inbox, outbox = found["inbox"], found["outbox"]
    typer.echo(f"Inbox: {inbox['mode']}; last looked at {inbox['last_success'] or 'never'}; {inbox['handled']} mails decided.")
    typer.echo(f"Waiting for a person: {inbox['waiting_for_a_person']}.")
    if inbox["trouble"]:
        typer.echo(f"Trouble with the mailbox: {inbox['trouble']}")
    typer.echo("Outbox: " + ", ".join(f"{number} {state}" for state, number in outbox["states"].items() if number) + ".")
    if outbox["trouble"]:
        typer.echo(f"Trouble with the relay: {outbox['trouble']}")
    if outbox["sending_stopped"]:
        typer.echo("Sending is STOPPED; `mailbot resume-sending` lets mail leave again.")
    return None


def verify(context: typer.Context, as_json: Json = False) -> None:
    """Look for anything in the database that must not be, changing nothing. Exits with 1 and names the row where something is.

    Example: mailbot verify
    """
    from mailbot.secret import secret_key
    from mailbot.verify import broken

    secret = secret_key(settings_of(context))
    with database_of(context) as database:
        found = database.read_now(broken, secret)
    if as_json:
        print_json({"sound": not found, "broken": found})
    else:
        for line in found:
            typer.echo(line)
        typer.echo("Everything holds together." if not found else f"{len(found)} rows do not hold together.")
    if found:
        raise typer.Exit(1)
