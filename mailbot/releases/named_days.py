"""The dates of an edition as mentions: days, months, years and weekdays, in the words of its language.

A date without its year answers for that day of any year. A weekday answers for itself alone, and so does a date for its weekday.
What lies so and so far from today ("yesterday", "five years ago") is left to the figures in it, and raises no alarm.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from mailbot.releases import dates
from mailbot.releases.dates import DateMention, Grammar, fold
from mailbot.releases.mention import GAP, Kind, Mention

_YEAR_SAID = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[/.-]\d{1,2}[/.-]\d\d")
_NUMERIC = re.compile(r"\d{1,4}[/.-]\d{1,2}")
_DAY_NUMBER = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_NUMBER_BEHIND = re.compile(rf"[{GAP}]+([0-3]?\d)(?![\d.,:/%])")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A language's dates, ready to use; `doubtful`: the numbers of months whose names are other words too."""

    grammar: Grammar
    months: frozenset[str]
    weekdays: frozenset[str]
    doubtful: frozenset[int]


def calendar(section: Mapping[str, Any]) -> Calendar:
    """From a language's dates.yaml."""
    names = [{fold(str(name)) for name in names} for names in section.get("months", ())]
    doubtful = {fold(str(name)) for name in section.get("words_too", ())}
    return Calendar(
        dates.grammar([section]), frozenset[str]().union(*names), frozenset(fold(str(name)) for name in section.get("weekdays", ())),
        frozenset(number for number, month in enumerate(names, 1) if month & doubtful),
    )  # fmt: skip


def find(text: str, known: Calendar, today: date) -> Iterator[tuple[Mention, bool]]:
    """Each date of the text (NFC), and whether its words are used up: the figure in "five years ago" is still to be read."""
    for found in dates.find(text, known.grammar, datetime.combine(today, time(12))):
        words = set(_WORD.findall(fold(found.text)))
        if words & known.months or _NUMERIC.search(found.text):
            for one in _of_a_month(found, known, today):
                yield one, True
        elif _YEAR_SAID.search(found.text):
            yield _needing(found, {f"year {found.start.year}", str(found.start.year)}, {f"year {found.start.year}"}), True
        elif words & known.weekdays and (number := _NUMBER_BEHIND.match(text, found.span[1])):  # "du jeudi 2 au dimanche 5 octobre"
            keys = {f"day {int(number[1])}", f"weekday {found.start.weekday()}"}
            gives = keys | {f"only day {int(number[1])}"}
            yield Mention(Kind.DATE, found.span[0], number.end(), frozenset(gives), frozenset({f"day {int(number[1])}"})), True
        elif words & known.weekdays:
            weekday = f"weekday {found.start.weekday()}"
            yield _needing(found, {weekday, *_day_keys(found.start)}, {weekday}), True
        else:
            keys = _day_keys(found.start) if found.start == found.end else set()
            yield Mention(Kind.DATE, *found.span, frozenset(keys), frozenset()), False


def _of_a_month(found: DateMention, known: Calendar, today: date) -> Iterator[Mention]:
    """A day, the two ends of a span, or a month. The day of the release itself, which most editions begin with, names no weekday."""
    dated = bool(_YEAR_SAID.search(found.text))
    if found.start == found.end or _DAY_NUMBER.search(found.text):
        for day in dict.fromkeys((found.start, found.end)):
            short, gives = f"{day:%m-%d}", _day_keys(day) - ({f"weekday {day.weekday()}"} if day == today else set())
            if dated:
                yield _needing(found, gives | {f"year {day.year}", str(day.year)}, {day.isoformat(), f"any {short}", f"only day {day.day}"})
            else:
                yield _needing(found, gives - {day.isoformat()} | {f"any {short}"}, {short, f"only day {day.day}"})
        return
    month = f"month {found.start.month}"
    if dated:
        year, whole = found.start.year, f"{found.start:%Y-%m}"
        yield _needing(found, {whole, month, f"year {year}", str(year)}, {whole, f"any {month}"})
    else:
        yield _needing(found, {month, f"any {month}"}, set() if found.start.month in known.doubtful else {month})


def _day_keys(day: date) -> set[str]:
    return {day.isoformat(), f"{day:%m-%d}", f"day {day.day}", f"month {day.month}", f"{day:%Y-%m}", f"weekday {day.weekday()}"}


def _needing(found: DateMention, gives: set[str], needs: set[str]) -> Mention:
    end = found.span[1] - found.text.endswith(".")  # of an abbreviation, or of the sentence
    return Mention(Kind.DATE, found.span[0], end, frozenset(gives), frozenset(needs))
