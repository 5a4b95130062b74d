"""What differs between the editions of a release that should be the same in each: figures, dates, names, links, telephone numbers.

It informs and mends nothing: a person looks at the table. An edition is held against the one that is no translation, as a whole:
a figure may stand in another sentence there. Every word that it takes comes from the language folders.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from mailbot.languages import Language
from mailbot.releases import figures, links, named_days, names, quotation_marks
from mailbot.releases.body import plain_paragraphs
from mailbot.releases.dates import fold
from mailbot.releases.mention import Kind, Mention, free, sentence_at
from mailbot.releases.release import Edition, Release, day_of
from mailbot.releases.spelling import Spellings, spellings

NEAR = 0.15  # of a text: two differences so far apart may be one thing written in two ways
QUOTES, CONTACT = "quotation-marks", "contact"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing, by language: how it is written, and the sentence where it stands; "" where an edition has nothing like it."""

    kind: Kind
    words: Mapping[str, str]
    sentences: Mapping[str, str]

    @property
    def facts(self) -> dict[str, Any]:
        """For programs and templates."""
        return {"kind": str(self.kind), "words": dict(self.words), "sentences": dict(self.sentences)}


@dataclass(frozen=True, slots=True)
class Point:
    """Something in one edition that wants to be looked at: marks that do not belong together, or that nobody can be asked."""

    what: str
    language: str
    sentence: str

    @property
    def facts(self) -> dict[str, Any]:
        """For programs and templates."""
        return {"what": self.what, "language": self.language, "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Parity:
    """What was found."""

    languages: tuple[str, ...]
    differences: tuple[Difference, ...]
    points: tuple[Point, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """For programs and templates."""
        return {
            "languages": list(self.languages), "differences": [one.facts for one in self.differences],
            "points": [one.facts for one in self.points],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Ears:
    """What one language needs to be read."""

    numerals: figures.Numerals
    calendar: named_days.Calendar
    naming: names.Naming


@dataclass(frozen=True, slots=True)
class _Read:
    """One edition, read: its whole text, and what it mentions there."""

    edition: Edition
    text: str
    mentions: tuple[Mention, ...]
    named: names.Named
    offset: int  # where the part begins in which names are looked for


def parity(release: Release, languages: Mapping[str, Language], office_contact: str = "") -> Parity:
    """Hold the editions of a release against its original. `office_contact` stands under an edition that has no contact of its own."""
    editions = sorted(release.editions, key=lambda one: (one.slug != release.id, one.slug))
    known = spellings(language.office for language in languages.values())
    read = [_read(one, languages.get(one.language), known, {each.language for each in editions}) for one in editions]
    differences = [found for other in read[1:] for found in _compared(read[0], other)]
    points = [point for one in editions for point in _points(one, languages, office_contact, editions)]
    return Parity(tuple(one.language for one in editions), tuple(differences), tuple(points))


def _read(edition: Edition, language: Language | None, known: Spellings, codes: set[str]) -> _Read:
    title, contact = _nfc(edition.title), _nfc(edition.contact)
    told = _nfc("\n".join((*plain_paragraphs(edition.body), *plain_paragraphs(edition.notes))))
    text = f"{title}\n{told}\n{contact}"
    ears = _ears(language)
    mentions: list[Mention] = []
    taken: list[tuple[int, int]] = []

    def take(one: Mention, uses_up: bool = True) -> None:
        if free(taken, (one.start, one.end)) or not uses_up:
            mentions.append(one)

    for one in links.find(text, codes):
        take(one)
        taken.append((one.start, one.end))
    days = list(named_days.find(text, ears.calendar, day_of(edition)))
    for one, uses_up in days:
        take(one, uses_up)
    taken += [(one.start, one.end) for one, uses_up in days if uses_up]
    mentions += figures.find(text, ears.numerals, taken)
    # A title may be set in capitals, and a contact line is addresses: names are looked for between the two, and known by all.
    return _Read(edition, text, tuple(mentions), names.read(told, f"{title}\n{contact}", ears.naming, known), len(title) + 1)


@lru_cache(maxsize=32)
def _ears(language: Language | None) -> _Ears:
    """Of a language without a folder nothing but the digits is understood."""
    releases, words, dates = (language.releases, language.words, language.dates) if language else ({}, {}, {})
    return _Ears(
        figures.numerals(releases.get("figures", {}), dates), named_days.calendar(dates), names.naming(releases.get("names", {}), words)
    )


def _compared(one: _Read, other: _Read) -> Iterator[Difference]:
    yield from _front_matter(one.edition, other.edition)
    found: list[tuple[float, Difference]] = []
    lacks = list(_lacking(one, other)), list(_lacking(other, one))
    for mine, theirs in _paired(one, other, *lacks):
        place = mine.start / len(one.text) if mine else theirs.start / len(other.text) if theirs else 0.0
        kind = mine.kind if mine else theirs.kind if theirs else Kind.FIGURE
        spans = (mine.start, mine.end) if mine else None, (theirs.start, theirs.end) if theirs else None
        found.append((place, _difference(kind, one, other, *spans)))
    for span, twin in names.differences(one.named, other.named):
        shown = _shifted(span, one), _shifted(twin, other)
        place = shown[0][0] / len(one.text) if shown[0] else shown[1][0] / len(other.text) if shown[1] else 0.0
        found.append((place, _difference(Kind.NAME, one, other, *shown)))
    yield from (difference for _, difference in sorted(found, key=lambda pair: pair[0]))


def _shifted(span: names.Span | None, read: _Read) -> names.Span | None:
    return (span[0] + read.offset, span[1] + read.offset) if span else None


def _lacking(one: _Read, other: _Read) -> Iterator[Mention]:
    """What the one needs and the other does not give, each thing once."""
    given = frozenset[str]().union(*(each.gives for each in other.mentions))
    told: set[frozenset[str]] = set()
    for each in sorted(one.mentions, key=lambda each: each.start):
        if each.needs and not each.needs & given and each.needs not in told:
            told.add(each.needs)
            yield each


def _paired(
    one: _Read, other: _Read, mine: Iterable[Mention], theirs: Sequence[Mention]
) -> Iterator[tuple[Mention | None, Mention | None]]:
    """Differences that stand in about the same place of both texts are shown beside each other; so is what the other edition has there
    and elsewhere, and this one elsewhere alone: a figure that is right in the title and wrong in the text."""
    left = list(theirs)
    for each in mine:
        twin = _nearest(each, one, other, left)
        if twin:
            left.remove(twin)
        yield each, twin or _nearest(each, one, other, _oftener(other, one))
    for twin in left:
        yield _nearest(twin, other, one, _oftener(one, other)), twin


def _nearest(each: Mention, here: _Read, there: _Read, among: Iterable[Mention]) -> Mention | None:
    """Of these mentions in the other text the one that stands where this one does, if any is near."""
    place = each.start / len(here.text)
    alike = (twin for twin in among if twin.kind is each.kind and figures.of_one_size(each.needs, twin.needs))
    far = [(abs(twin.start / len(there.text) - place), twin) for twin in alike]
    return min((pair for pair in far if pair[0] <= NEAR), key=lambda pair: pair[0], default=(0.0, None))[1]


def _oftener(one: _Read, other: _Read) -> list[Mention]:
    """What the one says oftener than the other, which says it too."""
    def times(read: _Read, needs: frozenset[str]) -> int:
        return sum(bool(each.gives & needs) for each in read.mentions)

    return [each for each in one.mentions if each.needs and times(one, each.needs) > times(other, each.needs) > 0]


def _difference(kind: Kind, one: _Read, other: _Read, span: names.Span | None, twin: names.Span | None) -> Difference:
    sides = ((one, span), (other, twin))
    return Difference(
        kind,
        {read.edition.language: " ".join(read.text[slice(*place)].split()) if place else "" for read, place in sides},
        {read.edition.language: sentence_at(read.text, place) if place else "" for read, place in sides},
    )


def _front_matter(one: Edition, other: Edition) -> Iterator[Difference]:
    """The date and the embargo are said outside the text as well."""
    fields = [("date", one.date, other.date)]
    if one.embargo and other.embargo:
        fields += [("embargo", one.embargo, other.embargo)]
    for field, mine, theirs in fields:
        if mine != theirs and not (isinstance(mine, datetime) and field == "embargo" and mine == one.date):
            said = {one.language: mine.isoformat(), other.language: theirs.isoformat()}
            yield Difference(Kind.DATE, said, {language: f"{field}: {day}" for language, day in said.items()})


def _points(edition: Edition, languages: Mapping[str, Language], office_contact: str, editions: Sequence[Edition]) -> Iterator[Point]:
    paragraphs = [edition.title, *plain_paragraphs(edition.body), *plain_paragraphs(edition.notes)]
    for number, at in quotation_marks.unmatched(paragraphs):
        yield Point(QUOTES, edition.language, sentence_at(paragraphs[number], (at, at + 1)))
    cues = tuple(fold(_nfc(str(cue))) for one in languages.values() for cue in one.releases.get("contact_cues", ()))
    has_one = bool(edition.contact) or any(fold(_nfc(paragraph)).startswith(cues) for paragraph in paragraphs[1:])
    if not has_one and (not office_contact or any(other.contact for other in editions)):
        yield Point(CONTACT, edition.language, "")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
