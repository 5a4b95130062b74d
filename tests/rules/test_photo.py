"""A photo as a noun: until when it may be shown, under which number, in which words; and its list in a release file."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailbot.releases import markdown
from mailbot.releases.markdown import NotARelease, to_markdown
from mailbot.releases.photo import MOST_CAPTION, NotPlain, Photo, caption, consent_end, consent_stands, last_day, number_of, plain
from mailbot.releases.photo_lines import PhotoLine
from mailbot.releases.release import Edition, Release, State, public_photos

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
PHOTO = Photo(
    release="lac", number=3, media_type="image/jpeg", width=3000, height=2000, octets=900_000, content_hash="ab",
    captions=(("fr", "Le lac"), ("en", "The lake")), credit="Awa", consent_ends=NOON,
)  # fmt: skip
LAKE = Edition(slug="lac", release="lac", language="fr", title="Le lac", body="Texte.", date=date(2026, 1, 1), state=State.PUBLISHED)


def test_a_consent_ends_at_its_instant_and_not_before() -> None:
    assert consent_stands(PHOTO, NOON - timedelta(microseconds=1))
    assert not consent_stands(PHOTO, NOON)
    assert consent_stands(replace(PHOTO, consent_ends=None), NOON)


@pytest.mark.parametrize("zone", ["Africa/Bamako", "Pacific/Auckland", "America/Los_Angeles"])
def test_the_last_day_of_a_consent_is_whole_in_the_offices_time(zone: str) -> None:
    office = ZoneInfo(zone)
    ends = consent_end(date(2026, 6, 30), office)
    assert ends.astimezone(office) == datetime(2026, 7, 1, tzinfo=office)
    assert last_day(replace(PHOTO, consent_ends=ends), office) == date(2026, 6, 30)
    assert last_day(replace(PHOTO, consent_ends=None), office) is None


def test_a_consent_ends_within_the_calendar() -> None:
    with pytest.raises(NotPlain, match="9999"):
        consent_end(date(9999, 12, 31), UTC)


def test_a_photo_is_public_while_its_release_is_and_its_consent_stands() -> None:
    release = Release("lac", (LAKE,), (PHOTO, replace(PHOTO, number=4, consent_ends=None)))
    assert [one.number for one in public_photos(release, NOON - timedelta(hours=1))] == [3, 4]
    assert [one.number for one in public_photos(release, NOON)] == [4]
    for hidden in (replace(LAKE, state=State.DRAFT), replace(LAKE, state=State.WITHDRAWN), replace(LAKE, embargo=NOON)):
        assert public_photos(replace(release, editions=(hidden,)), NOON - timedelta(hours=1)) == ()


@pytest.mark.parametrize(
    "change",
    [{"captions": (("fr", "Un lac"),)}, {"credit": "Bob"}, {"consent_ends": None}, {"content_hash": "cd"}, {"release": "l"}, {"number": 4}],
    ids=str,
)
def test_a_mark_changes_with_whatever_is_said_or_shown(change: dict[str, object]) -> None:
    assert replace(PHOTO, **change).mark != PHOTO.mark
    assert (replace(PHOTO).mark, number_of(PHOTO.mark)) == (PHOTO.mark, 3)


@pytest.mark.parametrize(
    ("languages", "expected"), [(("en", "fr"), "The lake"), (("es", "fr"), "Le lac"), (("es",), "Le lac"), ((), "Le lac")]
)
def test_a_caption_is_in_the_readers_language_else_in_the_releases_else_as_it_is(languages: tuple[str, ...], expected: str) -> None:
    assert caption(PHOTO, languages) == expected
    assert caption(replace(PHOTO, captions=()), languages) == ""


def test_a_caption_is_one_line_of_visible_characters() -> None:
    assert plain(" Le\r\nlac \x00\u202e vert ", MOST_CAPTION, "caption") == "Le lac vert"
    with pytest.raises(NotPlain, match="at most 600"):
        plain("x" * 601, MOST_CAPTION, "caption")


def page(photos: str) -> markdown.Page:
    return markdown.parse(f'---\ntitle: "Le lac"\nlanguage: fr\ndate: 2026-01-01\n{photos}\n---\nTexte.\n', lambda _: "fr")


def test_a_release_file_names_its_photos() -> None:
    read = page(
        'photos:\n  - file: a.jpg\n    caption: "Le lac # 1"\n    credit: Awa\n    consent_until: 2027-06-30\n  - b/c.png\n'
        "  - {file: d.jpg, caption: Vue}\ntopics: [eau]"
    )
    assert read.photos == (
        PhotoLine(file="a.jpg", line=6, caption="Le lac # 1", credit="Awa", consent_until=date(2027, 6, 30)),
        PhotoLine(file="b/c.png", line=10), PhotoLine(file="d.jpg", line=11, caption="Vue"),
    )  # fmt: skip
    assert read.topics == ("eau",)


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("photos: a.jpg", 5, "takes a list"),
        ("photos:\n  - caption: Vue", 6, "needs the name of its file"),
        ("photos:\n  - file: a.jpg\n    licence: x", 7, "not 'licence'"),
        ("photos:\n  - file: a.jpg\n    file: b.jpg", 7, "once"),
        ("photos:\n  - file: a.jpg\n    consent_until: juin", 6, "takes a day"),
        ("photos:\n  - file: a.jpg\n    caption: Vue # du lac", 7, "in quotes"),
        ("photos:\n  - file: a.jpg\n    caption: [a]", 7, "takes a list"),
        ("photos:\n  - [a.jpg]", 6, "takes a list"),
        ("photos:\n  - a.jpg\nphotos:\n  - b.jpg", 7, "stands twice"),
        (f"photos:\n  - file: a.jpg\n    caption: {'x' * 700}", 6, "at most 600"),
    ],
)
def test_what_is_wrong_with_a_photo_is_said_with_its_line(written: str, line: int, said: str) -> None:
    with pytest.raises(NotARelease, match=said) as told:
        page(written)
    assert told.value.line == line


def test_a_shown_edition_reads_back_with_remarks_about_its_photos() -> None:
    text = to_markdown(LAKE, ['photo 1: 3000 × 2000, "Awa": --- photos: [x]'])
    assert "\n# photo 1: 3000 × 2000" in text
    assert markdown.parse(text, lambda _: "fr").edition("lac") == replace(LAKE, state=State.DRAFT)
