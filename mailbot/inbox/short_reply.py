"""One word at the start of a reply: PDF, STOP, OUI, a number from a list. A word inside a sentence is none.

The words stand in config/languages/<code>/replies.yaml; those of every language count, for people mix them. Whether such a
word may do anything (who wrote, in reply to which mail of ours) is the decision's business.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailbot.inbox.language import tokens
from mailbot.languages import Language

LONGEST_LINE = 60
LONGEST_ARGUMENT = 30
LONGEST_GREETING = 60   # characters below the word that may be thanks and a name; past them somebody should read
_LINE_ENDS = re.compile(r"[\r\n\u2028\u2029]+")


class Word(StrEnum):
    """What a short reply asks for; the names are those of replies.yaml."""

    LANGUAGE = "language"   # the argument is its code
    TEXT = "text"
    PDF = "pdf"
    PHOTOS = "photos"
    PHOTO = "photo"         # the argument is a number
    NUMBER = "number"       # the argument is one from a list
    CONTACT = "contact"
    STOP = "stop"
    HELP = "help"
    YES = "yes"
    NO = "no"
    LATER = "later"         # the argument is a time as it was written; it may be missing
    BACK = "back"


@dataclass(frozen=True, slots=True)
class ShortReply:
    """The word, what stands behind it in its line, the line as written, and whatever the sender wrote below."""

    word: Word
    argument: str
    written: str
    rest: str


def short_reply(visible_text: str, languages: Mapping[str, Language]) -> ShortReply | None:
    """The word that the first line with anything in it is; None where that line says more or something else."""
    lines = [line.strip() for line in _LINE_ENDS.split(visible_text.strip())]
    first = lines[0] if lines else ""
    if not first or len(first) > LONGEST_LINE:
        return None
    said = tuple(tokens(first))
    rest = "\n".join(lines[1:]).strip()
    whole, openings, before_number = _phrases(tuple(languages.values()))
    if found := whole.get(said):
        return ShortReply(*found, first, rest)
    *opening, last = said or ("",)
    if last.isascii() and last.isdigit() and len(last) <= 3 and (not opening or tuple(opening) in before_number):
        return ShortReply(Word.NUMBER, str(int(last)), first, rest)
    for phrase, word in openings.items():
        argument = said[len(phrase) :]
        if said[: len(phrase)] == phrase and len(" ".join(argument)) <= LONGEST_ARGUMENT:
            if word is Word.LATER:
                return ShortReply(word, " ".join(argument), first, rest)
            if len(argument) == 1 and argument[0].isascii() and argument[0].isdigit() and len(argument[0]) <= 3:
                return ShortReply(word, str(int(argument[0])), first, rest)
    return None


def offered(language: Language, word: Word, code: str = "") -> str:
    """The word as our mails offer it in this language; empty where its folder has none."""
    entries = language.replies.get("languages", {}).get(code, ()) if word is Word.LANGUAGE else language.replies.get(word, ())
    return str(entries[0]) if entries else ""


_Said = tuple[str, ...]


@lru_cache(maxsize=4)
def _phrases(languages: tuple[Language, ...]) -> tuple[dict[_Said, tuple[Word, str]], dict[_Said, Word], frozenset[_Said]]:
    """Whole lines, the beginnings of lines that go on with an argument, and what may stand before a number."""
    whole: dict[_Said, tuple[Word, str]] = {}
    openings: dict[_Said, Word] = {}
    for language in languages:
        for code, entries in language.replies.get("languages", {}).items():
            whole |= {tuple(tokens(entry)): (Word.LANGUAGE, code) for entry in entries}
        for word in Word:
            if word in (Word.LANGUAGE, Word.NUMBER):
                continue
            said = [tuple(tokens(entry)) for entry in language.replies.get(word, ())]
            if word in (Word.PHOTO, Word.LATER):
                openings |= dict.fromkeys(said, word)
            if word is not Word.PHOTO:
                whole |= dict.fromkeys(said, (word, ""))
    numbered = (tuple(tokens(entry)) for language in languages for entry in language.replies.get("number", ()))
    return whole, openings, frozenset(numbered)
