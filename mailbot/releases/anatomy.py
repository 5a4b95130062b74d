"""The parts of a release among paragraphs: title, dateline, body, end mark, press contact and notes to editors.

The dateline ("Bamako – ...") is the anchor. Of a pasted page the title is the nearest line above it that can be one, and what lies
outside is menu. A Word file or the text of a page is the release and nothing else: what stands in it is kept.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mailbot.languages import Language
from mailbot.releases import dates
from mailbot.releases.markdown import MAX_TITLE, NotARelease, Page, slug_of
from mailbot.releases.paragraph import Paragraph, joined

LEAD = 60  # a first paragraph is longer than this; a menu line is not
LONG = 200  # without a dateline, only a line this long is sure to be a paragraph
SHORTEST_TITLE = 15
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"\+?\d[\d ().\u00a0\u202f-]{6,}\d")
_SENTENCE_END = re.compile(r"[.!?…:»”\"’)]$")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and what was left out so that a person can check."""

    page: Page
    end_mark: bool
    addresses: tuple[str, ...]
    dropped: tuple[str, ...]
    embargo_line: str = ""  # where the text itself says that it is under embargo


@dataclass(frozen=True, slots=True)
class Given:
    """What is known beside the paragraphs, from the fields of a page or from the person who imports."""

    title: str = ""
    day: date | None = None
    language: str = ""
    whole: bool = False  # the paragraphs are the release, without a menu around it


@dataclass(frozen=True, slots=True)
class Dateline:
    """Where and when, as a release begins with it."""

    place: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Marks:
    """The words of every installed language by which a release is recognised, folded."""

    grammar: dates.Grammar
    end_marks: frozenset[str]
    contact_cues: tuple[str, ...]
    separators: tuple[str, ...]
    place_words: frozenset[str]
    dateline_words: frozenset[str]
    caption_cues: tuple[str, ...]
    headings: frozenset[str]
    embargo_words: tuple[str, ...]


NOT_ONE = (
    "This does not look like a press release: there is no dateline (“Bamako – ...”), no end mark (***) and no line with a press contact. "
    "Paste the whole page, or write a file with front matter (title, language, date)."
)


def find(lines: Sequence[Paragraph], languages: Mapping[str, Language], now: datetime, given: Given = Given()) -> Found:
    """The release in these paragraphs. `now` gives the year that a date leaves out; a language that is not given is told by its
    words. Raises NotARelease."""
    marks = marks_of(languages)
    title_at, first, dateline = _start(lines, marks, now, given)
    end = next((at for at in range(first + 1, len(lines)) if _is_end(lines[at], marks) or _is_contact(lines[at], marks)), len(lines))
    styled = given.title or (title_at is not None and lines[title_at].level == 1)
    if dateline is None and end == len(lines) and not styled:
        raise NotARelease(NOT_ONE)
    body, after = lines[first:end], lines[end:]
    end_mark = bool(after) and _is_end(after[0], marks)
    if end == len(lines) and not given.whole:
        body, after = _without_menu(body)
    contact, notes, dropped = _tail(after[end_mark:], marks, given.whole)
    above = lines[: title_at or 0]
    between = lines[title_at + 1 : first] if title_at is not None else lines[:first]
    if given.whole:  # a line below the title is part of it, unless it says no more than where and when
        furniture = [line for line in between if _stands_alone(line, marks, now) or _is_trade(line, marks)]
        body = [line for line in between if line not in furniture] + list(body)
    title = given.title or ("" if title_at is None else _one_line(lines[title_at].plain))
    _check_title(title)
    told = (alone for line in (*above, *between) if (alone := _stands_alone(line, marks, now)))
    alone = next(told, None) if given.whole else None
    day = (dateline and dateline.day) or (alone and alone.day) or given.day or _first_day([*between, *body], marks, now)
    if day is None:
        raise NotARelease("The date is missing: the text names no day. Write it beside the place, as in “Bamako, 28 October 2024 – ...”.")
    page = Page(
        slug=slug_of(title),
        translation_of="",
        language=given.language or detect_language("\n".join(line.plain for line in body), languages),
        title=title,
        body=joined(body),
        notes=joined(notes),
        contact="\n".join(line.plain for line in contact),
        place=(dateline.place if dateline else "") or (alone.place if alone else ""),
        date=day,
    )
    left_out = (*above, *(furniture if given.whole else between), *dropped)
    embargo = next((line.plain for line in (*above, *between, *after) if _is_embargo(line.plain, marks)), "")
    return Found(page, end_mark, addresses_in(page.contact), tuple(line.plain for line in left_out), embargo)


def _check_title(title: str) -> None:
    if not title:
        raise NotARelease("The title is missing: no line above the first paragraph can be one. Put the title on a line of its own.")
    if len(title) > MAX_TITLE:
        raise NotARelease(f"The line above the first paragraph has {len(title)} characters: too long for a title. Put the title there.")


def _start(lines: Sequence[Paragraph], marks: Marks, now: datetime, given: Given) -> tuple[int | None, int, Dateline | None]:
    """Where title and first paragraph stand, and the dateline. A title that is given stands nowhere."""
    if given.title:
        first, dateline = _first_paragraph(lines, marks, now, 0, given)
        return None, first, dateline
    styled = next((at for at, line in enumerate(lines) if line.level == 1 and _can_be_title(line.plain, marks, now)), None)
    first, dateline = _first_paragraph(lines, marks, now, 0 if styled is None else styled + 1, given)
    if styled is not None:
        return styled, first, dateline
    above = [at for at in range(first - 1, -1, -1) if _can_be_title(lines[at].plain, marks, now)]
    marked = [at for at in above if given.whole and (lines[at].level or lines[at].strong)]
    return next(iter(marked or above), None), first, dateline


def _first_paragraph(lines: Sequence[Paragraph], marks: Marks, now: datetime, start: int, given: Given) -> tuple[int, Dateline | None]:
    for at in range(start, len(lines)):
        if len(lines[at].plain) > LEAD and (dateline := read_dateline(lines[at].plain, marks, now)):
            return at, dateline
    if start >= len(lines) and (start or given.title):
        raise NotARelease("The text of the release is missing: it stands below the title.")
    if given.title or (start and given.whole):
        alone = (_stands_alone(line, marks, now) or _is_trade(line, marks) for line in lines[start:])
        return next((start + at for at, furniture in enumerate(alone) if not furniture), start), None
    for at in range(1, len(lines)):
        if len(lines[at].plain) > LONG and _can_be_title(lines[at - 1].plain, marks, now):
            return at, None
    raise NotARelease(NOT_ONE)


def addresses_in(contact: str) -> tuple[str, ...]:
    """The mail addresses of a contact line."""
    return tuple(dict.fromkeys(_ADDRESS.findall(contact)))


def detect_language(text: str, languages: Mapping[str, Language]) -> str:
    """The language whose function words stand most often in the text; the first one where none do."""
    counts = Counter(re.findall(r"[^\W\d_]+", dates.fold(unicodedata.normalize("NFC", text))))

    def hits(code: str) -> int:
        return sum(counts[word] for word in {dates.fold(word) for word in languages[code].words["function_words"]})

    return max(languages, key=hits)


def marks_of(languages: Mapping[str, Language]) -> Marks:
    """Of every language, for an office writes in several."""

    def every(key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_plain(str(entry)) for spoken in languages.values() for entry in spoken.releases.get(key, ())))

    return Marks(
        grammar=dates.grammar([spoken.dates for spoken in languages.values()]),
        end_marks=frozenset(_bare(mark) for mark in every("end_marks")),
        contact_cues=every("contact_cues"),
        separators=every("dateline_separators"),
        place_words=frozenset(every("place_words")),
        dateline_words=frozenset(every("dateline_words")),
        caption_cues=every("caption_cues"),
        headings=frozenset(every("headings")),
        embargo_words=every("embargo_words"),
    )


def read_dateline(line: str, marks: Marks, now: datetime) -> Dateline | None:
    """The place, and the day where it stands there, of a paragraph that begins with a dateline."""
    head = line[:120]
    cut = min((found.start() for separator in marks.separators for found in [_separator(separator).search(head)] if found), default=-1)
    if cut <= 0:
        return None
    before = unicodedata.normalize("NFC", head[:cut])
    mention = next(iter(dates.find(before, marks.grammar, now)), None)
    if mention:
        before = before[: mention.span[0]] + " " + before[mention.span[1] :]
    place = re.sub(r"\([^)]*\)?|[,;]\s*$", " ", re.sub(r"[,\s(]+$", "", before)).replace(")", " ")
    found = _place_and_day(place, mention.start if mention else None, marks)
    return found if found and len(found.place) >= 2 else None


def _separator(separator: str) -> re.Pattern[str]:
    """A dash; the plain hyphen only with a space at a side, for it also joins words."""
    mark = re.escape(separator)
    return re.compile(rf"(?<=\s){mark}|{mark}(?=\s)" if separator == "-" else mark)


def _place_word(word: str, marks: Marks) -> bool:
    bare = word.strip(",/")
    if not bare:
        return word == "/"
    inner = re.split(r"['’]", bare)[-1] or bare
    return (bare[0].isupper() or inner[0].isupper() or _plain(bare) in marks.place_words) and not re.search(r"[\d.!?:;«»“”\"]", bare)


def _can_be_title(line: str, marks: Marks, now: datetime) -> bool:
    """Not a menu item, a caption, a heading of the trade, a date or an address."""
    plain = _plain(line)
    if len(line) < SHORTEST_TITLE or plain.strip(" :-") in marks.headings or plain.startswith(("http:", "https:", "www.")):
        return False
    if _begins(plain, marks.caption_cues) or _is_embargo(line, marks) or "©" in line:
        return False
    rest = line
    for mention in dates.find(line, marks.grammar, now):
        rest = rest.replace(mention.text, "")
    return len(re.findall(r"[^\W\d_]{3,}", rest)) >= 2


def is_caption(line: str, marks: Marks) -> bool:
    """Who took a photo, or what it shows: of no use without it."""
    return len(line) <= LEAD and _begins(_plain(line), marks.caption_cues)


def _is_embargo(line: str, marks: Marks) -> bool:
    """From when it may be published; a title on an embargo between states has other words and no hour."""
    return _begins(_plain(line), marks.embargo_words) and (len(line) <= 25 or re.search(r"\d", line) is not None)


def _begins(plain: str, cues: Iterable[str]) -> bool:
    return any(plain.startswith(cue) and not re.match(r"\w", plain[len(cue) :]) for cue in cues)


def _is_end(line: Paragraph, marks: Marks) -> bool:
    return len(line.plain) <= 20 and _bare(_plain(line.plain)) in marks.end_marks


def _is_contact(line: Paragraph, marks: Marks) -> bool:
    return _begins(_plain(line.plain), marks.contact_cues)


def _is_trade(line: Paragraph, marks: Marks) -> bool:
    """“Communiqué de presse”, “Sous embargo”, a rule of dashes: nothing of the release itself."""
    plain = _plain(line.plain)
    return plain.strip(" :-") in marks.headings or _is_embargo(line.plain, marks) or not any(map(str.isalnum, plain))


def _stands_alone(line: Paragraph, marks: Marks, now: datetime) -> Dateline | None:
    """A line that says where and when and nothing else: “Bamako, le 28 octobre 2024”."""
    mention = next(iter(dates.find(line.plain, marks.grammar, now)), None) if len(line.plain) <= LEAD else None
    if mention is None or mention.start != mention.end:
        return None
    text = unicodedata.normalize("NFC", line.plain)
    return _place_and_day(text[: mention.span[0]] + " " + text[mention.span[1] :], mention.start, marks)


def _place_and_day(words_of: str, day: date | None, marks: Marks) -> Dateline | None:
    words = words_of.split()
    while words and _plain(words[-1]).strip(",") in marks.dateline_words:
        words.pop()
    place = " ".join(words).strip(" ,.")
    if not place:
        return Dateline("", day)
    fits = len(place) <= 60 and place[0].isupper() and len(words) <= 8
    return Dateline(place, day) if fits and all(_place_word(word, marks) for word in words) else None


def _tail(lines: Sequence[Paragraph], marks: Marks, whole: bool) -> tuple[list[Paragraph], list[Paragraph], list[Paragraph]]:
    """What follows the body: contact lines, notes to editors, and the page's own menus."""
    contact: list[Paragraph] = []
    notes: list[Paragraph] = []
    dropped: list[Paragraph] = []
    for line in lines:
        reached = len(line.plain) <= LONG and (_ADDRESS.search(line.plain) or _PHONE.search(line.plain))
        name_below = whole and contact and not notes and len(line.plain) <= LEAD
        if _is_contact(line, marks) or reached or name_below:
            contact.append(line)
        elif not _is_end(line, marks):
            long = len(line.plain) > LEAD and _SENTENCE_END.search(line.plain)
            (notes if whole or long else dropped).append(line)
    return contact, notes, dropped


def _without_menu(body: Sequence[Paragraph]) -> tuple[Sequence[Paragraph], Sequence[Paragraph]]:
    """Without an end mark the page's menus follow the last sentence."""
    end = len(body)
    while end > 1 and not (_SENTENCE_END.search(body[end - 1].plain) and len(body[end - 1].plain) > LEAD):
        end -= 1
    return body[:end], body[end:]


def _first_day(lines: Iterable[Paragraph], marks: Marks, now: datetime) -> date | None:
    """The first single day that the text names."""
    mentions = (mention for line in lines for mention in dates.find(line.plain, marks.grammar, now))
    return next((mention.start for mention in mentions if mention.start == mention.end), None)


def _plain(text: str) -> str:
    return " ".join(dates.fold(unicodedata.normalize("NFC", text)).split())


def _bare(mark: str) -> str:
    """An end mark without the spaces and dashes that it may wear."""
    return mark.replace(" ", "").strip("-–—") or mark


def _one_line(text: str) -> str:
    return " ".join(text.split(" "))
