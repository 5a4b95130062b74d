"""When no answer leaves by itself: the breaker, the same words from many, an answering machine that replies, and who complained."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailbot.inbox.brakes import braked, is_flood, words_key
from mailbot.inbox.outcome import Caps
from tests.samples.littoral import CONTEXT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "is_reply", "expected"),
    [
        pytest.param({}, False, None, id="nothing"),
        pytest.param({}, True, None, id="a-reply-with-words-of-its-own"),
        pytest.param({"silenced": True}, False, "complained", id="complained"),
        pytest.param({"answers_stopped": True}, False, "answers-stopped", id="breaker"),
        pytest.param({"same_words_answered": True}, True, "asked-again", id="a-reply-with-the-words-that-were-answered"),
        pytest.param({"same_words_answered": True}, False, None, id="asked-once-more"),
        pytest.param({"same_words_from": 9}, False, None, id="the-tenth-address"),
        pytest.param({"same_words_from": 10}, False, "cap-same-words", id="the-eleventh-address"),
        pytest.param({"same_words_from": 10, "caps": Caps(addresses_per_text_per_hour=11)}, False, None, id="another-cap"),
        pytest.param({"silenced": True, "answers_stopped": True, "same_words_from": 9}, True, "complained", id="the-person-comes-first"),
    ],
)
def test_each_brake_holds(given: dict[str, Any], is_reply: bool, expected: str | None) -> None:
    assert braked(replace(CONTEXT, **given), is_reply=is_reply) == expected


def test_the_same_words_have_the_same_key_however_they_are_set() -> None:
    key = words_key("Demande", "Bonjour,\n\nVotre  dernier COMMUNIQUÉ, svp !")
    assert key == words_key("Autre", "bonjour votre dernier communiqué svp")
    assert key != words_key("Demande", "Bonjour, votre premier communiqué, svp !")


def test_where_only_the_subject_says_something_it_counts_and_nothing_is_no_words() -> None:
    assert words_key("Dernier communiqué", " \n") == words_key("dernier communiqué", "")
    assert words_key("", "") == words_key("...", "--") == ""


def bursts(*minutes: float, of: int = 3) -> list[datetime]:
    """So many answers within seconds, so many minutes ago."""
    return [NOW - timedelta(minutes=minute, seconds=-second) for minute in minutes for second in range(of)]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([], False, id="none"),
        pytest.param(bursts(9, 5, 1), True, id="full-three-times"),
        pytest.param(bursts(3, 2, 1), True, id="three-minutes-on-end"),
        pytest.param(bursts(9, 1), False, id="full-twice"),
        pytest.param(bursts(12, 9, 1), False, id="the-first-is-past"),
        pytest.param(bursts(9, 5, 1, of=2), False, id="never-full"),
        pytest.param([NOW - timedelta(seconds=40 * number) for number in range(15)], False, id="many-and-steady"),
        pytest.param(bursts(1, of=9), True, id="all-at-once"),
        pytest.param(bursts(1, of=8), False, id="all-at-once-and-one-short"),
    ],
)
def test_the_breaker_trips_where_the_cap_was_reached_three_times_within_ten_minutes(answers: list[datetime], expected: bool) -> None:
    assert is_flood(answers, 3, NOW) is expected
