"""`mailbot release correct` and `withdraw`: what happens to a release that went out wrong, and who is told."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import DryRun, Json, Yes, confirmed, database_of, database_to_read, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Database, Tx
    from mailbot.inbox.correct import Done
    from mailbot.inbox.hand_over import Desk
    from mailbot.releases.release import Edition, Release

Slug = Annotated[str, typer.Argument(help="The slug of the edition that was wrong.")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence for those who got it; without it none is given.")]
MOST_SHOWN = 12
Act = Callable[["Tx"], "Done"]


def correct(
    context: typer.Context,
    slug: Slug,
    source: Annotated[str, typer.Argument(metavar="FILE", help="The whole release as it should read: a file, a page, or -.")],
    language: Annotated[str, typer.Option(help="The language of a file that does not name its own, as fr.")] = "",
    accept_changes: Annotated[bool, typer.Option("--accept-changes", help="Take a Word file's tracked changes as accepted.")] = False,
    reason: Reason = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Replace the text of a published edition, and tell everybody who has got the old one.

    From that instant nobody is sent the old text: what has not left leaves with the new one. Whoever got it is sent one correction, with
    the old and the new sentences side by side and the whole release below. Run it twice, and it is done once.

    Example: mailbot release correct visit-of-the-minister corrected.md --dry-run
    """
    from mailbot.clock import now
    from mailbot.inbox import correct as corrections

    moment = now()
    with (database_to_read if dry_run else database_of)(context) as database:
        release, edition = _edition(database, slug)
        read = _read(context, database, source, edition, release, language, accept_changes)
        desk = _desk(context, dry_run)
        done = _do(database, lambda tx: corrections.correct(tx, desk, slug, read, reason, moment), slug, yes, dry_run, as_json)
        others = [one for one in release.editions if one.slug != slug]
        facts = _facts(done, release, dry_run) | {"edition": slug, "not_corrected": [one.slug for one in others]}
        earlier = _last(database, release, slug)
    if as_json:
        return print_json(facts | {"result": "corrected" if done.correction else "unchanged"})
    if done.correction is None:
        return typer.echo(f"{slug} says that already{earlier}. Nothing was done.")
    _print(done, f"{slug} ({edition.language}): {'would be' if dry_run else 'is'} corrected.", dry_run)
    for one in others:
        typer.echo(
            f"The edition {one.slug} ({one.language}) was not corrected. If it has the same error: mailbot release correct {one.slug} FILE"
        )
    return None


def withdraw(
    context: typer.Context, slug: Annotated[str, typer.Argument(help="The slug of the release, or of any of its editions.")],
    reason: Reason = "", yes: Yes = False, dry_run: DryRun = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a release back, all its editions, and tell everybody who has got it.

    From that instant nobody is sent it, and no search finds it. Answers that still wait with it go to a colleague. Whoever got it is told
    once that it is withdrawn, and why.

    Example: mailbot release withdraw visit-of-the-minister --reason Cancelled. --dry-run
    """
    from mailbot.cli.release import _facts as release_facts
    from mailbot.clock import now
    from mailbot.inbox import correct as corrections

    moment = now()
    with (database_to_read if dry_run else database_of)(context) as database:
        release, _ = _edition(database, slug)
        desk = _desk(context, dry_run)
        done = _do(database, lambda tx: corrections.withdraw(tx, desk, release.id, reason, moment), release.id, yes, dry_run, as_json)
        earlier, after = _last(database, release, ""), release_facts(_edition(database, slug)[0], moment, whole=False)
    if as_json:
        changed = [one.slug for one in release.editions if one.state != "withdrawn"] if done.correction else []
        facts = after | _facts(done, release, dry_run) | {"result": "withdrawn" if done.correction else "unchanged"}
        return print_json(facts | {"changed": changed})
    if done.correction is None:
        return typer.echo(f"{release.id}: withdrawn already{earlier}. Nothing was done.")
    return _print(done, f"{release.id}: {'would be' if dry_run else 'is'} withdrawn.", dry_run)


def history(tx: "Tx", release: "Release") -> dict[str, Any]:
    """What programs are told of the corrections of a release, and of what its editions said before."""
    from mailbot.releases import correction_store

    return {
        "corrections": [
            {
                "correction": one.id, "kind": "withdrawal" if one.withdraws else "correction", "edition": one.edition or None, "at": one.at,
                "reason": one.reason, "content_hash": one.content_hash, "told": told,
            }
            for one, told in correction_store.history(tx, release.id)
        ],
        "past": [
            {
                "slug": one.edition.slug, "content_hash": one.content_hash, "since": one.since, "until": one.until,
                "correction": one.correction, "title": one.edition.title, "body": one.edition.body,
            }
            for one in correction_store.past(tx, release.id)
        ],
    }  # fmt: skip


def print_history(facts: dict[str, Any]) -> None:
    """A line for each correction, beside what is printed of the release itself."""
    for one in facts["corrections"]:
        what = f"{one['edition']} was corrected" if one["edition"] else "the release was withdrawn"
        why = f" ({one_line(one['reason'], 200)})" if one["reason"] else ""
        typer.echo(f"{one['at']:%Y-%m-%d %H:%M} UTC: {what}{why}; told: {_people(one['told'])}.", err=True)


def _edition(database: "Database", slug: str) -> "tuple[Release, Edition]":
    from mailbot.releases import store

    release = database.read_now(store.load, slug)
    if release is None:
        raise store.NoSuchRelease(slug)
    return release, next(one for one in release.editions if one.slug == slug)


def _read(
    context: typer.Context, database: "Database", source: str, old: "Edition", release: "Release", language: str, accept_changes: bool
) -> "Edition":
    """The file by the same reader as `release import`'s. Raises CannotImport, CannotCorrect."""
    from mailbot import clock, languages, office_terms
    from mailbot.releases import store
    from mailbot.releases.correction import CannotCorrect
    from mailbot.releases.read_source import CannotImport, read_source
    from mailbot.releases.wish import Wish

    settings = settings_of(context)
    loaded = languages.load(office_terms.language_folders(settings))
    order = {code: loaded[code] for code in office_terms.language_order(settings, loaded)} | loaded
    now = clock.now().astimezone(office_terms.office_zone(settings))
    wish = Wish(language=language or old.language, accept_changes=accept_changes)
    read = read_source(source, order, now, database.read_now(store.load_all), wish, sys.stdin.buffer)
    if read.problems:
        raise CannotImport("nothing was corrected.\n" + "\n".join(f"  {problem}" for problem in read.problems))
    if len(read.editions) != 1:
        raise CannotCorrect(f"{source} holds {len(read.editions)} editions. A correction is of one edition: name its file.")
    for file, lines in read.dropped.items():
        typer.echo(f"{file}: left out around the release, lines: {len(lines)}.", err=True)
    (edition,) = read.editions
    if edition.slug != old.slug and edition.slug in {one.slug for one in release.editions}:
        raise CannotCorrect(f"{source} is the edition {edition.slug}, not {old.slug}. Name the edition that it corrects.")
    return replace(edition, release=old.release)


def _desk(context: typer.Context, dry_run: bool) -> "Desk":
    """Who writes. A dry run makes no key: what it seals is never sent."""
    from mailbot import languages, office_terms, service, terms
    from mailbot.secret import existing_key, secret_key

    settings = settings_of(context)
    loaded = languages.load(office_terms.language_folders(settings))
    secret = (existing_key(settings) or b"only for a rehearsal") if dry_run else secret_key(settings)
    return terms.desk_of(settings, office_terms.office_of(settings, loaded), secret, loaded, service.new_id)


def _do(database: "Database", act: Act, name: str, yes: bool, dry_run: bool, as_json: bool) -> "Done":
    """Rehearse, show, ask, act. Whoever is written to is known before; what arrives in between is counted by the act itself."""

    def rehearse(tx: "Tx") -> "Done":
        with tx.begin_nested() as savepoint:
            done = act(tx)
            savepoint.rollback()
        return done

    if dry_run:
        return database.write_now(rehearse)
    if not yes:
        planned = database.write_now(rehearse)
        if planned.correction is not None and (planned.told or sys.stdin.isatty()):
            if not as_json:
                _print(planned, f"{name}:", True, err=True)
            confirmed(f"Go on, and write to {_people(len(planned.told))}?", yes)
    return database.write_now(act)


def _facts(done: "Done", release: "Release", dry_run: bool) -> dict[str, Any]:
    return {
        "release": release.id, "correction": done.correction.id if done.correction and not dry_run else None,
        "changes": [{"part": one.part, "before": one.before, "after": one.after} for one in done.changes],
        "rewritten": done.rewritten, "given_back": done.given_back, "cases": done.cases, "announced": done.announced,
        "told": [{"address": one.recipient.address, "edition": one.edition, "language": one.language} for one in done.told],
        "suppressed": done.suppressed, "in_doubt": [{"address": address, "delivery": delivery} for address, delivery in done.in_doubt],
        "dry_run": dry_run,
    }  # fmt: skip


def _print(done: "Done", headline: str, planned: bool, *, err: bool = False) -> None:
    def say(text: str) -> None:
        typer.echo(text, err=err)

    def all_of(addresses: list[str]) -> str:
        more = f" and {len(addresses) - MOST_SHOWN} more" if len(addresses) > MOST_SHOWN else ""
        return ", ".join(addresses[:MOST_SHOWN]) + more

    would = "would" if planned else "will"
    say(headline)
    for change in done.changes[:MOST_SHOWN]:
        say(f"  {change.part}: {one_line(change.before, 300) or '(nothing)'}\n     -> {one_line(change.after, 300) or '(nothing)'}")
    if len(done.changes) > MOST_SHOWN:
        say(f"  and {len(done.changes) - MOST_SHOWN} more changes")
    if done.rewritten:
        say(f"Not sent yet, and {would} leave as it reads now: {all_of(done.rewritten)}")
    if done.given_back:
        say(f"Not sent yet, and a colleague {would} have to answer: {all_of(done.given_back)}")
    if done.cases:
        say(f"Prepared answers of colleagues that {would} change: {done.cases}")
    if done.announced:
        what = "be sent" if done.correction and done.correction.withdraws else "leave in any other words"
        say(f"Mails of announcements that had not left, and {would} not {what}: {done.announced:,}")
    if done.in_doubt:
        say("May have the old text, which nobody can know; ask them: " + ", ".join(f"{who} (mail {mail})" for who, mail in done.in_doubt))
    if done.suppressed:
        say(f"Have the old text and are not written to any more, because their addresses are suppressed: {all_of(done.suppressed)}")
    if not done.told:
        return say("Nobody else has got it: nobody is written to.")
    say(f"Got it, and {would} be told ({_people(len(done.told))}):")
    for one in done.told:
        say(f"  {one.recipient.address}  ({one.edition}, got it on {one.at:%Y-%m-%d %H:%M} UTC)")
    return None


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"


def _last(database: "Database", release: "Release", slug: str) -> str:
    """Since when, and how many were told; empty where that was before this was kept."""
    from mailbot.releases import correction_store

    of = [(one, told) for one, told in database.read_now(correction_store.history, release.id) if one.edition == slug]
    return f", since {of[-1][0].at:%Y-%m-%d %H:%M} UTC; told: {_people(of[-1][1])}" if of else ""
