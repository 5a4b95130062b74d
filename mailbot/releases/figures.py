"""Figures and times of day as a language writes them: "14 223", "1,5 million", "deux cents", "12 %", "22 heures", "5.30 p.m."

Every word comes from the language's own folder: `figures` in releases.yaml, the words of the hour in dates.yaml. A figure is known by
its value, so that "mille" is 1,000; a time by the clock of 24 hours. What could be either is both.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from mailbot.releases.dates import fold
from mailbot.releases.mention import GAP, Kind, Mention, free, mention

_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(rf"[{GAP}]+|[-\u2011]|[{GAP}]*\n[{GAP}]*")
_NEXT = re.compile(rf"[{GAP}]*(?:[^\W\d_]{{1,3}}|[-–])[{GAP}]*")
_UNIT = re.compile(rf"[{GAP}]?([^\W\d_]+)")
_PLAIN = re.compile(r"[\d.]+%?")
_YEARS = range(1900, 2100)


@dataclass(frozen=True, slots=True)
class Numerals:
    """How one language writes figures and times, ready to use."""

    digits: re.Pattern[str]
    percent: re.Pattern[str]
    units: Mapping[tuple[str, ...], int]
    scales: Mapping[str, int]
    never_alone: frozenset[str]
    short: Mapping[str, int]
    doubtful: frozenset[str]
    half: re.Pattern[str]
    joins: frozenset[str]
    ordinals: frozenset[str]
    spelled: re.Pattern[str]  # words of figures in a row: what they stand for is read only where some are
    time: re.Pattern[str]
    afternoon: re.Pattern[str]
    noon: re.Pattern[str]


def numerals(figures: Mapping[str, Any], dates: Mapping[str, Any]) -> Numerals:
    """From the language's `figures` and its dates.yaml; where it has no words, digits are read all the same."""
    group = "".join(GAP if mark == " " else re.escape(str(mark)) for mark in figures.get("group", [" "]))
    hour = dates.get("deadline", {})
    halves = {"afternoon": hour.get("afternoon", ()), "morning": hour.get("morning", ())}
    clock = _any([*halves["afternoon"], *halves["morning"]])
    units = {tuple(_WORD.findall(_plain(word))): value for word, value in figures.get("units", {}).items()}
    scales = {_plain(word): value for word, value in figures.get("scales", {}).items()}
    joins = frozenset(map(_plain, figures.get("joins", ())))
    spoken = _any({word for words in units for word in words} | scales.keys())
    return Numerals(
        digits=re.compile(
            rf"(?<!\w)(?<![^\W\d_][-\u2011])(?:\d{{1,3}}(?P<sep>[{group}])\d{{3}}(?:(?P=sep)\d{{3}})*(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
        ),
        percent=re.compile(rf"[{GAP}]*{_any(figures.get('percent', ['%']))}(?!\w)"),
        units=units,
        scales=scales,
        never_alone=frozenset(map(_plain, figures.get("never_alone", ()))),
        short={str(word): value for word, value in figures.get("short", {}).items()},
        doubtful=frozenset(map(_plain, figures.get("doubtful", ()))),
        half=re.compile(rf"(?:[{GAP}]+\w+)?[{GAP}]+{_any(figures.get('half', ()))}(?!\w)"),
        joins=joins,
        ordinals=frozenset(map(_plain, dates.get("day_suffixes", ()))),
        spelled=re.compile(rf"(?<![\w])(?<!\d[{GAP}]){spoken}(?!\w)(?:[-\u2011\s]+(?:{spoken}|{_any(joins)})(?!\w))*"),
        time=re.compile(
            rf"(?<![\w.,])(?P<hour>\d{{1,2}})(?:(?:[:.](?P<minute>[0-5]\d))?[{GAP}]*(?P<half>{clock})(?!\w)"
            rf"|:(?P<minute2>[0-5]\d)(?![\d:])|[{GAP}]*{_any(hour.get('hour', ()))}(?:[{GAP}]*(?P<minute3>[0-5]\d)(?!\d)|(?!\w)))"
        ),
        afternoon=re.compile(_any(halves["afternoon"])),
        noon=re.compile(rf"\b{_any(word for word, at in hour.get('parts', {}).items() if at in ('12:00', '23:59'))}\b"),
    )


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure before it is held against its neighbours; `scale` and `percent` are what its unit made of it."""

    span: tuple[int, int]
    value: Decimal
    scale: int = 1
    percent: bool = False
    also: frozenset[str] = frozenset()
    certain: bool = True


def find(text: str, known: Numerals, taken: Sequence[tuple[int, int]] = ()) -> Iterator[Mention]:
    """Every time and figure of the text (NFC) outside what is taken."""
    folded, mine = fold(text), list(taken)
    for one in _times(folded, known):
        if free(mine, (one.start, one.end)):
            mine.append((one.start, one.end))
            yield one
    figures: list[_Figure] = []
    for figure in (*_in_digits(text, folded, known), *_in_words(folded, known)):
        if free(mine, figure.span):
            mine.append(figure.span)
            figures.append(figure)
    figures.sort(key=lambda figure: figure.span)
    for figure, behind in zip_longest(figures, figures[1:]):
        keys = {f"{_written(figure.value)}%"} if figure.percent else _keys(figure.value)
        if behind and figure.scale == 1 and not figure.percent and _NEXT.fullmatch(text[figure.span[1] : behind.span[0]]):
            keys |= {f"{_written(figure.value)}%"} if behind.percent else {_written(figure.value * behind.scale)}  # "61.5 to 78 per cent"
        yield mention(Kind.FIGURE, figure.span, keys | figure.also, certain=figure.certain)


def in_words(text: str, known: Numerals) -> Iterator[tuple[int, str]]:
    """The whole figures that the text (NFC) spells out, with their words in small letters: `twenty-four`, `cinq mille deux cents`; not the
    thousand of `mille mercis`."""
    for run in known.spelled.finditer(text.lower()):
        folded = fold(run[0])
        for figure in _in_words(folded, known):
            if figure.value == int(figure.value) and folded[slice(*figure.span)] not in known.scales:
                yield int(figure.value), run[0][slice(*figure.span)]


def _times(folded: str, known: Numerals) -> Iterator[Mention]:
    for found in known.time.finditer(folded):
        hour, minute = int(found["hour"]), int(found["minute"] or found["minute2"] or found["minute3"] or 0)
        if hour > 24 or (found["half"] and not 1 <= hour <= 12):
            continue
        keys = set()
        if found["half"]:
            hour = hour % 12 + (12 if known.afternoon.fullmatch(found["half"]) else 0)
        elif not minute:
            keys = {str(hour)}  # "22 heures" may be how long it lasts
        yield mention(Kind.FIGURE, found.span(), keys | {f"{hour % 24}:{minute:02}"})
    for found in known.noon.finditer(folded):
        yield mention(Kind.FIGURE, found.span(), {"12:00", "0:00"}, certain=False)


def _in_digits(text: str, folded: str, known: Numerals) -> Iterator[_Figure]:
    for found in known.digits.finditer(text):
        value, end = _value(found[0], found["sep"]), found.end()
        letters = _UNIT.match(text, end)
        if letters and letters.start(1) == end and _plain(letters[1]) in known.ordinals:
            yield _Figure((found.start(), letters.end()), value, certain=False)
            continue
        value, scale, end = _scaled(folded, end, value, known)
        if percent := known.percent.match(folded, end):
            yield _Figure((found.start(), percent.end()), value, scale, percent=True)
        elif letters and scale == 1 and letters[1] in known.short:  # millions, or metres: it may be either
            also = frozenset({_written(value * known.short[letters[1]])})
            yield _Figure((found.start(), letters.end()), value, also=also)
        else:
            yield _Figure((found.start(), end), value, scale)


def _value(digits: str, sep: str | None) -> Decimal:
    """A mark before three digits groups them where the language groups so; any other is the decimal mark."""
    whole = digits.replace(sep, "") if sep else digits
    return Decimal(whole.replace(",", "."))


def _scaled(folded: str, end: int, value: Decimal, known: Numerals) -> tuple[Decimal, int, int]:
    """After a figure: "million", "et demi". The value, by how much it was multiplied, and where it ends."""
    scale = 1
    while (gap := _BETWEEN.match(folded, end)) and (word := _WORD.match(folded, gap.end())) and known.scales.get(word[0], 0) >= 1000:
        scale *= known.scales[word[0]]
        end = word.end()
    half = known.half.match(folded, end)
    return value * scale + (Decimal(scale) / 2 if half else 0), scale, half.end() if half else end


def _in_words(folded: str, known: Numerals) -> Iterator[_Figure]:
    words, at = list(_WORD.finditer(folded)), 0
    while at < len(words):
        read = _spelled(folded, words, at, known)
        if read is None:
            at += 1
            continue
        value, behind = read
        start, end = words[at].start(), words[behind - 1].end()
        doubtful = behind == at + 1 and words[at][0] in known.doubtful
        scale = known.scales.get(words[behind - 1][0], 1)
        if half := known.half.match(folded, end):  # "deux millions et demi"; "two and a half million"
            value, more, end = _scaled(folded, half.end(), value + Decimal(scale) / 2, known)
            scale, doubtful = scale * more, False
        percent = known.percent.match(folded, end)
        end = percent.end() if percent else end
        at = next((number for number in range(behind, len(words)) if words[number].start() >= end), len(words))
        yield _Figure((start, end), value, scale, percent is not None, certain=not doubtful)


def _spelled(folded: str, words: Sequence[re.Match[str]], at: int, known: Numerals) -> tuple[Decimal, int] | None:
    """The figure whose first word is this one, and the number of the word behind it."""
    total, current, last, read = 0, 0, 0, at  # `last`: what was added last, 0 after a scale
    while read < len(words) and (read == at or _touch(folded, words[read - 1], words[read])):
        step = read
        if words[step][0] in known.joins and at < step < len(words) - 1 and _touch(folded, words[step], words[step + 1]):
            step += 1
        word = words[step][0]
        if word in known.scales and step == read and (read > at or word not in known.never_alone):
            scale = known.scales[word]
            if scale == 100:
                current = (current or 1) * 100
            else:
                total, current = total + (current or 1) * scale, 0
            last, read = 0, step + 1
            continue
        unit = _unit(words, step, known)
        if unit is None or not _follows(last, current, total, unit[0], joined=step > read):
            break
        current, last, read = current + unit[0], unit[0], step + unit[1]
    return (Decimal(total + current), read) if read > at else None


def _follows(last: int, current: int, total: int, unit: int, *, joined: bool) -> bool:
    """Whether a number word goes on with the figure before it: sixty-five, soixante et onze, cent deux; not two five."""
    if not current and not total:
        return not joined
    if not last:  # behind a scale
        return unit < 100
    return (last >= 20 and last % 10 == 0 and unit < 20) or (last == 10 and unit < 10 and not joined)


def _unit(words: Sequence[re.Match[str]], at: int, known: Numerals) -> tuple[int, int] | None:
    """The value of the number word that begins here, and of how many words it is; the longest there is."""
    for length in range(min(3, len(words) - at), 0, -1):
        value = known.units.get(tuple(word[0] for word in words[at : at + length]))
        if value is not None:
            return value, length
    return None


def _touch(folded: str, one: re.Match[str], other: re.Match[str]) -> bool:
    return bool(_BETWEEN.fullmatch(folded, one.end(), other.start()))


def of_one_size(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two figures that differ may be the same one with a slip in it: as many digits, or the same ones. What is no figure may be."""
    mine, theirs = ([key.rstrip("%") for key in keys if _PLAIN.fullmatch(key)] for keys in (one, other))
    pairs = [(Decimal(a), Decimal(b)) for a in mine for b in theirs]
    same = any(a.strip("0.").replace(".", "") == b.strip("0.").replace(".", "") for a in mine for b in theirs)
    return not pairs or same or any(abs(a.adjusted() - b.adjusted()) <= 1 for a, b in pairs)


def _keys(value: Decimal) -> set[str]:
    """A number that may be a year answers for that year as well."""
    written = _written(value)
    return {written, f"year {written}"} if value in _YEARS else {written}


def _written(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _any(phrases: Any) -> str:
    """An alternation of phrases, the longest first, over folded text; nothing at all where there are none."""
    folded = sorted({_plain(phrase) for phrase in phrases}, key=len, reverse=True)
    return "(?:" + "|".join(re.escape(one).replace(r"\ ", f"[{GAP}]+") for one in folded) + ")" if folded else "(?!)"


def _plain(word: Any) -> str:
    return fold(unicodedata.normalize("NFC", str(word)))
