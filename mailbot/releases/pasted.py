"""The text of a press-release page, copied whole with its menus -> the release in it.

The dateline ("Bamako – ...") is the anchor: the title is the nearest line above it that can be one, the body runs to the
end mark or to the line with the press contact, and what lies outside is menu. Without a dateline an end mark or a
contact line has to show that this is a release at all; a text with none of them is refused.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mailbot.languages import Language
from mailbot.releases import body as markdown_body
from mailbot.releases import dates
from mailbot.releases.markdown import MAX_TITLE, NotARelease, Page, slug_of

LEAD = 60  # a first paragraph is longer than this; a menu line is not
LONG = 200  # without a dateline, only a line this long is sure to be a paragraph
SHORTEST_TITLE = 15
WRAPPED = range(50, 101)  # the length of lines that a mail program or a terminal has broken
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"\+?\d[\d ().\u00a0\u202f-]{6,}\d")
_BULLET = re.compile(r"^(?:[-–*•▪◦·]|\u2022)\s+(?=\S)")
_SENTENCE_END = re.compile(r"[.!?…:»”\"’)]$")


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was found, and what was left out so that a person can check."""

    page: Page
    end_mark: bool
    addresses: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Dateline:
    place: str
    day: date | None


@dataclass(frozen=True, slots=True)
class _Marks:
    """The words of every installed language by which a release is recognised, folded."""

    grammar: dates.Grammar
    end_marks: frozenset[str]
    contact_cues: tuple[str, ...]
    separators: tuple[str, ...]
    place_words: frozenset[str]
    dateline_words: frozenset[str]
    caption_cues: tuple[str, ...]
    headings: frozenset[str]


def parse(text: str, languages: Mapping[str, Language], now: datetime, language: str = "") -> Pasted:
    """Read a pasted text. `now` gives the year that a date leaves out; without `language` it is told by its words. Raises NotARelease."""
    marks = _marks(languages)
    lines = _lines(text)
    first, dateline = _first_paragraph(lines, marks, now)
    title_at = _title_above(lines, first, marks, now)
    end = next((at for at in range(first + 1, len(lines)) if _is_end(lines[at], marks) or _is_contact(lines[at], marks)), len(lines))
    if dateline is None and end == len(lines):
        raise NotARelease(_NOT_ONE)
    body, after = lines[first:end], lines[end:]
    end_mark = bool(after) and _is_end(after[0], marks)
    if end == len(lines):
        body, after = _without_menu(body)
    elif end_mark:
        after = after[1:]
    contact, notes, dropped = _tail(after, marks)
    if title_at is None:
        raise NotARelease("The title is missing: no line above the first paragraph can be one. Put the title on a line of its own.")
    title = _one_line(lines[title_at])
    if len(title) > MAX_TITLE:
        raise NotARelease(f"The line above the first paragraph has {len(title)} characters: too long for a title. Put the title there.")
    day = (dateline.day if dateline else None) or _first_day([*lines[title_at + 1 : first], *body], marks, now)
    if day is None:
        raise NotARelease("The date is missing: the text names no day. Write it beside the place, as in “Bamako, 28 October 2024 – ...”.")
    page = Page(
        slug=slug_of(title),
        translation_of="",
        language=language or detect_language("\n".join(body), languages),
        title=title,
        body="\n\n".join(_as_markdown(body)),
        notes="\n\n".join(_as_markdown(notes)),
        contact="\n".join(contact),
        place=dateline.place if dateline else "",
        date=day,
    )
    return Pasted(page, end_mark, addresses_in(page.contact), (*lines[:title_at], *lines[title_at + 1 : first], *dropped))


_NOT_ONE = (
    "This does not look like a press release: there is no dateline (“Bamako – ...”), no end mark (***) and no line with a press contact. "
    "Paste the whole page, or write a file with front matter (title, language, date)."
)


def addresses_in(contact: str) -> tuple[str, ...]:
    """The mail addresses of a contact line."""
    return tuple(dict.fromkeys(_ADDRESS.findall(contact)))


def detect_language(text: str, languages: Mapping[str, Language]) -> str:
    """The language whose function words stand most often in the text; the first one where none do."""
    counts = Counter(re.findall(r"[^\W\d_]+", dates.fold(unicodedata.normalize("NFC", text))))

    def hits(code: str) -> int:
        return sum(counts[word] for word in {dates.fold(word) for word in languages[code].words["function_words"]})

    return max(languages, key=hits)


def _marks(languages: Mapping[str, Language]) -> _Marks:
    def every(key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_plain(str(entry)) for spoken in languages.values() for entry in spoken.releases.get(key, ())))

    return _Marks(
        grammar=dates.grammar([spoken.dates for spoken in languages.values()]),
        end_marks=frozenset(_bare(mark) for mark in every("end_marks")),
        contact_cues=every("contact_cues"),
        separators=every("dateline_separators"),
        place_words=frozenset(every("place_words")),
        dateline_words=frozenset(every("dateline_words")),
        caption_cues=every("caption_cues"),
        headings=frozenset(every("headings")),
    )


def _lines(text: str) -> list[str]:
    """The paragraphs: one a line as a page is copied, or lines that were broken for width put together again."""
    blocks = [[line.strip() for line in block.split("\n") if line.strip()] for block in re.split(r"\n[ \t]*\n", text.translate(_INVISIBLE))]
    lines: list[str] = []
    for block in blocks:
        broken = len(block) > 1 and all(len(line) in WRAPPED for line in block[:-1]) and len(block[-1]) <= WRAPPED[-1]
        lines += [" ".join(block)] if broken else block
    return lines


def _first_paragraph(lines: Sequence[str], marks: _Marks, now: datetime) -> tuple[int, _Dateline | None]:
    for at, line in enumerate(lines):
        if len(line) > LEAD and (dateline := read_dateline(line, marks, now)):
            return at, dateline
    for at, line in enumerate(lines):
        if at and len(line) > LONG and _can_be_title(lines[at - 1], marks, now):
            return at, None
    raise NotARelease(_NOT_ONE)


def read_dateline(line: str, marks: _Marks, now: datetime) -> _Dateline | None:
    """The place, and the day where it stands there, of a paragraph that begins with a dateline."""
    head = line[:120]
    cut = min((found.start() for separator in marks.separators for found in [_separator(separator).search(head)] if found), default=-1)
    if cut <= 0:
        return None
    before = unicodedata.normalize("NFC", head[:cut])
    mention = next(iter(dates.find(before, marks.grammar, now)), None)
    if mention:
        before = before[: mention.span[0]] + " " + before[mention.span[1] :]
    words = re.sub(r"\([^)]*\)?|[,;]\s*$", " ", re.sub(r"[,\s(]+$", "", before)).replace(")", " ").split()
    while words and _plain(words[-1]).strip(",") in marks.dateline_words:
        words.pop()
    place = " ".join(words).strip(" ,")
    if not 2 <= len(place) <= 60 or not place[0].isupper() or len(words) > 8:
        return None
    return _Dateline(place, mention.start if mention else None) if all(_place_word(word, marks) for word in words) else None


def _separator(separator: str) -> re.Pattern[str]:
    """A dash; the plain hyphen only with a space at a side, for it also joins words."""
    mark = re.escape(separator)
    return re.compile(rf"(?<=\s){mark}|{mark}(?=\s)" if separator == "-" else mark)


def _place_word(word: str, marks: _Marks) -> bool:
    bare = word.strip(",/")
    if not bare:
        return word == "/"
    inner = re.split(r"['’]", bare)[-1] or bare
    return (bare[0].isupper() or inner[0].isupper() or _plain(bare) in marks.place_words) and not re.search(r"[\d.!?:;«»“”\"]", bare)


def _title_above(lines: Sequence[str], first: int, marks: _Marks, now: datetime) -> int | None:
    return next((at for at in range(first - 1, -1, -1) if _can_be_title(lines[at], marks, now)), None)


def _can_be_title(line: str, marks: _Marks, now: datetime) -> bool:
    """Not a menu item, a caption, a heading of the trade, a date or an address."""
    plain = _plain(line)
    if len(line) < SHORTEST_TITLE or plain.strip(" :-") in marks.headings or plain.startswith(("http:", "https:", "www.")):
        return False
    if any(re.match(rf"{re.escape(cue)}(?!\w)", plain) for cue in marks.caption_cues) or "©" in line:
        return False
    rest = line
    for mention in dates.find(line, marks.grammar, now):
        rest = rest.replace(mention.text, "")
    return len(re.findall(r"[^\W\d_]{3,}", rest)) >= 2


def _is_end(line: str, marks: _Marks) -> bool:
    return len(line) <= 20 and _bare(_plain(line)) in marks.end_marks


def _is_contact(line: str, marks: _Marks) -> bool:
    plain = _plain(line)
    return any(re.match(rf"{re.escape(cue)}(?!\w)", plain) for cue in marks.contact_cues)


def _tail(lines: Sequence[str], marks: _Marks) -> tuple[list[str], list[str], list[str]]:
    """What follows the body: contact lines, notes to editors, and the page's own menus."""
    contact: list[str] = []
    notes: list[str] = []
    dropped: list[str] = []
    for line in lines:
        if _is_contact(line, marks) or (len(line) <= LONG and (_ADDRESS.search(line) or _PHONE.search(line))):
            contact.append(line)
        elif not _is_end(line, marks):
            (notes if len(line) > LEAD and _SENTENCE_END.search(line) else dropped).append(line)
    return contact, notes, dropped


def _without_menu(body: list[str]) -> tuple[list[str], list[str]]:
    """Without an end mark the page's menus follow the last sentence."""
    end = len(body)
    while end > 1 and not (_SENTENCE_END.search(body[end - 1]) and len(body[end - 1]) > LEAD):
        end -= 1
    return body[:end], body[end:]


def _first_day(lines: Iterable[str], marks: _Marks, now: datetime) -> date | None:
    """The first single day that the text names."""
    mentions = (mention for line in lines for mention in dates.find(line, marks.grammar, now))
    return next((mention.start for mention in mentions if mention.start == mention.end), None)


def _as_markdown(lines: Sequence[str]) -> list[str]:
    """Each line as a Markdown paragraph of the same words; a line with a bullet becomes a list item."""
    out = []
    for line in lines:
        bullet = _BULLET.match(line)
        out.append("- " + markdown_body.from_plain(line[bullet.end() :]) if bullet else markdown_body.from_plain(line))
    return out


def _plain(text: str) -> str:
    return " ".join(dates.fold(unicodedata.normalize("NFC", text)).split())


def _bare(mark: str) -> str:
    """An end mark without the spaces and dashes that it may wear."""
    return mark.replace(" ", "").strip("-–—") or mark


def _one_line(text: str) -> str:
    return " ".join(text.split(" "))
