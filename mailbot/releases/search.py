"""Which release does this text ask for?

BM25 over the public editions, in memory and in our own arithmetic, so that the order is the same whatever the database.
Words are stemmed in the edition's language and compared without accents; the words of a question are tried in every
language. A title counts more than the text, a name or a number more than a common word, and a date in words ("the
September release") counts by the release's own date. `coverage` says how much of what the question tells was found:
the word that no release has is the best reason to ask a person.
"""

import math
import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import snowballstemmer

from mailbot.languages import Language
from mailbot.releases import dates
from mailbot.releases.release import Edition, Release, day_of, newest_first, public_editions, released_at
from mailbot.releases.spelling import Spellings, in_one_form, spellings

TITLE, TOPIC, PLACE, BODY = 3.5, 2.5, 2.0, 1.0  # how much a word counts by where it stands
K1, B = 1.2, 0.6  # BM25: how soon repetition stops to count, and how much length counts
NAME, NUMBER = 1.6, 1.4  # a Capitalised word and a number tell more
DATE = 2.0  # a date of the release itself; a date that its first lines name counts EVENT of it
EVENT = 0.7
LEAD_LETTERS = 600
BEST = 10
WORDED = 5  # so many matches are given the words that matched
MOST_WORDS = 300  # of a question; a longer one asks for nothing in particular
KNOWN_WORDS = 200_000
TOLD_WORDS, TOLD_PAPERS = 5_000, 32  # so many words are remembered, of those that no more papers have
_WORD = re.compile(r"[^\W_]{1,60}(?:-[^\W_]{1,60}){0,8}")
_LINK = re.compile(r"\]\([^)\s]*\)|<https?:[^>\s]*>")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:([ \u00a0\u202f\u2009.,'])\d{3})(?:\1\d{3})*(?![.,]?\d)")


@dataclass(frozen=True, slots=True)
class Match:
    """A release that fits: how well, how much of the question it has, and (of the first few) its own words that were asked for."""

    release: str
    score: float
    coverage: float
    why: str  # "topic" or "date"
    words: tuple[str, ...]
    lacks_a_number: bool = False  # that the question gives
    is_named: bool = True  # by its date, a number, or a word of its title, topics or place: its text alone speaks of much else


@dataclass(frozen=True, slots=True)
class _Paper:
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
class _Speech:
    """How words of one language are compared; `known` remembers the forms of a word."""

    stem: Callable[[str], str]
    stop: frozenset[str]
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)


_PLAIN = _Speech(lambda word: word, frozenset())  # of a language without a folder: words are compared whole


@dataclass(frozen=True, slots=True)
class Index:
    """The public editions of an instant, ready to be asked, by one thread at a time: the stemmers keep their place."""

    papers: tuple[_Paper, ...]
    postings: Mapping[str, "tuple[array[int], array[float]]"]  # by term: the papers that have it, and BM25's worth of it there
    owners: tuple[int, ...]  # by paper: the number of its release, in rising order
    releases: int  # how many are public
    newest: tuple[str, ...]  # their ids, the newest first
    speeches: Mapping[str, _Speech]
    stop: frozenset[str]  # the stop words of all of them
    grammar: dates.Grammar
    spellings: Spellings  # the office's own: one form for what people write differently
    told: dict[tuple[str, float], "_Asked"] = field(default_factory=dict)  # words that were asked for, and what there is of them


@dataclass(frozen=True, slots=True)
class _Asked:
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
    papers: list[_Paper] = []
    postings: dict[str, tuple[array[int], array[float]]] = defaultdict(lambda: (array("L"), array("d")))
    number, every = 0, tuple(releases)
    for release in sorted(every, key=lambda release: release.id):
        editions = public_editions(release, now)
        for edition in sorted(editions, key=lambda edition: edition.slug):
            terms, length, headline = _terms_of(edition, speeches.get(edition.language, _PLAIN), known)
            for term, weight in terms.items():
                numbers, weights = postings[term]
                numbers.append(len(papers))
                weights.append(weight)
            events = _events(edition, grammar, moment := released_at(release, now))
            papers.append(_Paper(release.id, number, edition, moment, day_of(edition), events, length, headline))
        number += bool(editions)
    average = sum(paper.length for paper in papers) / len(papers) if papers else 1.0
    for numbers, weights in postings.values():
        for place, (paper, weight) in enumerate(zip(numbers, weights, strict=True)):
            weights[place] = weight * (K1 + 1) / (weight + K1 * (1 - B + B * papers[paper].length / average))
    newest = tuple(release.id for release in newest_first(every, now))
    stop = frozenset[str]().union(*(speech.stop for speech in speeches.values()))
    return Index(tuple(papers), dict(postings), tuple(paper.number for paper in papers), number, newest, speeches, stop, grammar, known)


def search(index: Index, text: str, now: datetime, limit: int = BEST, worded: int = WORDED) -> tuple[Match, ...]:
    """The releases that the text may ask for, the best first; equal ones newest first, then by slug. The first `worded` get their words."""
    text = in_one_form(unicodedata.normalize("NFC", text), index.spellings)
    asked = _asked(index, text, now)
    whole = sum(one.weight for one in asked)
    if not whole:
        return ()
    by_paper: dict[int, float] = defaultdict(float)
    for one in asked:
        for paper, found in one.found.items():
            by_paper[paper] += one.weight * found
    best: dict[int, tuple[float, int]] = {}  # of each release its best edition, the first of equal ones
    for paper, score in by_paper.items():
        release = index.owners[paper]
        if release not in best or (score, -paper) > best[release]:
            best[release] = (score, -paper)
    found_in = [(round(score, 9), -paper) for score, paper in best.values()]
    found_in.sort(key=lambda found: index.papers[found[1]].release)
    found_in.sort(key=lambda found: (found[0], index.papers[found[1]].moment), reverse=True)
    return tuple(_match(index, paper, score, asked, whole, place < worded) for place, (score, paper) in enumerate(found_in[:limit]))


def _match(index: Index, paper: int, score: float, asked: Sequence[_Asked], whole: float, worded: bool) -> Match:
    owner = index.owners[paper]
    editions = range(bisect_left(index.owners, owner), bisect_right(index.owners, owner))
    found = [one for one in asked if any(edition in one.found for edition in editions)]
    covered = sum(one.weight for one in found) / whole
    why = "date" if any(one.dated for one in found) else "topic"
    words = _own_words(index, paper, [term for one in found for term in one.terms]) if worded else ()
    lacking = any(one.number and one not in found for one in asked)
    headlines = [index.papers[edition].headline for edition in editions]
    named = any(one.dated or one.number or not all(map(one.terms.isdisjoint, headlines)) for one in found)
    return Match(index.papers[paper].release, round(score, 6), round(covered, 4), why, words, lacking, named)


def _own_words(index: Index, paper: int, terms: Iterable[str]) -> tuple[str, ...]:
    """The words as this edition writes them, title first."""
    edition = index.papers[paper].edition
    speech = index.speeches.get(edition.language, _PLAIN)
    missing = {term for term in terms if _stands_in(index, term, paper)}
    words: dict[str, None] = {}
    for text in (edition.title, *edition.topics, edition.place, _LINK.sub("] ", edition.body)):
        for word in _words(text) if missing else ():
            if not missing.isdisjoint(forms := _forms(word, speech)):
                missing.difference_update(forms)
                words[word] = None
    return tuple(words)


def _stands_in(index: Index, term: str, paper: int) -> bool:
    numbers: Sequence[int] = index.postings[term][0] if term in index.postings else ()
    place = bisect_left(numbers, paper)
    return place < len(numbers) and numbers[place] == paper


def _terms_of(edition: Edition, speech: _Speech, known: Spellings) -> tuple[dict[str, float], float, frozenset[str]]:
    """How much of each term the edition has, and its length, both weighed by where the words stand; and those that do not stand in the
    text alone."""
    terms: dict[str, float] = defaultdict(float)

    def count(text: str, weight: float) -> float:
        length = 0.0
        for word in _words(in_one_form(text, known)):
            forms = _forms(word, speech)
            length += weight if forms else 0.0
            for term in forms:
                terms[term] += weight
        return length

    length = count(edition.title, TITLE) + count(" ".join(edition.topics), TOPIC) + count(edition.place, PLACE)
    headline = frozenset(terms)
    # The marks of Markdown are no words; parsing it would cost more than all the rest.
    return terms, length + count(_LINK.sub("] ", edition.body), BODY), headline


def _events(edition: Edition, grammar: dates.Grammar, moment: datetime) -> tuple[date, ...]:
    """The single days that the title and the first lines name."""
    lead = f"{edition.title}\n{edition.body[:LEAD_LETTERS].partition(chr(10) * 2)[0]}"
    if not any(map(str.isdigit, lead)):
        return ()
    return tuple(mention.start for mention in dates.find(lead, grammar, moment) if mention.start == mention.end)


def _asked(index: Index, text: str, now: datetime) -> list[_Asked]:
    """What the question tells, each thing once, in the order of the text."""
    asked: list[_Asked] = []
    rest = text
    for mention in dates.find(text, index.grammar, now):
        rest = rest[: mention.span[0]] + " " * (mention.span[1] - mention.span[0]) + rest[mention.span[1] :]
        asked.append(_date(index, mention))
    rest = _joined(rest)
    shouting = sum(map(str.isupper, rest)) > 0.5 * sum(map(str.isalpha, rest))
    seen: set[str] = set()
    for match in _WORD.finditer(rest):
        # A compound that nobody has: its parts speak for it.
        whole = "-" not in match[0] or not _terms(index, match[0]).isdisjoint(index.postings)
        for word in [match[0]] if whole else match[0].split("-"):
            key = _fold(word)
            if key in seen or key in index.stop or (len(key) == 1 and not key.isdigit()) or len(seen) == MOST_WORDS:
                continue
            seen.add(key)
            name = word[0].isupper() and not shouting and not _opens_sentence(rest, match.start())
            factor = NUMBER if key.isdigit() and len(key) > 1 else NAME if name else 1.0
            asked.append(_told(index, word, key, factor))
    return asked


def _told(index: Index, word: str, key: str, factor: float) -> _Asked:
    """The same words are in every mail that asks."""
    known = index.told.get((word, factor))
    if known is None:
        known = _word(index, _terms(index, word) or frozenset([key]), factor)
        if len(known.found) <= TOLD_PAPERS:
            if len(index.told) >= TOLD_WORDS:
                index.told.clear()
            index.told[word, factor] = known
    return known


def _terms(index: Index, word: str) -> frozenset[str]:
    return frozenset(term for speech in index.speeches.values() for term in _forms(word, speech))


def _word(index: Index, terms: frozenset[str], factor: float) -> _Asked:
    """One word; where several forms of it fit, the best one counts."""
    found: dict[int, float] = {}
    for term in sorted(terms.intersection(index.postings)):
        worth = dict(zip(*index.postings[term], strict=True))
        found = {number: max(found.get(number, 0.0), worth.get(number, 0.0)) for number in found | worth} if found else worth
    return _Asked(factor * _rarity(index, found), found, False, terms, number=factor == NUMBER)


def _date(index: Index, mention: dates.DateMention) -> _Asked:
    """The releases of these days; a release whose first lines name the day comes next. Where the year is not said and the nearest has
    none, those of any year."""
    start, end = mention.start, mention.end
    single = end - start < timedelta(days=1)

    def worth(is_meant: Callable[[date], bool]) -> dict[int, float]:
        found: dict[int, float] = {}
        for number, paper in enumerate(index.papers):
            if is_meant(paper.day):
                found[number] = 1.0
            elif single and any(map(is_meant, paper.events)):
                found[number] = EVENT
        return found

    found = worth(lambda day: start <= day <= end)
    if not found and mention.yearless:
        found = worth(lambda day: day.month == start.month and (not single or day.day == start.day))
    return _Asked(DATE * _rarity(index, found), found, True, frozenset())


def rarest(index: Index) -> float:
    """What a word is worth that only one release has: the measure of a score, whatever the number of releases."""
    return math.log(1 + (max(1, index.releases) - 0.5) / 1.5)


def _rarity(index: Index, found: Iterable[int]) -> float:
    """BM25's idf, by release: a word in every release tells nothing, one in none tells most."""
    count = len(set(map(index.owners.__getitem__, found)))
    return math.log(1 + (index.releases - count + 0.5) / (count + 0.5))


def _speech(language: Language) -> _Speech:
    name = str(language.words.get("stemmer", ""))
    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord if name in snowballstemmer.algorithms() else lambda word: word
    lists: Sequence[Any] = [
        language.words.get("function_words", ()),
        language.words.get("letter_words", ()),
        language.releases.get("search_stop_words", ()),
    ]
    return _Speech(stem, frozenset(_fold(part) for entries in lists for entry in entries for part in (str(entry), *_words(str(entry)))))


def _forms(word: str, speech: _Speech) -> tuple[str, ...]:
    """The terms of a word: its stem with and without its accents, and the parts of a compound. Nothing for a stop word."""
    known = speech.known.get(word)
    if known is None:
        small = word.lower()
        if small != word:
            return _forms(small, speech)
        parts = [small.replace("-", ""), *small.split("-")] if "-" in small else [small]
        plain = [part for part in parts if _fold(part) not in speech.stop and (len(part) > 1 or part.isdigit())]
        forms = [_fold(speech.stem(part)) for part in plain] + [speech.stem(_fold(part)) for part in plain if not part.isascii()]
        if len(speech.known) > KNOWN_WORDS:  # strangers' words come in for years
            speech.known.clear()
        known = speech.known[word] = tuple(dict.fromkeys(forms))
    return known


def _words(text: str) -> list[str]:
    return _WORD.findall(_joined(unicodedata.normalize("NFC", text)))


def _joined(text: str) -> str:
    """Numbers without the marks between their thousands, for all spell them differently. Same length not kept."""
    return _GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]), text)


def _opens_sentence(text: str, at: int) -> bool:
    """Whether a capital at this place says nothing, since a sentence begins there."""
    before = text[:at].rstrip(" \t«“\"'(’-")
    return not before or before[-1] in ".!?:;\n>…"


@lru_cache(maxsize=20_000)
def _fold(word: str) -> str:
    spelled = unicodedata.normalize("NFKD", word.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss"))
    return "".join(letter for letter in spelled if not unicodedata.combining(letter))
