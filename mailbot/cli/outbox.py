"""`mailbot outbox`, `mailbot stop-sending` and `mailbot resume-sending`: what leaves, and the switch."""

from typing import Annotated

import typer

from mailbot.cli.opening import Json, Yes, confirmed, database_of, one_line, print_json, print_json_lines

app = typer.Typer(no_args_is_help=True, help="What leaves: look at it, send it again, stop it.")
DeliveryId = Annotated[str, typer.Argument(help="The id that `outbox list` prints.")]


def stop_sending(context: typer.Context) -> None:
    """Let nothing more leave, at once and across restarts, until resume-sending. The mail in a dialogue is finished.

    Example: mailbot stop-sending
    """
    from mailbot.clock import now
    from mailbot.database import flag

    with database_of(context) as database:
        database.write_now(flag.put, flag.SENDING_STOPPED, "stopped by a person", now())
    typer.echo("Sending is stopped. Mail that arrives is still read and decided; `mailbot resume-sending` lets it leave.")


def resume_sending(context: typer.Context) -> None:
    """Let mail leave again, what has gathered first.

    Example: mailbot resume-sending
    """
    from mailbot.database import flag

    with database_of(context) as database:
        database.write_now(flag.clear, flag.SENDING_STOPPED)
    typer.echo("Sending goes on.")


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[list[str] | None, typer.Option(help="Only this state: queued, sent, failed, uncertain ...")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, newest first; 0: all.")] = 50,
    as_json: Json = False,
) -> None:
    """The outgoing mails, newest first.

    Example: mailbot outbox list --state uncertain
    """
    from mailbot.outbox import store

    with database_of(context) as database:
        rows = database.read_now(store.listed, state or (), limit)
    if as_json:
        return print_json_lines(rows)
    for row in rows:
        said = f"{row['last_code'] or ''} {row['last_text']}".strip()
        typer.echo(
            f"{row['id']}  {row['state']:<9}  {row['kind']:<8}  {row['created_at']:%Y-%m-%d %H:%M}  "
            f"{row['recipient']:<30}  {one_line(row['subject'], 50)}" + (f"  [{one_line(said, 60)}]" if said else "")
        )
    return None


@app.command()
def show(context: typer.Context, delivery_id: DeliveryId, as_json: Json = False) -> None:
    """One mail: its bytes, every attempt, what the relay said.

    Example: mailbot outbox show 6f1c
    """
    from mailbot.outbox import store

    with database_of(context) as database:
        row = database.read_now(store.shown, delivery_id)
    if row is None:
        raise _unknown(delivery_id)
    if as_json:
        return print_json(row)
    for name in ("state", "kind", "recipient", "subject", "message_id", "created_at", "due_at", "attempts", "last_code", "last_text"):
        typer.echo(f"{name}: {row[name]}")
    for one in row["tried"]:
        typer.echo(f"  {one['started_at']:%Y-%m-%d %H:%M:%S}  {one['verdict']:<10}  {one['phase']}  {one['code'] or ''} {one['text']}")
    typer.echo("\n" + row["text"])
    return None


@app.command()
def retry(context: typer.Context, delivery_id: DeliveryId, yes: Yes = False) -> None:
    """Send a failed or doubtful mail once more, with the same bytes. Who has got it already may get it twice.

    Example: mailbot outbox retry 6f1c --yes
    """
    from mailbot.clock import now
    from mailbot.outbox import store

    confirmed("Send it again?", yes)
    with database_of(context) as database:
        done = database.write_now(store.send_again, delivery_id, now())
    if not done:
        raise _unknown(delivery_id, "among the failed and uncertain")
    typer.echo("It leaves again.")


@app.command()
def drop(context: typer.Context, delivery_id: DeliveryId, yes: Yes = False) -> None:
    """Let a waiting mail not leave. The mail that it answers still waits for a person then.

    Example: mailbot outbox drop 6f1c --yes
    """
    from mailbot.clock import now
    from mailbot.outbox import store

    confirmed("Cancel it?", yes)
    with database_of(context) as database:
        done = database.write_now(store.drop, delivery_id, now())
    if not done:
        raise _unknown(delivery_id, "among the waiting")
    typer.echo("It does not leave.")


def _unknown(delivery_id: str, where: str = "") -> typer.Exit:
    typer.echo(f"mailbot: there is no mail {delivery_id!r} {where}".rstrip() + ". `mailbot outbox list` shows them.", err=True)
    return typer.Exit(1)
