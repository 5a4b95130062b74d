"""The laws of typography: dates in words, spaces that hold, lines that wrap."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mailbot.typography import LONGEST_LINE, Typography, date_in_words, moment_in_words, no_break, no_break_html, typography, wrap

RAW = {
    "direction": "ltr",
    "months": ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
    "weekdays": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    "first_day": "1er",
    "date": "{day} {month} {year}",
    "time": "{hour}\u00a0h\u00a0{minute}",
    "hour_digits": 1,
    "moment": "{weekday} {date} à {time} ({zone})",
    "no_break": {"before": ";:!?»%", "after": "«", "thousands": True, "with_next": ["M.", "Mme"]},
}
FRENCH = typography(RAW)
PLAIN = typography({**RAW, "no_break": {"before": "", "after": "", "thousands": False}})


@pytest.mark.parametrize(
    ("day", "words"),
    [
        pytest.param(date(2024, 10, 28), "28 octobre 2024", id="a day"),
        pytest.param(date(2024, 10, 1), "1er octobre 2024", id="the first of a month is an ordinal"),
        pytest.param(date(2025, 1, 11), "11 janvier 2025", id="the eleventh is not"),
        pytest.param(date(2025, 12, 21), "21 décembre 2025", id="nor the twenty-first"),
    ],
)
def test_a_date_is_said_in_words(day: date, words: str) -> None:
    assert date_in_words(day, FRENCH) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        pytest.param("Africa/Bamako", "jeudi 31 octobre 2024 à 23 h 05 (GMT)", id="on the office's clock"),
        pytest.param("Europe/Paris", "vendredi 1er novembre 2024 à 0 h 05 (CET)", id="the day moves with the clock"),
        pytest.param("America/Sao_Paulo", "jeudi 31 octobre 2024 à 20 h 05 (UTC-03)", id="a zone without letters"),
    ],
)
def test_a_moment_is_said_on_the_offices_clock(zone: str, words: str) -> None:
    said = moment_in_words(datetime(2024, 10, 31, 23, 5, tzinfo=UTC), FRENCH, ZoneInfo(zone))
    assert said.replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        pytest.param("Pourquoi ?", "Pourquoi~?", id="before a question mark"),
        pytest.param("« Oui », dit-il ; enfin !", "«~Oui~», dit-il~; enfin~!", id="inside quotation marks"),
        pytest.param("quoi ?!", "quoi~?!", id="before two marks"),
        pytest.param("Contact :", "Contact~:", id="at the end of a line"),
        pytest.param("plus de 44 697 personnes", "plus de 44~697 personnes", id="inside a number"),
        pytest.param("en 2024 12345", "en 2024 12345", id="not between two numbers"),
        pytest.param("M. Diagne et Mme Del Re", "M.~Diagne et Mme~Del Re", id="after a title"),
        pytest.param("un film. Diagne", "un film. Diagne", id="not after a word that ends like one"),
        pytest.param("Re: oui", "Re: oui", id="no space is added"),
        pytest.param("le code :smile: et ?q=1", "le code :smile: et ?q=1", id="not where the mark begins something"),
        pytest.param("> Vraiment ?", "> Vraiment ?", id="a quoted line stays as its writer wrote it"),
    ],
)
def test_spaces_that_may_not_break_are_no_break_spaces(written: str, holds: str) -> None:
    assert no_break(written, FRENCH) == holds.replace("~", "\u00a0")
    assert no_break(no_break(written, FRENCH), FRENCH) == no_break(written, FRENCH)
    assert no_break(written, PLAIN) == written


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        pytest.param("<p>Pourquoi ?</p>", "<p>Pourquoi~?</p>", id="text"),
        pytest.param('<p style="color : red">a</p>', '<p style="color : red">a</p>', id="attributes are left alone"),
        pytest.param("<style>p{color:red !}</style>a !", "<style>p{color:red !}</style>a~!", id="style sheets are left alone"),
        pytest.param("<blockquote><p>Oui !</p></blockquote>a !", "<blockquote><p>Oui !</p></blockquote>a~!", id="quotations too"),
        pytest.param("<pre>a ?</pre> <code>b ?</code> c ?", "<pre>a ?</pre> <code>b ?</code> c~?", id="and code"),
        pytest.param('<a href="#">ici</a> : non', '<a href="#">ici</a>~: non', id="after a link"),
        pytest.param("<!-- a ! <p> --><p>b !</p>", "<!-- a ! <p> --><p>b~!</p>", id="comments are left alone"),
        pytest.param("Non ? <em>Oui !</em>", "Non ? <em>Oui~!</em>".replace("Non ", "Non~"), id="each text by itself"),
    ],
)
def test_markup_survives_the_no_break_spaces(written: str, holds: str) -> None:
    assert no_break_html(written, FRENCH) == holds.replace("~", "\u00a0")
    assert no_break_html(written, PLAIN) == written


LINK = "https://press.example/" + "a-very-long-path/" * 6
LONG = "mot " * 60


@pytest.mark.parametrize(
    ("written", "first", "second"),
    [
        pytest.param(LONG, "mot mot", "mot mot", id="a paragraph"),
        pytest.param("- " + LONG, "- mot", "  mot", id="a list item keeps its margin"),
        pytest.param("12. " + LONG, "12. mot", "    mot", id="a numbered one too"),
        pytest.param("   " + LONG, "   mot", "   mot", id="an indented line too"),
        pytest.param("> " + LONG, "> mot", "> mot", id="a quoted line stays quoted"),
        pytest.param("> > " + LONG, "> > mot", "> > mot", id="twice quoted"),
    ],
)
def test_long_lines_are_wrapped_at_spaces(written: str, first: str, second: str) -> None:
    lines = wrap(written).split("\n")
    assert lines[0].startswith(first)
    assert lines[1].startswith(second)
    assert all(len(line) <= LONGEST_LINE for line in lines)
    assert "".join(wrap(written).split()).replace(">", "") == "".join(written.split()).replace(">", "")


@pytest.mark.parametrize("whole", [LINK, "x" * 80 + "@journal.example", "44\u00a0697" * 20], ids=["a URL", "an address", "no-break spaces"])
def test_what_holds_together_is_never_broken(whole: str) -> None:
    assert whole in wrap(f"Le communiqué est en ligne, en entier : {whole} et voilà tout ce que nous en disons.").split("\n")[1].split(" ")


def test_short_lines_stay_as_they_are() -> None:
    text = "Bonjour,\n\n  un  retrait\n-- \nfin\n"
    assert wrap(text) == text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("direction", "up"), ("direction", None), ("months", ["janvier"]), ("weekdays", "lundi"), ("first_day", ""),
        ("date", "{jour}"), ("date", "{day.real}"), ("time", "{hour"), ("moment", "{weekday} {0}"), ("hour_digits", 3),
    ],
)  # fmt: skip
def test_a_wrong_typography_names_its_key(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{key}: "):
        typography({**RAW, key: value})


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ValueError, match=r"^date: "):
        typography({key: value for key, value in RAW.items() if key != "date"})


def test_no_rules_is_a_typography_too() -> None:
    bare = typography({key: value for key, value in RAW.items() if key != "no_break"})
    assert isinstance(bare, Typography)
    assert no_break("Quoi ?", bare) == "Quoi ?"
