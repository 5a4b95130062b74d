"""The words of the many mail systems, config/bounces.yaml, read once: how a bounce announces itself, whom it names and what it means."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from mailbot import languages

GAP = 60    # characters that `*` in a phrase stands for, at most
SHORT = 4   # letters; so short a word must stand by itself
_REPLY_CODE = re.compile(r"(?:\n|^)[ \t>|]*[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3})?")
_SPACES = re.compile(r"\s+")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")     # few in most texts, so only they are looked at one by one

Phrase = tuple[str, ...]    # the pieces between the gaps


@dataclass(frozen=True, slots=True)
class BounceWords:
    """Phrases, folded; see config/bounces.yaml."""

    senders: tuple[str, ...]
    subjects: tuple[str, ...]
    announcements: tuple[Phrase, ...]
    recipients: tuple[Phrase, ...]
    contacts: tuple[Phrase, ...]
    returned: tuple[Phrase, ...]
    delays: tuple[Phrase, ...]
    meanings: tuple[tuple[str, tuple[Phrase, ...]], ...]

    def meaning(self, text: str) -> str:
        """The first group of which a phrase stands in the text, or ""."""
        folded = fold(text)
        return next((name for name, phrases in self.meanings if found(phrases, folded)), "")


@cache
def shipped() -> BounceWords:
    """The file that comes with mailbot."""
    path = languages.shipped().parent / "bounces.yaml"
    return words_from(yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - a safe loader in C


def words_from(given: Mapping[str, Any]) -> BounceWords:
    """The words of such a mapping."""
    return BounceWords(
        senders=tuple(_letters(name) for name in given["senders"]),
        subjects=tuple(fold(start) for start in given["subjects"]),
        announcements=_phrases(given["announcements"]),
        recipients=_phrases(given["recipients"]),
        contacts=_phrases(given["contacts"]),
        returned=_phrases(given["returned"]),
        delays=_phrases(given["delays"]),
        meanings=tuple((name, _phrases(phrases)) for name, phrases in given["meanings"].items()),
    )


def fold(text: str) -> str:
    """Small letters without accents, single spaces, no code before the further lines of a reply: `550-5.1.1 No such\\n550 5.1.1 user`."""
    text = _REPLY_CODE.sub(" ", text).lower().replace("’", "'")
    if not text.isascii():
        text = _FOREIGN.sub(_without_accents, unicodedata.normalize("NFKD", text))
    return _SPACES.sub(" ", text).strip()


def _without_accents(letters: re.Match[str]) -> str:
    return "".join([letter for letter in letters[0] if not unicodedata.combining(letter)])


def found(phrases: Iterable[Phrase], folded: str) -> bool:
    """Does one of the phrases stand in this folded text?"""
    return any(_stands(phrase, folded) for phrase in phrases)


def _stands(phrase: Phrase, folded: str) -> bool:
    at = _next(phrase[0], folded, 0, len(folded))
    for _ in range(20):     # the first piece may stand several times before the others follow
        if at < 0 or len(phrase) == 1:
            break
        end = at + len(phrase[0])
        for piece in phrase[1:]:
            near = _next(piece, folded, end, end + GAP + len(piece))
            if near < 0:
                break
            end = near + len(piece)
        else:
            return True
        at = _next(phrase[0], folded, at + 1, len(folded))
    return at >= 0 and len(phrase) == 1


def _next(piece: str, folded: str, start: int, stop: int) -> int:
    """Where this piece stands next, at the start of a word; a short one as a whole word."""
    at = folded.find(piece, start, stop)
    while at >= 0:
        end = at + len(piece)
        before = at > 0 and piece[:1].isascii() and folded[at - 1].isalnum()
        if not before and not (len(piece) <= SHORT and end < len(folded) and folded[end].isalnum()):
            return at
        at = folded.find(piece, at + 1, stop)
    return at


def _phrases(given: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(tuple(fold(piece) for piece in str(phrase).split("*")) for phrase in given)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
