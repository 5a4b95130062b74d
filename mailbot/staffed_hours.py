"""When the office is staffed: `organisation.hours` as people write it, and what it means on a given instant. Pure.

Hours are times on the office's clock. So an instant is judged by what that clock shows then, which is right on the days when it
jumps, too: an hour that it shows twice counts twice, one that it leaves out is nobody's.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

EXAMPLE = "Mon-Fri 08:00-17:00; Sat 09:00-12:00"
MOST_LETTERS = 400
SHORTEST_NAME = 2       # letters of a day that are enough, where no other day begins so
LOOK_AHEAD_DAYS = 15    # a whole week, and the days that a clock may leave out
_MINUTES_OF_A_DAY = 24 * 60
_DASHES = re.compile(r"\s*[-‐‑–—]\s*")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2})?)?")


class HoursUnreadable(ValueError):
    """The argument says which piece cannot be read."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of the week: day (Monday is 0), first minute, the minute after the last. None at all: nobody has said."""

    spans: tuple[tuple[int, int, int], ...]
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class DayWords:
    """How the languages call the days of the week, Monday first, and what stands between the first and the last of several."""

    names: tuple[tuple[str, int], ...]
    to: frozenset[str]


def day_words(dates: Iterable[Mapping[str, Any]]) -> DayWords:
    """From the dates.yaml of the language folders."""
    known = list(dates)
    names = {(_folded(name), day) for one in known for day, name in enumerate(one.get("weekdays", ()))}
    return DayWords(tuple(sorted(names)), frozenset(_folded(word) for one in known for word in one.get("to", ())))


def read(text: str, words: DayWords, zone: tzinfo) -> Hours:
    """Days and times, several of them after a semicolon: see EXAMPLE. Raises HoursUnreadable."""
    if len(text) > MOST_LETTERS:
        raise HoursUnreadable("it is too long")
    spans: set[tuple[int, int, int]] = set()
    for entry in filter(None, (_folded(piece) for piece in re.split(r"[;\n]", text))):
        digit = re.search(r"\d", entry)
        if digit is None:
            raise HoursUnreadable(f"{entry!r} names no time")
        days, times = _days(entry[: digit.start()], words), _times(entry[digit.start() :], words)
        spans |= {(day, start, end) for day in days for start, end in times}
    return Hours(tuple(sorted(spans)), zone)


def is_staffed(hours: Hours, now: datetime) -> bool | None:
    """Is somebody there? None: nobody has said when."""
    if not hours.spans:
        return None
    local = now.astimezone(hours.zone)
    minute = local.hour * 60 + local.minute
    return any(day == local.weekday() and start <= minute < end for day, start, end in hours.spans)


def next_staffed(hours: Hours, now: datetime) -> datetime | None:
    """When the next span begins, where nobody is there now; None otherwise: somebody is there, or nobody has said when."""
    if is_staffed(hours, now) is not False:
        return None
    today = now.astimezone(hours.zone).date()
    openings = [
        datetime.combine(today + timedelta(days=ahead), time(start // 60, start % 60, fold=fold), hours.zone).astimezone(UTC)
        for ahead in range(LOOK_AHEAD_DAYS)
        for day, start, _ in hours.spans
        if (today + timedelta(days=ahead)).weekday() == day
        for fold in (0, 1)
    ]
    return min((opening for opening in openings if opening > now and is_staffed(hours, opening)), default=None)


def _days(text: str, words: DayWords) -> list[int]:
    """`mon-fri`, `lun au ven`, `sat, sun`: a span may go over the end of the week."""
    found: list[int] = []
    for piece in filter(None, re.split(r"[,/&\s]+", _joined(text, words).strip(" :"))):
        first, dash, last = piece.partition("-")
        start, end = _day(first, words), _day(last, words) if dash else _day(first, words)
        found += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    if not found:
        raise HoursUnreadable("it names a time without a day")
    return found


def _day(name: str, words: DayWords) -> int:
    days = {day for whole, day in words.names if whole.startswith(name.rstrip("."))} if len(name) >= SHORTEST_NAME else set()
    if len(days) != 1:
        raise HoursUnreadable(f"{name!r} is {'no day' if not days else 'more than one day'} of the week")
    return days.pop()


def _times(text: str, words: DayWords) -> list[tuple[int, int]]:
    spans = []
    for piece in filter(None, re.split(r"[,/&\s]+", _joined(text, words))):
        first, dash, last = piece.partition("-")
        start, end = _minute(first), _minute(last) if dash else -1
        if end <= start:
            raise HoursUnreadable(f"{piece!r} has no end after its beginning")
        spans.append((start, end))
    return spans


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2] or 0) if found else -1
    if found is None or int(found[2] or 0) > 59 or minute > _MINUTES_OF_A_DAY:
        raise HoursUnreadable(f"{text!r} is no time of day")
    return minute


def _joined(text: str, words: DayWords) -> str:
    """Without spaces around what joins a first and a last: a dash, or a word for it."""
    parts: Sequence[str] = _DASHES.sub("-", text).split()
    return re.sub(r" ?- ?", "-", " ".join("-" if part in words.to else part for part in parts))


def _folded(text: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))
    return " ".join(plain.split())
