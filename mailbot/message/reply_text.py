"""What the sender wrote: a mail's text without what it quotes, its signature and its disclaimer.

The words that announce a quote or a signature belong to the languages, config/languages/<code>/mail.yaml:

    wrote_lines:            # "{date}" and "{who}" stand for anything; the line may be wrapped, and the fixed words decide
      - "Le {date}, {who} a écrit :"
    original_message_lines: # what stands between the dashes of "-----Message d'origine-----", or alone with a colon
      - "Message d'origine"
    header_labels:          # of a quoted header block; it starts with a `from` and goes on with two of the others
      from: [De]
      others: [Envoyé, Date, À, Cc, Objet]
    phone_footers:          # whole lines; "{any}" stands for anything
      - "Envoyé de mon {any}"
    closings:               # whole lines that start a signature, also followed by a comma and a name
      - "Cordialement"
    disclaimers:            # how a paragraph of small print starts
      - "Ce message est confidentiel"
    postscripts: [PS]       # a line below the signature that still counts

Beside them stands what is the same everywhere: ">" before a line, "-- ", a line with a date, an address and a colon at its end; and what
the programs write in languages without a folder, config/mail_programs.yaml. Where nothing would remain (a forward without a word), the
text stays as it is. One pass over the lines: time is linear in their number.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailbot import mail_programs

MAX_CHARACTERS = 200_000
MAX_LINES = 1_000
MAX_NAME = 60           # characters of the name before an address
MAX_FOOTER = 110        # characters of "Sent from my telephone", without links
MAX_HEADER = 400        # characters of one "... wrote:" line, unwrapped
_AFTERTHOUGHT = 5       # words: "Sent from my telephone, please excuse typos and brevity"
_WRAPPED = 6            # lines that it may be wrapped over
_SIGNATURE_LINES = 25   # a closing further from the end than this is no closing

_QUOTE = re.compile(r"[ \t]*>")
_DASHES = re.compile(r"[\s>*]*(?:-{3,}|_{3,}|={3,})\s*([^\W\d_][^\n]{2,60}?)\s*(?:-{3,}|_{3,}|={3,})[\s*]*")
_DASHES_FIRST = re.compile(r"[\s>*]*-{3,}\s*([^\W\d_][^\n-]{2,60}?)\s*-{3,}\s*([^\W\d_][^:\n]{0,24}:[^\n]{0,200}@)?")
_RULE = re.compile(r"\s*(?:_{10,}|-{20,}|={20,}|\*{20,})\s*")
_DELIMITER = re.compile(r"(?:--|__|—|–)\s*")
_LABEL = re.compile(r"[\s>*]*([^\W\d_][^:\n*]{0,24}?)\s?\*?\s?[:：]")
_DAY = re.compile(r"\d{1,4}[-./ ]\s?(?:\d{1,2}|\w{3,12})\.?,?[-./ ]\s?\d{1,4}|\d{1,2}[:.h]\d{2}")
_MAILBOX = re.compile(r"[<(\[][^\s<>()]{1,80}@[^\s<>()]{1,120}[>)\]]")
_ADDRESS = re.compile(r"[^\s<>()]{1,80}@[^\s<>()]{1,120}")
_TIME = re.compile(r"\d{1,2}[:.]\d{2}")
_LINK = re.compile(r"[<(]\s*(?:https?|mailto):[^<>()\s]{0,500}\s*[>)]")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_ALNUM = re.compile(r"[^\W_]")
_MARKS_ONLY = re.compile(r"[\s_=*~#.·•—–-]*")
_CLAUSE = re.compile(r"[,;:.!] ")
_NAME_AFTER = re.compile(r"[,.!]?(?:\s+[^\W\d_][\w'’.-]{0,30}){0,3}[\s,.!]*")


@dataclass(frozen=True, slots=True)
class ReplyMarks:
    """The words of all languages together, folded; see the top of this file."""

    wrote: tuple[tuple[str, str], ...] = ()     # (how such a line starts, how it ends)
    wrote_starts: tuple[str, ...] = ()
    wrote_ends: tuple[str, ...] = ()
    original_message: frozenset[str] = frozenset()
    from_labels: frozenset[str] = frozenset()
    other_labels: frozenset[str] = frozenset()
    phone_footers: tuple[tuple[str, ...], ...] = ()     # the pieces between what stands for anything
    footer_starts: tuple[str, ...] = ()
    footer_ends: tuple[str, ...] = ()                   # of those that start with anything
    closings: tuple[str, ...] = ()
    disclaimers: tuple[str, ...] = ()
    postscripts: tuple[str, ...] = field(default=())


NO_MARKS = ReplyMarks()


def marks_from(mail_sections: Iterable[Mapping[str, Any]]) -> ReplyMarks:
    """The marks of all these languages: one mail often mixes them (a French letter above an English Outlook)."""
    sections = [*mail_sections, mail_programs.shipped().mail]

    def every(key: str) -> list[str]:
        return [str(word) for section in sections for word in section.get(key) or ()]

    labels = [section.get("header_labels") or {} for section in sections]
    wrote = {(_fold(line.partition("{")[0]), _fold(line.rpartition("}")[2]).rstrip(": ")) for line in every("wrote_lines")}
    footers = tuple(dict.fromkeys(tuple(_fold(piece) for piece in line.split("{any}")) for line in every("phone_footers")))
    return ReplyMarks(
        wrote=tuple(sorted((start, end) for start, end in wrote if end)),
        wrote_starts=tuple(sorted({start for start, end in wrote if start and end})),
        wrote_ends=tuple(sorted({end for _, end in wrote if end})),
        original_message=frozenset(_fold(line) for line in every("original_message_lines")),
        from_labels=frozenset(_fold(str(word)) for label in labels for word in label.get("from") or ()),
        other_labels=frozenset(_fold(str(word)) for label in labels for word in label.get("others") or ()),
        phone_footers=footers,
        footer_starts=tuple({pieces[0] for pieces in footers if pieces[0]}),
        footer_ends=tuple({pieces[-1] for pieces in footers if not pieces[0]}),
        closings=tuple(sorted((_fold(line) for line in every("closings")), key=len, reverse=True)),
        disclaimers=tuple(_fold(line) for line in every("disclaimers")),
        postscripts=tuple(_fold(line) for line in every("postscripts")),
    )


def visible(text: str, marks: ReplyMarks = NO_MARKS) -> str:
    """The text that the sender wrote in this mail; all of it where nothing else would remain."""
    lines = text[:MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MAX_LINES]
    written = _without_quotes(lines, marks)
    unsigned = _without_signature(written, marks)
    for kept in (unsigned, written):
        if any(map(_has_words, kept)):
            return _tidy(kept)
    return _tidy(lines)


def _tidy(lines: Sequence[str]) -> str:
    last = len(lines)
    while last > 1 and _MARKS_ONLY.fullmatch(lines[last - 1]):     # a rule that parted it from what was cut
        last -= 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines[:last])).strip()


def _has_words(line: str) -> bool:
    return _ALNUM.search(line) is not None


def _fold(text: str) -> str:
    """For comparing: no accents that mail programs drop, one kind of space and apostrophe, lower case."""
    if text.isascii():
        return " ".join(text.lower().split())
    text = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    return " ".join(_FOREIGN.sub(_without_accents, text).split())


def _without_accents(letters: re.Match[str]) -> str:
    return "".join([letter for letter in letters[0] if not unicodedata.combining(letter)])


def _without_quotes(lines: list[str], marks: ReplyMarks) -> list[str]:
    """Top-posting: all before the first quote. Otherwise the sender's lines between and below the quoted ones."""
    kept: list[str] = []
    said = False        # is there a word of the sender's own in kept?
    index = 0
    while index < len(lines):
        line = lines[index]
        if _QUOTE.match(line):
            index += 1
            while said and index + 1 < len(lines) and lines[index].strip() and _QUOTE.match(lines[index + 1]):
                index += 1      # a quoted line wrapped by a careless program goes on without its mark
            continue
        length, before = _wrote(lines, index, marks)
        if length:
            kept.append(before)
            index += length
            if _followed_by_quote(lines, index):
                continue
            if said or before:
                break           # quoted without marks: nothing below can be told from it
            continue
        if said and _block_starts(lines, index, marks):
            break
        kept.append(line)
        said = said or _has_words(line)
        index += 1
    return kept


def _wrote(lines: list[str], index: int, marks: ReplyMarks) -> tuple[int, str]:
    """How many lines the "... wrote:" line takes that starts here (0: none does), and what the sender wrote before it."""
    window, dated = "", 0
    for count, line in enumerate(lines[index:index + _WRAPPED], 1):
        piece = line.strip().lstrip(">").strip(" \t-*_")
        if len(window) + len(piece) > MAX_HEADER or (count == 1 and not piece):
            break
        window = f"{window} {piece}".strip()
        folded = _fold(window)
        if count == 1:
            if _is_dated_name(window):
                return 1, ""
            by_date = _dated_start(window)
            colon = window.endswith((":", "："))
            likely = colon or folded.startswith(marks.wrote_starts)
            starts = [(start, end) for start, end in marks.wrote if folded.startswith(start) and (start or colon)] if likely else []
            if not starts and not by_date and not folded.rstrip(": ").endswith(marks.wrote_ends):
                break
            before = "" if by_date or any(start for start, _ in starts) else _before_header(window, marks)
            if before:
                return count, before
        if by_date and window.endswith((":", "：")) and (_MAILBOX.search(window) or _followed_by_quote(lines, index + count)):
            return count, ""        # a date, perhaps a name with an address, a colon: a quote header in any language
        if any(folded.rstrip(": ").endswith(end) and (start or count == 1) for start, end in starts) and any(map(str.isdigit, folded)):
            return count, ""
        if by_date and not dated and _MAILBOX.search(window) and _followed_by_quote(lines, index + count):
            dated = count       # unless a line that only seems to be quoted, "> wrote:", ends it
    return dated, ""


def _is_dated_name(line: str) -> bool:
    """A name with its address, words, a date and a colon, in any language."""
    box = _MAILBOX.search(line) if line.endswith((":", "：")) else None
    return box is not None and box.start() < MAX_NAME and _DAY.search(line, box.end()) is not None


def _dated_start(line: str) -> bool:
    day = _DAY.search(line)
    return day is not None and day.start() < 25


def _followed_by_quote(lines: list[str], index: int) -> bool:
    following = next((line for line in lines[index:index + 3] if line.strip()), "")
    return bool(_QUOTE.match(following))


def _before_header(line: str, marks: ReplyMarks) -> str:
    """What the sender wrote before a header in the same line: "Fine. On 3 May 2024 at 10:00, a@b.org wrote:"."""
    folded, words = _fold(line).rstrip(": "), re.sub(r"\W", " ", line.lower())
    found = [words.rfind(f" {start} ") for start, end in marks.wrote if start and folded.endswith(end)]
    at = min((place for place in found if place > 0), default=0)
    return line[:at].rstrip(" -") if _DAY.search(line, at) else ""


def _block_starts(lines: list[str], index: int, marks: ReplyMarks) -> bool:
    """Does "-----Original Message-----", or a block of From:, Sent:, To:, Subject: start here?"""
    line = lines[index]
    if not line.strip() or len(line) > 300:
        return False
    dashes = _DASHES.fullmatch(line)
    if dashes and (_is_headline(_fold(dashes[1]), marks) or sum(1 for _ in _labels(lines, index + 1)) >= 2):
        return True
    dashes = _DASHES_FIRST.match(line)      # the header in one line with them, as Yahoo writes it
    if dashes and dashes[2] and (_fold(dashes[1]) in marks.original_message or _fold(dashes[2].partition(":")[0]) in marks.from_labels):
        return True
    if _fold(line).strip(":>* ") in marks.original_message:
        return True
    if _RULE.fullmatch(line):
        return any(label in marks.from_labels for label, _ in _labels(lines, index + 1))
    first = _LABEL.match(line)
    if not first:
        return False
    label = _fold(first[1])
    if label not in marks.from_labels and label not in marks.other_labels:
        return _foreign_block(lines, index)
    block = list(_labels(lines, index))
    others = {label for label, _ in block if label in marks.other_labels}
    senders = [value for label, value in block if label in marks.from_labels]
    if not senders:     # cut short by a program: a day and a time, an address, nothing else
        return len(others) == len(block) >= 2 and bool(_TIME.search(block[0][1]) and _DAY.search(block[0][1])) and "@" in block[1][1]
    return len(others) >= 2 and (label in marks.from_labels or "@" in senders[0])


def _is_headline(folded: str, marks: ReplyMarks) -> bool:
    """"Original Message", or "Awa Diallo wrote", as it stands between dashes."""
    return folded in marks.original_message or folded.rstrip(": ").endswith(tuple(f" {end}" for end in marks.wrote_ends))


def _foreign_block(lines: list[str], index: int) -> bool:
    """A header block whose labels no language here knows: an address, then a time, then two more."""
    block = list(_labels(lines, index))
    return len(block) >= 4 and bool(_MAILBOX.search(block[0][1]) or _ADDRESS.fullmatch(block[0][1])) and bool(_TIME.search(block[1][1]))


def _labels(lines: list[str], index: int) -> Iterator[tuple[str, str]]:
    """The labels and values of the header block at this line; a value may be wrapped, and one blank line may stand between two."""
    unlabelled = 0
    for line in lines[index:index + 16]:
        found = _LABEL.match(line[:60])
        if found:
            unlabelled = 0
            yield _fold(found[1]), line[found.end():300].strip()
        else:
            unlabelled += 1
            if unlabelled > 2:
                return


def _without_signature(lines: list[str], marks: ReplyMarks) -> list[str]:
    """The lines above the first sign of a signature, and a postscript below it."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for place, index in enumerate(filled):
        if place and _signature_starts(lines[index], len(filled) - place, marks):
            below = [line for line in lines[index + 1:] if _is_postscript(line, marks)]
            return lines[:index] + below
    return lines


def _signature_starts(line: str, lines_left: int, marks: ReplyMarks) -> bool:
    if _DELIMITER.fullmatch(line):
        return True
    if len(line) > 600:
        return False
    folded = _fold(_LINK.sub("", line)).strip("*_ .")
    if folded.startswith(marks.disclaimers) or _is_phone_footer(folded, marks):
        return True
    if lines_left > _SIGNATURE_LINES:
        return False
    if not folded.startswith(marks.closings):
        return False
    return any(folded.startswith(closing) and _closes(folded[len(closing):]) for closing in marks.closings)


def _closes(rest: str) -> bool:
    """"Best" and "Best, Sarah" close a letter; "Best practices" does not: without a comma the words must stand alone."""
    return not rest.strip(" ,.!") or (rest.lstrip().startswith((",", ".", "!")) and _NAME_AFTER.fullmatch(rest) is not None)


def _is_phone_footer(line: str, marks: ReplyMarks) -> bool:
    """A short line that is such a footer from its start to its end: what asks something, or goes on after a comma, is the sender's own."""
    if len(line) > MAX_FOOTER or line.endswith("?") or not (line.startswith(marks.footer_starts) or line.endswith(marks.footer_ends)):
        return False
    if any(len(more.split()) > _AFTERTHOUGHT for more in _CLAUSE.split(line, maxsplit=1)[1:]):
        return False
    return any(_fits(line, pieces) for pieces in marks.phone_footers)


def _fits(line: str, pieces: tuple[str, ...]) -> bool:
    if not line.startswith(pieces[0]) or not line.endswith(pieces[-1]) or len(line) < sum(map(len, pieces)):
        return False
    at, end = len(pieces[0]), len(line) - len(pieces[-1]) if len(pieces) > 1 else len(line)
    for piece in pieces[1:-1]:
        at = line.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _is_postscript(line: str, marks: ReplyMarks) -> bool:
    folded = _fold(line[:40])
    return any(folded.startswith(mark) and not folded[len(mark):len(mark) + 1].isalnum() for mark in marks.postscripts)
