"""A release as a file: what front matter may say, what is refused with a line number, and what a set of files makes together."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mailbot import languages
from mailbot.releases import markdown
from mailbot.releases.import_set import import_set
from mailbot.releases.markdown import MAX_BYTES, NotARelease, Page, decode, parse, slug_of, to_markdown
from mailbot.releases.release import Release, State
from mailbot.releases.wish import Wish

LANGUAGES = languages.load([languages.shipped()])
LANGUAGES = {code: LANGUAGES[code] for code in ("fr", "en")}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FULL = """---
slug: visite-au-phare            # stable
language: fr
title: "Visite au phare : « on rouvre » # vraiment"
date: 2024-10-28   # a day
place: Valmarine
embargo: 2025-01-01T09:00:00+01:00
topics: [phare, "île, au large"]
contact: "Service de presse, presse@example.org"
---

Valmarine – Premier *paragraphe*.

- un
- deux

***

Note aux rédactions.
"""


def read(text: str) -> Page:
    return parse(text, lambda body: "fr")


def front(*lines: str, body: str = "Texte.") -> str:
    return "\n".join(["---", *lines, "---", body, ""])


def complaint(text: str) -> tuple[int | None, str]:
    with pytest.raises(NotARelease) as refused:
        read(text)
    return refused.value.line, str(refused.value)


def test_every_field_is_read() -> None:
    assert read(FULL) == Page(
        slug="visite-au-phare", translation_of="", language="fr", title="Visite au phare : « on rouvre » # vraiment",
        date=date(2024, 10, 28), place="Valmarine", embargo=datetime(2025, 1, 1, 8, tzinfo=UTC), topics=("phare", "île, au large"),
        contact="Service de presse, presse@example.org",
        body="Valmarine – Premier *paragraphe*.\n\n- un\n- deux", notes="Note aux rédactions.",
    )  # fmt: skip


def test_an_instant_as_date_is_the_embargo_too() -> None:
    edition = read(front("title: T", "date: 2025-01-01T08:00:00Z")).edition("t")
    assert edition.date == edition.embargo == datetime(2025, 1, 1, 8, tzinfo=UTC)


def test_a_slug_is_made_from_the_title_and_is_the_same_every_time() -> None:
    page = read(front('title: "L’œuvre de l\'été : 3 000 élèves à Niš"', "date: 2025-01-01"))
    assert page.slug == "l-oeuvre-de-l-ete-3-000-eleves-a-nis"


@pytest.mark.parametrize("title", ["A" * 200, "mot " * 60, "é-" * 90, "زيارة المنارة", "…"])
def test_every_title_has_a_short_ascii_slug(title: str) -> None:
    slug = slug_of(title)
    assert slug == slug_of(title)
    assert 0 < len(slug) <= 80
    assert markdown._SLUG.fullmatch(slug)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (front("date: 2025-01-01"), 1, "title is missing"),
        (front('title: ""', "date: 2025-01-01"), 2, "title is missing"),
        (front("title: T"), 1, "date is missing"),
        (front("title: T", "date: 2025-01-01", "autor: X"), 4, "'autor'"),
        (front("title: T", "title: U", "date: 2025-01-01"), 3, "twice"),
        (front("title: T", "date: 28/10/2024"), 3, "2024-10-28"),
        (front("title: T", "date: 2025-02-31"), 3, "date takes"),
        (front("title: T", "date: 2025-01-01T08:00"), 3, "offset"),
        (front("title: T", "date: 2025-01-01", "embargo: 2025-01-01T08:00"), 4, "write embargo: 2025-01-01T08:00:00+00:00"),
        (front("title: T", "date: 2025-01-01", "embargo: 2025-01-01"), 4, "offset"),
        (front("title: T", "date: 2025-01-01", "embargo: demain"), 4, "embargo takes"),
        (front("title: T", "date: 2025-01-01", "embargo: 0001-01-01T00:00:00+20:00"), 4, "calendar"),
        (front("title: T", "date: 2025-01-01", "slug: Été !"), 4, "write slug: ete"),
        (front("title: T", "date: 2025-01-01", f"slug: {'a' * 81}"), 4, "at most 80"),
        (front("title: T", "date: 2025-01-01", "language: français"), 4, "such as fr"),
        (front("title: Bilan: la suite", "date: 2025-01-01"), 2, "in quotes"),
        (front("title: Bilan #2", "date: 2025-01-01"), 2, "comment"),
        (front("title: [a, b]", "date: 2025-01-01"), 2, "plain text"),
        (front("title: {a: b}", "date: 2025-01-01"), 2, "plain text"),
        (front("title: T", "date: 2025-01-01", "topics: [[a]]"), 4, "nothing nested"),
        (front("title: &a T", "date: 2025-01-01", "contact: *a"), 4, "no references"),
        (front("- title"), 2, "lines of"),
        (front("title: T", "date: 2025-01-01", body=""), 4, "text of the release is missing"),
        (front("title: T", "date: 2025-01-01", body="***\n\nNotes."), 4, "text of the release is missing"),
        ("---\ntitle: T\n\nTexte.", 1, "not closed"),
        (front(f"title: {'x' * 501}", "date: 2025-01-01"), 2, "at most 500"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, said: str) -> None:
    found, message = complaint(text)
    assert said in message
    assert found == line


def test_words_that_yaml_would_change_stay_as_written() -> None:
    page = read(front("title: 2024", "date: 2025-01-01", "language: no", "place: yes", "topics: [on, 1.0]"))
    assert (page.title, page.language, page.place, page.topics) == ("2024", "no", "yes", ("on", "1.0"))


def test_a_heading_that_repeats_the_title_is_not_sent_twice() -> None:
    assert read(front('title: "T"', "date: 2025-01-01", body="# T\n\nTexte.")).body == "Texte."


def test_a_heading_can_be_the_title() -> None:
    page = read(front("date: 2025-01-01", body="# Le titre\n\nTexte."))
    assert (page.title, page.body) == ("Le titre", "Texte.")


@pytest.mark.parametrize(
    "data",
    [FULL.encode(), b"\xef\xbb\xbf" + FULL.encode(), FULL.replace("\n", "\r\n").encode(), FULL.replace("\n", "\r").encode(),
     FULL.encode("cp1252"), FULL.encode("utf-16"), FULL.replace("é", "e\u0301").encode(), b"\n\n" + FULL.encode()],
    ids=["utf-8", "bom", "crlf", "cr", "cp1252", "utf-16", "decomposed", "blank lines first"],
)  # fmt: skip
def test_the_same_file_from_any_office_machine_reads_the_same(data: bytes) -> None:
    assert read(decode(data)) == read(FULL)


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"PK\x03\x05" + bytes(range(256)), b"\x81\x8d\x8f"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(NotARelease, match="not text"):
        decode(data)


def test_a_file_too_large_for_a_release_is_refused() -> None:
    with pytest.raises(NotARelease, match="right file"):
        decode(b"a" * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    "bomb",
    ["a: &a [x]\n" + "\n".join(f"b{n}: &b{n} [*a, *a]" for n in range(50)), "title: " + "[" * 5000, "title: " + "{a: " * 5000, "? " * 5000,
     "title: !!python/object/apply:os.system [x]", "topics: [" + "a, " * 100_000],
    ids=["aliases", "brackets", "braces", "questions", "object", "long list"],
)  # fmt: skip
def test_a_hostile_front_matter_is_refused_in_a_blink(bomb: str) -> None:
    start = time.process_time()
    complaint(front(bomb))
    assert time.process_time() - start < 5


def test_an_edition_written_as_a_file_reads_back_the_same() -> None:
    edition = read(FULL).edition("phare")
    again = read(to_markdown(edition))
    assert again.translation_of == "phare"
    assert again.edition("phare") == edition


# --- sets ---


def file(slug: str, language: str, of: str = "") -> tuple[str, bytes]:
    lines = [f"slug: {slug}", f"language: {language}", f"title: {slug}", "date: 2025-01-01", *([f"translation_of: {of}"] if of else [])]
    return f"{slug}.md", front(*lines).encode()


A, A_EN, A_AR = file("a", "fr"), file("a-en", "en", "a"), file("a-ar", "ar", "a-en")


@pytest.mark.parametrize("files", [[A, A_EN, A_AR], [A_AR, A_EN, A], [A_EN, A, A_AR]])
def test_translations_find_their_release_in_any_order_and_through_each_other(files: list[tuple[str, bytes]]) -> None:
    found = import_set(files, LANGUAGES, NOW)
    assert found.problems == ()
    assert [(edition.slug, edition.release, edition.state) for edition in found.editions] == [
        ("a", "a", State.DRAFT), ("a-ar", "a", State.DRAFT), ("a-en", "a", State.DRAFT),
    ]  # fmt: skip


def test_a_translation_may_come_after_its_release_was_imported() -> None:
    known = Release("a", import_set([A], LANGUAGES, NOW).editions)
    (edition,) = import_set([A_EN], LANGUAGES, NOW, [known]).editions
    assert edition.release == "a"


def test_the_same_set_twice_is_no_clash() -> None:
    first = import_set([A, A_EN], LANGUAGES, NOW)
    assert import_set([A, A_EN], LANGUAGES, NOW, [Release("a", first.editions)]) == first


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([A_EN], "a-en.md: translation_of names a,"),
        ([A, ("copy.md", A[1])], "copy.md: has the slug a of a.md"),
        ([A, A_EN, file("a-uk", "en", "a")], "a-uk.md: the release a has its edition in 'en' already: a-en (a-en.md)"),
        ([file("a", "fr", "b"), file("b", "en", "a")], "a.md: translation_of goes in a circle: a → b → a"),
        ([file("a", "fr", "a")], "a.md: translation_of goes in a circle: a → a"),
        ([A, ("bad.md", front("title: T", "date: x").encode())], "bad.md, line 3: date takes"),
        ([A, ("nul.md", b"\x00")], "nul.md: The file is not text"),
    ],
    ids=["unknown original", "same slug", "same language", "circle", "itself", "bad date", "binary"],
)
def test_a_problem_names_its_file_and_nothing_of_the_set_is_imported(files: list[tuple[str, bytes]], said: str) -> None:
    found = import_set(files, LANGUAGES, NOW)
    assert found.editions == ()
    assert any(str(problem).startswith(said) for problem in found.problems), [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (file("a", "en"), "slug a is taken by an edition in 'fr'"),
        (file("a2", "fr", "a"), "has its edition in 'fr' already: a (an edition imported before)"),
        (file("a-en", "en"), "belongs to the release a, not a-en"),
    ],
)
def test_a_clash_with_what_was_imported_before_is_named(again: tuple[str, bytes], said: str) -> None:
    known = Release("a", import_set([A, A_EN], LANGUAGES, NOW).editions)
    (problem,) = import_set([again], LANGUAGES, NOW, [known]).problems
    assert said in problem.message


@pytest.mark.parametrize(
    ("body", "language"),
    [("Le phare est ouvert à tous depuis hier.", "fr"), ("The lighthouse has been open to all since yesterday.", "en"), ("42", "fr")],
)
def test_the_language_is_told_by_small_words_and_is_the_first_one_in_doubt(body: str, language: str) -> None:
    (edition,) = import_set([("a.md", front("title: T", "date: 2025-01-01", body=body).encode())], LANGUAGES, NOW).editions
    assert edition.language == language


def test_the_language_that_is_said_wins_over_the_words_and_the_files_own_over_it() -> None:
    files = [("a.md", front("title: T", "date: 2025-01-01", body="Le phare est là.").encode()), A]
    found = import_set([files[0], file("b", "fr")], LANGUAGES, NOW, wish=Wish(language="en"))
    assert [edition.language for edition in found.editions] == ["fr", "en"]


def test_the_shipped_demo_releases_import_as_one_set() -> None:
    folder = Path(__file__).parents[2] / "mailbot" / "demo" / "sample_releases"
    found = import_set([(path.name, path.read_bytes()) for path in folder.iterdir()], LANGUAGES, NOW)
    assert found.problems == ()
    assert {edition.language for edition in found.editions} == {"fr", "en"}
