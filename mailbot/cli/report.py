"""`mailbot report`: a year of the press office in figures that name nobody."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot.cli.opening import Json, database_to_read, new_file, print_json, settings_of

SAID = (
    ("releases published", ("releases", "published")), ("requests", ("requests", "total")),
    ("  answered by mailbot", ("requests", "by_mailbot")),
    ("  answered by a colleague", ("requests", "by_colleague")), ("  settled without a mail", ("requests", "closed_without_answer")),
    ("  without an answer so far", ("requests", "unanswered")), ("deadlines named", ("deadlines", "named")),
    ("deadlines missed", ("deadlines", "missed")), ("requests for which there was no release", ("without_release", "total")),
)  # fmt: skip


def report(
    context: typer.Context,
    year: Annotated[int, typer.Option(min=2000, max=9998, help="The year, in the office's time zone.")],
    html: Annotated[Path | None, typer.Option(help="Write a page for screen and paper to this new file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every number to this new file, for a spreadsheet.")] = None,
    language: Annotated[str, typer.Option(help="The page's language; the office's own by default.")] = "",
    as_json: Json = False,
) -> None:
    """Releases, requests, answers, deadlines and reach of a year. The numbers stay when retention has let the mail itself go.

    Example: mailbot report --year 2026 --html report.html --csv report.csv
    """
    from mailbot import languages, office_terms, terms
    from mailbot.archive import tally_store, year_page
    from mailbot.archive import year as years
    from mailbot.audience.spreadsheet import table
    from mailbot.clock import now
    from mailbot.typography import typography

    settings = settings_of(context)
    loaded = languages.load(office_terms.language_folders(settings))
    kept, code = terms.retention_terms(settings, loaded), language or office_terms.language_order(settings, loaded)[0]
    if code not in loaded:
        raise typer.BadParameter(f"{code!r}: there is no such language folder.")
    with database_to_read(context) as database:
        tally = database.read_now(tally_store.of_year, year, kept.noise, kept.zone, now())
        published = database.read_now(tally_store.published, year, kept.zone)
    found = years.figures(year, tally, published)
    if csv is not None:
        new_file(csv, table(years.COLUMNS, years.lines(year, tally, published)).encode())
    if html is not None:
        voice = year_page.Voice(
            code=code, lines=year_page.words(office_terms.template_folders(settings), code), rules=typography(loaded[code].typography),
            names={one: folder.name for one, folder in loaded.items()},
        )  # fmt: skip
        office = settings.organisation.name or settings.organisation.address
        new_file(html, year_page.page(found, office, now().astimezone(kept.zone).date(), voice).encode())
    print_json(found) if as_json else _print(found)


def _print(found: dict[str, Any]) -> None:
    typer.echo(f"{found['year']}")
    for name, (section, key) in SAID:
        typer.echo(f"{found[section][key]:>8}  {name}")
    median = found["median_answer_seconds"]
    typer.echo(f"{'none' if median is None else median:>8}  seconds to an answer, the median")
    for code, of in found["reach"]["by_language"].items():
        typer.echo(f"{sum(of.values()):>8}  mails with a release in {code}")
    if found["without_release"]["words"]:
        asked = ", ".join(f"{word} ({times})" for word, times in found["without_release"]["words"])
        typer.echo(f"Asked for without a release, by at least three people: {asked}")
