"""Names that two editions spell differently, with few false alarms: most names of organisations and countries are translated.

What is translated has no word in common, or its words in another order, or is another acronym altogether, and nothing is said of it.
What is said: two names that stand word for word beside each other and differ in one ("Awa Tamboura", "Awa Tambura"); a person, known
by a title or by speaking, whose last name the other edition does not know; an acronym or a name of one edition that is a slip of one
that both have (ASM, AMS). What an office writes differently on purpose stands in its office.yaml.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailbot.releases.dates import fold
from mailbot.releases.mention import GAP
from mailbot.releases.spelling import Spellings, in_one_form

_TOKEN = re.compile(r"[^\W\d_]+(?:[-\u2011][^\W\d_]+)*")
_OPENS = re.compile(r"(?:^|[.!?:;…\n|•–—]|[«“\"(])[\s»”)]*$")
_ENDS = re.compile(rf"[{GAP}]*(?:[^\w{GAP}]|$)")
SURE_PREFIX = 8  # "International" and "Internationale": so long a word with an ending is the same word
SURE_LETTER = 4
SURE_ORDER = 5  # letters: a shorter word may be another one with the same letters
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Naming:
    """How a language names: what stands before a person, what people do with their quotes, and words that are no names."""

    titles: frozenset[str]
    said: frozenset[str]
    small: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Name:
    """Capitalised words that stand together. A title says that it is a person, a quote that it is likely one."""

    spans: tuple[Span, ...]
    words: tuple[str, ...]
    text: str
    titled: bool
    speaks: bool

    def last(self, count: int) -> "_Name":
        """So many of its words, from the end: before a person's name stands what the person is."""
        cut = self.text[self.spans[-count][0] - self.spans[0][0] :]
        return _Name(self.spans[-count:], self.words[-count:], cut, self.titled, self.speaks)

    @property
    def span(self) -> Span:
        """From its first word to its last."""
        return self.spans[0][0], self.spans[-1][1]


@dataclass(frozen=True, slots=True)
class Named:
    """The names of one edition."""

    names: tuple[_Name, ...]
    single: Mapping[str, Span]  # each capitalised word that begins no sentence, folded, where it stands first
    acronyms: Mapping[str, Span]
    known: frozenset[str]  # every word of it, folded, in the office's form as well
    spellings: Spellings


def naming(names: Mapping[str, Any], words: Mapping[str, Any]) -> Naming:
    """From `names` in a language's releases.yaml, and its words.yaml."""
    return Naming(
        frozenset(fold(str(word)).rstrip(".") for word in names.get("titles", ())),
        frozenset(fold(str(word)) for word in names.get("said", ())),
        frozenset(fold(str(word)) for word in words.get("function_words", ())),
    )


def read(text: str, more: str, known: Naming, spellings: Spellings) -> Named:
    """The names in a text. `more`: what else the edition says, as its title; a word there is known."""
    tokens = list(_TOKEN.finditer(text))
    names, at = [], 0
    single: dict[str, Span] = {}
    acronyms: dict[str, Span] = {}
    while at < len(tokens):
        word = tokens[at][0]
        if not word[0].isupper() or fold(word) in known.titles or (_opens(text, tokens[at]) and fold(word) in known.small):
            at += 1
            continue
        end = at + 1
        while end < len(tokens) and tokens[end][0][0].isupper() and _beside(text, tokens[end - 1], tokens[end]):
            end += 1
        names.append(_name(text, tokens, at, end, known))
        for token in tokens[at:end]:
            if len(token[0]) > 1 and token[0].isupper():
                acronyms.setdefault(token[0], token.span())
            elif not _opens(text, token):
                single.setdefault(fold(token[0]), token.span())
        at = end
    said = f"{text}\n{more}"
    words = _words(said) | _words(in_one_form(said, spellings))
    return Named(tuple(names), single, acronyms, words, spellings)


def _name(text: str, tokens: list[re.Match[str]], at: int, end: int, known: Naming) -> _Name:
    words = tuple(token[0] for token in tokens[at:end])
    span = (tokens[at].start(), tokens[end - 1].end())
    before = fold(tokens[at - 1][0]) if at and re.fullmatch(rf"\.?[{GAP}]+", text[tokens[at - 1].end() : span[0]]) else ""
    titled = before in known.titles
    behind = [fold(token[0]) for token in tokens[end : end + 2]]
    speaks = (before in known.said and bool(_ENDS.match(text, span[1]))) or (
        before not in known.small and bool(set(behind) & known.said) and _beside(text, tokens[end - 1], tokens[end])
    )
    return _Name(tuple(token.span() for token in tokens[at:end]), words, text[slice(*span)], titled, speaks and len(words) > 1)


def differences(one: Named, other: Named) -> Iterator[tuple[Span | None, Span | None]]:
    """Where a name stands in the one and in the other; None where the other has nothing like it."""
    told: set[str] = set()

    def is_new(*words: str) -> bool:
        new = told.isdisjoint(map(fold, words))
        told.update(map(fold, words))
        return new

    for name, twin in _side_by_side(one, other):
        if is_new(*_differing(name, twin)):
            yield name.span, twin.span
    slips = (("acronyms", 3), ("single", 5))
    for word, like, places in (each for which, least in slips for each in _slips(getattr(one, which), getattr(other, which), least)):
        if is_new(word, like):
            yield places
    for seen, elsewhere in ((one, other), (other, one)):
        for name in seen.names:
            if (name.titled or name.speaks) and not _has(elsewhere, name.last(1)) and is_new(*name.words):
                yield (name.span, None) if seen is one else (None, name.span)


def _side_by_side(one: Named, other: Named) -> Iterator[tuple[_Name, _Name]]:
    """Names that share words in the same place, counted from the end, and differ in others that the other edition does not know."""
    for name in one.names:
        for twin in other.names:
            count = min(len(name.words), len(twin.words))
            if count > 1:
                mine, theirs = name.last(count), twin.last(count)
                unlike = _differing(mine, theirs)
                pairs = list(zip(unlike[::2], unlike[1::2], strict=True))
                if pairs and len(pairs) < count and all(_unlike(a, b, one, other, mine.titled or theirs.titled) for a, b in pairs):
                    yield mine, theirs


def _differing(name: _Name, twin: _Name) -> list[str]:
    """The words in which two names of the same length differ: the one's, the other's, and so on."""
    pairs = ((fold(a), fold(b)) for a, b in zip(name.words, twin.words, strict=True))
    return [word for pair in pairs if pair[0] != pair[1] for word in pair]


def _unlike(word: str, twin: str, one: Named, other: Named, titled: bool) -> bool:
    return (titled or not _same_word(word, twin)) and not _parts(word) <= other.known and not _parts(twin) <= one.known


def _same_word(word: str, twin: str) -> bool:
    short, long = sorted((word, twin), key=len)
    return len(short) >= SURE_PREFIX and long.startswith(short)


def _slips(mine: Mapping[str, Span], theirs: Mapping[str, Span], least: int) -> Iterator[tuple[str, str, tuple[Span, Span]]]:
    """What only one edition writes is a letter, or the order of letters, away from what both write, or what only the other writes."""
    common = mine.keys() & theirs.keys()
    for word in sorted(mine.keys() - common):
        for twin in sorted(theirs):
            if _is_slip(word, twin, least, twin in common):
                yield word, twin, (mine[word], theirs[twin])
    for twin in sorted(theirs.keys() - common):
        for word in sorted(common):
            if _is_slip(twin, word, least, True):
                yield word, twin, (mine[word], theirs[twin])


def _is_slip(word: str, other: str, least: int, common: bool) -> bool:
    if min(len(word), len(other)) < (least if common else SURE_ORDER) or word.startswith(other) or other.startswith(word):
        return False
    if sorted(word) == sorted(other):
        return word.isupper() or word[:-2] != other[:-2]  # the last two turned are an ending: "Chambre" and "Chamber"
    return common and min(len(word), len(other)) >= max(least, SURE_LETTER) and _one_letter(word, other)


def _one_letter(word: str, other: str) -> bool:
    """Whether one letter more, less or another makes the one of the other."""
    if len(word) > len(other):
        word, other = other, word
    at = next((place for place, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), len(word))
    return word[at:] == other[at + 1 :] or (len(word) == len(other) and word[at + 1 :] == other[at + 1 :])


def _has(seen: Named, name: _Name) -> bool:
    """Whether an edition knows every word of a name."""
    lacks = _words(name.text) - seen.known
    return all(not name.titled and any(_same_word(word, twin) for twin in seen.known) for word in lacks) or (
        _words(in_one_form(name.text, seen.spellings)) <= seen.known
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(part for word in _TOKEN.findall(text) for part in _parts(fold(word)))


def _parts(word: str) -> frozenset[str]:
    return frozenset(word.replace("\u2011", "-").split("-"))


def _beside(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    return bool(re.fullmatch(rf"[{GAP}]+", text[one.end() : other.start()]))


def _opens(text: str, token: re.Match[str]) -> bool:
    return bool(_OPENS.search(text[max(0, token.start() - 8) : token.start()])) or token.start() == 0
