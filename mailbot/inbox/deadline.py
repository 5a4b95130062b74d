"""By when a mail wants its answer: "bouclage 17h", "before noon Friday", "d'ici demain soir", "by 4pm GMT".

A time counts only beside a word that makes it a deadline, so that "the ceremony of 5 pm" is none. Every word comes from the
dates.yaml of the language folders. A day without an hour ends with the office's day; a time that has passed today is
tomorrow's; a weekday is the next one, for nobody asks for an answer by last Friday.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailbot.releases import dates

END_OF_DAY = time(18)
LONGEST = 90        # letters that are quoted of a deadline
TEXT = 20_000
_LINE = re.compile(r"(?<=[.!?;])(?<![ap]\.m\.)\s+|\n")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment where one could be worked out, the words as written, and whether it is called urgent."""

    at: datetime | None
    words: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """The words of the language folders for deadlines, hours, parts of a day and zones, ready to use."""

    cues: re.Pattern[str]
    hours: re.Pattern[str]
    parts: re.Pattern[str]
    zones: re.Pattern[str]
    urgent: re.Pattern[str]
    times: Mapping[str, time]
    zone_of: Mapping[str, ZoneInfo]
    afternoon: frozenset[str]
    grammar: dates.Grammar


def clock(sections: Sequence[Mapping[str, Any]]) -> Clock:
    """Prepare the `deadline` part of the dates.yaml of the languages that may occur."""
    found = [section.get("deadline", {}) for section in sections]
    times = {dates.fold(str(word)): time.fromisoformat(str(at)) for part in found for word, at in part.get("parts", {}).items()}
    zones = {dates.fold(str(word)): zone for part in found for word, name in part.get("zones", {}).items() if (zone := _zone(str(name)))}
    hour, after, before = (_all(found, key) for key in ("hour", "afternoon", "morning"))
    halves = f"(?P<half>{_any([*after, *before])})"
    written = rf"(?<![\d.,/-])(?P<hour>[0-2]?\d)(?:\s?{_any(hour)}\s?(?P<minute>[0-5]\d)?|[:.](?P<minute2>[0-5]\d)(?:\s?{halves})?"
    hours = rf"{written}|(?P<minute3>[0-5]\d)(?=\s?{_any(zones)})|\s?{halves.replace('half', 'half2')})(?!\w)"
    return Clock(
        re.compile(rf"(?<!\w){_any(_all(found, 'cues'))}(?!\w)"), re.compile(hours), re.compile(rf"(?<!\w){_any(times)}(?!\w)"),
        re.compile(rf"(?<!\w){_any(zones)}(?!\w)"), re.compile(rf"(?<!\w){_any(_all(found, 'urgent'))}(?!\w)"),
        times, zones, frozenset(after), dates.grammar(sections),
    )  # fmt: skip


def deadline(text: str, words: Clock, now: datetime, zone: tzinfo) -> Deadline | None:
    """The first deadline that the text names; None where it names none and nothing is urgent."""
    text = text[:TEXT]
    pressing = words.urgent.search(dates.fold(text))
    for line in _LINE.split(text):
        found = _in_line(line, words, now.astimezone(zone), zone)
        if found:
            return Deadline(found[0], found[1], pressing is not None)
    return Deadline(None, text[slice(*pressing.span())], True) if pressing else None


def _in_line(line: str, words: Clock, now: datetime, zone: tzinfo) -> tuple[datetime, str] | None:
    folded = dates.fold(line)
    cue = words.cues.search(folded)
    if len(folded) != len(line) or not cue:
        return None
    hour, part = words.hours.search(folded, cue.start()), words.parts.search(folded, cue.start())
    named = words.zones.match(folded, _after(folded, (hour or part or cue).end()))
    days = [mention for mention in dates.find(line, words.grammar, now) if mention.span[1] > cue.start() and mention.start == mention.end]
    if not (hour or part or days):
        return None
    there = words.zone_of[named[0]] if named else zone
    at = _moment(hour, part, days[0] if days else None, words, now.astimezone(there), there)
    spans = [match.span() for match in (cue, hour, part, named) if match] + [mention.span for mention in days[:1]]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    return at, line[start : min(end, start + LONGEST)].strip()


def _after(text: str, place: int) -> int:
    """Where a zone would stand: right behind the hour, for `est` and `et` are words too."""
    while place < len(text) and text[place] in " \u00a0\u202f.,(":
        place += 1
    return place


def _moment(
    hour: re.Match[str] | None, part: re.Match[str] | None, day: dates.DateMention | None, words: Clock, now: datetime, zone: tzinfo
) -> datetime:
    clock_time = _time(hour, words) if hour else words.times[part[0]] if part else END_OF_DAY
    when = _ahead(day, now.date()) if day else now.date()
    at = datetime.combine(when, clock_time, zone)
    return at + timedelta(days=1) if not day and at <= now else at


def _ahead(day: dates.DateMention, today: date) -> date:
    """Dates are read as of what has been: a weekday of the past week is the coming one here."""
    late = (today - day.start).days
    return day.start + timedelta(days=7) if 0 < late <= 7 else day.start


def _time(match: re.Match[str], words: Clock) -> time:
    found = match.groupdict()
    hour = int(found["hour"]) % 24
    half = found["half"] or found["half2"]
    if half:
        hour = hour % 12 + (12 if half in words.afternoon else 0)
    return time(hour, int(found["minute"] or found["minute2"] or found["minute3"] or 0))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _all(found: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    return [dates.fold(str(word)) for part in found for word in part.get(key, ())]


def _any(words: Iterable[str]) -> str:
    listed = sorted(set(words), key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word) for word in listed) + ")" if listed else r"(?!)"
