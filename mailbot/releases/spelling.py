"""One form for what people spell differently: names, places and topics, as the office lists them in office.yaml."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_SECTIONS = ("names", "places", "topics")


@dataclass(frozen=True, slots=True)
class Spellings:
    """By its first word each spelling, the longest first, and the form that stands for it."""

    by_first: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]


def spellings(offices: Iterable[Mapping[str, Any]]) -> Spellings:
    """From the office's section of every language: people mix them."""
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for office in offices:
        for section in _SECTIONS:
            for form, others in office.get(section, {}).items():
                for written in others:
                    words = tuple(_WORD.findall(_flat(written)))
                    if words:
                        by_first.setdefault(words[0], []).append((words, form))
    return Spellings({first: tuple(sorted(those, key=lambda one: -len(one[0]))) for first, those in by_first.items()})


def in_one_form(text: str, known: Spellings) -> str:
    """The text with the form in the place of each other spelling. Capitals and accents make no difference."""
    if not known.by_first:
        return text
    text = unicodedata.normalize("NFC", text)
    found = list(_WORD.finditer(_flat(text)))
    pieces, end, place = [], 0, 0
    while place < len(found):
        for words, form in known.by_first.get(found[place][0], ()):
            if tuple(one[0] for one in found[place : place + len(words)]) == words:
                pieces += [text[end : found[place].start()], form]
                end, place = found[place + len(words) - 1].end(), place + len(words) - 1
                break
        place += 1
    return "".join([*pieces, text[end:]])


def _flat(text: str) -> str:
    """Small letters without accents, each in its place: as long as the text was."""
    return "".join(letter if letter.isascii() else unicodedata.normalize("NFKD", letter)[0] for letter in (_small(one) for one in text))


def _small(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 else letter
