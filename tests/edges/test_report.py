"""The yearly report: its figures, which outlive the mail they were counted from, and its page, which nobody is named on."""

import csv
import io
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mailbot import languages, rendering
from mailbot.archive import year, year_page
from mailbot.archive.tally import Answer, Asked, Count, Figure, Tally, counted, median, rounded
from mailbot.database.engine import Database, Tx
from mailbot.outbox.delivery import Kind
from mailbot.releases import store as releases
from mailbot.releases.release import Edition
from mailbot.typography import typography
from tests.edges.commands import Commands
from tests.edges.test_retention import AWA, CANARY, arrive, decide, send

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def asked(**changed: object) -> Asked:
    given = {"received_at": NOW, "kind": "request", "outcome": "hand_off", "reason": "question", "language": "fr"}
    return Asked(**given | changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "figures"),
    [
        pytest.param(asked(), ["requests"], id="a request that waits"),
        pytest.param(asked(answer=Answer(at=NOW + HOUR, by_mailbot=True)), ["requests", "by-mailbot", "answer-seconds"], id="by mailbot"),
        pytest.param(asked(answer=Answer(at=NOW, by_mailbot=False)), ["requests", "by-colleague", "answer-seconds"], id="by a colleague"),
        pytest.param(asked(closed_at=NOW), ["requests", "closed-without-answer"], id="settled without a mail"),
        pytest.param(asked(deadline=NOW + HOUR), ["requests", "deadlines", "missed-deadlines"], id="its deadline is over and it waits"),
        pytest.param(asked(deadline=NOW + 9 * HOUR), ["requests", "deadlines"], id="its deadline is ahead"),
        pytest.param(
            asked(deadline=NOW + HOUR, answer=Answer(at=NOW + HOUR, by_mailbot=False)),
            ["requests", "by-colleague", "answer-seconds", "deadlines"], id="answered in time",
        ),
        pytest.param(asked(reason="no-match"), ["requests", "no-release"], id="nothing fitted"),
        pytest.param(asked(reason="call-for-help"), [], id="a call for help is no figure"),
        pytest.param(asked(kind="automatic"), [], id="a machine"),
        pytest.param(asked(outcome="ignore"), [], id="thanks"),
        pytest.param(asked(outcome="subscribe"), [], id="a wish about the list"),
    ],
)  # fmt: skip
def test_each_mail_is_counted_by_what_became_of_it(one: Asked, figures: list[str]) -> None:
    assert Counter(count.figure for count in counted(one, UTC, NOW + 2 * HOUR)) == Counter(figures)


def test_the_year_ends_at_the_offices_midnight() -> None:
    from zoneinfo import ZoneInfo

    late = asked(received_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert {count.year for count in counted(late, ZoneInfo("Europe/Paris"), NOW)} == {2027}


def test_times_are_kept_to_two_digits_and_the_median_is_one_of_them() -> None:
    assert [rounded(seconds) for seconds in (0.4, 7, 59.9, 123, 86399)] == [0, 7, 59, 120, 86000]
    assert median({10: 1, 20: 1, 400: 1}) == 20
    assert median({}) is None


SOME: Tally = Counter(
    {
        Count(2026, Figure.REQUESTS, "fr"): 1234, Count(2026, Figure.REQUESTS, "en"): 210, Count(2026, Figure.BY_MAILBOT, "fr"): 900,
        Count(2026, Figure.BY_COLLEAGUE, "fr"): 300, Count(2026, Figure.CLOSED, "en"): 44, Count(2026, Figure.SECONDS, "fr", "38"): 900,
        Count(2026, Figure.SECONDS, "fr", "6100"): 300, Count(2026, Figure.DEADLINES, "fr"): 80, Count(2026, Figure.MISSED, "fr"): 3,
        Count(2026, Figure.SENT, "fr", "answer"): 900, Count(2026, Figure.SENT, "fr", "broadcast"): 5200,
        Count(2026, Figure.MEDIUM, "", "radio"): 40,
        Count(2026, Figure.NO_RELEASE, "fr"): 61, Count(2026, Figure.TOPIC, "fr", "cholera"): 12,
        Count(2026, Figure.TOPIC, "en", "cholera"): 5, Count(2026, Figure.TOPIC, "fr", "<script>"): 3,
    }
)  # fmt: skip
PUBLISHED = {"fr": ["one", "two"], "en": ["one"]}


def test_the_figures_add_up() -> None:
    found = year.figures(2026, SOME, PUBLISHED)
    requests = found["requests"]
    assert requests["total"] == sum(requests[one] for one in ("by_mailbot", "by_colleague", "closed_without_answer", "unanswered")) == 1444
    assert (found["releases"], found["deadlines"]) == (
        {"published": 2, "by_language": {"en": 1, "fr": 2}}, {"named": 80, "missed": 3},
    )  # fmt: skip
    assert found["median_answer_seconds"] == 38
    assert found["without_release"] == {"total": 61, "words": [("cholera", 17), ("<script>", 3)]}
    assert found["reach"] == {"by_language": {"fr": {"answer": 900, "broadcast": 5200}}, "by_medium": {"radio": 40}}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("fr", ["Rapport 2026 du service de presse", "1\u202f234", "38\u00a0s", "trouvé\u00a0:", "1er\u00a0octobre 2026", "français"]),
        ("en", ["Press office report 2026", "1,234", "38\u00a0s", "1 October 2026", "French"]),
    ],
)
def test_the_page_speaks_the_offices_language_and_loads_nothing(code: str, said: list[str]) -> None:
    loaded = languages.load([languages.shipped()])
    voice = year_page.Voice(
        code=code, lines=year_page.words([rendering.shipped()], code), names={}, rules=typography(loaded[code].typography)
    )
    page = year_page.page(year.figures(2026, SOME, PUBLISHED), "Office <b>", date(2026, 10, 1), voice)
    for words in said:
        assert words in page or words.replace("\u00a0", " ") in page
    assert not re.search(r"https?:|<script|<img|<link|url\(|@import|Office <b>", page)
    empty = year_page.page(year.figures(2025, Counter(), {}), "Office", date(2026, 10, 1), voice)
    assert "2025" in empty


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "–"), (5, "5 s"), (60, "1 min"), (5400, "1 h 30 min"), (7200, "2 h"), (100_000, "1 j 3 h")]
)
def test_a_duration_is_said_in_the_units_that_tell_most(seconds: int | None, said: str) -> None:
    rules = typography(languages.load([languages.shipped()])["fr"].typography)
    voice = year_page.Voice(code="fr", lines=year_page.words([rendering.shipped()], "fr"), names={}, rules=rules)
    found = year.figures(2026, Counter({Count(2026, Figure.SECONDS, "fr", str(seconds)): 1} if seconds is not None else {}), {})
    assert f"<dd>{said.replace(' ', chr(160))}</dd>" in year_page.page(found, "Office", date(2026, 1, 1), voice)


def test_the_command_counts_the_year_and_names_nobody(database: Database, database_url: str, tmp_path: Path) -> None:
    def a_year(tx: Tx) -> None:
        text = {"title": "fountain", "body": "text", "language": "fr", "date": date(2026, 2, 1)}
        releases.save(tx, Edition(slug="fountain", release="fountain", **text), NOW)  # type: ignore[arg-type]
        releases.publish(tx, "fountain", NOW, signatory="")
        for number in (1, 2, 3):
            arrive(tx, f"mail {number}")
            decide(tx, number, "send_release" if number == 1 else "hand_off", "latest-asked" if number == 1 else "no-match")
        send(tx, "d1", Kind.ANSWER, 1, at=NOW + timedelta(seconds=40))

    database.write_now(a_year)
    (tmp_path / "office").mkdir()
    mailbot = Commands(tmp_path / "office")
    mailbot.configure(database_url, {"security": {"secret_key": "a key that only this test knows"}})
    mailbot("audience", "add", AWA, "--origin", "press day", "--medium", "radio")
    found = mailbot("report", "--year", "2026", "--html", "r.html", "--csv", "r.csv", "--json").json()
    assert (found["requests"]["total"], found["requests"]["by_mailbot"], found["median_answer_seconds"]) == (3, 1, 40)
    assert (found["releases"]["published"], found["without_release"]["total"]) == (1, 2)
    assert found["reach"] == {"by_language": {"fr": {"answer": 1}}, "by_medium": {"radio": 1}}
    rows = list(csv.DictReader(io.StringIO((mailbot.folder / "r.csv").read_bytes().decode("utf-8-sig"), newline="")))
    assert {(row["figure"], row["language"]): row["number"] for row in rows}["requests", "fr"] == "3"
    for file in ("r.html", "r.csv"):
        assert AWA not in (mailbot.folder / file).read_text()
        assert CANARY not in (mailbot.folder / file).read_text()
    assert mailbot("report", "--year", "2026", "--html", "r.html").code == 1, "no file is written over"
    assert "3  requests" in mailbot("report", "--year", "2026").out
    assert mailbot("report", "--year", "2025", "--json").json()["requests"]["total"] == 0
