"""`mailbot release`: import, look at, publish and withdraw press releases."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import release_photos
from mailbot.cli.opening import (
    DryRun,
    Json,
    Yes,
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
    from mailbot.releases.import_set import ImportSet
    from mailbot.releases.release import Edition, Release

app = typer.Typer(no_args_is_help=True, help="Press releases: import them, look at them, publish and withdraw them.")
Slug = Annotated[str, typer.Argument(help="The slug of the release, or of any of its editions.")]
SUFFIXES = (".md", ".markdown", ".txt")


class Variant(StrEnum):
    """What a release is shown as."""

    TEXT = "text"
    HTML = "html"
    PDF = "pdf"


class CannotImport(Exception):
    """The files cannot be imported; nothing was changed. The message has a line for each problem."""


@app.command("import")
def import_(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="PATH", help="A file, a folder of files that belong together, or - for standard input.")],
    publish: Annotated[bool, typer.Option("--publish", help="Publish too; one under embargo becomes public at its instant.")] = False,
    language: Annotated[str, typer.Option(help="The language of files that do not name theirs, as fr.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take in releases: Markdown files with front matter, a folder of them, or a pasted page. All of them, or none.

    Importing the same again changes nothing.

    Example: mailbot release import releases/ --publish
    """
    from mailbot import clock, languages, terms

    settings = settings_of(context)
    loaded = languages.load(terms.language_folders(settings))
    order = {code: loaded[code] for code in terms.language_order(settings, loaded)} | loaded
    now = clock.now()
    from mailbot.releases import store
    from mailbot.releases.import_set import import_set

    files, zone = list(_files(source)), terms.office_zone(settings)
    with (database_to_read if dry_run else database_of)(context) as database:
        read = import_set(files, order, now.astimezone(zone), database.read_now(store.load_all), language)
        photos, missing = release_photos.named(read.photos, zone)
        if problems := (*read.problems, *missing):
            if as_json:
                print_json({"editions": [], "problems": [_problem_facts(problem) for problem in problems], "dry_run": dry_run})
            raise CannotImport("nothing was imported.\n" + "\n".join(f"  {problem}" for problem in problems))
        done, attached = database.write_now(_take_in, read.editions, photos, publish, dry_run, now)
    if as_json:
        return print_json({"editions": done, "photos": attached, "problems": [], "dropped": dict(read.dropped), "dry_run": dry_run})
    _print_taken_in(done, attached, read, dry_run)
    return None


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
        typer.echo(f"{facts['date']}  {_standing(facts):<10}  {codes:<8}  {one.id:<40}  {one_line(facts['title'], 60)}")
    return None


@app.command()
def show(context: typer.Context, slug: Slug, as_json: Json = False) -> None:
    """One edition as a file that can be imported again, its photos as remarks; with --json the whole release.

    Example: mailbot release show visit-of-the-minister
    """
    from mailbot import clock, terms
    from mailbot.releases.markdown import to_markdown

    now, zone = clock.now(), terms.office_zone(settings_of(context))
    with database_to_read(context) as database:
        found = _load(database, slug)
    if as_json:
        photos = [release_photos.photo_facts(photo, zone, now) for photo in found.photos]
        return print_json({**_facts(found, now, whole=True), "edition": slug, "photos": photos})
    edition = _edition(found, slug)
    remarks = [release_photos.described(photo, edition.language, zone, now) for photo in found.photos]
    return typer.echo(to_markdown(edition, remarks), nl=False)


@app.command()
def publish(context: typer.Context, slug: Slug, yes: Yes = False, as_json: Json = False) -> None:
    """Publish every edition of a release. One under embargo becomes public at its instant.

    Example: mailbot release publish visit-of-the-minister
    """
    from mailbot.releases import store

    _change(context, slug, yes, as_json, store.publish, "Publish {title} ({codes})?")


@app.command()
def withdraw(context: typer.Context, slug: Slug, yes: Yes = False, as_json: Json = False) -> None:
    """Take a release back: it is not sent to anybody any more, and answers that still wait with it do not leave.

    Example: mailbot release withdraw visit-of-the-minister
    """
    from mailbot.releases import store

    _change(context, slug, yes, as_json, store.withdraw, "Withdraw {title} ({codes})?")


@app.command()
def render(
    context: typer.Context,
    slug: Slug,
    variant: Annotated[Variant, typer.Option(help="text; html: the page inside the mail; pdf: as bytes.")] = Variant.TEXT,
    as_json: Json = False,
) -> None:
    """The answer that a journalist gets with this edition.

    Example: mailbot release render visit-of-the-minister --variant html
    """
    import asyncio
    from base64 import b64encode

    from mailbot import languages, rendering, terms
    from mailbot.inbox.compose import release_values, sheet
    from mailbot.outbox.print_pdf import NotPrinted, print_pdf

    settings = settings_of(context)
    office = terms.office_of(settings, languages.load(terms.language_folders(settings)))
    with database_to_read(context) as database:
        edition = _edition(_load(database, slug), slug)
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


def _files(source: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file; of a folder those that can be releases, in the order of their names."""
    from mailbot.releases.markdown import MAX_BYTES

    if source == "-":
        yield "standard input", sys.stdin.buffer.read(MAX_BYTES + 1)
        return
    path = Path(source)
    if source.startswith(("http:", "https:")) or path.suffix.lower() in (".docx", ".doc", ".pdf", ".html", ".htm", ".odt", ".rtf"):
        raise CannotImport(f"{source} is neither Markdown nor plain text. Copy its text into a file ending in .txt, and import that.")
    try:
        paths = [path]
        if path.is_dir():
            visible = (one for one in path.rglob("*") if not one.name.startswith(".") and one.is_file())
            paths = sorted(one for one in visible if one.suffix.lower() in SUFFIXES)
            if not paths:
                raise CannotImport(f"{source} holds no release: no file ends in {', '.join(SUFFIXES)}.")
        for one in paths:
            with one.open("rb") as file:
                yield str(one), file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise CannotImport(f"{problem.filename or source} cannot be read: {problem.strerror}.") from problem


def _take_in(
    tx: "Tx", editions: Sequence["Edition"], photos: Sequence[release_photos.Named], publish: bool, dry_run: bool, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Save the set and its photos, publish it where asked; a dry run leaves no trace. Raises what store.save raises, and CannotImport."""
    from mailbot.releases import store
    from mailbot.releases.release import State, public_from

    with tx.begin_nested() as savepoint:
        saved = {edition.slug: store.save(tx, edition, now) for edition in editions}
        attached = release_photos.take_in(tx, photos, now)
        for release_id in dict.fromkeys(edition.release for edition in editions) if publish else ():
            found = store.load(tx, release_id)
            if found and any(edition.state is State.WITHDRAWN for edition in found.editions):
                raise CannotImport(f"{release_id} was withdrawn. If it is to be public again: mailbot release publish {release_id}")
            store.publish(tx, release_id, now)
        releases = {edition.slug: store.load(tx, edition.slug) for edition in editions}
        if dry_run:
            savepoint.rollback()
    done = [
        {
            "slug": edition.slug, "release": edition.release, "language": edition.language, "title": edition.title,
            "result": saved[edition.slug], "state": _edition(found, edition.slug).state, "public_from": public_from(found),
        }
        for edition in editions if (found := releases[edition.slug])
    ]  # fmt: skip
    return done, attached


def _print_taken_in(done: Sequence[dict[str, Any]], attached: Sequence[dict[str, Any]], read: "ImportSet", dry_run: bool) -> None:
    for one in done:
        held = f", embargo until {one['public_from']:%Y-%m-%d %H:%M} UTC" if one["public_from"] else ""
        result = f"would be {one['result']}" if dry_run and one["result"] != "unchanged" else one["result"]
        typer.echo(f"{one['slug']} ({one['language']}): {result}, {one['state']}{held}")
    for one in attached:
        result = f"would be {one['result']}" if dry_run and one["result"] != "unchanged" else one["result"]
        typer.echo(f"{one['release']}: photo {one['number']} ({one['file']}) {result}")
    for file, lines in read.dropped.items():
        typer.echo(f"{file}: {len(lines)} lines around the release were left out; `release show` shows what was kept.", err=True)
    if any(one["state"] == "draft" for one in done):
        typer.echo("A draft is sent to nobody. `mailbot release publish SLUG` publishes it.", err=True)


def _change(context: typer.Context, slug: str, yes: bool, as_json: bool, change: Any, question: str) -> None:
    """Publish or withdraw; a person at a terminal is asked first."""
    from mailbot import clock

    now = clock.now()
    with database_of(context) as database:
        found = _load(database, slug)
        if sys.stdin.isatty():
            codes = ", ".join(edition.language for edition in found.editions)
            confirmed(question.format(title=one_line(_edition(found, found.id).title, 80), codes=codes), yes)
        changed = database.write_now(change, found.id, now)
        facts = _facts(_load(database, slug), now, whole=False)
    if as_json:
        return print_json({**facts, "changed": list(changed)})
    return typer.echo(f"{found.id}: {_standing(facts)}" + ("" if changed else " already"))


def _load(database: "Database", slug: str) -> "Release":
    from mailbot.releases import store

    found = database.read_now(store.load, slug)
    if found is None:
        raise store.NoSuchRelease(slug)
    return found


def _edition(release: "Release", slug: str) -> "Edition":
    return next((edition for edition in release.editions if edition.slug == slug), release.editions[0])


def _problem_facts(problem: Any) -> dict[str, Any]:
    """The fields of one problem."""
    return {"file": problem.file, "line": problem.line, "message": problem.message}


def _standing(facts: dict[str, Any]) -> str:
    """In one word how far the release is."""
    if facts["public"]:
        return "public"
    return "embargoed" if facts["state"] == "published" else str(facts["state"])


def _facts(release: "Release", now: datetime, whole: bool) -> dict[str, Any]:
    """What programs are told of a release."""
    from mailbot.releases.release import State, day_of, is_public, public_from

    original = _edition(release, release.id)
    states = {edition.state for edition in release.editions}
    state = next(state for state in (State.PUBLISHED, State.DRAFT, State.WITHDRAWN) if state in states)
    return {
        "release": release.id, "title": original.title, "date": day_of(original), "state": state,
        "public": is_public(release, now), "public_from": public_from(release),
        "editions": [_edition_facts(edition, whole) for edition in release.editions],
    }  # fmt: skip


def _edition_facts(edition: "Edition", whole: bool) -> dict[str, Any]:
    from mailbot.releases.body import plain_paragraphs
    from mailbot.releases.markdown import END_MARK
    from mailbot.releases.pasted import addresses_in

    facts: dict[str, Any] = {"slug": edition.slug, "language": edition.language, "title": edition.title, "state": edition.state}
    if whole:
        facts |= {
            "date": edition.date, "place": edition.place, "topics": list(edition.topics), "embargo": edition.embargo,
            "body": edition.body, "paragraphs": list(plain_paragraphs(edition.body)), "end_mark": END_MARK, "notes": edition.notes,
            "contact": edition.contact, "contact_addresses": list(addresses_in(edition.contact)),
        }  # fmt: skip
    return facts
