"""By when an answer is wanted, in the words of the shipped language folders: hours, days and zones, and none where none is meant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailbot.inbox.deadline import clock, deadline
from tests.samples.littoral import LANGUAGES

CLOCK = clock([language.dates for language in LANGUAGES.values()])
NOW = datetime(2026, 4, 2, 10, tzinfo=UTC)  # a Thursday
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Bouclage 17h", "2026-04-02T17:00+02:00"),
        ("bouclage à 17 h 30", "2026-04-02T17:30+02:00"),
        ("C'est pour le JT de 20h", "2026-04-02T20:00+02:00"),
        ("Il me le faut avant midi", "2026-04-03T12:00+02:00"),
        ("Réponse avant 14:15 svp", "2026-04-02T14:15+02:00"),
        ("Deadline 11h30 GMT", "2026-04-02T11:30+00:00"),
        ("avant 18h heure de Paris", "2026-04-02T18:00+02:00"),
        ("d'ici demain soir", "2026-04-03T19:00+02:00"),
        ("before noon Friday", "2026-04-03T12:00+02:00"),
        ("Can you comment by 4pm GMT?", "2026-04-02T16:00+00:00"),
        ("we close by 5 p.m. EST", "2026-04-02T17:00-04:00"),
        ("Filing at 1800 GMT", "2026-04-02T18:00+00:00"),
        ("by Monday please", "2026-04-06T18:00+02:00"),
        ("le sujet passe à l'antenne demain", "2026-04-03T18:00+02:00"),
    ],
)  # fmt: skip
def test_a_deadline_is_the_next_such_moment_in_its_zone_or_the_offices(text: str, at: str) -> None:
    found = deadline(text, CLOCK, NOW, PARIS)
    assert found and found.at == datetime.fromisoformat(at)
    assert found.words and found.words in text


@pytest.mark.parametrize(
    "text",
    ["", "La cérémonie de 17h était belle", "Your release of 12 March", "avant tout", "by the way", "Re: Communiqué de presse"],
)
def test_a_time_without_a_word_for_it_is_no_deadline(text: str) -> None:
    assert deadline(text, CLOCK, NOW, PARIS) is None


@pytest.mark.parametrize("text", ["C'est URGENT", "asap please", "au plus vite svp", "je suis tres presse"])
def test_who_is_only_in_a_hurry_is_urgent_without_a_moment(text: str) -> None:
    found = deadline(text, CLOCK, NOW, PARIS)
    assert found and found.at is None and found.urgent and found.words in text


def test_no_text_takes_long() -> None:
    for text in ("before " * 5_000, "17h " * 5_000, "avant 1" * 5_000, "9" * 20_000):
        deadline(text, CLOCK, NOW, PARIS)
