"""`mailbot release` as a person and a program use it: import once or twice, publish, withdraw, look at it."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner, Result

from mailbot.cli import release
from mailbot.releases.read_source import CannotImport
from mailbot.releases.store import NoSuchRelease, PublishedEditionChanged

SAMPLES = Path(__file__).parents[1] / "samples"
SLUG = "visite-au-phare"
FRENCH = f"""---
slug: {SLUG}
language: fr
title: "Visite au phare"
date: 2025-03-12
place: Valmarine
---
Le phare rouvre.

***

Note.
"""
ENGLISH = f"""---
language: en
title: "A visit to the lighthouse"
date: 2025-03-12
translation_of: {SLUG}
---
The lighthouse opens again.
"""
Run = Callable[..., Result]

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILBOT_DATABASE__URL", database_url)
    monkeypatch.setenv("MAILBOT_ORGANISATION__NAME", "Office du littoral")
    monkeypatch.setenv("MAILBOT_ORGANISATION__ADDRESS", "presse@example.org")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a-english.md").write_text(ENGLISH)
    (tmp_path / "set" / "b-french.md").write_text(FRENCH)
    (tmp_path / "set" / "readme.pdf").write_bytes(b"%PDF")

    def invoke(*arguments: str, text: bytes | None = None) -> Result:
        return CliRunner().invoke(release.app, list(arguments), input=text)

    return invoke


def facts(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    assert result.stdout.isascii()
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_folder_is_imported_as_one_set_and_again_changes_nothing(run: Run) -> None:
    for result in ("added", "unchanged"):
        (found,) = facts(run("import", "set", "--json"))
        assert [(one["slug"], one["release"], one["result"], one["state"]) for one in found["editions"]] == [
            (SLUG, SLUG, result, "draft"),
            ("a-visit-to-the-lighthouse", SLUG, result, "draft"),
        ]


def test_the_pasted_page_gives_what_a_release_needs(run: Run) -> None:
    (found,) = facts(run("import", str(SAMPLES / "pasted_release.txt"), "--publish", "--json"))
    (shown,) = facts(run("show", found["editions"][0]["slug"], "--json"))
    (edition,) = shown["editions"]
    assert (edition["language"], edition["place"], edition["date"], len(edition["paragraphs"])) == ("fr", "Bamako", "2024-10-28", 10)
    assert (edition["end_mark"], edition["contact_addresses"], shown["public"]) == ("***", ["allmalimediacom@iom.int"], True)


def test_standard_input_is_read(run: Run) -> None:
    (found,) = facts(run("import", "-", "--json", text=FRENCH.encode()))
    assert found["editions"][0]["slug"] == SLUG


def test_a_dry_run_changes_nothing(run: Run) -> None:
    (found,) = facts(run("import", "set", "--publish", "--dry-run", "--json"))
    assert [one["result"] for one in found["editions"]] == ["added", "added"]
    assert facts(run("list", "--json")) == []


def test_a_problem_is_told_and_nothing_is_imported(run: Run) -> None:
    Path("set/c.md").write_text("---\ntitle: T\n---\nTexte.\n")
    result = run("import", "set")
    assert isinstance(result.exception, CannotImport)
    assert "set/c.md, line 1: The date is missing" in str(result.exception)
    assert facts(run("list", "--json")) == []


@pytest.mark.parametrize("source", ["nothing.md", "a.docx", "a\0b"])
def test_a_source_that_cannot_be_read_is_told(run: Run, source: str) -> None:
    assert isinstance(run("import", source).exception, CannotImport)


def test_a_rehearsed_publication_says_the_same_and_publishes_nothing(run: Run) -> None:
    run("import", "set")
    (rehearsed,) = facts(run("publish", SLUG, "--dry-run", "--json"))
    assert facts(run("show", SLUG, "--json"))[0]["public"] is False
    (published,) = facts(run("publish", SLUG, "--json"))
    assert rehearsed | {"dry_run": False} == published
    assert published["public"] is True


def test_publish_and_withdraw_by_any_slug(run: Run) -> None:
    run("import", "set")
    (found,) = facts(run("publish", "a-visit-to-the-lighthouse", "--json"))
    assert (found["release"], found["public"], found["changed"]) == (SLUG, True, [SLUG, "a-visit-to-the-lighthouse"][::-1])
    assert facts(run("publish", SLUG, "--json"))[0]["changed"] == []
    assert facts(run("withdraw", SLUG, "--json"))[0]["public"] is False
    assert "withdrawn" in str(run("import", "set", "--publish").exception)
    assert [(one["release"], one["state"], one["public"]) for one in facts(run("list", "--json"))] == [(SLUG, "withdrawn", False)]


def test_a_published_text_is_not_changed_by_an_import(run: Run) -> None:
    run("import", "set", "--publish")
    Path("set/b-french.md").write_text(FRENCH.replace("rouvre", "ferme"))
    assert isinstance(run("import", "set").exception, PublishedEditionChanged)


def test_an_embargo_is_told_and_holds(run: Run) -> None:
    Path("set/b-french.md").write_text(FRENCH.replace("place:", "embargo: 2099-01-01T08:00:00+00:00\nplace:"))
    assert "embargo until 2099-01-01 08:00 UTC" in run("import", "set", "--publish").stdout
    (found,) = facts(run("list", "--json"))
    assert (found["state"], found["public"], found["public_from"]) == ("published", False, "2099-01-01T08:00:00+00:00")
    assert "embargoed" in run("list").stdout


def test_what_show_prints_imports_as_unchanged(run: Run) -> None:
    run("import", "set")
    shown = run("show", SLUG)
    (found,) = facts(run("import", "-", "--json", text=shown.stdout.encode()))
    assert found["editions"][0]["result"] == "unchanged"


@pytest.mark.parametrize(("variant", "has"), [("text", "Le phare rouvre."), ("html", ">Le phare rouvre.</p>")])
def test_render_shows_the_answer(run: Run, variant: str, has: str) -> None:
    run("import", "set")
    result = run("render", SLUG, "--variant", variant)
    assert result.exit_code == 0, result.exception
    assert has in result.stdout
    assert "***" in result.stdout


def test_render_writes_a_pdf_to_standard_output(run: Run) -> None:
    run("import", "set")
    printed = run("render", SLUG, "--variant", "pdf")
    assert (printed.exit_code, printed.stdout_bytes[:5]) == (0, b"%PDF-")
    (named,) = facts(run("render", SLUG, "--variant", "pdf", "--json"))
    assert base64.b64decode(str(named["base64"])).startswith(b"%PDF-")


@pytest.mark.parametrize("command", ["show", "publish", "withdraw", "render"])
def test_an_unknown_release_is_named(run: Run, command: str) -> None:
    assert isinstance(run(command, "nothing").exception, NoSuchRelease)


def test_render_for_whatsapp_gives_a_text_and_a_link_that_opens_it(run: Run) -> None:
    run("import", "set")
    printed = run("render", SLUG, "--variant", "whatsapp")
    assert printed.exit_code == 0, printed.exception
    assert "Le phare rouvre." in printed.stdout
    (named,) = facts(run("render", SLUG, "--variant", "whatsapp", "--json"))
    assert (named["content"] + "\n", unquote(named["link"])) == (printed.stdout, f"https://wa.me/?text={named['content']}")
