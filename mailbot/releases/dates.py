"""Dates in words: "du 28 octobre", "last week", "il y a deux jours" -> the days that are meant.

A small grammar of our own, whose every word comes from the dates.yaml of the language folders. It would rather miss a
date than see one: "je" is no jeudi, "may" no month and "24/7" no day in July. People write to a press office about what
has been: a date without its year is the latest one that makes sense, and a bare weekday is the last one there was.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

SOON = timedelta(days=60)  # a day without its year may lie this far ahead; further, and last year's is meant
_YEAR = r"(?P<year>(?:19|20)\d\d)(?!\d)"
_DAY = r"(?<![\d.,:/'-])(?P<day>[0-3]?\d)"
_GAP = r"(?:[ \t\u00a0\u202f]{1,3}(?:\n[ \t]{0,8})?|\n[ \t]{0,8})"


@dataclass(frozen=True, slots=True)
class DateMention:
    """The days from `start` to `end` (the same for one day), the words, and where in the NFC text they stand."""

    start: date
    end: date
    text: str
    span: tuple[int, int]
    yearless: bool = False  # "28 October": the nearest one is taken, and any other may be meant
    has_year: bool = False  # in so many words: "last week" has not


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the dates.yaml of some languages say, ready to use."""

    patterns: tuple["_Form", ...]
    needs: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to write a kind of date; a text without what it `needs` (a month's name, a digit) has none and is not searched further."""

    kind: str
    needs: re.Pattern[str]
    pattern: re.Pattern[str]
    lexicon: Mapping[str, Any]


def grammar(sections: Iterable[Mapping[str, Any]]) -> Grammar:
    """Prepare the dates.yaml sections of the languages that may occur."""
    found = [form for section in sections for form in _patterns(section)]
    order = ["span", "day-month", "month-day", "iso", "numeric", "month-year", "ago", "relative", "period", "month", "weekday", "year"]
    needs = {id(form.needs): form.needs for form in found}
    return Grammar(tuple(sorted(found, key=lambda form: order.index(form.kind))), tuple(needs.values()))


def find(text: str, sections: Grammar | Sequence[Mapping[str, Any]], now: datetime) -> tuple[DateMention, ...]:
    """Every date that the text names, in its order. `now` is the writer's day (pass the office's time zone)."""
    prepared = sections if isinstance(sections, Grammar) else grammar(sections)
    text = unicodedata.normalize("NFC", text)
    folded = fold(text)
    taken: list[tuple[int, int]] = []
    mentions: list[DateMention] = []
    present = {id(needed) for needed in prepared.needs if needed.search(folded)}
    for form in prepared.patterns if present else ():
        for match in form.pattern.finditer(folded) if id(form.needs) in present else ():
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            try:
                days = _READERS[form.kind](match, form.lexicon, now.date())
            except (ValueError, OverflowError):  # 31 February, or a year past the calendar: no date, and no month either
                continue
            has_year = bool(_YEAR_SAID.search(text[start:end]))
            yearless = form.kind in _MAY_LACK_A_YEAR and not has_year
            mentions.append(DateMention(*days, text[start:end], (start, end), yearless, has_year))
    return tuple(sorted(mentions, key=lambda mention: mention.span))


def fold(text: str) -> str:
    """Small letters without accents, one for one, so that places in the folded text are places in the text (which is NFC)."""
    return "".join(map(_fold_letter, text))


@lru_cache(maxsize=4096)
def _fold_letter(letter: str) -> str:
    if letter in "’‘ʼ":
        return "'"
    base = unicodedata.normalize("NFD", letter.lower())[:1]
    return base or letter


def _words(entries: Iterable[Any]) -> str:
    """An alternation of phrases, longest first; a space in a phrase is any gap. Nothing at all where there are none."""
    folded = sorted({fold(unicodedata.normalize("NFC", str(entry))) for entry in entries}, key=lambda entry: (-len(entry), entry))
    return "(?:" + "|".join(re.escape(entry).replace(r"\ ", _GAP) for entry in folded) + ")" if folded else r"(?!)"


def _before(entries: Iterable[Any]) -> str:
    """The phrases as a beginning, with the gap behind them; an apostrophe needs none."""
    return rf"\b{_words(entries)}(?:(?<=')|{_GAP}|-)"


def _lexicon(section: Mapping[str, Any]) -> dict[str, Any]:
    months = {fold(str(name)): number for number, names in enumerate(section.get("months", ()), 1) for name in names}
    return {
        "months": months,
        "weekdays": {fold(str(name)): number for number, name in enumerate(section.get("weekdays", ()))},
        "days": {fold(str(name)): number for name, number in section.get("day_words", {}).items()},
        "relative": {fold(str(name)): number for name, number in section.get("relative", {}).items()},
        "units": {fold(str(name)): unit for unit, names in section.get("units", {}).items() for name in names},
        "counts": {fold(str(name)): number for name, number in section.get("counts", {}).items()},
        "day first": str(section.get("numeric", "day month")).startswith("day"),
    }


def _patterns(section: Mapping[str, Any]) -> Iterator[_Form]:
    """Each kind of date of one language as a pattern over folded text."""

    def of(*keys: str) -> list[Any]:
        return [entry for key in keys for entry in section.get(key, ())]

    lexicon = _lexicon(section)
    month = rf"(?P<month>{_words(lexicon['months'])})\b\.?"
    suffix = rf"(?:{_words(of('day_suffixes'))})?(?![\w])"
    day = rf"(?:{_DAY}{suffix}|\b(?P<dayword>{_words(lexicon['days'])}))"
    weekday = rf"(?:\b{_words(of('weekdays'))},?{_GAP}(?:{_before(of('day_cues'))})?)?"
    join = rf"{_GAP}(?:{_words(of('between'))}{_GAP})?"
    last = rf"(?P<last>{_words(of('last'))})"
    following = rf"(?P<next>{_words(of('next'))})"
    modified = rf"(?:{_GAP}(?:{last}|{following})\b)"
    ahead = rf"(?:\b(?:(?P<last2>{_words(of('last_before'))})|(?P<next2>{_words(of('next_before'))})){_GAP})"
    year = rf"(?:,?{_GAP}{_YEAR})?"
    until = rf"(?:{_GAP}{_words(of('to'))}{_GAP}|{_GAP}?[-–]{_GAP}?)"
    day_first, month_first = "day month" in of("orders"), "month day" in of("orders")
    kinds: dict[str, list[str]] = {
        "span": [rf"{_DAY}{suffix}{until}(?P<day2>[0-3]?\d){suffix}{join}{month}{year}"],
        "day-month": [rf"{weekday}{day}{join}{month}{year}"] if day_first else [],
        "month-day": [rf"{weekday}\b{month}{_GAP}(?P<day>[0-3]?\d){suffix}(?![.,/:]\d){year}"] if month_first else [],
        "iso": [r"(?<![\d./-])(?P<year>(?:19|20)\d\d)-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?![\d/]|[.-]\d)"],
        "numeric": [
            r"(?<![\w./-])(?P<a>[0-3]?\d)(?P<sep>[/.-])(?P<b>[0-3]?\d)(?P=sep)(?P<year>(?:20)?\d\d)(?![\w/-]|\.\d)",
            r"(?<![\w./-])(?P<a>[0-3]\d)/(?P<b>[0-3]\d)(?![\w/-]|\.\d)",
            rf"(?<=\b){_before(of('day_cues'))}(?P<a>[0-3]?\d)/(?P<b>[0-3]?\d)(?![\w/-]|\.\d)",
        ],
        "month-year": [rf"(?:{_before(of('before_month'))})?\b{month}{_GAP}(?:{_words(of('between'))}{_GAP})?{_YEAR}"],
        "ago": [_ago(str(phrase), lexicon) for phrase in of("ago")],
        "relative": [rf"(?<![\w-])(?P<phrase>{_words(lexicon['relative'])})(?![\w'])"],
        "period": _periods(section, lexicon, modified, ahead),
        "month": _bare_months(section, modified, ahead),
        "weekday": [rf"(?:{ahead})?\b(?P<weekday>{_words(of('weekdays'))})\b(?:{modified})?"],
        "year": [rf"{_before(of('year_cues'))}{_YEAR}(?![-/.,]\d)"],
    }
    a_month, units = (re.compile(rf"\b{_words(those)}") for those in (lexicon["months"], [*lexicon["units"], *of("weekend")]))
    needs = dict.fromkeys(("span", "day-month", "month-day", "month-year", "month"), a_month) | {"period": units, "ago": units}
    needs |= {"relative": re.compile(rf"\b{_words(lexicon['relative'])}"), "weekday": re.compile(rf"\b{_words(of('weekdays'))}")}
    needs |= {"iso": re.compile(r"\d-\d"), "numeric": re.compile(r"\d[/.-]\d"), "year": re.compile(_YEAR)}
    for kind, sources in kinds.items():
        for source in sources:
            yield _Form(kind, needs[kind], re.compile(source), lexicon)


def _ago(phrase: str, lexicon: Mapping[str, Any]) -> str:
    count = rf"(?P<count>\d{{1,3}}|{_words(lexicon['counts'])})"
    unit = rf"(?P<unit>{_words(lexicon['units'])})"
    source = re.escape(fold(phrase)).replace(r"\ ", _GAP).replace(re.escape("{count}"), count).replace(re.escape("{unit}"), unit)
    return rf"\b{source}\b"


def _periods(section: Mapping[str, Any], lexicon: Mapping[str, Any], modified: str, ahead: str) -> list[str]:
    """This, last and next week, month, year or week-end."""
    unit = rf"(?P<unit>{_words(lexicon['units'])}|(?P<weekend>{_words(section.get('weekend', ()))}))\b"
    this = rf"(?<![\w'-]){_words(section.get('this', ()))}{_GAP}{unit}(?!-(?!ci))(?:-ci\b)?"
    return [this, rf"{ahead}{unit}", rf"(?:{_before(section.get('article', ()))})?\b{unit}{modified}"]


def _bare_months(section: Mapping[str, Any], modified: str, ahead: str) -> list[str]:
    """A month alone: by its full name, and with a witness where that name is also another word."""
    names = [names[0] for names in section.get("months", ()) if names]
    doubtful = {fold(str(name)) for name in section.get("words_too", ())}
    certain = rf"(?P<month>{_words(name for name in names if fold(str(name)) not in doubtful)})\b"
    doubted = rf"(?P<month>{_words(doubtful)})\b"
    before = rf"(?:{_before(section.get('before_month', ()))})?"
    return [
        rf"{ahead}{certain}",
        rf"{ahead}{doubted}",
        rf"{before}\b{certain}(?:{modified})?",
        rf"\b{doubted}{modified}",
        rf"{_before(section.get('month_cues', ()))}{doubted}",
        rf"\b{doubted}(?={_GAP}{_words(section.get('month_nouns', ()))}\b)",
    ]


Days = tuple[date, date]


def _group(match: re.Match[str], *names: str) -> str:
    known = match.groupdict()
    return next((known[name] for name in names if known.get(name)), "")


def _one(day: date) -> Days:
    return day, day


def _without_year(month: int, day: int, today: date) -> date:
    """The latest such day that is not far ahead. 29 February: of the last year that had one."""
    for year in range(today.year + 1, today.year - 9, -1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate - today <= SOON:
            return candidate
    raise ValueError("no such day")


def _named_day(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    day = int(_group(match, "day") or lexicon["days"][_group(match, "dayword")])
    month = lexicon["months"][_group(match, "month")]
    year = _group(match, "year")
    return _one(date(int(year), month, day) if year else _without_year(month, day, today))


def _span(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    last = _named_day_of(int(_group(match, "day2")), match, lexicon, today)
    first = last.replace(day=int(_group(match, "day")))
    if first >= last:
        raise ValueError("the wrong way round")
    return first, last


def _named_day_of(day: int, match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> date:
    month = lexicon["months"][_group(match, "month")]
    year = _group(match, "year")
    return date(int(year), month, day) if year else _without_year(month, day, today)


def _iso(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    return _one(date(int(match["year"]), int(match["month"]), int(match["day"])))


def _numeric(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    day, month = int(match["a"]), int(match["b"])
    if month > 12 or (not lexicon["day first"] and day <= 12):
        day, month = month, day
    year = _group(match, "year")
    if not year:
        return _one(_without_year(month, day, today))
    return _one(date(int(year) + (2000 if len(year) == 2 else 0), month, day))


def _month_year(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    return _month(int(match["year"]), lexicon["months"][match["month"]])


def _bare_month(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    month = lexicon["months"][match["month"]]
    if _group(match, "next", "next2"):
        return _month(today.year + (month <= today.month), month)
    past = month < today.month or (month == today.month and not _group(match, "last", "last2"))
    return _month(today.year - (not past), month)


def _ago_days(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    count = int(lexicon["counts"].get(match["count"], 0) or match["count"])
    return _period(lexicon["units"][match["unit"]], -count, today)


def _relative(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    phrase = re.sub(r"\s+", " ", match["phrase"])
    return _one(today + timedelta(days=lexicon["relative"][phrase]))


def _named_period(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    step = -1 if _group(match, "last", "last2") else 1 if _group(match, "next", "next2") else 0
    if _group(match, "weekend"):
        monday, sunday = _period("week", step, today)
        return monday + timedelta(days=5), sunday
    return _period(lexicon["units"][match["unit"]], step, today)


def _weekday(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    behind = (today.weekday() - int(lexicon["weekdays"][match["weekday"]])) % 7
    if _group(match, "next", "next2"):
        return _one(today + timedelta(days=7 - behind))
    return _one(today - timedelta(days=behind or (7 if _group(match, "last", "last2") else 0)))


def _year(match: re.Match[str], lexicon: Mapping[str, Any], today: date) -> Days:
    return _period("year", int(match["year"]) - today.year, today)


def _month(year: int, month: int) -> Days:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), following - timedelta(days=1)


def _period(unit: str, step: int, today: date) -> Days:
    """The whole day, week, month or year that lies `step` of them from today's."""
    match unit:
        case "day":
            return _one(today + timedelta(days=step))
        case "week":
            monday = today + timedelta(weeks=step, days=-today.weekday())
            return monday, monday + timedelta(days=6)
        case "month":
            months = today.year * 12 + today.month - 1 + step
            return _month(months // 12, months % 12 + 1)
        case _:
            return date(today.year + step, 1, 1), date(today.year + step, 12, 31)


_MAY_LACK_A_YEAR = frozenset({"day-month", "month-day", "month", "numeric"})
_YEAR_SAID = re.compile(r"\d{4}|\d{1,2}[/.]\d{1,2}[/.]\d")
_READERS = {
    "span": _span,
    "day-month": _named_day,
    "month-day": _named_day,
    "iso": _iso,
    "numeric": _numeric,
    "month-year": _month_year,
    "ago": _ago_days,
    "relative": _relative,
    "period": _named_period,
    "month": _bare_month,
    "weekday": _weekday,
    "year": _year,
}
