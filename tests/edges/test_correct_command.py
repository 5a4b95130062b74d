"""`mailbot release correct` and `withdraw` as a press officer in a hurry uses them: look, be asked, act, and what stays on record."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from mailbot import clock
from mailbot.cli import release
from mailbot.database.engine import Database
from mailbot.database.tables import delivery
from mailbot.releases.correction import CannotCorrect
from mailbot.releases.markdown import to_markdown
from mailbot.releases.read_source import CannotImport
from mailbot.releases.store import NoSuchRelease
from tests.edges.newsroom import CORRECTED, FOUNTAIN, FOUNTAIN_EN, NEW, OLD, Newsroom, newsroom

Run = Callable[..., Result]
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def office(database: Database, database_url: str, tmp_path: Path) -> Newsroom:
    office = newsroom(database, database_url, tmp_path)
    office.ask("awa")
    office.sent()
    office.ask("ben")
    (tmp_path / "right.md").write_text(to_markdown(CORRECTED))
    (tmp_path / "english.md").write_text(to_markdown(FOUNTAIN_EN))
    return office


@pytest.fixture
def run(office: Newsroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILBOT_CONFIG", "mailbot.toml")
    return lambda *arguments: CliRunner().invoke(release.app, list(arguments))


def facts(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    assert result.stdout.isascii()
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_dry_run_shows_what_and_to_whom_and_changes_nothing(run: Run, office: Newsroom) -> None:
    before = office.rows()
    shown = run("correct", "fontaine", "right.md", "--dry-run")
    assert (shown.exit_code, shown.exception) == (0, None)
    for said in (f"text: {OLD}", f"-> {NEW}", "would leave as it reads now: ben@journal.example", "awa@journal.example  (fontaine"):
        assert said in shown.stdout
    assert "The edition fontaine-en (en) was not corrected." in shown.stdout
    told = facts(run("correct", "fontaine", "right.md", "--dry-run", "--json"))
    assert (told["told"], told["rewritten"], told["not_corrected"], told["correction"]) == (
        [{"address": "awa@journal.example", "edition": "fontaine", "language": "fr"}], ["ben@journal.example"], ["fontaine-en"], None,
    )  # fmt: skip
    assert facts(run("withdraw", "fontaine-en", "--dry-run", "--json"))["given_back"] == ["ben@journal.example"]
    assert office.rows() == before


def test_nobody_is_written_to_without_a_yes(run: Run, office: Newsroom) -> None:
    for words in (("correct", "fontaine", "right.md"), ("withdraw", "fontaine")):
        refused = run(*words)
        assert (refused.exit_code, "needs --yes" in refused.stderr) == (2, True)
    assert len(office.rows()) == 2
    assert facts(run("correct", "fontaine", "right.md", "--yes", "--json"))["result"] == "corrected"
    assert [row["recipient"] for row in office.rows(kind="correction")] == ["awa@journal.example"]


def test_the_office_may_say_why(run: Run, office: Newsroom) -> None:
    run("correct", "fontaine", "right.md", "--yes", "--reason", "Le chiffre <de> mai manquait.")
    with office.database.engine.connect() as connection:
        (mail,) = connection.execute(sa.select(delivery.c.text, delivery.c.html).where(delivery.c.kind == "correction"))
    assert "Motif : Le chiffre <de> mai manquait." in mail.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Le chiffre &lt;de&gt; mai manquait." in mail.html


def test_a_second_time_says_so_and_does_nothing(run: Run, office: Newsroom) -> None:
    run("correct", "fontaine", "right.md", "--yes")
    rows = office.rows()
    again = run("correct", "fontaine", "right.md", "--yes")
    assert (again.exit_code, "says that already, since" in again.stdout, "told: 1 person" in again.stdout) == (0, True, True)
    assert office.rows() == rows
    run("withdraw", "fontaine", "--yes")
    assert "withdrawn already, since" in run("withdraw", "fontaine").stdout


def test_what_it_said_before_stays_on_record(run: Run, office: Newsroom) -> None:
    run("correct", "fontaine", "right.md", "--yes")
    office.now = clock.now()
    office.sent()
    run("withdraw", "fontaine", "--yes", "--reason", "Rien n’est vrai.")
    shown = facts(run("show", "fontaine", "--json"))
    kept = shown["past"]
    assert isinstance(kept, list)
    assert [(one["slug"], one["content_hash"]) for one in kept] == [
        ("fontaine", FOUNTAIN.content_hash), ("fontaine", CORRECTED.content_hash), ("fontaine-en", FOUNTAIN_EN.content_hash),
    ]  # fmt: skip
    assert (OLD in kept[0]["body"], kept[0]["until"] == kept[1]["since"]) == (True, True)
    made = shown["corrections"]
    assert isinstance(made, list)
    assert [(one["kind"], one["edition"], one["told"], one["reason"]) for one in made] == [
        ("correction", "fontaine", 1, ""), ("withdrawal", None, 2, "Rien n’est vrai."),
    ]  # fmt: skip
    assert "fontaine was corrected; told: 1 person." in run("show", "fontaine").stderr
    assert office.unsound() == []


@pytest.mark.parametrize(
    ("slug", "file", "problem", "says"),
    [
        ("nothing", "right.md", NoSuchRelease, "nothing"),
        ("fontaine", "english.md", CannotCorrect, "is the edition fontaine-en, not fontaine"),
        ("fontaine", "none.md", CannotImport, "cannot be read"),
        ("fontaine", "empty.md", CannotImport, "empty.md"),
        ("fontaine", ".", CannotImport, "nothing was corrected"),
    ],
    ids=["no such release", "the other edition's file", "no file", "no release", "a folder"],
)
def test_what_cannot_be_a_correction_is_told_and_changes_nothing(
    run: Run, office: Newsroom, slug: str, file: str, problem: type[Exception], says: str
) -> None:
    Path("empty.md").write_text("")
    rows = office.rows()
    result = run("correct", slug, file, "--yes")
    assert isinstance(result.exception, problem)
    assert says in str(result.exception)
    assert office.rows() == rows
