"""`mailbot inbox`: what arrived, what was decided and why."""

import sys
from typing import Annotated, Any

import typer

from mailbot.cli import replay
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
    settings_of,
)

FACTS = (
    "received_at", "sender", "subject", "message_id", "kind", "outcome", "reason", "language", "mode", "waiting", "answered_at", "fault",
)  # fmt: skip
app = typer.Typer(no_args_is_help=True, help="What arrived: what was decided, and why.")
MailId = Annotated[int, typer.Argument(help="The number that `inbox list` prints.")]


@app.command("list")
def list_(
    context: typer.Context,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for a person.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many, newest first; 0: all.")] = 50,
    as_json: Json = False,
) -> None:
    """The mails that arrived, newest first, with what became of them.

    Example: mailbot inbox list --waiting
    """
    from mailbot.inbox import store

    with database_to_read(context) as database:
        rows = database.read_now(store.listed, waiting_only=waiting, limit=limit)
    if as_json:
        return print_json_lines(rows)
    for row in rows:
        typer.echo(
            f"{row['id']:>6}  {row['received_at']:%Y-%m-%d %H:%M}  {row['outcome'] or row['state']:<13}  {row['reason']:<24}  "
            f"{one_line(row['sender'], 30):<30}  {one_line(_subject(row), 50)}" + ("  [waiting]" if row["waiting"] else "")
            + (f"  [case {row['case']}]" if row["case"] else "")
        )
    return None


@app.command()
def show(
    context: typer.Context,
    mail_id: MailId,
    protected: Annotated[bool, typer.Option("--protected", help="Also the words of a call for help: for who looks after those.")] = False,
    as_json: Json = False,
) -> None:
    """One mail: the decision with its reason and evidence, and where it lies. The words of a call for help are withheld.

    Example: mailbot inbox show 12
    """
    from mailbot.inbox import store
    from mailbot.inbox.reason import PROTECTED

    with database_to_read(context) as database:
        row = database.read_now(store.shown, mail_id)
        if row is not None and protected and row["reason"] in PROTECTED:
            row = row | _words_of(context, database, mail_id, row)
    if row is None:
        raise _unknown(mail_id)
    if as_json:
        return print_json(row)
    for name in FACTS:
        typer.echo(f"{name}: {one_line(_subject(row) if name == 'subject' else str(row[name]), 200)}")
    for name, value in (row["case"] or {}).items():
        typer.echo(f"case {name}: {one_line(str(value if value is not None else ''), 200)}")
    explanation: dict[str, Any] = row["explanation"] or {}
    typer.echo("evidence: " + one_line("; ".join(explanation.get("evidence", ())), 300))
    for action in explanation.get("actions", ()):
        typer.echo("action: " + one_line(", ".join(f"{name} {value}" for name, value in action.items() if value not in ("", [])), 300))
    for copy in row["copies"]:
        filed = f"{row['folder']} since {copy['filed_at']:%Y-%m-%d %H:%M}" if copy["filed_at"] else copy["mailbox"]
        typer.echo(f"lies in: {filed}")
    if row["emptied_at"] is not None:
        typer.echo(f"\nIts words were let go on {row['emptied_at']:%Y-%m-%d}; what was decided stays (retention.outcome_days).")
    elif row["reason"] in PROTECTED and not protected:
        typer.echo(f"\nThe words of a call for help are for who looks after those: mailbot inbox show {mail_id} --protected")
    else:
        typer.echo("\n" + lines(explanation.get("visible_text", "")))
    return None


@app.command()
def close(context: typer.Context, mail_id: MailId, as_json: Json = False) -> None:
    """Say that a person has dealt with it.

    Example: mailbot inbox close 12
    """
    from mailbot.clock import now
    from mailbot.inbox import store

    with database_of(context) as database:
        done = database.write_now(store.close, mail_id, now())
    if not done:
        raise _unknown(mail_id, "that waits")
    answer(as_json, {"mail": mail_id, "waiting": False}, "It waits no longer.")


@app.command()
def resume(context: typer.Context, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Let mailbot answer by itself again, after too many answers left and it stopped. A person at a terminal is asked.

    Example: mailbot inbox resume
    """
    from mailbot.clock import now
    from mailbot.inbox import breaker

    with (database_to_read if dry_run else database_of)(context) as database:
        stopped = database.read_now(breaker.is_tripped)
        if dry_run:
            says = "Automatic answers are stopped, and would begin again." if stopped else "Nothing is stopped."
            return answer(as_json, {"answers_stopped": stopped, "dry_run": True}, says)
        if stopped and sys.stdin.isatty():
            confirmed("Let mailbot answer by itself again?", yes)
        if stopped:
            database.write_now(breaker.reset, now())
    return answer(as_json, {"answers_stopped": False, "before": stopped}, "mailbot answers again." if stopped else "Nothing was stopped.")


@app.command()
def examples(context: typer.Context, as_json: Json = False) -> None:
    """The mails that a colleague called wrongly decided at the desk, with what would have been right: for who teaches mailbot.

    Example: mailbot inbox examples --json
    """
    from mailbot.web.desk import desk_store

    with database_to_read(context) as database:
        rows = database.read_now(desk_store.examples)
    if as_json:
        return print_json_lines(rows)
    for row in rows:
        typer.echo(f"{row['mail']:>6}  {row['at']:%Y-%m-%d}  {row['decided']:<24}  {one_line(row['should'], 100)}")
    return None


app.command()(replay.replay)


def _subject(row: dict[str, Any]) -> str:
    from mailbot.inbox.reason import PROTECTED

    return "(withheld)" if row["reason"] in PROTECTED and not row["subject"] else str(row["subject"])


def _words_of(context: typer.Context, database: Any, mail_id: int, row: dict[str, Any]) -> dict[str, Any]:
    """What a call for help says, read anew from the mail itself: nothing else keeps it."""
    from mailbot.cli.explain import judge_of
    from mailbot.inbox import arrival_store
    from mailbot.message.incoming import HEAD_OCTETS

    head = database.read_now(arrival_store.content, mail_id, HEAD_OCTETS)
    with judge_of(settings_of(context), database) as judge:
        found = judge(str(mail_id), head, row["size"])
    return {"subject": found["subject"], "explanation": row["explanation"] | {name: found[name] for name in ("visible_text", "evidence")}}


def _unknown(mail_id: int, which: str = "") -> typer.Exit:
    typer.echo(f"mailbot: there is no mail {mail_id} {which}".rstrip() + ". `mailbot inbox list` shows them.", err=True)
    return typer.Exit(1)
