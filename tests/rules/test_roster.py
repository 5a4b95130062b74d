"""The laws of a press list as people keep it: whose column is which, who is in a line, and what is said of what cannot be read."""

import pytest

from mailbot.audience.roster import NotARoster, Problem, Roster, read
from mailbot.columns import Columns, fold

COLUMNS = Columns(
    headers={fold(word): name for word, name in {
        "e-mail": "email", "Courriel": "email", "Nom": "last_name", "Prénom": "first_name", "Médias": "outlet", "Type": "medium",
        "Langue": "language", "Format": "format", "Remarques": "notes",
    }.items()},
    media={"radio": "radio", "tele": "tv"}, formats={"leger": "lite"}, languages={"francais": "fr", "wolof": "wo"},
)  # fmt: skip
HEAD = ["COURRIEL", "Prénom", "nom", "médias", "type", "Langue", "Format", "remarques"]


def roster(*lines: list[str], head: list[str] = HEAD) -> Roster:
    return read(enumerate([head, *lines], 1), COLUMNS, ("fr", "en"))


def test_a_line_is_a_person_in_our_words() -> None:
    (one,) = roster(["Awa@Journal.example", "Awa", "Traoré", "Radio Kledu", "Télé", "Français", "léger", "l'après-midi"]).people
    assert (one.line, one.address, one.key, one.name) == (2, "Awa@journal.example", "awa@journal.example", "Awa Traoré")
    assert (one.outlet, one.medium, one.language, one.format, one.notes) == ("Radio Kledu", "tv", "fr", "lite", "l'après-midi")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a@b.example; c@d.example", ["a@b.example", "c@d.example"]),
        ("Awa <a@b.example>", ["a@b.example"]),
        ("a@b.example\nc@d.example a2@b.example", []),
        ("a@b.example c@d.example", ["a@b.example", "c@d.example"]),
        ("mailto:a@b.example", ["a@b.example"]),
        ("a@b.example, a@B.example", ["a@b.example"]),
        ("zoe@média.example", ["zoe@xn--mdia-bpa.example"]),
    ],
)
def test_a_cell_may_name_several_addresses_in_several_ways(cell: str, expected: list[str]) -> None:
    assert [one.address for one in roster([cell]).people] == expected


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("x@y.example\r\nBcc: z@z.example", "is no mail address"),
        ("x@y.example\0", "is no mail address"),
        ("nobody", "is no mail address"),
        ("", "has no address"),
        ("a@b", "should have a period"),
        ("zoé@b.example", "plain mail cannot carry"),
        ("a" * 65 + "@b.example", "is no mail address"),
        ("a@b.example" * 300, "is no mail address"),
    ],
)
def test_a_line_without_an_address_is_refused_by_its_number(cell: str, why: str) -> None:
    found = roster([cell, "Awa"])
    assert found.people == []
    (problem,) = found.problems
    assert (problem.line, problem.refused) == (2, True) and why in problem.said


def test_who_stands_there_twice_is_taken_once() -> None:
    found = roster(["a@b.example", "Awa"], ["A@B.example", "Other"])
    assert [one.name for one in found.people] == ["Awa"]
    assert found.problems == [Problem(3, "A@b.example", "again", "2")] and found.problems[0].said == "stands in line 2 already"


def test_what_a_cell_says_that_nobody_knows_is_left_out_and_told() -> None:
    found = roster(["a@gmial.com", "", "", "", "pigeon", "Wolof", "parchment"])
    (one,) = found.people
    assert (one.medium, one.language, one.format) == ("", "", "")
    assert [(problem.what, problem.refused) for problem in found.problems] == [
        ("Wolof", False), ("pigeon", False), ("parchment", False), ("a@gmial.com", False),
    ]  # fmt: skip
    assert "is it gmail.com?" in found.problems[-1].said


def test_whatever_a_cell_holds_stays_one_line_of_text() -> None:
    (one,) = roster(["a@b.example", "=HYPERLINK(1)\r\nBcc: x", "{{ 7*7 }}\u202e"]).people
    assert one.name == "=HYPERLINK(1) Bcc: x {{ 7*7 }}"


def test_titles_may_stand_above_the_header_and_empty_lines_below() -> None:
    lines = [["Presse 2026"], [], ["e-mail"], [], ["a@b.example"]]
    assert [one.line for one in read(enumerate(lines, 1), COLUMNS, ("fr",)).people] == [5]


def test_addresses_alone_need_no_header() -> None:
    assert [one.address for one in read(enumerate([["a@b.example"], ["c@d.example"]], 1), COLUMNS, ("fr",)).people] == [
        "a@b.example", "c@d.example",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "why"), [([], "No line"), ([["nom"], ["Awa"]], "No line"), ([["e-mail"]], "no line below"), ([["x"] * 501], "501 columns")]
)
def test_a_file_without_people_is_no_list(lines: list[list[str]], why: str) -> None:
    with pytest.raises(NotARoster, match=why):
        read(enumerate(lines, 1), COLUMNS, ("fr",))
