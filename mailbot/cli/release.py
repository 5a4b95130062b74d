"""`mailbot release`: look at, publish and confirm press releases. release_import.py takes them in, correct.py mends and withdraws them."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import correct as corrections
from mailbot.cli import release_import, release_photos, release_review
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
    from mailbot.database.engine import Database, Tx
    from mailbot.office import Office
    from mailbot.releases.release import Edition, Release

app = typer.Typer(no_args_is_help=True, help="Press releases: import them, look at them, publish, correct and withdraw them.")
Slug = Annotated[str, typer.Argument(help="The slug of the release, or of any of its editions.")]


class Variant(StrEnum):
    """What a release is shown as."""

    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    WHATSAPP = "whatsapp"


app.command("import")(release_import.import_)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Every release, the newest first.

    Example: mailbot release list
    """
    from mailbot import clock
    from mailbot.releases import store
    from mailbot.releases.release import day_of

    now = clock.now()
    with database_to_read(context) as database:
        releases = sorted(database.read_now(store.load_all), key=lambda one: (max(map(day_of, one.editions)), one.id), reverse=True)
    if as_json:
        return print_json_lines(_facts(one, now, whole=False) for one in releases)
    for one in releases:
        facts = _facts(one, now, whole=False)
        codes = ",".join(edition.language for edition in one.editions)
        doubt = f"  (stale: {', '.join(facts['stale'])})" if facts["stale"] else ""
        typer.echo(f"{facts['date']}  {_standing(facts):<10}  {codes:<8}  {one.id:<40}  {one_line(facts['title'], 60)}{doubt}")
    return None


@app.command()
def show(context: typer.Context, slug: Slug, as_json: Json = False) -> None:
    """One edition as a file that can be imported again, its photos as remarks; with --json the whole release, and what it said before.

    Example: mailbot release show visit-of-the-minister
    """
    from mailbot import clock, office_terms
    from mailbot.releases.markdown import to_markdown
    from mailbot.releases.release import stale

    now, zone = clock.now(), office_terms.office_zone(settings_of(context))
    with database_to_read(context) as database:
        found = _load(database, slug)
        before = database.read_now(corrections.history, found)
    if as_json:
        photos = [release_photos.photo_facts(photo, zone, now) for photo in found.photos]
        return print_json({**_facts(found, now, whole=True), "edition": slug, "photos": photos, **before})
    corrections.print_history(before)
    for one in stale(found):
        still = "It is published, and readers have it as it was." if one.state == "published" else "It cannot be published so."
        typer.echo(f"{one.slug} is stale: {found.id} has changed since it was translated. {still}", err=True)
    edition = _edition(found, slug)
    remarks = [release_photos.described(photo, edition.language, zone, now) for photo in found.photos]
    return typer.echo(to_markdown(edition, remarks), nl=False)


@app.command()
def publish(context: typer.Context, slug: Slug, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Publish every edition of a release. One under embargo becomes public at its instant.

    What differs between the editions is shown first, and publishing them all the same is asked for, or takes --yes.

    Example: mailbot release publish visit-of-the-minister --dry-run
    """
    from mailbot import clock
    from mailbot.releases import store

    now, signatory = clock.now(), settings_of(context).releases.sign_off

    def act(tx: "Tx") -> "tuple[tuple[str, ...], Release | None]":
        return store.publish(tx, found.id, now, signatory=signatory), store.load(tx, found.id)

    with (database_to_read if dry_run else database_of)(context) as database:
        found = _load(database, slug)
        release_review.looked_at(context, found, yes or dry_run)
        if sys.stdin.isatty() and not dry_run:
            codes = ", ".join(edition.language for edition in found.editions)
            confirmed(f"Publish {one_line(_edition(found, found.id).title, 80)} ({codes})?", yes)
        changed, after = (database.rehearse_now if dry_run else database.write_now)(act)
    facts = _facts(after or found, now, whole=False)
    told = f"{found.id}: {_standing(facts)}" + ("" if changed else " already") + (" (dry run)" if dry_run else "")
    answer(as_json, {**facts, "changed": list(changed), "dry_run": dry_run}, told)


app.command()(corrections.correct)
app.command()(corrections.withdraw)


@app.command()
def confirm(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="The slug of the translation.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Say that a translation still says what its original says, which has changed since. Then it can be published.

    Example: mailbot release confirm visit-of-the-minister-en
    """
    from mailbot import clock
    from mailbot.releases import store

    with database_of(context) as database:
        found = _load(database, slug)
        if sys.stdin.isatty():
            confirmed(f"Does {one_line(_edition(found, slug).title, 80)} still say what {found.id} says?", yes)
        done = database.write_now(store.confirm, slug, clock.now())
    answer(as_json, {"edition": slug, "confirmed": done}, f"{slug}: " + ("confirmed" if done else "was not in doubt"))


@app.command()
def render(
    context: typer.Context,
    slug: Slug,
    variant: Annotated[Variant, typer.Option(help="html: the page inside the mail; pdf: as bytes; whatsapp: for a chat.")] = Variant.TEXT,
    as_json: Json = False,
) -> None:
    """The answer that a journalist gets with this edition.

    Example: mailbot release render visit-of-the-minister --variant html
    """
    import asyncio
    from base64 import b64encode

    from mailbot import languages, office_terms, rendering
    from mailbot.inbox.compose import sheet
    from mailbot.office import release_values
    from mailbot.outbox.print_pdf import NotPrinted, print_pdf

    settings = settings_of(context)
    office = office_terms.office_of(settings, languages.load(office_terms.language_folders(settings)))
    with database_to_read(context) as database:
        release = _load(database, slug)
    edition = _edition(release, slug)
    if variant is Variant.WHATSAPP:
        return _for_whatsapp(office, release, edition, as_json)
    if variant is Variant.PDF:
        if not office.prints:
            raise NotPrinted("This installation cannot print: it lacks WeasyPrint (the extra `pdf`) or Pango.")
        printed = asyncio.run(print_pdf(sheet(office, edition, edition.language)))
        if as_json:
            return print_json({"edition": slug, "variant": variant, "subject": edition.title, "base64": b64encode(printed).decode()})
        sys.stdout.buffer.write(printed)
        return None
    values = {
        "organisation": office.values, "release": release_values(office, edition), "why": "", "words": (), "repeat": False,
        "passed_on": False,
        "alternatives": (), "reply_subject": "", "offered": (), "no_pdf": False,
    }  # fmt: skip
    rendered = rendering.render(office.words, edition.language, "answer", values)
    shown = rendered.html if variant is Variant.HTML else rendered.text
    if as_json:
        return print_json({"edition": slug, "variant": variant, "subject": rendered.subject, "content": shown})
    return typer.echo(shown)


def _for_whatsapp(office: "Office", release: "Release", edition: "Edition", as_json: bool) -> None:
    from mailbot import clock
    from mailbot.broadcast.whatsapp import link_of, whatsapp
    from mailbot.releases.release import public_from

    opens, now = public_from(release), clock.now()
    text = whatsapp(office, edition, opens if opens and opens > now else None)
    if as_json:
        facts = {"edition": edition.slug, "variant": Variant.WHATSAPP, "subject": edition.title, "content": text, "link": link_of(text)}
        return print_json(facts)
    return typer.echo(text)


def _load(database: "Database", slug: str) -> "Release":
    from mailbot.releases import store

    found = database.read_now(store.load, slug)
    if found is None:
        raise store.NoSuchRelease(slug)
    return found


def _edition(release: "Release", slug: str) -> "Edition":
    return next((edition for edition in release.editions if edition.slug == slug), release.editions[0])


def _standing(facts: dict[str, Any]) -> str:
    """In one word how far the release is."""
    if facts["public"]:
        return "public"
    return "embargoed" if facts["state"] == "published" else str(facts["state"])


def _facts(release: "Release", now: datetime, whole: bool) -> dict[str, Any]:
    """What programs are told of a release."""
    from mailbot.releases.release import State, day_of, is_public, public_from, stale

    original = _edition(release, release.id)
    states = {edition.state for edition in release.editions}
    state = next(state for state in (State.PUBLISHED, State.DRAFT, State.WITHDRAWN) if state in states)
    return {
        "release": release.id, "title": original.title, "date": day_of(original), "state": state,
        "public": is_public(release, now), "public_from": public_from(release), "stale": [edition.slug for edition in stale(release)],
        "editions": [_edition_facts(edition, whole) for edition in release.editions],
    }  # fmt: skip


def _edition_facts(edition: "Edition", whole: bool) -> dict[str, Any]:
    from mailbot.releases.anatomy import addresses_in
    from mailbot.releases.body import plain_paragraphs
    from mailbot.releases.markdown import END_MARK

    facts: dict[str, Any] = {"slug": edition.slug, "language": edition.language, "title": edition.title, "state": edition.state}
    if whole:
        facts |= {
            "date": edition.date, "place": edition.place, "topics": list(edition.topics), "embargo": edition.embargo,
            "body": edition.body, "paragraphs": list(plain_paragraphs(edition.body)), "end_mark": END_MARK, "notes": edition.notes,
            "contact": edition.contact, "contact_addresses": list(addresses_in(edition.contact)),
        }  # fmt: skip
    return facts
