"""`mailbot outbox`, `mailbot stop-sending` and `mailbot resume-sending`: what leaves, and the switch."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.opening import (
    DryRun,
    Json,
    Yes,
    answer,
    confirmed,
    database_of,
    database_to_read,
    lines,
    one_line,
    print_json,
    print_json_lines,
)  # fmt: skip
from mailbot.outbox.delivery import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from mailbot.database.engine import Tx

app = typer.Typer(no_args_is_help=True, help="What leaves: look at it, send it again, stop it.")
DeliveryId = Annotated[str, typer.Argument(help="The id that `outbox list` prints.")]


def stop_sending(context: typer.Context, as_json: Json = False) -> None:
    """Let nothing more leave, at once and across restarts, until resume-sending. The mail in a dialogue is finished.

    Example: mailbot stop-sending
    """
    from mailbot.clock import now
    from mailbot.database import flag

    with database_of(context) as database:
        database.write_now(flag.put, flag.SENDING_STOPPED, "stopped by a person", now())
    sentence = "Sending is stopped. Mail that arrives is still read and decided; `mailbot resume-sending` lets it leave."
    answer(as_json, {"sending_stopped": True}, sentence)


def resume_sending(context: typer.Context, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Let mail leave again, what has gathered first. A person at a terminal is asked where something waits.

    Example: mailbot resume-sending
    """
    from mailbot.clock import now
    from mailbot.database import flag
    from mailbot.outbox import store

    with (database_to_read if dry_run else database_of)(context) as database:
        due = database.read_now(store.unfinished, now())
        if dry_run:
            stopped = database.read_now(flag.get, flag.SENDING_STOPPED) is not None
            return answer(as_json, {"sending_stopped": stopped, "due": due}, f"{due} mails would leave.")
        if due and sys.stdin.isatty():
            confirmed(f"Let {due} mails leave?", yes)
        database.write_now(flag.clear, flag.SENDING_STOPPED)
    return answer(as_json, {"sending_stopped": False, "due": due}, f"Sending goes on; {due} mails were waiting.")


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[list[DeliveryState] | None, typer.Option(help="Only this state; may be given several times.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, newest first; 0: all.")] = 50,
    as_json: Json = False,
) -> None:
    """The outgoing mails, newest first.

    Example: mailbot outbox list --state uncertain
    """
    from mailbot.outbox import store

    with database_to_read(context) as database:
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
    """One mail: its words, every attempt, what the relay said.

    Example: mailbot outbox show 6f1c
    """
    from mailbot.outbox import store

    with database_to_read(context) as database:
        row = database.read_now(store.shown, delivery_id)
    if row is None:
        raise _unknown(delivery_id)
    if as_json:
        return print_json(row)
    for name in ("state", "kind", "recipient", "subject", "message_id", "created_at", "due_at", "attempts", "last_code", "last_text"):
        typer.echo(f"{name}: {one_line(str(row[name]), 300)}")
    for one in row["tried"]:
        said = one_line(f"{one['code'] or ''} {one['text']}", 200)
        typer.echo(f"  {one['started_at']:%Y-%m-%d %H:%M:%S}  {one['verdict']:<10}  {one['phase']}  {said}")
    typer.echo("\n" + lines(row["text"]))
    return None


@app.command()
def retry(context: typer.Context, delivery_id: DeliveryId, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Send a failed or doubtful mail once more, with the same bytes. Who has got it already may get it twice.

    Example: mailbot outbox retry 6f1c --yes
    """
    from mailbot.outbox import store

    allowed = (DeliveryState.FAILED, DeliveryState.UNCERTAIN)
    _change(context, delivery_id, allowed, store.send_again, "Send {kind} to {recipient} again?", "retrying", yes, dry_run, as_json)


@app.command()
def drop(context: typer.Context, delivery_id: DeliveryId, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Let a waiting mail not leave. The mail that it answers waits for a person then.

    Example: mailbot outbox drop 6f1c --yes
    """
    from mailbot.inbox.aftermath import drop
    from mailbot.outbox import store

    question = "Let {kind} to {recipient} never leave?"
    _change(context, delivery_id, store.WAITING, drop, question, "cancelled", yes, dry_run, as_json)


def _change(
    context: typer.Context, delivery_id: str, allowed: "Collection[str]", change: "Callable[[Tx, str, datetime], bool]",
    question: str, becomes: str, yes: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Ask, change, say; where the mail is in no such state, say in which."""
    from mailbot.clock import now
    from mailbot.outbox import store

    with (database_to_read if dry_run else database_of)(context) as database:
        row = database.read_now(store.shown, delivery_id)
        if row is None:
            raise _unknown(delivery_id)
        if row["emptied_at"] is not None and becomes == "retrying":
            typer.echo(f"mailbot: the words of the mail {delivery_id} were let go (retention.mail_days): write anew.", err=True)
            raise typer.Exit(1)
        facts = {"delivery": delivery_id, "before": row["state"], "state": becomes, "dry_run": dry_run}
        if row["state"] in allowed and not dry_run:
            confirmed(question.format(kind=row["kind"].replace("_", "-"), recipient=row["recipient"]), yes)
        if row["state"] not in allowed or not (dry_run or database.write_now(change, delivery_id, now())):
            typer.echo(f"mailbot: the mail {delivery_id} is {row['state']}; this is for {' and '.join(allowed)} mails alone.", err=True)
            raise typer.Exit(1)
    answer(as_json, facts, f"{delivery_id}: {row['state']} -> {becomes}" + (" (dry run)" if dry_run else ""))


def _unknown(delivery_id: str) -> typer.Exit:
    typer.echo(f"mailbot: there is no mail {delivery_id!r}. `mailbot outbox list` shows them.", err=True)
    return typer.Exit(1)
