"""Which release does this text ask for?

BM25 over the public editions (search_index.py), in our own arithmetic. The words of a question are tried in every language. A name or
a number counts more than a common word, and a date in words ("the September release") by the release's own date. `coverage` says how
much of what the question tells was found: the word that no release has is the best reason to ask a person.
"""

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailbot.releases import dates
from mailbot.releases.search_index import LINK, PLAIN, WORD, Asked, Index, fold, forms_of, joined, spelled_in, terms_of, words_of
from mailbot.releases.spelling import in_one_form

NAME, NUMBER = 1.6, 1.4  # a Capitalised word and a number tell more
KIN = 0.5  # of a word for nearly the same
DATE = 2.0  # a date of the release itself; a date that its first lines name counts EVENT of it
EVENT = 0.7
A_MONTH, ABOUT = timedelta(days=31), timedelta(days=45)  # a release is of about the days that it tells of
BEST = 10
WORDED = 5  # so many matches are given the words that matched
LEAST_NAME = 3  # letters
LEAST_SHARED = 2  # editions may have a word that tells of one of them
MOST_WORDS = 300  # of a question; a longer one asks for nothing in particular
TOLD_WORDS, TOLD_PAPERS = 5_000, 32  # so many words are remembered, of those that no more papers have


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


def _match(index: Index, paper: int, score: float, asked: Sequence[Asked], whole: float, worded: bool) -> Match:
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
    speech = index.speeches.get(edition.language, PLAIN)
    missing = {term for term in terms if _stands_in(index, term, paper)}
    words: dict[str, None] = {}
    for text in (edition.title, *edition.topics, edition.place, LINK.sub("] ", edition.body)):
        for word in words_of(text) if missing else ():
            if not missing.isdisjoint(forms := forms_of(word, speech)):
                missing.difference_update(forms)
                words[word] = None
        words.update((spelled, None) for figure, spelled in spelled_in(text, speech) if figure in missing)
    return tuple(words)


def _stands_in(index: Index, term: str, paper: int) -> bool:
    numbers: Sequence[int] = index.postings[term][0] if term in index.postings else ()
    place = bisect_left(numbers, paper)
    return place < len(numbers) and numbers[place] == paper


def _asked(index: Index, text: str, now: datetime) -> list[Asked]:
    """What the question tells, each thing once, in the order of the text."""
    mentions = dates.find(text, index.grammar, now)
    asked = [_date(index, mention) for mention in mentions]
    rest = joined(_without(mentions, text))
    shouting = sum(map(str.isupper, rest)) > 0.5 * sum(map(str.isalpha, rest))
    seen: set[str] = set()
    for match in WORD.finditer(rest):
        # A compound that nobody has: its parts speak for it.
        whole = "-" not in match[0] or not terms_of(index, match[0]).isdisjoint(index.postings)
        for word in [match[0]] if whole else match[0].split("-"):
            key = fold(word)
            if key in seen or key in index.stop or (len(key) == 1 and not key.isdigit()) or len(seen) == MOST_WORDS:
                continue
            seen.add(key)
            name = word[0].isupper() and not shouting and not _opens_sentence(rest, match.start())
            factor = NUMBER if key.isdigit() and len(key) > 1 else NAME if name else 1.0
            asked.append(_told(index, word, key, factor))
    for figure in dict.fromkeys(one for speech in index.speeches.values() for one, _ in spelled_in(rest, speech)):
        if figure not in seen:
            asked.append(_told(index, figure, figure, NUMBER if len(figure) > 1 else 1.0))
    return asked


def _told(index: Index, word: str, key: str, factor: float) -> Asked:
    """The same words are in every mail that asks."""
    known = index.told.get((word, factor))
    if known is None:
        known = _word(index, terms_of(index, word) or frozenset([key]), factor)
        if len(known.found) <= TOLD_PAPERS:
            if len(index.told) >= TOLD_WORDS:
                index.told.clear()
            index.told[word, factor] = known
    return known


def _word(index: Index, terms: frozenset[str], factor: float) -> Asked:
    """One word; where several forms of it fit, the best one counts, and less where only a word for nearly the same does."""
    found = _found(index, terms)
    kin = frozenset[str]().union(*(index.kin.get(term, frozenset()) for term in terms)) - terms
    for number, worth in _found(index, kin).items():
        found[number] = max(found.get(number, 0.0), KIN * worth)
    return Asked(factor * _rarity(index, found), found, False, terms | kin, number=factor == NUMBER)


def _found(index: Index, terms: frozenset[str]) -> dict[int, float]:
    found: dict[int, float] = {}
    for term in sorted(terms.intersection(index.postings)):
        for number, worth in zip(*index.postings[term], strict=True):
            found[number] = max(found.get(number, 0.0), worth)
    return found


def _date(index: Index, mention: dates.DateMention) -> Asked:
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
    return Asked(DATE * _rarity(index, found), found, True, frozenset())


def names_lacking(index: Index, text: str, now: datetime, release: str = "") -> frozenset[str]:
    """The names in the text that this release has in no edition; without one, that none has. Names are words with a capital inside a
    sentence, and no months; a line without a word in small letters is a signature."""
    papers = frozenset(number for number, paper in enumerate(index.papers) if release in ("", paper.release))
    found: list[str] = []
    text = in_one_form(unicodedata.normalize("NFC", text), index.spellings)
    for line in _without(dates.find(text, index.grammar, now), text).splitlines():
        words = list(WORD.finditer(line))
        if any(word[0].islower() for word in words):
            inside = [word[0] for word in words if word[0][0].isupper() and not _opens_sentence(line, word.start())]
            names = [name for name in inside if len(name) >= LEAST_NAME and fold(name) not in index.stop]
            found += [name for name in names if papers.isdisjoint(_told(index, name, fold(name), NAME).found)]
    return frozenset(found)


def told_by(index: Index, release: str, words: Iterable[str]) -> dict[str, bool]:
    """Those of the words that this release has, and not most of the others too; True where its title, topics or place has it."""
    papers = [number for number, paper in enumerate(index.papers) if paper.release == release]
    headline = frozenset[str]().union(*(index.papers[number].headline for number in papers))
    most, found = max(LEAST_SHARED, index.releases // 2), dict[str, bool]()
    for word in words:
        if word not in index.stop and (len(word) > 1 or word.isdigit()):
            rare = [term for term in terms_of(index, word).intersection(index.postings) if len(index.postings[term][0]) <= most]
            if telling := [term for term in rare if any(_stands_in(index, term, paper) for paper in papers)]:
                found[word] = not headline.isdisjoint(telling)
    return found


def _without(mentions: Iterable[dates.DateMention], text: str) -> str:
    """As long as before, so that places stay."""
    for start, end in (mention.span for mention in mentions):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def is_of_another_date(index: Index, text: str, release: str, now: datetime) -> bool:
    """The text names a past day or month with its year, or the last week, and this release is not of about then, nor do its first lines
    tell of it."""
    days = [day for paper in index.papers if paper.release == release for day in (paper.day, *paper.events)]
    today, found = now.date(), dates.find(text, index.grammar, now)
    past = [mention for mention in found if mention.start <= today and (mention.has_year or _is_span_before(mention, today))]
    told = [mention for mention in past if mention.end - mention.start <= A_MONTH]
    return any(not any(mention.start - ABOUT <= day <= mention.end + ABOUT for day in days) for mention in told)


def _is_span_before(mention: dates.DateMention, today: date) -> bool:
    """`Last week`, and no day: `on Monday` is often one to come."""
    return not mention.yearless and mention.start < mention.end < today


def rarest(index: Index) -> float:
    """What a word is worth that only one release has: the measure of a score, whatever the number of releases."""
    return math.log(1 + (max(1, index.releases) - 0.5) / 1.5)


def _rarity(index: Index, found: Iterable[int]) -> float:
    """BM25's idf, by release: a word in every release tells nothing, one in none tells most."""
    count = len(set(map(index.owners.__getitem__, found)))
    return math.log(1 + (index.releases - count + 0.5) / (count + 0.5))


def _opens_sentence(text: str, at: int) -> bool:
    """Whether a capital at this place says nothing, since a sentence begins there."""
    before = text[:at].rstrip(" \t«“\"'(’-")
    return not before or before[-1] in ".!?:;\n>…"


