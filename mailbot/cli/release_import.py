"""`mailbot release import`: releases from files, pages and Word; what would change, and what has."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import release_photos, release_review
from mailbot.cli.opening import DryRun, Json, database_of, database_to_read, one_line, print_json, settings_of

if TYPE_CHECKING:
    from mailbot.database.engine import Tx
    from mailbot.releases.difference import Change
    from mailbot.releases.import_set import ImportSet, Problem
    from mailbot.releases.release import Edition

SOURCE = typer.Argument(metavar="PATH|URL|-", help="A file, a folder of files that belong together, a page, or - for standard input.")


def import_(
    context: typer.Context,
    source: Annotated[str, SOURCE],
    publish: Annotated[bool, typer.Option("--publish", help="Publish too; one under embargo becomes public at its instant.")] = False,
    release: Annotated[str, typer.Option(metavar="SLUG", help="Take the place of this release's draft, under whatever title.")] = "",
    language: Annotated[str, typer.Option(help="The language of files that do not name theirs, as fr.")] = "",
    embargo: Annotated[str, typer.Option(help="Not public before this instant, as 2025-01-01T08:00:00+00:00; none lifts one.")] = "",
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Take the tracked changes of a Word file as accepted, and leave its comments out.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take in releases: Word files, Markdown with front matter, a folder of them, a web page, or a pasted text. All of them, or none.

    What changes in a draft is shown word by word. Importing the same again changes nothing. A published text is never changed here.

    Example: mailbot release import visit-v3.docx --release visit-of-the-minister --language fr --dry-run
    """
    from mailbot import clock, languages, office_terms
    from mailbot.releases import store
    from mailbot.releases.markdown import NotARelease, instant
    from mailbot.releases.read_source import CannotImport, read_source
    from mailbot.releases.wish import Wish

    settings = settings_of(context)
    loaded = languages.load(office_terms.language_folders(settings))
    order = {code: loaded[code] for code in office_terms.language_order(settings, loaded)} | loaded
    now = clock.now()
    lifts = embargo == "none"
    try:
        wish = Wish(language, release, instant("--embargo", "" if lifts else embargo, None), lifts, accept_changes)
    except NotARelease as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
    with (database_to_read if dry_run else database_of)(context) as database:
        known = database.read_now(store.load_all)
        read = read_source(source, order, now.astimezone(office_terms.office_zone(settings)), known, wish, sys.stdin.buffer)
        photos, missing = release_photos.named(read.photos, office_terms.office_zone(settings))
        if problems := (*read.problems, *missing):
            if as_json:
                print_json({"editions": [], "problems": [_problem_facts(problem) for problem in problems], "dry_run": dry_run})
            raise CannotImport("nothing was imported.\n" + "\n".join(f"  {problem}" for problem in problems))
        done, attached = database.write_now(_take_in, read.editions, photos, publish, dry_run, now, settings.releases.sign_off)
        if publish:
            release_review.look_at_set(database, read.editions, settings, loaded)
    if as_json:
        facts = [one | {"difference": [_change_facts(change) for change in one["difference"]]} for one in done]
        return print_json({"editions": facts, "photos": attached, "problems": [], "dropped": dict(read.dropped), "dry_run": dry_run})
    _print_taken_in(done, attached, read, dry_run)
    return None


def _take_in(
    tx: "Tx", editions: Sequence["Edition"], photos: Sequence[release_photos.Named], publish: bool, dry_run: bool, now: datetime,
    signatory: str,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Save the set and its photos, publish it where asked; a dry run leaves no trace. Raises what saving and publishing raise."""
    from mailbot.releases import difference, store
    from mailbot.releases.read_source import CannotImport
    from mailbot.releases.release import State, public_from, stale

    with tx.begin_nested() as savepoint:
        before = {one.slug: one for edition in editions if (found := store.load(tx, edition.slug)) for one in found.editions}
        saved = {edition.slug: store.save(tx, edition, now) for edition in editions}
        attached = release_photos.take_in(tx, photos, now)
        for release_id in dict.fromkeys(edition.release for edition in editions) if publish else ():
            found = store.load(tx, release_id)
            if found and any(edition.state is State.WITHDRAWN for edition in found.editions):
                raise CannotImport(f"{release_id} was withdrawn. If it is to be public again: mailbot release publish {release_id}")
            store.publish(tx, release_id, now, signatory=signatory)
        releases = {edition.slug: store.load(tx, edition.slug) for edition in editions}
        if dry_run:
            savepoint.rollback()
    done = [
        {
            "slug": edition.slug, "release": edition.release, "language": edition.language, "title": edition.title,
            "result": saved[edition.slug], "state": next(one.state for one in found.editions if one.slug == edition.slug),
            "public_from": public_from(found), "stale": [one.slug for one in stale(found)],
            "difference": difference.between(before[edition.slug], edition) if saved[edition.slug] == "updated" else (),
        }
        for edition in editions if (found := releases[edition.slug])
    ]  # fmt: skip
    return done, attached


def _print_taken_in(done: Sequence[dict[str, Any]], attached: Sequence[dict[str, Any]], read: "ImportSet", dry_run: bool) -> None:
    from mailbot.releases.difference import as_lines

    for one in done:
        held = f", embargo until {one['public_from']:%Y-%m-%d %H:%M} UTC" if one["public_from"] else ""
        result = f"would be {one['result']}" if dry_run and one["result"] != "unchanged" else one["result"]
        typer.echo(f"{one['slug']} ({one['language']}): {result}, {one['state']}{held}")
        for line in as_lines(one["difference"]):
            typer.echo(f"  {one_line(line, 2000)}")
    for one in attached:
        result = f"would be {one['result']}" if dry_run and one["result"] != "unchanged" else one["result"]
        typer.echo(f"{one['release']}: photo {one['number']} ({one['file']}) {result}")
    for file, lines in read.dropped.items():
        some = "; ".join(one_line(line, 60) for line in lines[:3]) + ("; …" if len(lines) > 3 else "")
        typer.echo(f"{file}: left out around the release, lines: {len(lines)} ({some}). `release show` shows what was kept.", err=True)
    for release, slugs in {one["release"]: one["stale"] for one in done if one["stale"]}.items():
        typer.echo(f"{release} has changed since these translations were made, so they cannot be published: {', '.join(slugs)}.", err=True)
        typer.echo(f"Import the new ones; or, where the old one still says the same: mailbot release confirm {slugs[0]}", err=True)
    if any(one["state"] == "draft" for one in done):
        typer.echo("A draft is sent to nobody. `mailbot release publish SLUG` publishes it.", err=True)


def _problem_facts(problem: "Problem") -> dict[str, Any]:
    """The fields of one problem."""
    return {"file": problem.file, "line": problem.line, "message": problem.message}


def _change_facts(change: "Change") -> dict[str, Any]:
    """What programs are told of one change."""
    words = [{"op": mark, "text": text} for mark, text in change.words]
    return {"field": change.field, "paragraph": change.number, "before": change.before, "after": change.after, "words": words}
