"""`mailbot release attach`, `photos` and `detach`: the photos of a release; and those that a release file names, for `release import`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.opening import DryRun, Json, Yes, answer, confirmed, database_of, database_to_read, one_line, print_json_lines, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Tx
    from mailbot.releases.import_set import Attachment, Problem
    from mailbot.releases.photo import Photo
    from mailbot.releases.photo_store import Told
    from mailbot.releases.picture import Picture
    from mailbot.releases.release import Release

Slug = Annotated[str, typer.Argument(help="The slug of the release, or of any of its editions.")]
NEVER = "never"


class CannotAttach(Exception):
    """The photo was not taken; nothing was changed. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Named:
    """A photo that a release file names, read and ready to be attached."""

    file: str
    release: str
    picture: "Picture"
    told: "Told"


def attach(
    context: typer.Context,
    slug: Slug,
    file: Annotated[str, typer.Argument(help="A JPEG, PNG or WebP file, or - for standard input.")],
    caption: Annotated[str, typer.Option(help="What it shows, in one line.")] = "",
    language: Annotated[str, typer.Option(help="The language of the caption [that of the edition with this slug].")] = "",
    credit: Annotated[str | None, typer.Option(help="Whom papers have to name.")] = None,
    consent_until: Annotated[str, typer.Option(help="The last day on which it may be shown, as 2027-06-30; or never: no end.")] = "",
    as_json: Json = False,
) -> None:
    """Attach a photo to a release. Where it was taken, by which camera and every comment in it are removed; a large one is made smaller.

    The same file again changes what is said of it: another caption, credit or last day, or a caption in another language.

    Example: mailbot release attach fountain photo.jpg --credit Velmora --consent-until 2027-06-30
    """
    from mailbot import clock, office_terms
    from mailbot.releases import photo_store
    from mailbot.releases.photo import MOST_CAPTION, MOST_CREDIT, consent_stands, plain

    zone, now = office_terms.office_zone(settings_of(context)), clock.now()
    ends, said = _ends(consent_until, zone), plain(caption, MOST_CAPTION, "caption")
    credited = None if credit is None else plain(credit, MOST_CREDIT, "credit")
    picture = _picture(file)
    with database_of(context) as database:
        release = _release(database.read_now(_loaded, slug), slug)
        code = language.lower() or _language(release, slug)
        told = photo_store.Told(captions={code: said} if said else {}, credit=credited, ends=ends)
        photo, done = database.write_now(photo_store.attach, release.id, picture, told, now)
    facts = {"release": release.id, "result": done, **photo_facts(photo, zone, now)}
    was = f", made from {picture.full[0]} × {picture.full[1]}" if picture.full != (picture.width, picture.height) else ""
    over = "" if consent_stands(photo, now) else "; its consent has ended: it is shown to nobody"
    answer(as_json, facts, f"{release.id}: photo {photo.number} {done} ({size(photo)}{was}){over}")


def photos(
    context: typer.Context,
    slug: Slug,
    sheet: Annotated[Path | None, typer.Option(help="Write the contact sheet of those that may be shown to this new file.")] = None,
    as_json: Json = False,
) -> None:
    """The photos of a release: number, size, last day of consent, credit, caption.

    Example: mailbot release photos fountain --sheet sheet.jpg
    """
    from mailbot import clock, office_terms
    from mailbot.releases import photo_store
    from mailbot.releases.contact_sheet import contact_sheet
    from mailbot.releases.photo import consent_stands

    zone, now = office_terms.office_zone(settings_of(context)), clock.now()
    with database_to_read(context) as database:
        release = _release(database.read_now(_loaded, slug), slug)
        if sheet is not None:
            numbers = [photo.number for photo in release.photos if consent_stands(photo, now)]
            if not numbers:
                raise CannotAttach(f"{release.id} has no photo that may be shown.")
            made = contact_sheet(database.read_now(photo_store.thumbnails, release.id, numbers))
            with sheet.open("xb") as written:
                written.write(made)
    if as_json:
        return print_json_lines(photo_facts(photo, zone, now) for photo in release.photos)
    for photo in release.photos:
        typer.echo(described(photo, _language(release, slug), zone, now))
    return None


def detach(
    context: typer.Context,
    slug: Slug,
    number: Annotated[int, typer.Argument(help="Its number in `release photos`.")],
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Remove a photo: it is deleted, and answers that still wait with it do not leave. Its number is given to no other.

    Example: mailbot release detach fountain 3
    """
    from mailbot import clock
    from mailbot.releases import photo_store

    with (database_to_read if dry_run else database_of)(context) as database:
        release = _release(database.read_now(_loaded, slug), slug)
        confirmed(f"Delete photo {number} of {release.id}?", yes or dry_run)
        (database.rehearse_now if dry_run else database.write_now)(photo_store.remove, release.id, number, clock.now())
    facts = {"release": release.id, "removed": number, "dry_run": dry_run}
    answer(as_json, facts, f"{release.id}: photo {number} {'would be ' if dry_run else ''}removed")


def named(attachments: Sequence["Attachment"], zone: tzinfo) -> tuple[list[Named], list["Problem"]]:
    """The photos that release files name, which lie beside them or below; or what is wrong with them."""
    from mailbot.releases.import_set import Problem
    from mailbot.releases.photo import NotPlain, consent_end
    from mailbot.releases.photo_store import Told
    from mailbot.releases.picture import NotAPhoto

    read: dict[Path, Picture] = {}
    found: list[Named] = []
    problems: list[Problem] = []
    for one in attachments:
        folder = Path(one.file).resolve().parent
        path, line = (folder / one.line.file).resolve(), one.line
        try:
            if not path.is_relative_to(folder) or not Path(one.file).is_file():
                raise CannotAttach("a photo lies beside its release file or in a folder below it: name it from there.")
            read[path] = read.get(path) or _picture(str(path))
            until = (consent_end(line.consent_until, zone),) if line.consent_until else None
            told = Told(captions={one.language: line.caption} if line.caption else {}, credit=line.credit, ends=until)
            found.append(Named(line.file, one.release, read[path], told))
        except (CannotAttach, NotAPhoto, NotPlain) as problem:
            problems.append(Problem(one.file, line.line, f"{line.file}: {problem}"))
    return found, problems


def take_in(tx: "Tx", photos: Sequence[Named], now: datetime) -> list[dict[str, Any]]:
    """Attach them, and say what became of each."""
    from mailbot.releases import photo_store

    done = [(one, *photo_store.attach(tx, one.release, one.picture, one.told, now)) for one in photos]
    return [{"file": one.file, "release": one.release, "number": photo.number, "result": result} for one, photo, result in done]


def photo_facts(photo: "Photo", zone: tzinfo, now: datetime) -> dict[str, Any]:
    """What programs are told of a photo; `shown`: its consent stands."""
    from mailbot.releases.photo import consent_stands, last_day

    return {
        "number": photo.number, "media_type": photo.media_type, "width": photo.width, "height": photo.height, "octets": photo.octets,
        "captions": dict(photo.captions), "credit": photo.credit, "consent_until": last_day(photo, zone),
        "shown": consent_stands(photo, now),
    }  # fmt: skip


def described(photo: "Photo", language: str, zone: tzinfo, now: datetime) -> str:
    """A photo in one line for a person, with its caption in that language where there is one."""
    from mailbot.releases.photo import caption, consent_stands, last_day

    until = last_day(photo, zone)
    consent = "no end of consent" if until is None else f"{'until' if consent_stands(photo, now) else 'WITHDRAWN, consent ended'} {until}"
    credit = one_line(photo.credit, 40) or "no credit"
    return f"photo {photo.number}: {size(photo)}, {consent}, {credit}: {one_line(caption(photo, (language,)), 60) or 'no caption'}"


def size(photo: "Photo") -> str:
    """In pixels and megabytes."""
    return f"{photo.width} × {photo.height}, {photo.octets / 1e6:.1f} MB"


def _picture(file: str) -> "Picture":
    """What a file holds, read no further than a photo may be long. Raises CannotAttach, NotAPhoto."""
    from mailbot.releases.picture import MOST_FILE_OCTETS, picture_of

    if file == "-":
        return picture_of(sys.stdin.buffer.read(MOST_FILE_OCTETS + 1))
    try:
        with Path(file).open("rb") as opened:
            return picture_of(opened.read(MOST_FILE_OCTETS + 1))
    except OSError as problem:
        raise CannotAttach(f"{file} cannot be read: {problem.strerror}.") from problem


def _ends(written: str, zone: tzinfo) -> tuple[datetime | None] | None:
    from mailbot.releases.photo import consent_end

    if not written:
        return None
    if written.lower() == NEVER:
        return (None,)
    try:
        return (consent_end(date.fromisoformat(written), zone),)
    except ValueError:
        raise CannotAttach(f"--consent-until takes a day such as 2027-06-30, or {NEVER}; not {written[:40]!r}.") from None


def _language(release: "Release", slug: str) -> str:
    """Of the edition with this slug."""
    return next(edition.language for edition in release.editions if edition.slug == slug)


def _loaded(tx: "Tx", slug: str) -> "Release | None":
    from mailbot.releases import store

    return store.load(tx, slug)


def _release(found: "Release | None", slug: str) -> "Release":
    from mailbot.releases import store

    if found is None:
        raise store.NoSuchRelease(slug)
    return found
