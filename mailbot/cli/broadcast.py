"""`mailbot broadcast`: announcements to the press list, from the plan to the last mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import broadcast_clean, broadcast_report, broadcast_show
from mailbot.cli.audience_segment import filter_of
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

if TYPE_CHECKING:
    from mailbot.audience.segment import Filter
    from mailbot.broadcast.broadcast import Act, Broadcast, Kind
    from mailbot.broadcast.letters import Readers
    from mailbot.database.engine import Database, Tx
    from mailbot.office import Office
    from mailbot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Announcements to the press list: plan, look, approve, watch, stop.")
app.command()(broadcast_show.preview)
app.command()(broadcast_show.test)
app.command()(broadcast_clean.clean)
app.command()(broadcast_report.status)
app.command()(broadcast_report.report)
Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement's number, or the beginning of it.")]
By = Annotated[str, typer.Option(help="Who you are; it stays on record.")]


@dataclass(frozen=True, slots=True)
class Parts:
    """What it takes to write and to send."""

    settings: "Settings"
    office: "Office"
    secret: bytes
    readers: "Readers"


def parts_of(context: typer.Context, *, rehearsal: bool = False) -> Parts:
    """A rehearsal makes no key: what it seals is never sent."""
    from mailbot import languages, office_terms
    from mailbot.broadcast.letters import Readers
    from mailbot.secret import existing_key, secret_key

    settings = settings_of(context)
    office = office_terms.office_of(settings, languages.load(office_terms.language_folders(settings)))
    secret = (existing_key(settings) or b"only for a rehearsal") if rehearsal else secret_key(settings)
    return Parts(settings, office, secret, Readers(office, secret))


@app.command()
def new(
    context: typer.Context,
    release: Annotated[str, typer.Argument(help="The release, by its slug.")],
    to: Annotated[str, typer.Option(help="A segment's name, a filter, or waiting-for-en: who got another edition.")] = "all",
    at: Annotated[str, typer.Option(help="When it leaves, on the office's clock: 2026-03-02 09:00.")] = "",
    not_after: Annotated[str, typer.Option(help="What has not left by then is held.")] = "",
    kind: Annotated[str, typer.Option(help="release, advisory, correction or withdrawal; with an event it is an advisory.")] = "",
    event_start: Annotated[str, typer.Option(help="Makes it an advisory: when the event begins.")] = "",
    event_end: Annotated[str, typer.Option(help="When the event ends.")] = "",
    event_place: Annotated[str, typer.Option(help="Where it takes place.")] = "",
    by: By = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Plan an announcement: who gets which edition, who is left out and why. Nothing leaves before it is approved.

    Example: mailbot broadcast new visit-of-the-minister --to radios --at 2026-03-02T09:00
    """
    from mailbot.broadcast.announce import Order, announce
    from mailbot.broadcast.invitation import happening, invitation_file
    from mailbot.broadcast.progress import in_words, seconds_for
    from mailbot.clock import now
    from mailbot.service import new_id

    parts, moment = parts_of(context, rehearsal=dry_run), now()
    event = happening(_moment(parts, event_start), _moment(parts, event_end), event_place)
    with (database_to_read if dry_run else database_of)(context) as database:
        where, early, waiting = _audience(database, to)
        broadcast_id = new_id()
        order = Order(
            release=release, kind=_kind(kind, event is not None), audience=to, where=where, early=early, at=_moment(parts, at),
            not_after=_moment(parts, not_after), waiting_for=waiting, event=event, by=by,
            files=(invitation_file(database.read_now(_title, release), event, parts.office, broadcast_id, moment),) if event else (),
        )  # fmt: skip

        def plan(tx: "Tx") -> "Broadcast":
            return announce(tx, parts.office, parts.readers, parts.secret, order, broadcast_id, moment)

        made = database.write_now(lambda tx: _rehearsed(tx, plan) if dry_run else plan(tx))
    pace = parts.settings.smtp
    seconds = seconds_for(made.recipients, per_minute=pace.rate_per_minute, per_day=pace.rate_per_day)
    if as_json:
        return print_json(
            {
                "id": made.id, "release": made.release, "kind": made.kind, "state": made.state, "recipients": made.recipients,
                "skipped": made.skipped, "seconds": seconds, "octets": made.octets, "wave": made.wave, "early": made.early,
                "dry_run": dry_run,
            }
        )  # fmt: skip
    typer.echo(f"{made.id}: {in_words(made.recipients, seconds, made.octets, pace.rate_per_minute)}" + (" (dry run)" if dry_run else ""))
    for why, number in sorted(made.skipped.items()):
        typer.echo(f"  left out: {number:,} {why}")
    if made.early:
        typer.echo("  UNDER EMBARGO: it goes to those who may have it early, and says so.")
    if not dry_run:
        typer.echo(f"Look at it: mailbot broadcast preview {made.id}")
        typer.echo(f"Approve it: mailbot broadcast approve {made.id} --count {made.recipients}")
    return None


def _rehearsed(tx: "Tx", plan: Any) -> "Broadcast":
    with tx.begin_nested() as savepoint:
        made: Broadcast = plan(tx)
        savepoint.rollback()
    return made


def _kind(named: str, with_event: bool) -> "Kind":
    from mailbot.broadcast.broadcast import Kind

    if named and named not in list(Kind):
        raise typer.BadParameter(f"{named!r} is no kind of announcement: {', '.join(Kind)}.")
    found = Kind(named) if named else Kind.ADVISORY if with_event else Kind.RELEASE
    if (found is Kind.ADVISORY) != with_event:
        raise typer.BadParameter("An advisory invites to an event (--event-start), and nothing else does.")
    return found


def _title(tx: "Tx", slug: str) -> str:
    from mailbot.releases import store

    release = store.load(tx, slug)
    return release.editions[0].title if release else slug


def _audience(database: "Database", to: str) -> "tuple[Filter | None, bool, str]":
    """The filter, whether its people may have what is under embargo, and the language that they wait for."""
    from mailbot.audience import segment_store

    if to.startswith("waiting-for-"):
        return None, False, to.removeprefix("waiting-for-")
    named = database.read_now(segment_store.find, to)
    return filter_of(database, to), bool(named and named.early), ""


def _moment(parts: Parts, written: str) -> datetime | None:
    """On the office's clock where it has no offset of its own."""
    from mailbot import office_terms

    if not written:
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is no moment; write it as 2026-03-02 09:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=office_terms.office_zone(parts.settings))


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Every announcement, the newest first.

    Example: mailbot broadcast list
    """
    from mailbot.broadcast import store

    with database_to_read(context) as database:
        rows = database.read_now(lambda tx: [(one, store.summary(tx, one)) for one in store.listed(tx)])
    if as_json:
        return print_json_lines(facts for _, facts in rows)
    for one, _ in rows:
        typer.echo(
            f"{one.id}  {one.created_at:%Y-%m-%d %H:%M}  {one.state:<9}  {one.recipients:>7,}  {one_line(one.release, 50)}"
            f"{f'  ({one_line(one.why, 80)})' if one.why else ''}"
        )
    return None


@app.command("approve")
def approve_(
    context: typer.Context,
    broadcast: Id,
    count: Annotated[int, typer.Option(help="How many people it goes to: the number that the plan names.")],
    by: By = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Let it leave, after the hold, which every colleague is told of: a reply STOP from any of them stops it.

    Example: mailbot broadcast approve 3f2a --count 412
    """
    from mailbot.broadcast.approve import Terms, approve
    from mailbot.clock import now
    from mailbot.service import new_id

    parts, moment = parts_of(context, rehearsal=dry_run), now()
    needed, hold = parts.settings.broadcast.approvals, timedelta(minutes=parts.settings.broadcast.hold_minutes)
    terms = Terms(parts.office, parts.secret, new_id, needed, hold)
    with (database_to_read if dry_run else database_of)(context) as database:
        one = (database.rehearse_now if dry_run else database.write_now)(approve, terms, broadcast, count, by, moment)
    left = needed - 1 if one.state == "draft" else 0
    facts = {"id": one.id, "state": one.state, "held_until": one.held_until, "at": one.at, "approvals_left": left, "dry_run": dry_run}
    leaves = max(filter(None, (one.held_until, one.at)), default=moment)
    told = f"it leaves at {leaves:%Y-%m-%d %H:%M} UTC" if one.state != "draft" else "a second person has to approve it"
    answer(as_json, facts, f"{one.id}: {told}{' (dry run)' if dry_run else ''}.")


@app.command()
def stop(context: typer.Context, broadcast: Id, by: By = "", as_json: Json = False) -> None:
    """Stop it at once: nothing more leaves but the mail in flight. `resume` goes on.

    Example: mailbot broadcast stop 3f2a
    """
    from mailbot.broadcast.broadcast import Act

    _act(context, broadcast, Act.STOP, f"stopped by {by.strip() or 'a colleague'}", as_json)


@app.command()
def resume(
    context: typer.Context, broadcast: Id, count: Annotated[int, typer.Option(help="How many people it goes to in all.")], by: By = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Go on with what was stopped or held. It takes the number again, as an approval does.

    Example: mailbot broadcast resume 3f2a --count 412
    """
    from mailbot.broadcast.broadcast import resuming
    from mailbot.clock import now

    with database_to_read(context) as database:
        one = database.read_now(found, broadcast)
    if count != one.recipients:
        typer.echo(f"mailbot: {one.id} goes to {one.recipients} people, not to {count}.", err=True)
        raise typer.Exit(1)
    _act(context, broadcast, resuming(one, now()), "", as_json)


@app.command()
def cancel(context: typer.Context, broadcast: Id, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """End it for good: what has not left never leaves.

    Example: mailbot broadcast cancel 3f2a --dry-run
    """
    from mailbot.broadcast.broadcast import Act

    confirmed("What has not left will never leave. Cancel it?", yes or dry_run)
    _act(context, broadcast, Act.CANCEL, "cancelled by a colleague", as_json, dry_run)


def _act(context: typer.Context, broadcast: str, step: "Act", why: str, as_json: bool, dry_run: bool = False) -> None:
    from mailbot.broadcast import store
    from mailbot.broadcast.broadcast import Act
    from mailbot.broadcast.tell import tell_colleagues
    from mailbot.clock import now
    from mailbot.outbox import bulk_store
    from mailbot.service import new_id

    parts, moment = parts_of(context, rehearsal=dry_run), now()

    def do(tx: "Tx") -> "tuple[Broadcast, dict[str, int]]":
        one = found(tx, broadcast, lock=True)
        started = {"started_at": one.started_at or moment} if step is Act.RESUME else {}
        store.become(tx, one, step, why, moment, **started)
        if event := {Act.STOP: "stopped", Act.RESUME: "resumed", Act.WAIT: "resumed"}.get(step):
            tell_colleagues(tx, parts.office, parts.secret, new_id, found(tx, one.id), event, why, moment)
        if step is Act.CANCEL:
            bulk_store.cancel_waiting(tx, one.id, why, moment)
        return found(tx, one.id), bulk_store.states_of(tx, one.id)

    with (database_to_read if dry_run else database_of)(context) as database:
        one, states = (database.rehearse_now if dry_run else database.write_now)(do)
    counted = ", ".join(f"{number:,} {name}" for name, number in states.items() if number)
    told = f"{one.id} {'would be' if dry_run else 'is'} {one.state}: {counted or 'nobody'}."
    answer(as_json, {"id": one.id, "state": one.state, "states": states, "dry_run": dry_run}, told)


def found(tx: "Tx", broadcast: str, lock: bool = False) -> "Broadcast":
    """The one that is meant. Raises NotAllowed."""
    from mailbot.broadcast import store
    from mailbot.broadcast.broadcast import NotAllowed

    one = store.find(tx, broadcast, lock=lock)
    if one is None:
        raise NotAllowed(f"There is no announcement {one_line(broadcast, 60)!r}, or several begin so. `mailbot broadcast list` shows them.")
    return one
