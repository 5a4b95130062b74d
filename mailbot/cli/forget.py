"""`mailbot audience forget`: take one person out of everything that mailbot keeps."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, database_of, database_to_read, one_line, settings_of

if TYPE_CHECKING:
    from mailbot.archive.forget_store import Held
    from mailbot.archive.person import Person


def forget(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mail address of who is to be forgotten.")],
    also: Annotated[
        list[str] | None, typer.Option(help="Other words that name this person alone, such as a full name; may be given several times.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take a person out of every table, stored mail and file of the database, for good. A hash is kept, so that no list brings them back.

    What waits for an answer is not answered, and what has not left does not leave. The mailbox itself is not touched: it is named.

    Example: mailbot audience forget awa@journal.example --dry-run
    """
    from mailbot import languages, office_terms, terms
    from mailbot.archive import forget as flow
    from mailbot.clock import now
    from mailbot.secret import existing_key, secret_key

    settings = settings_of(context)
    with (database_to_read if dry_run else database_of)(context) as database:
        who = _who(address, also or (), existing_key(settings) or b"")
        found = flow.look(database, who)
        facts = _facts(found) | {"dry_run": dry_run}
        if dry_run:
            return answer(as_json, facts, f"Of {who.address} there is:\n{_told(found)}{_elsewhere(found)}")
        if not as_json:
            typer.echo(f"Of {who.address} there is:\n{_told(found)}", err=True)
        confirmed(f"Forget {who.address} for good?", yes)
        kept = terms.retention_terms(settings, languages.load(office_terms.language_folders(settings)))
        done = flow.forget(database, who, kept, secret_key(settings), now())
        of_postgresql = not database.is_sqlite
    said = f"{who.address} is forgotten; the name was taken out of {done.swept} other rows.\n{_elsewhere(found)}"
    if of_postgresql:
        said += (
            "PostgreSQL: old rows are free to be written over. `VACUUM FULL` by its administrator gives them back at once; its log (WAL), "
            "replicas and backups are its administrator's as well.\n"
        )
    facts |= {"swept": done.swept, "files_that_still_hold": done.files, "kept_for_an_answer": list(found.quoting_waits)}
    answer(as_json, facts, said + "Backups that were made before still hold the person: forget again after a restore.")
    if done.files:
        typer.echo(
            f"mailbot: the person still stands in {', '.join(done.files)}. Remove files that an earlier restore has put aside; where it is "
            "the database itself, answer the mails named above or end who reads it, and forget again.", err=True,
        )  # fmt: skip
        raise typer.Exit(1)
    return None


def _who(address: str, also: "list[str] | tuple[str, ...]", secret: bytes) -> "Person":
    from mailbot.archive.person import person
    from mailbot.audience.forgotten import digest
    from mailbot.message.address import parse

    found = parse(address)
    if found is None:
        typer.echo(f"mailbot: {one_line(address, 100)!r} is no mail address.", err=True)
        raise typer.Exit(1)
    return person(found.address, also, f"[{digest(secret, found.key)[:18]}]")


def _facts(found: "Held") -> dict[str, Any]:
    return {
        "press_list": found.on_the_list, "mails": list(found.mails), "waiting_for_a_person": found.waiting, "open_cases": found.cases,
        "deliveries": len(found.deliveries), "unsent": found.unsent, "bounces": found.bounces, "suppressions": found.suppressions,
        "mails_of_others": list(found.quoting), "mails_of_others_that_wait": list(found.quoting_waits),
        "texts_to_others": len(found.texts), "in_the_mailbox": list(found.copies),
    }  # fmt: skip


def _told(found: "Held") -> str:
    unanswered = f" ({found.waiting} of them wait, and would never be answered; {found.cases} open cases end)" if found.waiting else ""
    unsent = f" ({found.unsent} of them unsent: they do not leave)" if found.unsent else ""
    lines = [
        f"a place on the press list: {found.on_the_list or 'none'}",
        f"mails from this address: {len(found.mails)}{unanswered}",
        f"mails to it, or about what it asked: {len(found.deliveries)}{unsent}",
        f"bounces: {found.bounces}; reasons not to write: {found.suppressions} (kept as a hash)",
        f"mails of others that name it: {len(found.quoting)}; their words go too",
        f"texts to others that name it: {len(found.texts)}; they are emptied",
    ]
    if found.quoting_waits:
        numbers = ", ".join(map(str, found.quoting_waits))
        lines.append(f"mails of others that name it and wait for an answer: {numbers}. They stay: answer them, then forget again")
    return "".join(f"  {line}\n" for line in lines)


def _elsewhere(found: "Held") -> str:
    """Where the server has copies: mailbot deletes nothing there."""
    moved = Counter(one["folder"] for one in found.copies if one["uid"] is None)
    lying = [f"{one['folder']} UID {one['uid']}" for one in found.copies if one["uid"] is not None]
    named = [*(f"{number} in {folder} (search there for the address)" for folder, number in moved.items()), *lying]
    return f"The mailbox itself still has: {'; '.join(named)}. Delete them there.\n" if named else ""
