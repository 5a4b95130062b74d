"""`mailbot retention`: what is old enough to go, and letting it go now instead of tonight."""

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, database_of, database_to_read, settings_of

if TYPE_CHECKING:
    from mailbot.archive.term import Terms

app = typer.Typer(no_args_is_help=True, help="How long things are kept: `mailbot run` lets go what is older, once a day.")
NAMES = {
    "calls_for_help": "calls for help, with all that was written for them",
    "mails": "mails that arrived: their bytes and words",
    "texts_sent": "mails that were sent: their bytes and words",
    "outcomes": "decisions, with who was sent what",
    "other_sendings": "lists and notes to colleagues, announcements",
    "unanswered_questions": "addresses that were asked about the press list and never said yes",
    "marks_of_sent_mail": "marks of what colleagues answered from the mailbox",
    "alerts_delivered": "alerts that have arrived",
    "alerts_ended": "alerts that are over",
}


@app.callback()
def _only() -> None:
    """Typer takes a single command for the whole; there may be more."""


@app.command()
def run(context: typer.Context, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Let go now what is older than retention.* says. What waits for a person stays, whatever its age.

    Example: mailbot retention run --dry-run
    """
    from mailbot.archive import retain, retention_store
    from mailbot.archive.term import ends
    from mailbot.clock import now
    from mailbot.database import lease

    terms = _terms(context)
    with (database_to_read if dry_run else database_of)(context) as database:
        due = database.read_now(retention_store.due, ends(terms, now()))
        waiting = due.pop("waiting")
        last = database.read_now(retain.last_round)
        if not dry_run:
            if sum(due.values()) and sys.stdin.isatty():
                confirmed(f"Let go {sum(due.values())} rows for good?", yes)
            done = asyncio.run(retain.Retainer(database, terms, lease.this_process(secrets.token_hex(4)), now).go())
            if done is None:
                typer.echo("mailbot: another process is letting old things go just now. Look again in a few minutes.", err=True)
                raise typer.Exit(1)
            due = {name: done[name] for name in due}
    counts = "".join(f"{number:>8}  {NAMES[name]}\n" for name, number in due.items() if number)
    held = f"{waiting:>8}  old mails stay: they wait for a person (`mailbot inbox list --waiting`)\n" if waiting else ""
    said = ("Would go:\n" if dry_run else "Let go:\n") + (counts or "       0  nothing is older than its term\n") + held
    facts = {"dry_run": dry_run, "rows": due, "waiting_for_a_person": waiting, "last_daily_round": last or None}
    answer(as_json, facts, said + f"The last daily round was {'on ' + last if last else 'never'}.")


def _terms(context: typer.Context) -> "Terms":
    from mailbot import languages, office_terms, terms

    settings = settings_of(context)
    return terms.retention_terms(settings, languages.load(office_terms.language_folders(settings)))
