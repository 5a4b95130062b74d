"""A press-release page pasted with its menus becomes the release alone; a text that is none is refused with what to do."""

from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import wrap

import pytest

from mailbot import languages
from mailbot.releases import anatomy
from mailbot.releases.anatomy import read_dateline
from mailbot.releases.body import plain_paragraphs
from mailbot.releases.markdown import NotARelease, decode, to_markdown
from mailbot.releases.markdown import parse as parse_file
from mailbot.releases.pasted import parse

LOADED = languages.load([languages.shipped()])
LANGUAGES = {code: LOADED[code] for code in ("fr", "en")}
MARKS = anatomy.marks_of(LANGUAGES)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SAMPLE = (Path(__file__).parents[1] / "samples" / "pasted_release.txt").read_bytes()
LEAD = "Valmarine – Le nouveau phare de la pointe a été allumé le 12 mars 2025 devant quatre cents habitants réunis sur la jetée."
MORE = "« Il se voit à trente milles », a dit la gardienne, qui monte chaque soir les deux cents marches de la tour."
PAGE = f"""Accueil
Nos travaux
Contactez-nous
Un nouveau phare éclaire la pointe de Valmarine
{LEAD}
{MORE}
***
Pour plus d’informations : Service de presse, presse@example.org, +33 1 23 45 67 89
Actualités connexes
Suivez-nous
"""


def test_the_pasted_page_gives_its_release_and_none_of_the_menu() -> None:
    found = parse(decode(SAMPLE), LANGUAGES, NOW)
    page = found.page
    paragraphs = plain_paragraphs(page.body)
    lines = SAMPLE.decode().split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("La Représentante"))
    assert page.title == lines[start]
    assert (page.language, page.place, page.date) == ("fr", "Bamako", date(2024, 10, 28))
    assert paragraphs == tuple(line.strip() for line in lines[start + 1 : start + 11])
    assert found.end_mark
    assert page.contact == lines[start + 12].strip()
    assert found.addresses == ("allmalimediacom@iom.int",)
    assert page.notes == ""
    assert found.dropped == tuple(line.strip() for line in lines[:start] if line.strip())


def test_a_pasted_release_written_as_a_file_reads_back_the_same() -> None:
    edition = parse(decode(SAMPLE), LANGUAGES, NOW).page
    assert parse_file(to_markdown(edition.edition(edition.slug)), lambda body: "") == edition


def test_menus_before_and_after_are_left_out() -> None:
    found = parse(PAGE, LANGUAGES, NOW)
    assert found.page.title == "Un nouveau phare éclaire la pointe de Valmarine"
    assert plain_paragraphs(found.page.body) == (LEAD, MORE)
    assert found.page.contact == "Pour plus d’informations : Service de presse, presse@example.org, +33 1 23 45 67 89"
    assert found.dropped == ("Accueil", "Nos travaux", "Contactez-nous", "Actualités connexes", "Suivez-nous")


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page.replace("\n", "\r\n"),
        lambda page: page.replace("***", "* * *"),
        lambda page: page.replace("***", "- FIN -"),
        lambda page: page.replace("***", "###"),
        lambda page: page.replace("***\n", ""),
        lambda page: page.replace("de Valmarine\n", "de Valmarine\n12 mars 2025\n"),
        lambda page: page.replace("de Valmarine\n", "de Valmarine\nCommuniqué de presse\n"),
        lambda page: page.replace("de Valmarine\n", "de Valmarine\nPhoto : le phare au soir de son allumage, la jetée\n"),
        lambda page: page.replace("\n", "\n\n"),
        lambda page: "\ufeff" + page.replace("phare", "pha\u00adre"),
        lambda page: page.replace("Pour plus d’informations", "Contact presse"),
    ],
    ids=["crlf", "spaced mark", "FIN", "###", "no mark", "date line", "heading", "caption", "blank lines", "invisible", "contact"],
)
def test_pages_differ_and_the_release_stays(change: object) -> None:
    found = parse(decode(change(PAGE).encode()), LANGUAGES, NOW)  # type: ignore[operator]
    assert found.page.title == "Un nouveau phare éclaire la pointe de Valmarine"
    assert (found.page.place, found.page.date) == ("Valmarine", date(2025, 3, 12))
    assert plain_paragraphs(found.page.body) == (LEAD, MORE)
    assert found.addresses == ("presse@example.org",)


def test_lines_that_a_terminal_has_broken_are_put_together() -> None:
    lead, more = "\n".join(wrap(LEAD, 72)), "\n".join(wrap(MORE, 72))
    found = parse(f"Un nouveau phare éclaire la pointe\n\n{lead}\n\n{more}\n\n***\n", LANGUAGES, NOW)
    assert plain_paragraphs(found.page.body) == (LEAD, MORE)


def test_notes_to_editors_are_kept_apart() -> None:
    note = "Le phare a été construit en dix-huit mois par les entreprises de la région et a coûté deux millions d’euros."
    found = parse(PAGE.replace("***\n", f"***\n{note}\n"), LANGUAGES, NOW)
    assert found.page.notes == note
    assert note not in found.page.body


def test_without_a_dateline_an_end_mark_shows_that_it_is_a_release() -> None:
    lead = "Le nouveau phare de la pointe a été allumé le 12 mars 2025. " * 4
    found = parse(f"Un nouveau phare éclaire la pointe\n{lead}\n***\n", LANGUAGES, NOW)
    assert (found.page.place, found.page.date) == ("", date(2025, 3, 12))


def test_marks_of_markdown_in_a_pasted_text_stay_what_they_are() -> None:
    odd = ["1. Un *astérisque*, un _trait_ [ici](là) <b>gras</b> &amp; `code`.", "# Pas un titre, une phrase.", "+ plus que cela, dit-on."]
    found = parse("\n".join(["Un nouveau phare éclaire la pointe", LEAD, *odd, "***"]), LANGUAGES, NOW)
    assert plain_paragraphs(found.page.body) == (LEAD, *odd)


def test_bullets_become_a_list() -> None:
    found = parse("\n".join(["Un nouveau phare éclaire la pointe", LEAD, "• une tour", "• deux lampes", "***"]), LANGUAGES, NOW)
    assert plain_paragraphs(found.page.body) == (LEAD, "- une tour", "- deux lampes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not look like a press release"),
        ("Bonjour,\n\nPouvez-vous m'envoyer le dernier communiqué ?\n\nMerci\nJean", "does not look like"),
        ("Liste de courses pour la fête de samedi\n" + "du pain, du lait, des œufs et de la farine " * 8, "no dateline"),
        (LEAD, "title is missing"),
        (f"Menu\n{LEAD}\n***", "title is missing"),
        (PAGE.replace("le 12 mars 2025 ", ""), "names no day"),
        (f"{'Un titre sans fin ' * 40}\n{LEAD}\n***", "too long for a title"),
    ],
    ids=["empty", "letter", "list", "no title", "only a menu", "no date", "long title"],
)
def test_what_is_no_release_is_refused_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(NotARelease, match=said):
        parse(text, LANGUAGES, NOW)


@pytest.mark.parametrize(
    ("line", "place", "day"),
    [
        ("Bamako – L’Organisation a reçu", "Bamako", None),
        ("Bamako - Mardi (23/06), 159 personnes sont rentrées", "Bamako", None),
        ("Bamako, Mali - Cent trente-deux", "Bamako, Mali", None),
        ("Abidjan –The rise of", "Abidjan", None),
        ("Geneva / Conakry – The", "Geneva / Conakry", None),
        ("N’Djamena - On February 27th", "N’Djamena", None),
        ("Côte d’Ivoire – Les", "Côte d’Ivoire", None),
        ("Gao et Tombouctou – Les équipes", "Gao et Tombouctou", None),
        ("Stratford-upon-Avon — The", "Stratford-upon-Avon", None),
        ("Bamako, le 12 novembre 2024 – L’Office", "Bamako", date(2024, 11, 12)),
        ("Bamako (28 octobre 2024) — L’Office", "Bamako", date(2024, 10, 28)),
        ("BAMAKO, October 28, 2024 -- The Office welcomed", "BAMAKO", date(2024, 10, 28)),
        ("NEW YORK/GENEVA, 5 May 2023 (Agency) – The", "NEW YORK/GENEVA", date(2023, 5, 5)),
    ],
)
def test_a_dateline_gives_the_place_and_the_day(line: str, place: str, day: date | None) -> None:
    found = read_dateline(line, MARKS, NOW)
    assert found is not None
    assert (found.place, found.day) == (place, day)


@pytest.mark.parametrize(
    "line",
    [
        "Depuis 2017, avec l’appui de l’Union européenne – et en étroite",
        "« Les autorités maliennes – à travers",
        "Porte-parole de l’Office, elle a",
        "Mme DEL RE a salué le partenariat – un",
        "Ce centre - géré par le Gouvernement - a une",
        "– Un tiret en tête",
        "10 000 personnes – dont",
    ],
)
def test_a_sentence_with_a_dash_is_no_dateline(line: str) -> None:
    assert read_dateline(line, MARKS, NOW) is None
