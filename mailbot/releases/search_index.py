"""The public editions ready to be asked: which of them has a word, how much of it, and when they are of.

In memory, so that the order is the same whatever the database. Words are stemmed in the edition's language and compared without
accents; a word of the title counts more than one of the text.
"""

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import snowballstemmer

from mailbot.languages import Language
from mailbot.releases import dates
from mailbot.releases.figures import Numerals, in_words, numerals
from mailbot.releases.release import Edition, Release, day_of, newest_first, public_editions, released_at
from mailbot.releases.spelling import Spellings, in_one_form, spellings

TITLE, TOPIC, PLACE, BODY = 3.5, 2.5, 2.0, 1.0  # how much a word counts by where it stands
K1, B = 1.2, 0.6  # BM25: how soon repetition stops to count, and how much length counts
LEAD_LETTERS = 600
KNOWN_WORDS = 200_000
LEAST_FIGURE = 3  # `one` and `two` are in every text
WORD = re.compile(r"[^\W_]{1,60}(?:-[^\W_]{1,60}){0,8}")
LINK = re.compile(r"\]\([^)\s]*\)|<https?:[^>\s]*>")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:([ \u00a0\u202f\u2009.,'])\d{3})(?:\1\d{3})*(?![.,]?\d)")


@dataclass(frozen=True, slots=True)
class Paper:
    """One public edition in the index."""

    release: str
    number: int  # of the release: its editions share it
    edition: Edition
    moment: datetime
    day: date
    events: tuple[date, ...]  # days that its first lines name
    length: float
    headline: frozenset[str]  # the terms of its title, topics and place


@dataclass(frozen=True, slots=True)
class Speech:
    """How words of one language are compared; `known` remembers the forms of a word."""

    stem: Callable[[str], str]
    stop: frozenset[str]
    numerals: Numerals | None = None
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)


PLAIN = Speech(lambda word: word, frozenset())  # of a language without a folder: words are compared whole


@dataclass(frozen=True, slots=True)
class Index:
    """The public editions of an instant, ready to be asked, by one thread at a time: the stemmers keep their place."""

    papers: tuple[Paper, ...]
    postings: Mapping[str, "tuple[array[int], array[float]]"]  # by term: the papers that have it, and BM25's worth of it there
    owners: tuple[int, ...]  # by paper: the number of its release, in rising order
    releases: int  # how many are public
    newest: tuple[str, ...]  # their ids, the newest first
    speeches: Mapping[str, Speech]
    stop: frozenset[str]  # the stop words of all of them
    grammar: dates.Grammar
    spellings: Spellings  # the office's own: one form for what people write differently
    kin: Mapping[str, frozenset[str]]  # by term: those that name nearly the same subject, in any language
    told: dict[tuple[str, float], "Asked"] = field(default_factory=dict)  # words that were asked for, and what there is of them


@dataclass(frozen=True, slots=True)
class Asked:
    """One telling thing of the question: a word in its possible forms, or a date; `found` is what each paper has of it, 0 to 1 and more."""

    weight: float
    found: Mapping[int, float]
    dated: bool
    terms: frozenset[str]
    number: bool = False


def build(releases: Iterable[Release], now: datetime, languages: Mapping[str, Language], before: Index | None = None) -> Index:
    """Index what is public at `now`. It is good until a release changes or the next embargo ends (release.next_opening).

    An index built `before` with the same languages lends the words that it has stemmed, which is most of the work."""
    speeches = before.speeches if before else {code: _speech(language) for code, language in languages.items()}
    grammar = before.grammar if before else dates.grammar([language.dates for language in languages.values()])
    known = before.spellings if before else spellings(language.office for language in languages.values())
    kin = before.kin if before else _kin(tuple(languages.values()))
    papers: list[Paper] = []
    postings: dict[str, tuple[array[int], array[float]]] = defaultdict(lambda: (array("L"), array("d")))
    number, every = 0, tuple(releases)
    for release in sorted(every, key=lambda release: release.id):
        editions = public_editions(release, now)
        for edition in sorted(editions, key=lambda edition: edition.slug):
            terms, length, headline = _terms_in(edition, speeches.get(edition.language, PLAIN), known)
            for term, weight in terms.items():
                numbers, weights = postings[term]
                numbers.append(len(papers))
                weights.append(weight)
            events = _events(edition, grammar, moment := released_at(release, now))
            papers.append(Paper(release.id, number, edition, moment, day_of(edition), events, length, headline))
        number += bool(editions)
    average = sum(paper.length for paper in papers) / len(papers) if papers else 1.0
    for numbers, weights in postings.values():
        for place, (paper, weight) in enumerate(zip(numbers, weights, strict=True)):
            weights[place] = weight * (K1 + 1) / (weight + K1 * (1 - B + B * papers[paper].length / average))
    newest = tuple(release.id for release in newest_first(every, now))
    stop = frozenset[str]().union(*(speech.stop for speech in speeches.values()))
    owners = tuple(paper.number for paper in papers)
    return Index(tuple(papers), dict(postings), owners, number, newest, speeches, stop, grammar, known, kin)


@lru_cache(maxsize=4)
def _kin(languages: tuple[Language, ...]) -> dict[str, frozenset[str]]:
    """Of the subjects of all these languages; thousands of words are stemmed for it."""
    groups: dict[str, set[str]] = defaultdict(set)
    for language, speech in ((language, _speech(language)) for language in languages):
        for group, words in language.subjects.items():
            groups[group].update(term for word in words for term in forms_of(str(word), speech))
    kin: dict[str, set[str]] = defaultdict(set)
    for terms in groups.values():
        for term in terms:
            kin[term] |= terms
    return {term: frozenset(terms) for term, terms in kin.items()}


def terms_of(index: Index, word: str) -> frozenset[str]:
    return frozenset(term for speech in index.speeches.values() for term in forms_of(word, speech))


def _terms_in(edition: Edition, speech: Speech, known: Spellings) -> tuple[dict[str, float], float, frozenset[str]]:
    """How much of each term the edition has, and its length, both weighed by where the words stand; and those that do not stand in the
    text alone."""
    terms: dict[str, float] = defaultdict(float)

    def count(text: str, weight: float) -> float:
        length = 0.0
        for word in words_of(in_one_form(text, known)):
            forms = forms_of(word, speech)
            length += weight if forms else 0.0
            for term in forms:
                terms[term] += weight
        for figure, _ in spelled_in(text, speech):
            terms[figure] += weight
        return length

    length = count(edition.title, TITLE) + count(" ".join(edition.topics), TOPIC) + count(edition.place, PLACE)
    headline = frozenset(terms)
    # The marks of Markdown are no words; parsing it would cost more than all the rest.
    return terms, length + count(LINK.sub("] ", edition.body), BODY), headline


def spelled_in(text: str, speech: Speech) -> Iterator[tuple[str, str]]:
    """The figures that are written in words, in digits and as written: `sixty-three` is found by 63, and 63 by `sixty-three`."""
    if speech.numerals:
        yield from ((str(figure), words) for figure, words in in_words(text, speech.numerals) if figure >= LEAST_FIGURE)


def _events(edition: Edition, grammar: dates.Grammar, moment: datetime) -> tuple[date, ...]:
    """The single days that the title and the first lines name."""
    lead = f"{edition.title}\n{edition.body[:LEAD_LETTERS].partition(chr(10) * 2)[0]}"
    if not any(map(str.isdigit, lead)):
        return ()
    return tuple(mention.start for mention in dates.find(lead, grammar, moment) if mention.start == mention.end)


def _speech(language: Language) -> Speech:
    name = str(language.words.get("stemmer", ""))
    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord if name in snowballstemmer.algorithms() else lambda word: word
    lists: Sequence[Any] = [
        language.words.get("function_words", ()),
        language.words.get("letter_words", ()),
        language.releases.get("search_stop_words", ()),
    ]
    stop = frozenset(fold(part) for entries in lists for entry in entries for part in (str(entry), *words_of(str(entry))))
    return Speech(stem, stop, numerals(language.releases.get("figures", {}), language.dates))


def forms_of(word: str, speech: Speech) -> tuple[str, ...]:
    """The terms of a word: its stem with and without its accents, and the parts of a compound. Nothing for a stop word."""
    known = speech.known.get(word)
    if known is None:
        small = word.lower()
        if small != word:
            return forms_of(small, speech)
        parts = [small.replace("-", ""), *small.split("-")] if "-" in small else [small]
        plain = [part for part in parts if fold(part) not in speech.stop and (len(part) > 1 or part.isdigit())]
        forms = [fold(speech.stem(part)) for part in plain] + [speech.stem(fold(part)) for part in plain if not part.isascii()]
        if len(speech.known) > KNOWN_WORDS:  # strangers' words come in for years
            speech.known.clear()
        known = speech.known[word] = tuple(dict.fromkeys(forms))
    return known


def words_of(text: str) -> list[str]:
    return WORD.findall(joined(unicodedata.normalize("NFC", text)))


def joined(text: str) -> str:
    """Numbers without the marks between their thousands, for all spell them differently. Same length not kept."""
    return _GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]), text)


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    spelled = unicodedata.normalize("NFKD", word.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss"))
    return "".join(letter for letter in spelled if not unicodedata.combining(letter))
