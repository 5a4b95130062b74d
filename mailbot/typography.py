"""How a language is set: dates and times in words, spaces that may not break, lines wrapped for plain-text mail. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from textwrap import TextWrapper
from typing import Any

NO_BREAK_SPACE = "\u00a0"
LINE_WIDTH = 72  # what a long line is broken to: short enough to be quoted before a mail reader breaks it again
LONGEST_LINE = 76  # what is not worth breaking: the same line quoted once or twice (and a line of quoted-printable)

_TAG = re.compile(r"(<!--.*?-->|<[^>]*>)", re.DOTALL)
_UNTOUCHED = ("style", "pre", "code", "blockquote")  # CSS, and words that somebody else wrote
_OPENING = re.compile(r"(?P<indent>[ \t]*)(?P<mark>(?:>[ \t]?)+|[-*•–][ \t]+|\d{1,3}[.)][ \t]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typography:
    """One language's typography.yaml, checked."""

    direction: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    first_day: str
    date: str
    time: str
    hour_digits: int
    moment: str
    breaks: re.Pattern[str] | None  # matches every space that must not break


def typography(raw: Mapping[str, Any]) -> Typography:
    """Check the mapping of a typography.yaml; a ValueError names the key that is wrong."""
    rules = Typography(
        direction=_text(raw, "direction"),
        months=_texts(raw, "months", 12),
        weekdays=_texts(raw, "weekdays", 7),
        first_day=_text(raw, "first_day"),
        date=_pattern(raw, "date", "day", "month", "year"),
        time=_pattern(raw, "time", "hour", "minute"),
        hour_digits=raw.get("hour_digits", 2),
        moment=_pattern(raw, "moment", "weekday", "date", "time", "zone"),
        breaks=_breaks(raw.get("no_break") or {}),
    )
    if rules.direction not in ("ltr", "rtl"):
        raise ValueError("direction: must be ltr or rtl")
    if rules.hour_digits not in (1, 2):
        raise ValueError("hour_digits: must be 1 or 2")
    return rules


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: must be a text")
    return value


def _texts(raw: Mapping[str, Any], key: str, count: int) -> tuple[str, ...]:
    value = raw.get(key)
    if not isinstance(value, list) or len(value) != count or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"{key}: must be a list of {count} words")
    return tuple(value)


def _pattern(raw: Mapping[str, Any], key: str, *fields: str) -> str:
    """A text with {fields}; tried once here, so that it cannot fail in the middle of an answer."""
    pattern = _text(raw, key)
    try:
        pattern.format(**dict.fromkeys(fields, ""))
    except (LookupError, ValueError, AttributeError) as error:
        raise ValueError(f"{key}: may only use {', '.join('{' + field + '}' for field in fields)}") from error
    return pattern


def _breaks(raw: Mapping[str, Any]) -> re.Pattern[str] | None:
    cases = []
    if before := raw.get("before"):
        # Only where the mark ends something: « merci ! » is typography, " :smile:" and " ?q=1" are not.
        cases.append(rf"(?<!\s )(?=[{re.escape(before)}]+(?:[\s).,\]<”’\"]|$))")
    if after := raw.get("after"):
        cases.append(f"(?<=[{re.escape(after)}] )")
    if raw.get("thousands"):
        cases.append(r"(?<=\d )(?=\d{3}(?!\d))")
    if words := raw.get("with_next"):
        behind = (rf"(?<=\b{re.escape(word)} )" for word in words)
        cases.append(rf"(?=\w)(?:{'|'.join(behind)})")
    # The space stands first, and the lookbehinds after it include it: the search then hops from space to space.
    return re.compile(f" (?:{'|'.join(cases)})") if cases else None


def date_in_words(when: date, rules: Typography) -> str:
    """28 octobre 2024, 1er octobre 2024."""
    day = rules.first_day if when.day == 1 else str(when.day)
    return rules.date.format(day=day, month=rules.months[when.month - 1], year=str(when.year))


def moment_in_words(when: datetime, rules: Typography, zone: tzinfo) -> str:
    """lundi 28 octobre 2024 à 9 h 05 (GMT), on the clock of the given zone."""
    local = when.astimezone(zone)
    name = local.tzname() or ""
    return rules.moment.format(
        weekday=rules.weekdays[local.weekday()],
        date=date_in_words(local, rules),
        time=rules.time.format(hour=str(local.hour).zfill(rules.hour_digits), minute=f"{local.minute:02}"),
        zone=f"UTC{name}" if name.startswith(("+", "-")) else name,  # zones without letters call themselves "-03"
    )


def no_break(text: str, rules: Typography) -> str:
    """Turn the spaces that may not break into no-break spaces; quoted lines stay as their writer wrote them."""
    if rules.breaks is None:
        return text
    swap = rules.breaks.sub
    return "\n".join(line if line.startswith(">") else swap(NO_BREAK_SPACE, line) for line in text.split("\n"))


def no_break_html(html: str, rules: Typography) -> str:
    """The same between the tags of an HTML text; style sheets, code and quotations are left alone."""
    if rules.breaks is None:
        return html
    pieces = _TAG.split(html)
    untouched = 0
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            if not untouched:
                pieces[number] = rules.breaks.sub(NO_BREAK_SPACE, piece)
            continue
        name = piece.strip("</>").split(None, 1)[0].lower() if piece.strip("</>") else ""
        if name in _UNTOUCHED:
            untouched = max(0, untouched - 1) if piece.startswith("</") else untouched + 1
    return "".join(pieces)


def wrap(text: str) -> str:
    """Wrap long lines at ordinary spaces only: URLs, addresses and no-break spaces hold; lists and quotes keep their margin."""
    return "\n".join(_wrap_line(line) for line in text.split("\n"))


def _wrap_line(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    opening = _OPENING.match(line)
    indent, mark = (opening["indent"], opening["mark"] or "") if opening else ("", "")
    start = indent + mark
    margin = start if mark.startswith(">") else " " * len(start)
    wrapper = TextWrapper(LINE_WIDTH, initial_indent=start, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(line[len(start) :])
