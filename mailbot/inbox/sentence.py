"""A mail as sentences, each with its words and the phrases in them; greetings and signatures set apart."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from mailbot.inbox.language import fold
from mailbot.inbox.lexicon import LONGEST_WORD, Hit, Lexicon, find
from mailbot.releases import dates

WRAPPED_LINE = 50       # a line this long without a full stop goes on in the next one
SHORT_LINE = 6          # words of a line of greeting or signature
MOST_WORDS = 600
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_TOKEN = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"«[^«»]{2,300}»|“[^“”]{2,300}”|\"[^\"]{2,300}\"")
_STOP = re.compile(r"(?<=[.!?;…])\s+(?!(?<=[nN]o\. )\d)")  # "report no. 12" is no end
_TAG = re.compile(r"^\s*(?:\[[^\]]{0,60}\]\s*)+")
_PREFIX = re.compile(r"^\s*([^\W\d_]{1,12})(?:\s*\[\d+\])?\s*:\s*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Raw text, its folded words with their places, the phrases found, and which words are quoted or part of a date."""

    text: str
    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    hits: tuple[Hit, ...]
    quoted: frozenset[int]
    dated: frozenset[int]
    subject: bool = False
    aside: bool = False  # a greeting or a signature

    def has(self, concept: str) -> bool:
        """Whether any phrase of this concept stands in it."""
        return any(hit.concept == concept for hit in self.hits)

    def between(self, start: int, end: int) -> "Sentence":
        """Its words from one place up to another, as a sentence."""
        left = self.places[start][0]
        return replace(
            self, text=self.text[left : self.places[end - 1][1]], words=self.words[start:end],
            places=tuple((one - left, other - left) for one, other in self.places[start:end]),
            hits=tuple(
                replace(hit, start=hit.start - start, end=hit.end - start) for hit in self.hits if start <= hit.start and hit.end <= end
            ),
            quoted=frozenset(place - start for place in self.quoted if start <= place < end),
            dated=frozenset(place - start for place in self.dated if start <= place < end),
        )  # fmt: skip

    def raw(self, start: int, end: int) -> str:
        """The text from one word up to another."""
        return self.text[self.places[start][0] : self.places[end - 1][1]] if start < end else ""


def is_reply(subject: str, book: Lexicon) -> bool:
    """`Re:`, `TR:` and the like: such a subject is of an earlier mail, often ours."""
    match = _PREFIX.match(_TAG.sub("", subject))
    return match is not None and fold(match[1]) in book.reply_prefixes


def without(text: str, own: Collection[str]) -> str:
    """The text without the addresses of who wrote it and of who reads it, in small letters: they name nobody else."""
    return ADDRESS.sub(lambda found: " " if found[0].lower() in own else found[0], text) if "@" in text else text


def sentences(subject: str, text: str, book: Lexicon, language: str, now: datetime) -> tuple[Sentence, ...]:
    """The subject, unless it is an earlier mail's, then what the sender wrote."""
    found: list[Sentence] = []
    if subject and not is_reply(subject, book):
        found.append(_sentence(_TAG.sub("", subject), book, language, now, subject=True))
    count, signing, asked = 0, False, False
    for line in _lines(unicodedata.normalize("NFC", text)):
        for part in _STOP.split(line):
            sentence = _sentence(part, book, language, now)
            if not sentence.words:
                continue
            count += len(sentence.words)
            if count > MOST_WORDS:
                return tuple(found)
            aside = _is_greeting(sentence, book) or (signing and asked and _is_short_and_silent(sentence))
            signing = aside or (signing and _is_short_and_silent(sentence))
            asked = asked or bool(sentence.hits and not aside)
            found.append(_set_aside(sentence) if aside else sentence)
    return tuple(found)


def _lines(text: str) -> Iterator[str]:
    """The lines as written, those joined that only a mail program has broken."""
    held = ""
    for line in text.splitlines():
        stripped = line.strip()
        if held and stripped and not held.endswith((".", "!", "?", ":", ";")):
            held = f"{held} {stripped}"
        else:
            if held:
                yield held
            held = stripped
        if len(stripped) < WRAPPED_LINE and held:
            yield held
            held = ""
    if held:
        yield held


def _sentence(text: str, book: Lexicon, language: str, now: datetime, subject: bool = False) -> Sentence:
    text = unicodedata.normalize("NFC", text)
    matches = list(_TOKEN.finditer(text))[:MOST_WORDS]
    words = tuple([_folded(match[0]) if len(match[0]) <= LONGEST_WORD else fold(match[0]) for match in matches])
    places = tuple(match.span() for match in matches)
    quoted = _inside([match.span() for match in _QUOTED.finditer(text)], places)
    mentions = dates.find(text, book.grammar, now) if words else ()
    dated = _inside([mention.span for mention in mentions], places)
    return Sentence(text, words, places, find(words, book, language), quoted, dated, subject)


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    return fold(word)


def _inside(spans: Sequence[tuple[int, int]], places: Sequence[tuple[int, int]]) -> frozenset[int]:
    return frozenset(number for number, (start, end) in enumerate(places) if any(left <= start and end <= right for left, right in spans))


_MEANING_LITTLE = frozenset({"courtesy", "trade", "thanks", "only_thanks", "self", "ask", "about", "recent"})


def _is_short_and_silent(sentence: Sentence) -> bool:
    return len(sentence.words) <= SHORT_LINE and all(hit.concept in _MEANING_LITTLE for hit in sentence.hits)


def _is_greeting(sentence: Sentence, book: Lexicon) -> bool:
    """`Bonjour Awa,` and `Thanks, John`: a few words, one of them of courtesy, none that asks for anything."""
    if len(sentence.words) > SHORT_LINE or "?" in sentence.text:
        return False
    if any(hit.concept not in ("courtesy", "trade", "thanks", "only_thanks") for hit in sentence.hits):
        return False
    return sentence.words[0] in book.letter or sentence.words[-1] in book.letter


def _set_aside(sentence: Sentence) -> Sentence:
    return replace(sentence, aside=True)
