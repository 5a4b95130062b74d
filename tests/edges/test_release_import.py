"""A text that the boss changes in Word takes the place of its draft, shows what is different, and loses no embargo on the way."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from typer.testing import CliRunner, Result

from mailbot import languages
from mailbot.cli import release
from mailbot.cli.release_review import EditionsDiffer
from mailbot.database import migrate
from mailbot.database.engine import Database
from mailbot.database.tables import edition as table
from mailbot.releases import store
from mailbot.releases.fetch import Limits, NotFetched
from mailbot.releases.read_source import CannotImport, read_source
from mailbot.releases.release import stale
from mailbot.releases.store import PublishedEditionChanged, StaleTranslation
from mailbot.releases.wish import Wish
from tests.edges.test_release_store import ENGLISH, T, edition
from tests.samples.word_file import paragraph, run, word_file
from tests.servers.pages import Pages, serving

SAMPLES = Path(__file__).parents[1] / "samples"
TITLE, SLUG = "Un nouveau phare éclaire la pointe", "un-nouveau-phare-eclaire-la-pointe"
LEAD = "Valmarine – Le nouveau phare de la pointe a été allumé le 12 mars 2025 devant quatre cents habitants réunis sur la jetée."
END = (paragraph("***"), paragraph("Contact presse : Awa Diallo, presse@littoral.example"))
EMBARGO = "2099-01-01T08:00:00+00:00"
Run = Callable[..., Result]

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def mailbot(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILBOT_DATABASE__URL", database_url)
    monkeypatch.setenv("MAILBOT_ORGANISATION__NAME", "Office du littoral")
    monkeypatch.setenv("MAILBOT_ORGANISATION__ADDRESS", "presse@littoral.example")
    Path("v1.docx").write_bytes(word_file(paragraph(TITLE, style="Titre"), paragraph(LEAD), *END))
    changed = LEAD.replace("quatre", "cinq")
    Path("v2.docx").write_bytes(word_file(paragraph("Un phare neuf éclaire Valmarine", style="Titre"), paragraph(changed), *END))
    english = "Valmarine – The new lighthouse on the point was lit on 12 March 2025 before four hundred people who had come to the pier."
    Path("en.docx").write_bytes(word_file(paragraph("A lighthouse for Valmarine", style="Titre"), paragraph(english), *END))

    def invoke(*arguments: str, text: bytes | None = None) -> Result:
        return CliRunner().invoke(release.app, list(arguments), input=text)

    return invoke


def facts(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def one(mailbot: Run, slug: str = SLUG) -> Any:
    return facts(mailbot("show", slug, "--json"))


def test_a_new_version_takes_the_place_of_the_draft_although_its_title_changed(mailbot: Run) -> None:
    assert facts(mailbot("import", "v1.docx", "--embargo", EMBARGO, "--json"))["editions"][0]["result"] == "added"
    (edition,) = facts(mailbot("import", "v2.docx", "--release", SLUG, "--json"))["editions"]
    assert (edition["slug"], edition["result"], edition["public_from"]) == (SLUG, "updated", EMBARGO)
    title, text = edition["difference"]
    assert (title["field"], title["before"], title["after"]) == ("title", TITLE, "Un phare neuf éclaire Valmarine")
    assert (text["field"], text["paragraph"]) == ("text", 1)
    assert [part for part in text["words"] if part["op"] != "="] == [{"op": "-", "text": " quatre"}, {"op": "+", "text": " cinq"}]
    shown = one(mailbot)
    assert (len(shown["editions"]), shown["editions"][0]["title"]) == (1, "Un phare neuf éclaire Valmarine")


def test_a_dry_run_shows_the_difference_and_changes_nothing(mailbot: Run) -> None:
    mailbot("import", "v1.docx")
    before = one(mailbot)
    said = mailbot("import", "v2.docx", "--release", SLUG, "--dry-run").stdout
    assert "would be updated" in said
    assert "devant [-quatre-] {+cinq+} cents habitants" in said
    assert one(mailbot) == before


def test_an_embargo_stays_until_it_is_lifted_by_name(mailbot: Run) -> None:
    mailbot("import", "v1.docx", "--embargo", EMBARGO)
    mailbot("import", "v1.docx")
    assert one(mailbot)["public_from"] == EMBARGO
    mailbot("import", "v2.docx", "--release", SLUG, "--embargo", "none")
    assert one(mailbot)["public_from"] is None


@pytest.mark.parametrize("line", ["Sous embargo jusqu’au 3 avril 2025, 8 h", "EMBARGO : 3 avril, 8 h", "Embargoed until 3 April 2025"])
def test_an_embargo_that_the_text_alone_speaks_of_is_asked_for(mailbot: Run, line: str) -> None:
    Path("e.docx").write_bytes(word_file(paragraph(line), paragraph(TITLE, style="Titre"), paragraph(LEAD), *END))
    assert "--embargo" in str(mailbot("import", "e.docx", "--publish").exception)
    assert mailbot("list").stdout == ""
    assert facts(mailbot("import", "e.docx", "--embargo", EMBARGO, "--json"))["editions"][0]["public_from"] == EMBARGO
    assert "mbargo" not in one(mailbot)["editions"][0]["body"]


def test_a_translation_joins_its_release_and_is_held_back_when_the_original_changes(mailbot: Run) -> None:
    mailbot("import", "v1.docx")
    (english,) = facts(mailbot("import", "en.docx", "--release", SLUG, "--language", "en", "--json"))["editions"]
    assert (english["release"], english["slug"], english["result"]) == (SLUG, "a-lighthouse-for-valmarine", "added")
    assert english["slug"] in mailbot("import", "v2.docx", "--release", SLUG).stderr
    assert one(mailbot)["stale"] == [english["slug"]]
    assert f"(stale: {english['slug']})" in mailbot("list").stdout
    assert "is stale" in mailbot("show", SLUG).stderr
    assert isinstance(mailbot("publish", SLUG, "--yes").exception, StaleTranslation)
    assert facts(mailbot("confirm", english["slug"], "--json")) == {"edition": english["slug"], "confirmed": True}
    assert isinstance(mailbot("publish", SLUG).exception, EditionsDiffer)  # the English one names no figure of the French one
    assert facts(mailbot("publish", SLUG, "--json", "--yes"))["public"] is True


def test_a_published_text_is_not_changed_and_the_way_to_correct_it_is_named(mailbot: Run) -> None:
    mailbot("import", "v1.docx", "--publish")
    for more in ([], ["--dry-run"]):
        refused = mailbot("import", "v2.docx", "--release", SLUG, *more)
        assert isinstance(refused.exception, PublishedEditionChanged)
        assert f"mailbot release correct {SLUG}" in str(refused.exception)
    assert one(mailbot)["title"] == TITLE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["v1.docx", "--release", "nothing"], "There is no release 'nothing'"),
        (["set", "--release", SLUG], "holds 2 files"),
        (["fr.md", "--release", SLUG, "--language", "en"], "--language says en"),
        (["tracked.docx"], "--accept-changes"),
        (["a.pdf"], "PDF"),
        (["http://127.0.0.1:1/x"], "private network"),
        (["http://localhost/x"], "private network"),
        (["gopher://localhost/x"], "not the address of a page"),
        (["FILE:///etc/passwd"], "not the address of a page"),
    ],
)
def test_what_cannot_be_imported_is_told_and_nothing_is_changed(mailbot: Run, words: list[str], said: str) -> None:
    mailbot("import", "v1.docx")
    before = one(mailbot)
    Path("set").mkdir()
    for name in ("a.md", "b.docx", "~$b.docx"):
        Path("set", name).write_bytes(Path("v1.docx").read_bytes())
    Path("fr.md").write_text("---\nlanguage: fr\ntitle: T\ndate: 2025-01-01\n---\nTexte.\n")
    inserted = f'<w:p><w:ins w:id="1">{run("plus")}</w:ins></w:p>'
    Path("tracked.docx").write_bytes(word_file(paragraph(TITLE, style="Titre"), paragraph(LEAD), inserted, *END))
    Path("a.pdf").write_bytes(b"%PDF-1.7")
    refused = mailbot("import", *words)
    assert isinstance(refused.exception, CannotImport | NotFetched)
    assert said in str(refused.exception)
    assert one(mailbot) == before


@pytest.mark.parametrize("embargo", ["demain", "2025-01-01T08:00"])
def test_an_embargo_without_its_offset_is_wrong_usage(mailbot: Run, embargo: str) -> None:
    refused = mailbot("import", "v1.docx", "--embargo", embargo)
    assert refused.exit_code == 2
    assert "--embargo" in refused.stderr


def test_tracked_changes_are_taken_as_accepted_when_a_person_says_so(mailbot: Run) -> None:
    inserted = f'<w:p><w:ins w:id="1">{run("Une phrase de plus.")}</w:ins></w:p>'
    Path("tracked.docx").write_bytes(word_file(paragraph(TITLE, style="Titre"), paragraph(LEAD), inserted, *END))
    assert mailbot("import", "tracked.docx", "--accept-changes").exit_code == 0
    assert one(mailbot)["editions"][0]["paragraphs"] == [LEAD, "Une phrase de plus."]


def test_a_word_file_may_come_from_standard_input_and_a_page_from_a_file(mailbot: Run) -> None:
    assert facts(mailbot("import", "-", "--json", text=Path("v1.docx").read_bytes()))["editions"][0]["slug"] == SLUG
    (page,) = facts(mailbot("import", str(SAMPLES / "newsroom_page.html"), "--json"))["editions"]
    assert one(mailbot, page["slug"])["editions"][0]["contact_addresses"] == ["presse@littoral.example"]


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as server:
        yield server


def test_a_page_is_fetched_and_its_links_start_where_it_was(pages: Pages, database_kind: str) -> None:
    loaded = languages.load([languages.shipped()])
    html = (SAMPLES / "newsroom_page.html").read_bytes().replace(b'<link rel="canonical"', b"<link rel=x")
    pages.serve("/old", b"", status="301 Moved", Location="/fr/news/phare")
    pages.serve("/fr/news/phare", html)
    read = read_source(
        pages.url("/old"), loaded, datetime(2026, 11, 23, tzinfo=UTC), wish=Wish(language="fr"), limits=Limits(allows="127.0.0.1".__eq__)
    )
    (edition,) = read.editions
    assert f"[le rapport annuel](<http://127.0.0.1:{pages.port}/fr/rapport>)" in edition.body


def test_translations_of_an_older_database_are_of_the_originals_they_had(empty_database_url: str) -> None:
    """Migration 0002 fills in what the column would hold, as Edition.text_hash says it."""
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))

    def as_it_was(tx: sa.Connection) -> None:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        for one in (edition(), ENGLISH):
            values = {**store._columns(one), "slug": one.slug, "state": "draft", "created_at": T, "changed_at": T}
            old = sa.table("edition", *(sa.column(column.name, column.type) for column in table.c if column.name in values))
            tx.execute(old.insert().values(values))

    with closing(Database(empty_database_url)) as database:
        database.write_now(as_it_was)
        migrate.upgrade(database)
        found = database.read_now(store.load, "a")
    assert found is not None
    assert [one.translated_from for one in found.editions] == ["", found.editions[0].text_hash]
    assert stale(found) == ()
