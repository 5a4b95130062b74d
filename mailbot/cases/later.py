"""PLUS TARD 15h: when a colleague wants to see a case again. The zone is the office's; words for days are those of the languages."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from mailbot.languages import Language
from mailbot.releases import dates

WITHOUT_TIME = timedelta(hours=2)
FURTHEST = timedelta(days=30)
MORNING = time(9)
# "15", "15h", "15 h 30", "15:30", "3pm"; a longer word behind a number makes it a number of something else.
_SPACE = r"[ \u00a0\u202f]?"
_MINUTE = rf"(?:{_SPACE}([^\W\d_]{{1,2}}|[:.])(?![^\W\d_]){_SPACE}([0-5]\d)?(?!\d))?"
_HOUR = re.compile(rf"(?<![\d:./-])(\d{{1,2}})(?![\d/-]){_MINUTE}(?!{_SPACE}[^\W\d_]{{3}})")


def until(written: str, languages: Mapping[str, Language], now: datetime, zone: tzinfo) -> datetime:
    """Always in the future, at most a month away: two hours from now where no time is said, or one that cannot be meant."""
    local = now.astimezone(zone)
    text = written[:100]
    days = dates.find(text, _grammar(languages), local)
    clock = _clock(_without(text, days[0].span) if days else text, languages)
    day = days[0].start if days else None
    if day is None and clock is None:
        return now + WITHOUT_TIME
    found = _moment(day or local.date(), clock or MORNING, zone)
    if found <= now:
        found = _moment((day or local.date()) + timedelta(days=1 if day is None else 7), clock or MORNING, zone)
    return found if now < found <= now + FURTHEST else now + WITHOUT_TIME


def _grammar(languages: Mapping[str, Language]) -> dates.Grammar:
    return dates.grammar(language.dates for language in languages.values() if language.dates)


def _without(text: str, span: tuple[int, int]) -> str:
    return f"{text[: span[0]]} {text[span[1] :]}"


def _clock(text: str, languages: Mapping[str, Language]) -> time | None:
    """The first hour that there is on a clock."""
    for found in _HOUR.finditer(text):
        hour, minute = int(found[1]), int(found[3] or 0)
        if (found[2] or "").casefold() in _afternoon(languages.values()) and hour < 12:
            hour += 12
        if hour < 24:
            return time(hour, minute)
    return None


def _afternoon(languages: Iterable[Language]) -> set[str]:
    return {str(word).casefold() for language in languages for word in language.replies.get("afternoon", ())}


def _moment(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
