"""Is a text that somebody was sent ours? Pure: the pasted words against what the world may read of us, and never against anything else."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mailbot.releases.release import Edition
from mailbot.releases.sentence_difference import Change, difference, sentences

LONGEST = 60_000
ALIKE = 0.4             # of its sentences: less than that is another text
FEWEST_WORDS = 4        # a sentence of fewer is everybody's
_SIGNS = re.compile(r"[^\w]+")
_REFERENCE = re.compile(r"(?:/r/|\[)([a-z0-9][a-z0-9-]{1,119})\b")


@dataclass(frozen=True, slots=True)
class Authentic:
    """Every sentence of it is ours, as we published it; `whole`: and nothing is missing."""

    edition: Edition
    whole: bool


@dataclass(frozen=True, slots=True)
class Altered:
    """Ours, with changes: what we published, and what the text says."""

    edition: Edition
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Nothing that we have published resembles it."""


Verdict = Authentic | Altered | NotOurs


def marks(edition: Edition) -> frozenset[str]:
    """The sentences of an edition, by which a text is known again."""
    return frozenset(_sentences(f"{edition.title}\n\n{edition.body}\n\n{edition.notes}"))


def verdict(text: str, editions: Mapping[str, Edition], known: Mapping[str, frozenset[str]]) -> Verdict:
    """`editions` are those that the world may read, by slug; `known` their marks."""
    text = text[:LONGEST]
    given = frozenset(_sentences(text))
    if not given:
        named = [editions[slug] for slug in _REFERENCE.findall(f"[{text.strip()}] {text}") if slug in editions]
        return Authentic(named[0], False) if named else NotOurs()
    best = max(editions, key=lambda slug: (len(given & known[slug]), slug), default="")
    if not best or len(given & known[best]) < max(1, ALIKE * min(len(given), len(known[best]))):
        return NotOurs()
    edition = editions[best]
    if given <= known[best]:
        return Authentic(edition, known[best] <= given)
    return Altered(edition, _changes(edition, text, known[best]))


def _changes(edition: Edition, text: str, ours: frozenset[str]) -> tuple[Change, ...]:
    """Sentence beside sentence. What stands around a release, as its title, its date or our own footer, is no change of it."""
    around = {_plain(part) for part in (edition.title, edition.place, *edition.notes.split("\n"), *edition.contact.split("\n"))}
    paragraphs = [part for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if _plain(part) and _plain(part) not in around]
    first = next((number for number, part in enumerate(paragraphs) if set(_sentences(part)) & ours), 0)
    last = next((number for number in reversed(range(len(paragraphs))) if set(_sentences(paragraphs[number])) & ours), len(paragraphs) - 1)
    body = "\n\n".join(_unwrapped(part) for part in paragraphs[first : last + 1])
    return difference(edition, replace(edition, body=body))


def _unwrapped(paragraph: str) -> str:
    """One line, but for the entries of a list, each of which is one."""
    return re.sub(r"[ \t]*\n[ \t]*(?!\s*(?:[-*•]|\d{1,3}[.)])\s)", " ", paragraph.strip())


def _sentences(text: str) -> Iterable[str]:
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        for sentence in sentences(" ".join(paragraph.split())):
            plain = _plain(sentence)
            if len(plain.split()) >= FEWEST_WORDS:
                yield plain


def _plain(text: str) -> str:
    """Without case, quotation marks, spaces that may not break: what mail programs change on the way."""
    return _SIGNS.sub(" ", unicodedata.normalize("NFKC", text)).casefold().strip()
