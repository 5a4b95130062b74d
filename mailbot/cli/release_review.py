"""`mailbot release parity` and `submit`: look at a release before the world does, and have it signed."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import DryRun, Json, Yes, confirmed, database_of, database_to_read, lines, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Database
    from mailbot.languages import Language
    from mailbot.releases.parity import Parity
    from mailbot.releases.release import Edition, Release
    from mailbot.settings import Settings

Slug = Annotated[str, typer.Argument(help="The slug of the release, or of any of its editions.")]
_COLUMN = 34
_POINTS = {"quotation-marks": "quotation marks that do not belong together", "contact": "nobody to ask: no press contact"}


class EditionsDiffer(Exception):
    """The editions say different things, and nobody was there to look at it; nothing was published."""

    def __init__(self, release: str, count: int) -> None:
        things = "1 difference" if count == 1 else f"{count} differences"
        super().__init__(
            f"nothing was published: the editions of {release} have {things}, listed above. Correct them and import again, "
            f"or publish all the same with --yes."
        )


def parity(context: typer.Context, slug: Slug, as_json: Json = False) -> None:
    """What differs between the editions of a release: figures, dates, names, links and telephone numbers. Mends nothing.

    Example: mailbot release parity visit-of-the-minister
    """
    from mailbot import languages, office_terms

    settings = settings_of(context)
    with database_to_read(context) as database:
        release = _load(database, slug)
    found = compared(release, settings, languages.load(office_terms.language_folders(settings)))
    if as_json:
        return print_json({"release": release.id, **found.facts})
    typer.echo("\n".join(_table(found)) or f"{release.id}: nothing differs between {' and '.join(found.languages)}.")
    return None


def submit(
    context: typer.Context,
    slug: Slug,
    correction: Annotated[Path | None, typer.Option(help="A file for `correct`: have it signed first.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Mail a release to who signs it (releases.sign_off), with a link to a page that approves it or asks for changes.

    Example: mailbot release submit visit-of-the-minister
    """
    from mailbot import clock, languages, office_terms, terms
    from mailbot.inbox import submit as signing
    from mailbot.secret import secret_key
    from mailbot.service import new_id

    settings, now = settings_of(context), clock.now()
    loaded = languages.load(office_terms.language_folders(settings))
    office = office_terms.office_of(settings, loaded)
    with (database_to_read if dry_run else database_of)(context) as database:
        stored = _load(database, slug)
        release = _corrected(stored, correction, loaded, office_terms.office_zone(settings)) if correction else stored
        desk = terms.desk_of(settings, office, b"" if dry_run else secret_key(settings), loaded, new_id)
        draft = signing.question(desk, release, stored, "ID", 0)
        inform(compared(release, settings, loaded))
        if dry_run:
            return _would_submit(draft.recipient.address, draft.subject, draft.text, as_json)
        if sys.stdin.isatty():
            confirmed(f"Send {one_line(draft.subject, 80)} to {draft.recipient.address}?", yes)
        done = database.write_now(signing.submit, desk, release, now)
    asked = done.asked
    if as_json:
        return print_json({
            "release": release.id, "signatory": asked.signatory, "asked_at": asked.asked_at, "delivery": asked.delivery,
            "result": "waiting" if done.again else "asked",
        })  # fmt: skip
    since = f"was asked on {asked.asked_at:%Y-%m-%d %H:%M} UTC and has not answered yet" if done.again else "is asked to sign it"
    typer.echo(f"{release.id}: {asked.signatory} {since} (mailbot outbox show {asked.delivery}).")
    return None


def compared(release: "Release", settings: "Settings", loaded: "Mapping[str, Language]") -> "Parity":
    """The editions of a release held against each other, with this office's words."""
    from mailbot.releases.parity import parity as of

    return of(release, loaded, settings.organisation.contact)


def looked_at(context: typer.Context, release: "Release", yes: bool) -> None:
    """Before it is published: what differs is shown, and where anything does a person says so. Raises EditionsDiffer."""
    from mailbot import languages, office_terms
    from mailbot.releases.release import State

    if all(edition.state is State.PUBLISHED for edition in release.editions):
        return
    settings = settings_of(context)
    found = compared(release, settings, languages.load(office_terms.language_folders(settings)))
    inform(found)
    if found.differences and not yes and not sys.stdin.isatty():
        raise EditionsDiffer(release.id, len(found.differences))


def look_at_set(database: "Database", editions: "Sequence[Edition]", settings: "Settings", loaded: "Mapping[str, Language]") -> None:
    """Of each release of an imported set, which a dry run has not kept, show what differs."""
    from mailbot.releases import store
    from mailbot.releases.release import Release

    slugs = {edition.slug for edition in editions}
    for release_id in dict.fromkeys(edition.release for edition in editions):
        found = database.read_now(store.load, release_id)
        others = (one for one in (found.editions if found else ()) if one.slug not in slugs)
        whole = Release(release_id, (*(one for one in editions if one.release == release_id), *others))
        inform(compared(whole, settings, loaded))


def inform(found: "Parity") -> None:
    """The table, to standard error: the answer of the command is something else."""
    for line in _table(found):
        typer.echo(line, err=True)


def _table(found: "Parity") -> Sequence[str]:
    """For each difference a line with both sides, and under it the sentences where they stand."""
    shown: list[str] = []
    for one in found.differences:
        facts = one.facts
        sides = "  ".join(f"{code}: {one_line(words or '–', _COLUMN):<{_COLUMN}}" for code, words in facts["words"].items())
        shown.append(f"{facts['kind']:<7} {sides}".rstrip())
        shown += [f"        {code}  {one_line(sentence, 200)}" for code, sentence in facts["sentences"].items() if sentence]
    for point in found.points:
        shown.append(f"{point.language}: {_POINTS[point.what]}" + (f": {one_line(point.sentence, 160)}" if point.sentence else ""))
    return shown


def _would_submit(recipient: str, subject: str, text: str, as_json: bool) -> None:
    if as_json:
        return print_json({"recipient": recipient, "subject": subject, "text": text, "dry_run": True})
    return typer.echo(f"To: {recipient}\nSubject: {one_line(subject, 200)}\n\n{lines(text)}")


def _corrected(stored: "Release", file: Path, loaded: "Mapping[str, Language]", zone: Any) -> "Release":
    """The release as it will be with this file. Raises CannotSubmit."""
    from mailbot import clock
    from mailbot.inbox.submit import CannotSubmit
    from mailbot.releases.read_source import read_source
    from mailbot.releases.sign_off import with_edition

    found = read_source(str(file), loaded, clock.now().astimezone(zone), (stored,))
    if found.problems or len(found.editions) != 1:
        raise CannotSubmit(f"{file} cannot be read as one edition" + "".join(f"; {problem}" for problem in found.problems) + ".")
    (read,) = found.editions
    if all(edition.language != read.language for edition in stored.editions):
        raise CannotSubmit(f"{file} is in {read.language!r}, and {stored.id} has no edition in it. Import it as a translation instead.")
    return with_edition(stored, read)


def _load(database: "Database", slug: str) -> "Release":
    from mailbot.releases import store

    found = database.read_now(store.load, slug)
    if found is None:
        raise store.NoSuchRelease(slug)
    return found
