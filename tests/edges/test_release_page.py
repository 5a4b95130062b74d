"""A web page becomes the release on it, without the page around it; a page that cannot be read safely is refused in one sentence."""

import re
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mailbot import languages
from mailbot.releases import markup, page
from mailbot.releases.body import plain_paragraphs
from mailbot.releases.markdown import NotARelease
from mailbot.releases.paragraph import joined

LOADED = languages.load([languages.shipped()])
LANGUAGES = {code: LOADED[code] for code in ("fr", "en")}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEWSROOM = (Path(__file__).parents[1] / "samples" / "newsroom_page.html").read_text("utf-8")
TITLE = "Un nouveau phare éclaire la pointe de Valmarine"
LEAD = "Valmarine – Le nouveau phare de la pointe a été allumé le 12 mars 2025 devant quatre cents habitants réunis sur la jetée."
WORDS = "Un phare de plus veille sur la côte, et la gardienne y monte chaque soir avec sa lampe, quel que soit le temps qu’il fait en mer. "


def parse(html: str, **more: str) -> page.Found:
    return page.parse(html.encode(), LANGUAGES, NOW, **more)


def blog(body: str = f"<p>{WORDS * 3}</p><p>{WORDS * 2}</p>", head: str = "", around: str = "") -> str:
    """A page of nobody's profile."""
    menu = "<nav><ul><li><a href='/'>Accueil</a></li><li><a href='/contact'>Contact</a></li></ul></nav>"
    inside = f"{menu}<article>{around}{body}</article><footer>© Office</footer>"
    return f"<!doctype html><html lang='fr'><head>{head}</head><body>{inside}</body></html>"


def test_a_page_of_a_drupal_newsroom_gives_its_release_and_nothing_around_it() -> None:
    found = parse(NEWSROOM)
    read = found.page
    assert (read.title, read.date, read.place, read.language) == (TITLE, date(2025, 3, 14), "Valmarine", "fr")
    assert plain_paragraphs(read.body) == (
        LEAD,
        "« Il se voit à trente milles\u00a0», a dit la gardienne, qui monte chaque soir les deux cents marches de la tour. Tout est dans"
        " le rapport annuel (https://littoral.example/fr/rapport) et chez nos voisins (https://voile.example/).",
        "Ce qui change", "- une tour de trente mètres", "- deux lampes", "  - dont une de secours",
    )  # fmt: skip
    assert (found.end_mark, found.addresses) == (True, ("presse@littoral.example",))
    assert read.contact == "Pour plus d’informations :\nAwa Diallo, presse@littoral.example\n+33 1 23 45 67 89"
    assert (read.notes, found.dropped) == ("", ())


@pytest.mark.parametrize(
    "change",
    [
        lambda html: html.replace('<meta name="Generator" content="Drupal 10 (https://www.drupal.org)">', ""),
        lambda html: html.replace("field--name-body", "field--name-field-text"),
        lambda html: html.replace("field field--name-title", "x").replace("page-title", "y"),
        lambda html: html.replace("node--view-mode-full", "z"),
        lambda html: html.replace("\n", "\r\n"),
    ],
    ids=["no generator", "another body field", "no class on the title", "no view mode", "crlf"],
)  # fmt: skip
def test_themes_differ_and_the_release_stays(change: object) -> None:
    found = parse(change(NEWSROOM))  # type: ignore[operator]
    assert (found.page.title, found.page.date, plain_paragraphs(found.page.body)[0]) == (TITLE, date(2025, 3, 14), LEAD)
    assert "Rivebois" not in found.page.body


def test_a_theme_without_classes_is_read_as_any_page() -> None:
    bare = re.sub(r' class="[^"]*"', "", NEWSROOM).replace("Drupal 10", "Plume 3")
    found = parse(bare)
    assert (found.page.title, plain_paragraphs(found.page.body)[0]) == (TITLE, LEAD)
    assert found.addresses == ("presse@littoral.example",)
    assert "Partager" not in found.page.body


@pytest.mark.parametrize(
    ("head", "around"),
    [
        (f"<title>{TITLE} - Office</title>", f"<h1>{TITLE}</h1><p>Publié le 14 mars 2025</p>"),
        (f"<title>{TITLE} | Office</title><meta property='og:site_name' content='Office'>", "<time datetime='2025-03-14'>14/03</time>"),
        (
            f"<title>Office</title><meta property='og:title' content='{TITLE}'>"
            "<meta property='article:published_time' content='2025-03-14T08:00Z'>",
            f"<h1>Office</h1><h2>{TITLE}</h2>",
        ),
        (f'<title>{TITLE}</title><script type="application/ld+json">{{"@type":"NewsArticle","datePublished":"2025-03-14"}}</script>', ""),
    ],
    ids=["heading and a line", "site name and time", "open graph", "linked data"],
)
def test_title_and_date_of_any_page_are_found_where_pages_say_them(head: str, around: str) -> None:
    found = parse(blog(head=head, around=around))
    assert (found.page.title, found.page.date) == (TITLE, date(2025, 3, 14))
    assert plain_paragraphs(found.page.body)[0].startswith(WORDS[:60])


def test_the_language_is_told_by_the_words_and_by_the_page_where_no_folder_knows_it() -> None:
    head = f"<title>{TITLE}</title><meta name='date' content='2025-03-14'>"
    assert parse(blog(head=head).replace("lang='fr'", "lang='en'")).page.language == "fr"
    assert parse(blog(head=head).replace("lang='fr'", "lang='es-ES'")).page.language == "es"


@pytest.mark.parametrize(
    "octets",
    [
        NEWSROOM.encode(),
        NEWSROOM.replace("utf-8", "iso-8859-1").encode("cp1252"),
        b"\xef\xbb\xbf" + NEWSROOM.replace("utf-8", "iso-8859-1").encode(),
    ],
    ids=["utf-8", "latin", "a mark against the label"],
)
def test_the_letters_of_a_page_are_those_that_were_written(octets: bytes) -> None:
    assert page.parse(octets, LANGUAGES, NOW).page.title == TITLE


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<html>" + "x" * page.MAX_BYTES, "more than 3 MB"),
        ("<html>" + "<div>" * 100_000, "nests deeper"),
        ("<html>" + "<b>x</b>" * 20_000, "more parts"),
        ("<html><body><p>Rien.</p></body></html>", "no text|does not look like|date is missing|text of the release"),
        ("<html>" + "<script" * 100_000, "no text|does not look like"),
        ("<html>" + "<!--" * 100_000, "no text|does not look like"),
        (blog(head=f"<title>{TITLE}</title>"), "names no day"),
    ],
    ids=["large", "deep", "endless", "empty", "open scripts", "open comments", "no date"],
)
def test_a_page_that_is_none_of_a_release_is_refused_in_a_blink(html: str, said: str) -> None:
    start = time.process_time()
    with pytest.raises(NotARelease, match=said):
        parse(html)
    assert time.process_time() - start < 5


def test_without_the_extra_drupal_is_still_read_and_other_pages_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    assert parse(NEWSROOM).page.title == TITLE
    with pytest.raises(NotARelease, match=r"mailbot\[import\]"):
        parse(blog())


# --- HTML as Markdown ---


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>Un <b>mot</b> et <i>un</i> <b><i>autre</i></b>.</p>", "Un **mot** et *un* ***autre***."),
        ("<p><b>Tout</b><b> en gras</b></p>", "**Tout en gras**"),
        ("<p>Un <a href='https://a.example/b c'>lien <b>gras</b></a></p>", "Un [lien **gras**](<https://a.example/b%20c>)"),
        ("<p><a href='javascript:x'>rien</a> <a href='#a'>rien</a> <a href='data:x'>rien</a></p>", "rien rien rien"),
        ("<p><a href='/x'>sans base</a></p>", "sans base"),
        ("<p>mot<b>« ici »</b>suite, <a href='https://a.example/'>là</a></p>", "mot« ici »suite, [là](<https://a.example/>)"),
        ("<p># un *titre* de [rien](x) &lt;b&gt; | `code`</p>", "\\# un \\*titre\\* de \\[rien\\](x) \\<b> \\| \\`code\\`"),
        ("<p>1. pas une liste</p>", "1\\. pas une liste"),
        ("<p>• une puce</p>", "- une puce"),
        ("<p>un<br>deux<br><br>trois</p>", "un\\\ndeux\n\ntrois"),
        ("<h1>A</h1><h2>B</h2><h4>C</h4>", "## A\n\n## B\n\n#### C"),
        ("<ul><li>a<ol><li>b</li><li>c</li></ol></li><li><p>d</p><p>e</p></li></ul>", "- a\n  1. b\n  2. c\n- d\n\n  e"),
        ("<table><tr><th>Année</th><th>Retours</th></tr><tr><td>2024</td><td>1 200</td></tr></table>",
         "| Année | Retours |\n| --- | --- |\n| 2024 | 1 200 |"),
        ("<table><tr><td><p>une mise en page</p><p>en table</p></td></tr></table>", "une mise en page\n\nen table"),
        ("<div>nu <span><p>dedans</p></span> après</div><script>x</script><!-- y -->", "nu\n\ndedans\n\naprès"),
    ],
)  # fmt: skip
def test_html_is_written_as_markdown_of_the_same_words(html: str, markdown: str) -> None:
    assert joined(markup.of_html(html)) == markdown


def test_markdown_of_a_page_is_read_with_the_same_words_as_the_page() -> None:
    odd = "<p>*a* _b_ **c** [d](e) ![f](g) &amp;amp; ~h~ \\i &lt;j&gt; <b>k</b>*l* +m -n =o</p>"
    (line,) = markup.of_html(odd)
    assert plain_paragraphs(line.markdown) == (line.plain,) == ("*a* _b_ **c** [d](e) ![f](g) &amp; ~h~ \\i <j> k*l* +m -n =o",)
