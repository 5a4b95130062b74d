"""The difference between two texts of one edition is what a reader would point at, and nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from mailbot.releases.difference import as_lines, between
from mailbot.releases.release import Edition

BODY = "Le phare accueille quatre cents habitants ce soir.\n\n- une tour\n- deux lampes\n\nLa gardienne monte."
OLD = Edition(slug="a", release="a", language="fr", title="Un phare", body=BODY, date=date(2025, 3, 12))


def shown(**changes: object) -> list[str]:
    return list(as_lines(between(OLD, replace(OLD, **changes))))  # type: ignore[arg-type]


def test_the_same_text_has_no_difference() -> None:
    assert shown() == []


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"title": "Un grand phare"}, ["title:", "  Un {+grand+} phare"]),
        ({"embargo": datetime(2025, 4, 1, 8, tzinfo=UTC)}, ["embargo:", "  + 2025-04-01T08:00:00+00:00"]),
        ({"date": date(2025, 3, 13)}, ["date:", "  [-2025-03-12-]{+2025-03-13+}"]),
        ({"topics": ("phare",)}, ["topics:", "  + phare"]),
        ({"contact": "Awa"}, ["contact:", "  + Awa"]),
        ({"notes": "Note."}, ["notes, paragraph 1:", "  + Note."]),
        (
            {"body": BODY.replace("quatre", "cinq")},
            ["text, paragraph 1:", "  Le phare accueille [-quatre-] {+cinq+} cents habitants ce soir."],
        ),
        ({"body": BODY.replace("- deux lampes\n", "- deux lampes\n- trois gardiens\n")}, ["text, paragraph 4:", "  + - trois gardiens"]),
        ({"body": BODY.replace("- une tour\n", "")}, ["text, paragraph 2:", "  - - une tour"]),
        (
            {"body": BODY.replace("La gardienne monte.", "Personne ne sait rien de plus.")},
            ["text, paragraph 4:", "  + Personne ne sait rien de plus.", "text, paragraph 4:", "  - La gardienne monte."],
        ),
    ],
    ids=["title", "embargo", "date", "topics", "contact", "notes", "a word", "a paragraph came", "one went", "another one"],
)
def test_each_change_is_shown_where_it_is(changes: dict[str, object], lines: list[str]) -> None:
    assert shown(**changes) == lines


def test_long_stretches_that_stayed_are_left_out() -> None:
    words = " ".join(f"mot{number}" for number in range(60))
    (_, line) = as_lines(between(replace(OLD, body=words), replace(OLD, body=words.replace("mot30", "autre"))))
    assert line == "  … mot24 mot25 mot26 mot27 mot28 mot29 [-mot30-] {+autre+} mot31 mot32 mot33 mot34 mot35 mot36 …"


def test_a_change_tells_programs_every_word() -> None:
    (change,) = between(OLD, replace(OLD, title="Un grand phare"))
    assert (change.field, change.number, change.before, change.after) == ("title", None, "Un phare", "Un grand phare")
    assert change.words == (("=", "Un"), ("+", " grand"), ("=", " phare"))


def test_a_very_long_paragraph_is_shown_whole_rather_than_for_ever() -> None:
    (change,) = between(replace(OLD, body="a b " * 9000), replace(OLD, body="b a " * 9000))
    assert [mark for mark, _ in change.words] == ["-", "+"]
